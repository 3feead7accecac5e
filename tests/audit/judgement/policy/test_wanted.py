from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.wanted import covers, policy_findings
from audit.judgement.shifts.calibration import calibration

FOG = Condition("fog", 3.0)


def wanted(made, policy, plan=None, confidence=None):
    plan = plan or Plan()
    block = made.block
    if confidence is not None:
        block = replace(block, confidence=np.asarray(confidence, np.float32))
    known = design(made.evidence, plan)
    return policy_findings(
        block,
        made.evidence,
        made.arms,
        plan,
        Policy.model_validate(policy),
        calibration(block, known),
    )


def test_nothing_is_asked_that_no_limit_is_about(study):
    made = study([0, 1] * 20, [[0, 1] * 20], {0.5: [[0, 1] * 20]})
    assert wanted(made, {"max_accuracy_drop": 0.1}) == []
    assert wanted(made, {"min_recall": {"limit": 0.5, "condition": "fog"}}) == []


@pytest.mark.parametrize(
    ("scope", "clean", "fog"),
    [
        ({}, True, False),
        ({"condition": "any"}, True, True),
        ({"condition": "fog"}, False, True),
        ({"condition": "fog", "severity": 1}, False, False),
        ({"condition": "all"}, False, False),
    ],
)
def test_which_conditions_a_limit_covers(scope, clean, fog):
    (stated,) = Policy.model_validate({"min_recall": {"limit": 0.5, **scope}}).stated()
    assert (covers(stated, CLEAN), covers(stated, FOG)) == (clean, fog)


def test_recall_of_the_pruned_models_by_hand(study):
    labels = [0] * 40 + [1] * 60
    right = np.array(labels)
    pruned = right.copy()
    pruned[:4] = 1  # class 0: 36 of 40
    pruned[40:94] = 0  # class 1: 6 of 60
    made = study(labels, [right], {0.5: [pruned]}, classes=("a", "b", "absent"))
    a, b, absent = wanted(made, {"min_recall": 0.5})
    assert (a.class_, a.pruned, a.n, a.change, a.p) == ("a", 0.9, 40, None, None)
    assert b.pruned == pytest.approx(0.1)
    for finding in (a, b):
        # Few are wrong (or right): two pseudo-examples widen the interval around a shrunk centre.
        middle = (finding.low + finding.high) / 2
        assert abs(middle - finding.pruned) < 0.01
        assert finding.high - finding.low > 0.15
    assert (absent.outcome, absent.n) == ("not_asked", 0)
    assert (a.high, b.low) != (None, None)


def test_perfect_recall_is_not_certain(study):
    labels = [0] * 50
    made = study(labels, [labels], {0.5: [labels]}, classes=("a", "b"))
    (a, _) = wanted(made, {"min_recall": 0.5})
    assert a.pruned == 1.0
    assert 0.9 < a.low < 0.99


def test_floors_hold_for_models_without_a_parent(study):
    labels = np.array([0, 1] * 30)
    draw = np.random.default_rng(0)
    pruned = np.where(draw.random((4, 60)) < 0.9, labels, 1 - labels)
    for named in (True, False):
        made = study(labels, np.tile(labels, (4, 1)), {0.5: pruned}, named_parents=named)
        (found,) = wanted(made, {"min_accuracy": 0.5})
        assert found.pruned == pytest.approx((pruned == labels).mean())
        assert (found.parents, found.generalises_to) == (4, "both")


def test_a_level_covers_its_truth(study):
    covered = 0
    labels = np.zeros(300, int)
    for seed in range(150):
        draw = np.random.default_rng(seed)
        pruned = (draw.random((1, 300)) < 0.1).astype(int)
        made = study(labels, labels[None, :], {0.5: pruned}, classes=("a", "b"))
        (found,) = wanted(made, {"min_accuracy": 0.5})
        covered += found.low <= 0.9 <= found.high
    assert 135 <= covered <= 149


def test_ece_of_the_pruned_models(study):
    draw = np.random.default_rng(0)
    labels = np.zeros(500, int)
    sure = draw.uniform(0.5, 1.0, (2, 500))
    calibrated = (draw.random(500) > sure[1]).astype(int)
    made = study(labels, labels[None, :], {0.5: [calibrated]}, classes=("a", "b"))
    (found,) = wanted(made, {"max_ece": 0.1}, confidence=sure)
    assert found.measure == "ece_level"
    assert 0 < found.pruned < 0.08
    # A calibrated model's lower bound stays under 0: nothing is over because of few examples.
    assert found.low < 0 < found.high
    assert wanted(made, {"max_ece": 0.1}) == []


def test_classes_and_groups_under_a_shift_only_where_a_limit_asks(study):
    labels, group = [0, 1] * 50, ["a"] * 50 + ["b"] * 50
    made = study(
        labels,
        [labels],
        {0.5: [labels]},
        columns={"group_g": group, "group_h": group},
        condition=FOG,
    )

    def measures(policy):
        return {(f.measure, f.groups, f.class_) for f in wanted(made, policy)}

    assert measures({"max_class_recall_drop": 0.1}) == set()
    there = {"limit": 0.1, "condition": "fog"}
    assert measures({"max_class_recall_drop": there}) == {
        ("recall", None, "class-0"),
        ("recall", None, "class-1"),
    }
    any_group = measures({"max_excess_gap": there})
    assert {groups for _, groups, _ in any_group} == {"g=a", "g=b", "h=a", "h=b"}
    assert {measure for measure, _, _ in any_group} == {"excess_gap"}
    crossed = measures({"max_excess_gap": there | {"groups": "h=a & g=a"}})
    assert {groups for _, groups, _ in crossed} == {"g=a & h=a", "g=b & h=b"}
    of_class = measures({"max_group_fpr_increase": there | {"class": "class-1"}})
    assert ("group_fpr", "g=a", "class-1") in of_class
