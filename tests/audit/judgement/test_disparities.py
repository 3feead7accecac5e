import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference as their_parity
from fairlearn.metrics import equalized_odds_difference as their_odds

from audit.judgement.disparities import (
    demographic_parity_difference,
    disparity_findings,
    equalised_odds_difference,
)
from audit.judgement.plan import Plan
from audit.judgement.rates import count


def drawn(seed, n=300):
    draw = np.random.default_rng(seed)
    labels, groups = draw.integers(0, 2, n), draw.integers(0, 3, n)
    predicted = np.where(draw.random((2, n)) < 0.8, labels, draw.integers(0, 2, (2, n)))
    return predicted, labels, groups


@pytest.mark.parametrize("seed", range(5))
def test_equals_fairlearn(seed):
    predicted, labels, groups = drawn(seed)
    counts = count(predicted, labels, groups, 3, 2)
    for model, row in enumerate(predicted):
        asked = {"y_true": labels, "y_pred": row, "sensitive_features": groups}
        assert demographic_parity_difference(counts, 1)[model] == pytest.approx(
            their_parity(**asked)
        )
        assert equalised_odds_difference(counts, 1)[model] == pytest.approx(their_odds(**asked))


def test_a_group_without_positives_opens_no_gap():
    # Fairlearn counts the undefined rate as 0 and reports a gap of 1.
    labels, groups = np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])
    counts = count(np.array([[1, 1, 0, 0]]), labels, groups, 2, 2)
    assert np.isnan(equalised_odds_difference(counts, 1)[0])


def test_findings_say_what_pruning_added(study):
    labels = np.array([0, 1] * 50)
    group = np.array(["a", "b"]).repeat(50)
    right = np.stack([labels, labels])
    pruned = right.copy()
    pruned[:, :50][:, labels[:50] == 1] = 0  # group a loses every positive
    made = study(labels, right, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    found = disparity_findings(made.block, made.evidence, made.arms, Plan(positive="yes"))
    by_measure = {finding.measure: finding for finding in found}
    parity = by_measure["demographic_parity_difference"]
    assert (parity.parent, parity.pruned, parity.change) == (0.0, 0.5, 0.5)
    assert parity.low is None
    assert "no interval" in parity.reason
    odds = by_measure["equalised_odds_difference"]
    assert (odds.parent, odds.pruned, odds.n, odds.subject) == (0.0, 1.0, 100, "g")


def test_without_a_positive_class_nothing_is_asked(study):
    made = study([0, 1], [[0, 1]], {0.5: [[0, 1]]}, columns={"group_g": ["a", "b"]})
    assert disparity_findings(made.block, made.evidence, made.arms, Plan()) == []


def test_one_group_has_nothing_to_compare(study):
    made = study(
        [0, 1], [[0, 1]], {0.5: [[0, 1]]}, columns={"group_g": ["a", "a"]}, classes=("n", "y")
    )
    found = disparity_findings(made.block, made.evidence, made.arms, Plan(positive="y"))
    assert {finding.outcome for finding in found} == {"not_asked"}
