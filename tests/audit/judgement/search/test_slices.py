"""The ranking: what a slice surely loses beyond everybody, and who only echoes another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.judgement.search.features import Feature
from audit.judgement.search.slices import Half, worst_slices


def feature(column, codes):
    codes = np.asarray(codes)
    return Feature(column, tuple(f"{column}={v}" for v in range(codes.max() + 1)), codes)


def half(loss, least=1, weights=None, clusters=None, searched=None):
    loss = np.asarray(loss, dtype=np.float64)
    first = np.arange(loss.size) % 2 == 0 if searched is None else searched
    return Half(first, ~first, loss, weights, clusters, least)


def test_the_bound_by_hand():
    """Four searched examples of a=1 lose 1, 1, 1, 1 more than everybody and one of each is added.

    Centre 4 / 6, error √(4 + 2) / 6, and the bound lies 1.645 of these below: −0.005. With eight,
    8 / 10 − 1.645 √10 / 10 = 0.28.
    """
    for n, bound in ((4, None), (8, 0.8 - stats.norm.ppf(0.95) * np.sqrt(10) / 10)):
        loss = np.r_[np.ones(2 * n), np.full(2 * n, -1.0)]
        found = worst_slices([feature("a", np.repeat([1, 0], 2 * n))], half(loss), 1, 5)
        if bound is None:
            assert found.worst == ()
        else:
            assert [s.name for s in found.worst] == ["a=1"]
            assert found.worst[0].bound == pytest.approx(bound)
        assert found.looked_at == 2


def test_small_in_either_half_is_not_looked_at():
    loss = np.r_[np.ones(16), np.zeros(24)]
    a = feature("a", np.repeat([1, 0], [16, 24]))
    assert worst_slices([a], half(loss, least=8), 1, 5).looked_at == 2
    searched = np.ones(40, dtype=bool)
    searched[12:20] = False  # of a=1, four in the half that tests
    assert worst_slices([a], half(loss, least=5, searched=searched), 1, 5).looked_at == 0


def test_a_cluster_counts_once():
    """Sixteen examples of one cluster say no more than one does."""
    loss = np.r_[np.ones(32), np.zeros(32)]
    a = feature("a", np.repeat([1, 0], 32))
    assert worst_slices([a], half(loss - 0.5), 1, 5).worst
    one = np.r_[np.zeros(32, dtype=np.int64), np.arange(1, 33)]
    assert not worst_slices([a], half(loss - 0.5, clusters=one), 1, 5).worst


def test_weights_count_as_copies():
    """An example of weight 2 and two of weight 1 have the same total and centre."""
    loss = np.r_[np.ones(20), np.zeros(20)] - 0.5
    a = feature("a", np.repeat([1, 0], 20))
    plain = worst_slices([a], half(loss), 1, 1).worst[0].bound
    doubled = worst_slices([a], half(loss, weights=np.full(40, 2.0)), 1, 1).worst[0].bound
    assert doubled == pytest.approx(plain)


def test_a_crossing_is_found_and_its_echoes_are_left_out():
    """The loss is all in a=1 & b=1: neither column alone holds anything beside it."""
    generator = np.random.default_rng(0)
    a, b, c = (feature(name, generator.integers(0, 3, 4000)) for name in "abc")
    loss = np.where((a.codes == 1) & (b.codes == 1), 0.5, 0.0)
    found = worst_slices([a, b, c], half(loss - loss.mean(), least=30), 2, 10)
    assert [s.name for s in found.worst] == ["a=1 & b=1"]
    assert found.looked_at == 9 + 27


def test_nearly_the_same_slice_is_told_once_by_its_fewest_columns():
    generator = np.random.default_rng(1)
    a = feature("a", generator.integers(0, 2, 1000))
    same = a.codes.copy()
    same[:20] = 1 - same[:20]
    loss = a.codes - 0.5
    found = worst_slices([a, feature("b", same)], half(loss, least=10), 2, 10)
    assert [s.name for s in found.worst] == ["a=1"]


def test_a_feature_without_a_code_is_in_no_slice():
    a = Feature("a", ("a=x",), np.array([0, 0, 0, 0, -1, -1, -1, -1]))
    assert worst_slices([a], half(np.ones(8)), 1, 5).looked_at == 1


def test_more_cells_than_examples():
    """Each of 40 × 40 cells, numbered anew: as many as there are examples of different pairs."""
    one, two = np.divmod(np.arange(40), 7)
    wide = [
        Feature("a", tuple(f"a={v}" for v in range(40)), one),
        Feature("b", tuple(f"b={v}" for v in range(40)), two),
    ]
    found = worst_slices(wide, half(np.zeros(40), searched=np.arange(40) % 3 > 0, least=0), 2, 5)
    assert found.worst == ()
