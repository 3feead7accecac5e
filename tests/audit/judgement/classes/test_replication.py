from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import recall_score

from audit.evidence.blocks import Condition
from audit.judgement.inference.families import Family, benjamini_hochberg, correct, holm
from audit.judgement.judging import judge
from audit.judgement.own_measures import own_families, own_measures
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy

NAMES = ("welch_recall_shift", "welch_recall_shift_by_population")


def asked(made, plan=None):
    """Both measures of a study, as an audit asks them."""
    plan = plan or Plan(
        measures=tuple(f"audit.judgement.classes.replication:{name}" for name in NAMES)
    )
    own = own_measures(plan, Path())
    families = own_families(own, made.block, made.evidence, made.arms, plan)
    return [finding for family in families for finding in family.findings]


def random_study(study, parents=5, **kwargs):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 300)

    def models(right):
        return np.where(draw.random((parents, 300)) < right, labels, draw.integers(0, 3, 300))

    made = study(labels, models(0.9), {0.5: models(0.8), 0.9: models(0.6)}, **kwargs)
    return made, labels


@pytest.mark.parametrize("named", [True, False])
def test_both_centrings_are_scipys_welch(study, named):
    made, labels = random_study(study, named_parents=named)
    found = {(f.measure, f.class_): f for f in asked(made) if f.sparsity == 0.9}
    block = made.block.predicted
    recalls = [
        np.stack([recall_score(labels, row, average=None) for row in block[rows]])
        for rows in (slice(0, 5), slice(10, 15))
    ]
    right = [(block[rows] == labels).mean(axis=1) for rows in (slice(0, 5), slice(10, 15))]
    for code in range(3):
        per_model = [r[:, code] - a for r, a in zip(recalls, right, strict=True)]
        whole = [r[:, code] - a.mean() for r, a in zip(recalls, right, strict=True)]
        for name, (before, after) in (
            ("welch_recall_shift", per_model),
            ("welch_recall_shift_by_population", whole),
        ):
            one = found[name, f"class-{code}"]
            expected = stats.ttest_ind(after, before, equal_var=False)
            assert one.p == pytest.approx(expected.pvalue)
            assert one.change == pytest.approx(after.mean() - before.mean())
            assert ("descend" in one.reason) is named


def test_holm_and_bh_are_per_arm_over_classes(study):
    made, _ = random_study(study)
    found = asked(made)
    done = correct([Family("replication", "D", found)], 0.05)
    for sparsity in (0.5, 0.9):
        own = [f for f in done if (f.measure, f.sparsity) == ("welch_recall_shift", sparsity)]
        p = [f.p for f in own]
        assert [f.p_holm for f in own] == pytest.approx(holm(p))
        assert [f.p_bh for f in own] == pytest.approx(benjamini_hochberg(p))
        assert len(own) == 3


def test_no_variance_is_said_and_one_model_is_not_asked(study):
    labels = np.arange(90) % 3
    made = study(labels, [labels] * 3, {0.5: [labels] * 3})
    for one in asked(made):
        assert (one.p, one.change) == (None, 0.0)
        assert "no variance" in one.reason
    alone = study(labels, labels, {0.5: labels})
    assert {f.outcome for f in asked(alone)} == {"not_asked"}


def test_a_shift_is_not_asked_about(study):
    made, _ = random_study(study, condition=Condition("fog", 1.0))
    assert asked(made) == []


def test_a_whole_audit_takes_them_from_the_plan(study):
    made, _ = random_study(study)
    names = tuple(f"audit.judgement.classes.replication:{name}" for name in NAMES)
    found = judge(made.evidence, Plan(resamples=100, measures=names), Policy())
    own = [f for f in found.findings if f.measure in NAMES]
    assert len(own) == 2 * 2 * 3
    assert {(f.tier, f.worse_direction) for f in own} == {("D", "down")}
    assert all(f.p_holm >= f.p for f in own)
