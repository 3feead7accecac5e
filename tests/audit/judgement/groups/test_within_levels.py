import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate

from audit.evidence.errors import InputError
from audit.judgement.groups.disparities import disparity_findings
from audit.judgement.groups.divisions import groupings
from audit.judgement.groups.within_levels import control_families
from audit.judgement.groups.worst_of_groups import worst_gap_families
from audit.judgement.plan import Binned, Plan

PLAN = Plan(positive="yes", control_features=("h",), resamples=200)


def drawn(study, n=800, seed=0):
    draw = np.random.default_rng(seed)
    label = draw.integers(0, 2, n)
    group, level = draw.choice(["a", "b"], n), draw.choice(["x", "y"], n)
    dense, pruned = (
        np.where(draw.random((2, n)) < share, label, 1 - label) for share in (0.9, 0.8)
    )
    columns = {"group_g": group, "group_h": level}
    made = study(label, dense, {0.5: pruned}, columns=columns, classes=("no", "yes"))
    return made, label, dense, pruned, group, level


def found(made, plan=PLAN):
    families = control_families(made.block, made.evidence, made.arms, plan)
    return {(f.measure, f.groups): f for family in families for f in family.findings}


def test_rates_within_levels_equal_fairlearn(study):
    made, label, dense, _, group, level = drawn(study)
    theirs = [
        MetricFrame(
            metrics=false_positive_rate,
            y_true=label,
            y_pred=row,
            sensitive_features=group,
            control_features=level,
        )
        for row in dense
    ]
    answers = found(made)
    for g in "ab":
        for h in "xy":
            mine = answers["group_fpr", f"g={g} & h={h}"]
            assert mine.parent == pytest.approx(np.mean([t.by_group[h, g] for t in theirs]))


def test_the_excess_gap_is_to_everybody_of_the_level(study):
    made, label, dense, pruned, group, level = drawn(study)
    lost = (dense == label).mean(axis=0) - (pruned == label).mean(axis=0)
    answers = found(made)
    for g in "ab":
        for h in "xy":
            gap = answers["excess_gap", f"g={g} & h={h}"]
            inside = level == h
            expected = lost[inside & (group == g)].mean() - lost[inside].mean()
            assert gap.change == pytest.approx(expected)
            assert gap.pruned - gap.parent == pytest.approx(expected)
            assert f"everybody of h={h}" in gap.reason


def test_disparities_are_given_level_by_level(study):
    made, label, _, pruned, group, level = drawn(study)
    answers = {
        (f.measure, f.groups): f
        for f in disparity_findings(made.block, made.evidence, made.arms, PLAN)
        if f.subject == "g"
    }
    for h in "xy":
        spread = answers["equal_opportunity_difference", f"h={h}"]
        each = []
        for row in pruned:
            rates = [row[(level == h) & (group == g) & (label == 1)].mean() for g in "ab"]
            each.append(abs(rates[0] - rates[1]))
        assert spread.pruned == pytest.approx(np.mean(each))
    assert ("equal_opportunity_difference", None) in answers


def test_a_control_is_no_group_and_groups_are_exchanged_within_it(study):
    made, *_ = drawn(study)
    names = [d.label for d in groupings(made.evidence.examples, PLAN)]
    assert names == ["g"]
    (family, *_) = worst_gap_families(made.block, made.evidence, made.arms, PLAN, "groups")
    assert "one class and level of h" in family.findings[0].reason


def test_a_loss_that_the_control_explains_is_no_groups_own(study):
    """Level y loses 40 % and is most of b: b falls behind, but not within a level."""
    draw = np.random.default_rng(1)
    level = draw.choice(["x", "y"], 2000)
    group = np.where(draw.random(2000) < np.where(level == "y", 0.8, 0.2), "b", "a")
    label = draw.integers(0, 2, 2000)
    dense = np.tile(label, (3, 1))
    pruned = np.where((level == "y") & (draw.random((3, 2000)) < 0.4), 1 - dense, dense)
    made = study(
        label,
        dense,
        {0.5: pruned},
        columns={"group_g": group, "group_h": level},
        classes=("no", "yes"),
    )
    plain = Plan(groups=("g",), resamples=300)
    within = Plan(groups=("g",), control_features=("h",), resamples=300)
    ps = [
        worst_gap_families(made.block, made.evidence, made.arms, plan, "groups")[0].omnibus_p
        for plan in (plain, within)
    ]
    assert ps[0] < 0.01
    assert ps[1] > 0.05


def test_binned_controls_and_wrong_names(study):
    made, *_ = drawn(study)
    made.evidence.examples["group_age"] = np.arange(800) % 80
    answers = found(
        made, Plan(groups=("g",), control_features=(Binned(column="age", bins=(0, 40, 80)),))
    )
    assert ("group_accuracy", "age=[0, 40) & g=a") in answers
    with pytest.raises(InputError, match="There is no group column 'hh'"):
        found(made, Plan(control_features=("hh",)))
    with pytest.raises(InputError, match="as a group and as a control feature"):
        groupings(made.evidence.examples, Plan(groups=("g", "h"), control_features=("h",)))


def test_without_control_features_nothing_is_asked(study):
    made, *_ = drawn(study)
    assert control_families(made.block, made.evidence, made.arms, Plan()) == []
