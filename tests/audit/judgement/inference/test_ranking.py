import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from audit.judgement.inference.paired import paired_change
from audit.judgement.inference.ranking import (
    auroc,
    auroc_contributions,
    average_precision,
    average_precision_contributions,
)


def drawn(seed, n=60, ties=True):
    draw = np.random.default_rng(seed)
    positive = draw.random(n) < 0.4
    positive[:2] = True, False
    score = positive * 0.4 + draw.random(n)
    return (np.round(score, 1) if ties else score), positive, draw.integers(1, 5, n).astype(float)


def test_by_hand():
    """Positives .9 and .5, negatives .5 and .1: of 4 pairs 3 are right and one is a tie, so 3.5/4.
    Precision at .9 is 1/1 and at .5 it is 2/3, so the average precision is 5/6."""
    score, positive = np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False])
    assert auroc(score, positive) == pytest.approx(3.5 / 4)
    assert average_precision(score, positive) == pytest.approx(5 / 6)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 500), st.booleans(), st.booleans())
def test_equals_scikit_learn_with_ties_and_weights(seed, ties, weighted):
    score, positive, weight = drawn(seed, ties=ties)
    w = weight if weighted else None
    assert auroc(score, positive, w) == pytest.approx(
        roc_auc_score(positive, score, sample_weight=w)
    )
    assert average_precision(score, positive, w) == pytest.approx(
        average_precision_score(positive, score, sample_weight=w)
    )


@pytest.mark.parametrize("of", [auroc_contributions, average_precision_contributions])
def test_cells_are_apart_and_nan_is_left_out(of):
    score, positive, weight = drawn(3, n=90)
    cells = np.arange(90) % 3 - 1  # a third in no cell
    score[5] = np.nan
    z = of(score, positive, cells, 2, weight)
    assert np.isnan(z[cells == -1]).all()
    assert np.isnan(z[5])
    for cell in (0, 1):
        own = (cells == cell) & ~np.isnan(score)
        alone = of(score[own], positive[own], np.zeros(own.sum(), dtype=np.int64), 1, weight[own])
        np.testing.assert_allclose(z[own], alone)


def test_undefined_is_none():
    score = np.array([0.1, 0.9])
    assert auroc(score, np.array([True, True])) is None
    assert auroc(score, np.array([False, False])) is None
    assert average_precision(score, np.array([False, False])) is None
    assert auroc(np.empty(0), np.empty(0, dtype=bool)) is None


def test_the_variance_is_delongs():
    """Placements by the n² definition, and DeLong's S10/m + S01/n up to its n−1 denominators."""
    score, positive, _ = drawn(7, n=200)
    high, low = score[positive], score[~positive]
    wins = (high[:, None] > low).astype(float) + 0.5 * (high[:, None] == low)
    theirs = wins.mean(1).var() / high.size + wins.mean(0).var() / low.size
    z = auroc_contributions(score, positive, np.zeros(200, dtype=np.int64), 1)
    assert z.var() / 200 == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("of", "whole"),
    [
        (auroc_contributions, auroc),
        (average_precision_contributions, average_precision),
    ],
)
def test_contributions_are_the_derivative_by_weight(of, whole):
    """One more hundred-thousandth of an example moves the whole by its influence function."""
    score, positive, weight = drawn(11, n=40)
    z = of(score, positive, np.zeros(40, dtype=np.int64), 1, weight)
    value, step = whole(score, positive, weight), 1e-5
    for i in range(40):
        more = weight.copy()
        more[i] += step
        slope = (whole(score, positive, more) - value) / step
        assert (z[i] - value) / weight.sum() == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("of", [auroc_contributions, average_precision_contributions])
def test_intervals_of_a_paired_change_cover(of):
    """400 tables in which parent and pruned score equally well: 95 % intervals hold 0 in 92–98 %
    of them (three standard errors of a simulation of 400 are 3 points)."""
    draw, covered, zero = np.random.default_rng(1), 0, np.zeros(150, dtype=np.int64)
    for _ in range(400):
        positive = draw.random(150) < 0.4
        shared = positive + draw.normal(size=150)
        parent, pruned = (shared + 0.5 * draw.normal(size=150) for _ in range(2))
        difference = of(pruned, positive, zero, 1) - of(parent, positive, zero, 1)
        found = paired_change(difference[None, :])
        covered += found.low <= 0.0 <= found.high
    assert 0.92 <= covered / 400 <= 0.98
