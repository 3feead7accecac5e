import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate
from fairlearn.metrics import demographic_parity_difference as their_parity
from fairlearn.metrics import demographic_parity_ratio as their_parity_ratio
from fairlearn.metrics import equal_opportunity_difference as their_opportunity
from fairlearn.metrics import equalized_odds_difference as their_odds
from fairlearn.metrics import equalized_odds_ratio as their_odds_ratio
from sklearn.metrics import accuracy_score

from audit.judgement.groups.disparities import (
    demographic_parity_difference,
    demographic_parity_ratio,
    disparity_findings,
    equalised_odds_difference,
    equalised_odds_ratio,
)
from audit.judgement.groups.rates import count
from audit.judgement.plan import Plan


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
        assert demographic_parity_ratio(counts, 1)[model] == pytest.approx(
            their_parity_ratio(**asked)
        )
        assert equalised_odds_ratio(counts, 1)[model] == pytest.approx(their_odds_ratio(**asked))


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
    assert parity.low < 0.5 < parity.high
    assert "crossed bootstrap" in parity.reason
    odds = by_measure["equalised_odds_difference"]
    assert (odds.parent, odds.pruned, odds.n, odds.subject) == (0.0, 1.0, 100, "g")


def test_without_a_positive_class_only_accuracy_is_compared(study):
    made = study([0, 1], [[0, 1]], {0.5: [[0, 1]]}, columns={"group_g": ["a", "b"]})
    found = disparity_findings(made.block, made.evidence, made.arms, Plan())
    assert {finding.measure for finding in found} == {"accuracy_difference", "accuracy_group_min"}


def test_one_group_has_nothing_to_compare(study):
    made = study(
        [0, 1], [[0, 1]], {0.5: [[0, 1]]}, columns={"group_g": ["a", "a"]}, classes=("n", "y")
    )
    found = disparity_findings(made.block, made.evidence, made.arms, Plan(positive="y"))
    assert {finding.outcome for finding in found} == {"not_asked"}


def of_frame(metric, way):
    def of(y_true, y_pred, sensitive_features):
        frame = MetricFrame(
            metrics=metric, y_true=y_true, y_pred=y_pred, sensitive_features=sensitive_features
        )
        return getattr(frame, way)()

    return of


ORACLES = {
    "accuracy_difference": of_frame(accuracy_score, "difference"),
    "accuracy_group_min": of_frame(accuracy_score, "group_min"),
    "demographic_parity_difference": their_parity,
    "demographic_parity_ratio": their_parity_ratio,
    "equal_opportunity_difference": their_opportunity,
    "equalised_odds_difference": their_odds,
    "equalised_odds_ratio": their_odds_ratio,
    "fnr_group_max": of_frame(false_negative_rate, "group_max"),
    "fpr_group_max": of_frame(false_positive_rate, "group_max"),
}


def population(seed=0, n=600, parents=4, harm=0.0, base=(0.9, 0.9)):
    """Pruning repeats its parent but for 5 %, and turns `harm` of group b's negatives."""
    draw = np.random.default_rng(seed)
    label, group = draw.integers(0, 2, n), draw.choice(["a", "b"], n)
    right = np.where(group == "a", *base)
    dense, again = (np.where(draw.random((parents, n)) < right, label, 1 - label) for _ in range(2))
    pruned = np.where(draw.random((parents, n)) < 0.15, again, dense)
    hit = (group == "b") & (label == 0) & (draw.random((parents, n)) < harm)
    return label, dense, np.where(hit, 1, pruned), group


def test_every_finding_equals_fairlearn_before_and_after(study):
    label, dense, pruned, group = population()
    made = study(
        label, dense, {0.5: pruned}, dense, columns={"group_g": group}, classes=("no", "yes")
    )
    plan = Plan(positive="yes", resamples=100)
    found = disparity_findings(made.block, made.evidence, made.arms, plan)
    assert {finding.measure for finding in found} == set(ORACLES)
    for finding in found:
        for side, table in (("parent", dense), ("pruned", pruned), ("control", dense)):
            theirs = [
                ORACLES[finding.measure](label, row, sensitive_features=group) for row in table
            ]
            assert getattr(finding, side) == pytest.approx(np.mean(theirs)), finding.measure
        assert finding.change == pytest.approx(finding.pruned - finding.parent)
        assert finding.low < finding.change < finding.high
        assert finding.examples_low < finding.change < finding.examples_high


def test_replicates_of_a_parent_count_once(study):
    label, dense, pruned, group = population(parents=2)
    three = np.r_[pruned, pruned[:1]]
    made = study(
        label,
        dense,
        {0.5: three},
        columns={"group_g": group},
        classes=("no", "yes"),
        parent_of=[0, 1, 0],
    )
    plain = study(label, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    plan = Plan(positive="yes", resamples=100)
    for one, other in zip(
        disparity_findings(made.block, made.evidence, made.arms, plan),
        disparity_findings(plain.block, plain.evidence, plain.arms, plan),
        strict=True,
    ):
        assert one.change == pytest.approx(other.change)
        assert one.parents == 2
        assert one.standard_error == pytest.approx(other.standard_error, rel=1e-4)


def test_what_was_planted_is_found_and_nothing_else(study):
    """Group b is 8 points worse in every parent, so that the disparity is no tie; pruning adds 10
    points of FPR to it in one table, and only noise in 60 others: at most 8 of them may reject."""
    plan = Plan(positive="yes", resamples=200)

    def odds(**made_of):
        label, dense, pruned, group = population(n=1200, base=(0.92, 0.84), **made_of)
        made = study(label, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
        found = disparity_findings(made.block, made.evidence, made.arms, plan)
        return next(f for f in found if f.measure == "fpr_group_max")

    harmed = odds(harm=0.1)
    assert harmed.p < 0.01
    assert harmed.change == pytest.approx(0.1 * 0.84, abs=0.03)
    assert sum(odds(seed=seed).p < 0.05 for seed in range(1, 61)) <= 8


def test_a_small_group_makes_no_claim(study):
    label, dense, pruned, _ = population()
    group = np.where(np.arange(600) < 12, "few", "many")
    made = study(label, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    for finding in disparity_findings(
        made.block, made.evidence, made.arms, Plan(positive="yes", resamples=100)
    ):
        assert finding.change is not None
        assert (finding.p, finding.standard_error) == (None, None)
        assert "smallest group has 12 examples, of the 30" in finding.reason


def test_identical_populations_add_nothing(study):
    label, dense, _, group = population()
    made = study(label, dense, {0.5: dense}, columns={"group_g": group}, classes=("no", "yes"))
    for finding in disparity_findings(
        made.block, made.evidence, made.arms, Plan(positive="yes", resamples=100)
    ):
        assert (finding.change, finding.p) == (0.0, 1.0)


def test_examples_not_shown_are_left_out(study):
    label, dense, pruned, group = population(parents=1)
    dense, pruned = dense.copy(), pruned.copy()
    dense[:, ::5] = -1
    made = study(label, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    kept = np.arange(600) % 5 > 0
    for finding in disparity_findings(
        made.block, made.evidence, made.arms, Plan(positive="yes", resamples=100)
    ):
        theirs = ORACLES[finding.measure](
            label[kept], pruned[0][kept], sensitive_features=group[kept]
        )
        assert finding.pruned == pytest.approx(theirs)
        assert finding.change == pytest.approx(finding.pruned - finding.parent)
        assert finding.n == kept.sum()
