"""Schedules: values by hand, ends and order for all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruners import SCHEDULES
from pruners.schedules import (
    at_initialisation,
    constant,
    cubic,
    cyclic,
    iterative,
    iterative_linear,
    linear,
    one_shot,
)


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


def test_linear_rounds_and_rounds_before_training_by_hand():
    assert [iterative_linear(t, 0.9, rounds=3) for t in (0, 0.4, 0.5, 1)] == pytest.approx(
        [0.3, 0.3, 0.6, 0.9]
    )
    # A hundred rounds to a hundredth: each leaves the same share.
    kept = [1 - at_initialisation(i / 99, 0.99, rounds=100) for i in range(100)]
    assert kept == pytest.approx([0.01 ** (k / 100) for k in range(1, 101)])
    assert at_initialisation(0.0, 0.7) == constant(0.0, 0.7) == constant(0.3, 0.7) == 0.7
    assert iterative(0.0, 0.75, rounds=2.0) == 0.5


def test_cyclic_is_the_cubic_ramp_again_and_again():
    assert [cyclic(t, 0.8, cycles=2) for t in (0.0, 0.5)] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert cyclic(0.25, 0.8, cycles=2) == pytest.approx(cubic(0.5, 0.8))
    assert cyclic(0.75, 0.8, cycles=2, initial=0.4) == pytest.approx(0.8 - 0.4 * 0.125)
    assert cyclic(2 / 3, 0.8, cycles=3) == pytest.approx(0.0, abs=1e-6)
    assert cyclic(0.6, 0.9, cycles=1) == pytest.approx(cubic(0.6, 0.9))


@pytest.mark.parametrize("name", sorted(SCHEDULES))
@given(final=st.floats(0.01, 0.999), times=st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_every_schedule_stays_below_what_was_asked_and_ends_there(name, final, times):
    function = SCHEDULES[name].function
    path = [function(t, final) for t in sorted(times)]
    assert all(0.0 <= value <= final + 1e-12 for value in path)
    assert function(1.0, final) == pytest.approx(final)
    if name != "cyclic":
        assert all(later >= earlier - 1e-12 for earlier, later in pairwise(path))


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (cubic, {"initial": 0.9}, "above the 0.5"),
        (linear, {"initial": 1.5}, "fraction removed"),
        (cubic, {"power": 0.0}, "above 0"),
        (iterative, {"rounds": 0}, "rounds"),
        (iterative, {"rounds": 2.5}, "rounds"),
        (iterative, {"rounds": float("inf")}, "number of rounds"),
        (iterative, {"rounds": float("nan")}, "number of rounds"),
        (iterative_linear, {"rounds": -1}, "rounds"),
        (at_initialisation, {"rounds": True}, "rounds"),
        (cyclic, {"cycles": 0}, "cycles"),
    ],
)
def test_nonsense_is_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(0.5, 0.5, **arguments)
