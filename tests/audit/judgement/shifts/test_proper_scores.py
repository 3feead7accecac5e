from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from audit.evidence.blocks import CLEAN, NO_LABEL
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.shifts.calibration import calibration
from audit.judgement.shifts.proper_scores import (
    brier,
    confidence_findings,
    probability_families,
    top5,
)


def test_brier_by_hand():
    """(.7 − 1)² + .2² + .1² = .14; certain and wrong is 2."""
    table = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]], np.float32)
    assert brier(table, np.array([0, 2])).tolist() == pytest.approx([0.14, 2.0], abs=1e-6)


def test_top5_is_scikit_learns():
    draw = np.random.default_rng(0)
    table = draw.dirichlet(np.ones(9), 200).astype(np.float32)
    labels = draw.integers(0, 9, 200)
    assert top5(table, labels).mean() == top_k_accuracy_score(labels, table, k=5, labels=range(9))


def test_ties_go_to_smaller_codes():
    table = np.full((2, 7), 1 / 7, np.float32)
    assert top5(table, np.array([4, 5])).tolist() == [1.0, 0.0]


def counted(study, classes=7):
    draw = np.random.default_rng(1)
    labels = np.r_[draw.integers(0, classes, 59), NO_LABEL]
    table = draw.dirichlet(np.ones(classes), (4, 60)).astype(np.float32)
    votes = table.argmax(2)
    made = study(labels, votes[:2], {0.5: votes[2:]}, classes=[str(i) for i in range(classes)])
    read = []

    def probabilities(_condition, row):
        read.append(row)
        return table[row]

    return replace(made.evidence, probabilities=probabilities), made, table, labels, read


def test_of_whole_probabilities(study):
    evidence, made, table, labels, read = counted(study)
    families = probability_families(made.block, evidence, made.arms, Plan())
    found = {f.measure: f for family in families for f in family.findings}
    some = np.arange(59)
    truth = np.eye(7)[labels[:59]]
    each = ((table[:, some] - truth) ** 2).sum(2).mean(1)
    assert found["brier"].parent == pytest.approx(each[:2].mean(), abs=1e-6)
    assert found["brier"].pruned == pytest.approx(each[2:].mean(), abs=1e-6)
    assert found["brier"].n == 59
    near = [top_k_accuracy_score(labels[:59], t[some], k=5, labels=range(7)) for t in table]
    assert found["top5_accuracy"].pruned == pytest.approx(np.mean(near[2:]))
    assert {family.tier for family in families} == {"D"}
    assert sorted(set(read)) == [0, 1, 2, 3]


def test_top5_of_five_classes_is_not_asked(study):
    evidence, made, *_ = counted(study, classes=5)
    families = probability_families(made.block, evidence, made.arms, Plan())
    assert [f.measure for family in families for f in family.findings] == ["brier"]


def test_without_probabilities(study):
    _, made, *_ = counted(study)
    assert probability_families(made.block, made.evidence, made.arms, Plan()) == []


def test_of_the_confidence_alone(study):
    """Right at .9 and wrong at .6: (.01 + .36) / 2; one of two is below .7."""
    made = study([0, 0], [[0, 0]], {0.5: [[0, 1]]})
    block = replace(made.block, confidence=np.array([[0.9, 0.9], [0.9, 0.6]], np.float32))
    known = design(made.evidence, Plan(minimum_n=1, uncertain_below=0.7))
    found = confidence_findings(block, calibration(block, known), made.arms, known)
    score, unsure = found
    assert score.measure == "top_label_brier"
    assert score.pruned == pytest.approx(0.185)
    assert score.parent == pytest.approx(0.01)
    assert (unsure.parent, unsure.pruned) == (0.0, 0.5)
    assert "below 0.7" in unsure.reason
    assert confidence_findings(block, None, made.arms, known) == []
    assert score.condition == CLEAN.name
