from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.study.sources.cuts import cut, stratified_sample

PINNED = [5, 6, 7, 9, 10, 11]


def test_shares_by_hand():
    strata = np.repeat([0, 1, 2], [6, 3, 1])  # 4 of 10: 2.4, 1.2, 0.4 -> 2, 1, 0 and one to 0.4
    drawn = stratified_sample(strata, 4, (0,))
    assert np.bincount(strata[drawn], minlength=3).tolist() == [3, 1, 0]


def test_ties_go_to_the_smaller_code():
    strata = np.repeat([0, 1], 5)  # 5 of 10: 2.5 and 2.5
    assert np.bincount(strata[stratified_sample(strata, 5, (0,))]).tolist() == [3, 2]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.data())
def test_counts_and_shares(strata, data):
    strata = np.array(strata)
    count = data.draw(st.integers(0, len(strata)))
    drawn = stratified_sample(strata, count, (1, 2))
    assert drawn.sum() == count
    exact = count * np.bincount(strata) / len(strata)
    found = np.bincount(strata[drawn], minlength=len(exact))
    assert (np.abs(found - exact) < 1).all()


def test_a_cut_is_a_partition_in_order_and_depends_on_the_seed():
    strata = np.arange(200) % 4
    outside, inside = cut(strata, 0.25, (0, 1))
    assert sorted([*outside, *inside]) == list(range(200))
    assert len(inside) == 50
    assert (np.diff(inside) > 0).all()
    assert (np.diff(outside) > 0).all()
    assert not np.array_equal(inside, cut(strata, 0.25, (0, 2))[1])
    np.testing.assert_array_equal(inside, cut(strata, 0.25, (0, 1))[1])


def test_pinned_draw():
    # A change here changes every stored result: raise the fingerprint's revision with it.
    drawn = stratified_sample(np.arange(12) % 3, 6, (0, 1))
    assert np.flatnonzero(drawn).tolist() == PINNED


@pytest.mark.parametrize("count", [0, 7])
def test_nothing_and_everything(count):
    assert stratified_sample(np.zeros(7, dtype=int), count, (0,)).sum() == count
