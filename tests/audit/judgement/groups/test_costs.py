import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from audit.judgement.groups.costs import cost_families
from audit.judgement.plan import Costs, Plan

PLAN = Plan(
    positive="yes", costs=Costs(false_positive=1.0, false_negative=5.0), minimum_n=1, resamples=100
)


def found(made, plan=PLAN):
    return {
        (f.measure, f.groups): f
        for family in cost_families(made.block, made.evidence, made.arms, plan)
        for f in family.findings
    }


def test_by_hand(study):
    """Dense: one false positive in four costs 1/4. Pruned: that one and a miss cost 6/4."""
    made = study(
        [0, 0, 1, 1],
        [[1, 0, 1, 1]],
        {0.5: [[1, 0, 0, 1]]},
        columns={"group_g": ["a", "a", "b", "b"]},
        classes=("no", "yes"),
    )
    answers = found(made)
    everybody = answers["expected_cost", None]
    assert (everybody.parent, everybody.pruned, everybody.change) == (0.25, 1.5, 1.25)
    assert (everybody.unit, everybody.worse_direction, everybody.class_) == ("cost", "up", "yes")
    assert answers["expected_cost", "g=a"].change == 0.0
    assert answers["expected_cost", "g=b"].pruned == 2.5


def test_equals_the_confusion_matrix(study):
    draw = np.random.default_rng(0)
    label, group = draw.integers(0, 2, 200), draw.choice(["a", "b"], 200)
    dense, pruned = draw.integers(0, 2, (2, 3, 200))
    made = study(label, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    finding = found(made)["expected_cost", "g=a"]
    inside = group == "a"
    spent = []
    for row in pruned:
        (_, false), (missed, _) = confusion_matrix(label[inside], row[inside])
        spent.append((false + 5 * missed) / inside.sum())
    assert finding.pruned == pytest.approx(np.mean(spent))
    assert finding.low < finding.change < finding.high


def test_nothing_is_asked_of_who_says_no_cost(study):
    made = study([0, 1], [[0, 1]], {0.5: [[0, 1]]}, classes=("no", "yes"))
    assert found(made, Plan(positive="yes")) == {}
    assert found(made, Plan(costs=Costs())) == {}


def test_errors_that_cost_nothing_cost_nothing(study):
    made = study([0, 1], [[0, 1]], {0.5: [[1, 0]]}, classes=("no", "yes"))
    free = Plan(positive="yes", costs=Costs(false_positive=0.0, false_negative=0.0))
    assert found(made, free)["expected_cost", None].change == 0.0
