from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from audit.evidence.blocks import Condition
from audit.judgement.groups.ranked import ranking_families
from audit.judgement.plan import Plan

PLAN = Plan(positive="yes")


def scored(study, label, dense, pruned, control=None, **columns):
    """A study whose confidences say these scores of `yes`."""
    tables = [np.atleast_2d(t) for t in (dense, pruned, control) if t is not None]
    votes = [(t >= 0.5).astype(int) for t in tables]
    made = study(
        label,
        votes[0],
        {0.5: votes[1]},
        votes[2] if control is not None else None,
        classes=("no", "yes"),
        columns=columns,
    )
    score = np.concatenate(tables)
    sure = np.where(score >= 0.5, score, 1 - score).astype(np.float32)
    block = replace(made.block, confidence=sure)
    return replace(made, block=block, evidence=replace(made.evidence, load=lambda _: block))


def drawn(seed=0, n=300, parents=3):
    draw = np.random.default_rng(seed)
    label, group = draw.integers(0, 2, n), draw.choice(["a", "b"], n)
    dense, pruned, control = (
        np.clip(
            np.round(0.5 + 0.15 * (label - 0.5) + noise * draw.normal(size=(parents, n)), 2), 0, 1
        )
        for noise in (0.1, 0.2, 0.1)
    )
    return label, dense, pruned, control, group


def found(made, plan=PLAN):
    (family,) = ranking_families(made.block, made.evidence, made.arms, plan)
    assert family.tier == "D"
    return {(f.measure, f.groups): f for f in family.findings}


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn_in_everybody_and_every_group(study, weighted):
    label, dense, pruned, control, group = drawn()
    weight = np.random.default_rng(1).choice([1.0, 3.0], 300) if weighted else np.ones(300)
    more = {"weight": weight} if weighted else {}
    answers = found(scored(study, label, dense, pruned, control, group_g=group, **more))
    assert len(answers) == 2 * 3
    for (measure, name), finding in answers.items():
        inside = np.ones(300, bool) if name is None else group == name[2:]
        of = roc_auc_score if measure.endswith("auroc") else average_precision_score
        assert measure.startswith("group_") is (name is not None)
        for side, table in (("parent", dense), ("pruned", pruned), ("control", control)):
            expected = np.mean(
                [of(label[inside], row[inside], sample_weight=weight[inside]) for row in table]
            )
            assert getattr(finding, side) == pytest.approx(expected, abs=1e-6)
        assert finding.change == pytest.approx(finding.pruned - finding.parent)
        assert finding.low < finding.change < finding.high
        assert finding.n == min((label[inside] == 1).sum(), (label[inside] == 0).sum())
        assert finding.generalises_to == "both"
        assert finding.class_ == "yes"


def test_a_worse_ranking_is_found_and_the_same_is_not(study):
    label, dense, pruned, _, group = drawn(n=1000, parents=5)
    worse = found(scored(study, label, dense, pruned, group_g=group))
    assert worse["auroc", None].p < 0.01
    assert worse["auroc", None].change < 0
    same = found(scored(study, label, dense, dense, group_g=group))
    for finding in same.values():
        assert (finding.change, finding.p) == (0.0, 1.0)


def test_too_few_of_a_class_make_no_claim(study):
    label, dense, pruned, _, group = drawn()
    label = np.where((group == "b") & (np.cumsum(group == "b") > 12), 0, label)
    answers = found(scored(study, label, dense, pruned, group_g=group))
    few = answers["group_auroc", "g=b"]
    assert few.n == (label[group == "b"] == 1).sum() <= 12
    assert few.change is not None
    assert few.p is None
    assert "of the 30 that a claim needs" in few.reason


def test_a_group_without_positives_has_no_ranking(study):
    label, dense, pruned, _, group = drawn()
    label = np.where(group == "b", 0, label)
    finding = found(scored(study, label, dense, pruned, group_g=group))["group_auroc", "g=b"]
    assert (finding.parent, finding.change, finding.outcome) == (None, None, "not_asked")


def test_under_a_shift_only_everybody_is_asked(study):
    label, dense, pruned, _, group = drawn()
    made = scored(study, label, dense, pruned, group_g=group)
    block = replace(made.block, condition=Condition("fog", 3.0))
    assert set(found(replace(made, block=block))) == {("auroc", None), ("auprc", None)}


def test_without_scores_or_a_positive_nothing_is_asked(study):
    label, dense, pruned, _, group = drawn()
    made = scored(study, label, dense, pruned, group_g=group)
    assert found(made, Plan()) == {}
    assert found(replace(made, block=replace(made.block, confidence=None))) == {}
