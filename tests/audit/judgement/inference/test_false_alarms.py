import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_curve

from audit.judgement.inference.bootstrap import crossed_bootstrap
from audit.judgement.inference.false_alarms import false_alarm_contributions
from audit.judgement.inference.paired import paired_change

# Few distinct values, so that ties are common.
SCORES = arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 6).map(float))


def value(score, positive, weights):
    return np.average(false_alarm_contributions(score, positive, weights), weights=weights)


@settings(deadline=None, max_examples=100)
@given(p=SCORES, n=SCORES, seed=st.integers(0, 9))
def test_as_scikit_learn_has_it(p, n, seed):
    weights = np.random.default_rng(seed).integers(1, 4, len(p) + len(n)).astype(float)
    score, positive = np.r_[p, n], np.r_[np.ones(len(p), bool), np.zeros(len(n), bool)]
    rate, kept, _ = roc_curve(positive, score, sample_weight=weights, drop_intermediate=False)
    assert value(score, positive, weights) == pytest.approx(rate[np.argmax(kept >= 0.95 - 1e-9)])


def test_nineteen_of_twenty_are_kept():
    """The threshold is the second lowest of twenty positives; one of two negatives is above it."""
    score = np.r_[np.arange(20.0), 0.5, 1.5]
    positive = np.arange(22) < 20
    assert value(score, positive, np.ones(22)) == pytest.approx(0.5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_as_uncertain_as_the_bootstrap_says(seed):
    draw = np.random.default_rng(seed)
    score = np.r_[draw.normal(1.5, 1, 600), draw.normal(0, 1, 400)]
    positive = np.arange(1000) < 600
    found = false_alarm_contributions(score, positive, np.ones(1000))
    ours = paired_change(found[None, :]).standard_error

    def of(_parents, weights):
        some = weights > 0
        return value(score[some], positive[some], weights[some])

    drawn = crossed_bootstrap(
        of, parents=1, examples=1000, draws=400, generator=np.random.default_rng(1)
    )
    assert ours == pytest.approx(drawn.standard_error, rel=0.3)
