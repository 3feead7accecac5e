"""Schedules: values by hand, ends and order for all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruners import SCHEDULES
from pruners.schedules import cubic, iterative, linear, one_shot


def test_values_by_hand():
    assert cubic(0.5, 0.8) == pytest.approx(0.8 * (1 - 0.125))
    assert cubic(0.5, 0.8, initial=0.4) == pytest.approx(0.8 - 0.4 * 0.125)
    assert cubic(0.5, 0.8, power=1.0) == pytest.approx(linear(0.5, 0.8)) == pytest.approx(0.4)
    assert linear(0.25, 0.9, initial=0.1) == pytest.approx(0.3)
    assert one_shot(0.0, 0.7) == 0.7
    # Two rounds to .75: half, then half of the rest.
    assert [iterative(t, 0.75, rounds=2) for t in (0, 0.5, 0.99, 1)] == [0.5, 0.5, 0.5, 0.75]
    thirds = [iterative(i / 3, 0.9, rounds=4) for i in range(4)]
    assert thirds == pytest.approx([1 - 0.1 ** (k / 4) for k in (1, 2, 3, 4)])


@pytest.mark.parametrize("name", sorted(SCHEDULES))
@given(final=st.floats(0.01, 0.999), times=st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_every_schedule_rises_to_what_was_asked(name, final, times):
    function = SCHEDULES[name].function
    path = [function(t, final) for t in sorted(times)]
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(path))
    assert path[0] >= 0.0
    assert function(1.0, final) == pytest.approx(final)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (cubic, {"initial": 0.9}, "above the 0.5"),
        (linear, {"initial": 1.5}, "fraction removed"),
        (cubic, {"power": 0.0}, "above 0"),
        (iterative, {"rounds": 0}, "rounds"),
        (iterative, {"rounds": 2.5}, "rounds"),
    ],
)
def test_nonsense_is_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(0.5, 0.5, **arguments)
