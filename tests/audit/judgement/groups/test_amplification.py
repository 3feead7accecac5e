from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audit.judgement.groups.amplification import amplification_families, direction
from audit.judgement.plan import Plan

PLAN = Plan(positive="yes", minimum_n=1)
NAMES = ("g=a", "g=b", "g=c")


def trained(made, per_group):
    """Training rows: (group, positives, negatives)."""
    rows = [
        {"example": f"{group}-{i}", "label": int(i < yes), "split": "train", "group_g": group}
        for group, yes, no in per_group
        for i in range(yes + no)
    ]
    return replace(made, evidence=replace(made.evidence, training=pd.DataFrame(rows)))


def found(made, plan=PLAN):
    (family,) = amplification_families(made.block, made.evidence, made.arms, plan)
    return family.findings


def table(study, pruned=None):
    """Positives: three of a, one of b. Dense takes just these; pruned takes three of a alone."""
    label = [1, 1, 1, 0, 1, 0, 0, 0]
    dense = [label]
    return study(
        label,
        dense,
        {0.5: [[1, 1, 1, 0, 0, 0, 0, 0]] if pruned is None else pruned},
        columns={"group_g": ["a"] * 4 + ["b"] * 4},
        classes=("no", "yes"),
    )


def test_by_hand(study):
    """Training ties yes to a (60 % against 20 %). Of those who are yes 3/4 are of a; of those the
    pruned model takes, all are: it amplifies by 1/4, its parent by 0."""
    made = trained(table(study), [("a", 30, 20), ("b", 10, 40)])
    (finding,) = found(made)
    assert finding.parent == pytest.approx(0.0)
    assert finding.pruned == pytest.approx(0.25)
    assert finding.change == pytest.approx(0.25)
    assert finding.relative_change is None
    assert (finding.subject, finding.class_, finding.groups) == ("g", "yes", None)
    assert "ties the class to g=a" in finding.reason
    assert finding.n == 3  # the pruned model takes three


def test_the_direction_is_trainings_and_not_the_tests(study):
    made = trained(table(study), [("a", 10, 40), ("b", 30, 20)])
    (finding,) = found(made)
    assert finding.change == pytest.approx(-0.25)


@pytest.mark.parametrize(
    ("positive", "size", "said"),
    [
        ([4, 5, 0], [50, 50, 50], "has 9 examples of the class, of the 10"),
        ([50, 52, 0], [100, 100, 0], "differs by 3.8 %"),
        ([50, 0, 0], [100, 0, 0], "fewer than two of these groups"),
    ],
)
def test_no_direction_is_taken(positive, size, said):
    assert said in direction(np.array(positive), np.array(size), NAMES).skipped


def test_groups_above_the_average_are_tied():
    taken = direction(np.array([30, 20, 10]), np.array([50, 50, 50]), NAMES)
    assert taken.tied == ("g=a",)
    assert taken.skipped is None
    two = direction(np.array([30, 30, 10]), np.array([50, 50, 50]), NAMES)
    assert two.tied == ("g=a", "g=b")


def test_a_skipped_class_says_why(study):
    made = trained(table(study), [("a", 4, 20), ("b", 3, 40)])
    (finding,) = found(made)
    assert finding.outcome == "not_asked"
    assert "7 examples of the class" in finding.reason


def test_without_training_nothing_is_asked(study):
    assert found(table(study)) == []


def test_every_class_is_asked_where_none_is_positive(study):
    made = trained(table(study), [("a", 30, 20), ("b", 10, 40)])
    assert {finding.class_ for finding in found(made, Plan(minimum_n=1))} == {"no", "yes"}


def test_amplification_is_found_where_it_was_planted(study):
    draw = np.random.default_rng(0)
    group = draw.choice(["a", "b"], 2000)
    label = (draw.random(2000) < np.where(group == "a", 0.6, 0.3)).astype(int)
    dense = np.where(draw.random((5, 2000)) < 0.9, label, 1 - label)
    for shift, expected in ((0.15, True), (0.0, False)):
        taken = (group == "a") & (draw.random((5, 2000)) < shift)
        dropped = (group == "b") & (draw.random((5, 2000)) < shift)
        again = np.where(draw.random((5, 2000)) < 0.9, label, 1 - label)
        kept = np.where(draw.random((5, 2000)) < 0.2, again, dense)
        pruned = np.where(taken, 1, np.where(dropped, 0, kept))
        made = study(label, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
        (finding,) = found(trained(made, [("a", 60, 40), ("b", 30, 70)]), Plan(positive="yes"))
        assert bool(finding.p < 0.01) is expected
        assert bool(finding.change > 0.03) is expected
