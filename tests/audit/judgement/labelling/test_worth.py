"""What a label tells: who disagrees, who is in the denominator, and what labels settle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN
from audit.judgement.findings import Finding, Findings, no_exemplars
from audit.judgement.inference.families import Family, correct
from audit.judgement.labelling import unlabelled_families
from audit.judgement.labelling.worth import aims, unsettled
from audit.judgement.plan import Plan


def held(measure, outcome="cannot_tell", limit=0.05, **more):
    known = {"id": "0" * 12, "unit": "fraction", "method": "magnitude", "sparsity": 0.5}
    return Finding(measure=measure, outcome=outcome, limit=limit, limit_name="x", **known | more)


def case(study, **columns):
    """Two parents on four examples: pairs differ on none, one of two, both, and none of them."""
    dense = [[0, 0, 0, 1], [0, 0, 0, 1]]
    pruned = [[0, 1, 1, 1], [0, 0, 1, 1]]
    return study([-1] * 4, dense, {0.5: pruned}, columns=columns, classes=("a", "b")).evidence


def test_disagreement_by_hand(study):
    """Shares of pairs 0, ½, 1, 0; spreads √(q² + .05²), over 4 members, times 1 / .05."""
    (aim,) = aims(case(study), [held("accuracy")], Plan())
    assert aim.disagreement.tolist() == [0.0, 0.5, 1.0, 0.0]
    expected = np.sqrt(np.array([0.0, 0.25, 1.0, 0.0]) + 0.05**2) / 4 / 0.05
    assert aim.spread == pytest.approx(expected)


def test_a_group_counts_its_own(study):
    evidence = case(study, group_g=["p", "p", "q", "q"])
    (aim,) = aims(evidence, [held("group_accuracy", groups="g=q")], Plan())
    assert aim.member.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert aim.spread[:2].tolist() == [0.0, 0.0]


def test_a_class_counts_those_that_models_take_for_it(study):
    """Of four models, b is said by none, one, two and all."""
    evidence = case(study)
    found = list(
        aims(evidence, [held("recall", class_="b"), held("group_fpr", class_="b")], Plan())
    )
    assert found[0].member.tolist() == [0.0, 0.25, 0.5, 1.0]
    assert found[1].member.tolist() == [1.0, 0.75, 0.5, 0.0]


def test_a_level_wants_the_doubtful(study):
    """Confidences of 1 and of ½ have variances of 0 (held at .01) and of a quarter."""
    evidence = case(study)
    block = evidence.load(CLEAN)
    sure = np.tile(np.array([1.0, 0.5, 1.0, 0.5], dtype=np.float32), (4, 1))
    evidence = replace(evidence, load=lambda _: replace(block, confidence=sure))
    (aim,) = aims(evidence, [held("accuracy_level", limit=0.5)], Plan())
    assert aim.spread[1] / aim.spread[0] == pytest.approx(5.0)


def test_one_file_is_asked_about_alone(study):
    evidence = case(study)
    (aim,) = aims(evidence, [held("accuracy", model="pruned-0.5-1")], Plan())
    assert aim.disagreement.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_another_condition_or_arm_tells_nothing(study):
    evidence = case(study)
    elsewhere = [held("accuracy", condition="fog", severity=3.0), held("accuracy", sparsity=0.9)]
    assert list(aims(evidence, elsewhere, Plan())) == []


@pytest.mark.parametrize(
    ("measure", "outcome", "settled"),
    [
        ("accuracy", "cannot_tell", False),
        ("recall", "not_asked", False),
        ("accuracy", "within", True),
        ("accuracy", "over", True),
        ("flip_level", "cannot_tell", True),  # no label would help
        ("pie_excess", "cannot_tell", True),
    ],
)
def test_what_labels_settle(measure, outcome, settled):
    findings = Findings({}, {}, (held(measure, outcome),), no_exemplars())
    assert (not unsettled(findings)) == settled


def test_the_share_without_a_label(study):
    """One of four has a label, and one is of no class, so that two of three lack one."""
    evidence = case(study, split=["test", "test", "test", "ood"])
    examples = evidence.examples.assign(label=[0, -1, -1, -1])
    evidence = replace(evidence, examples=examples)
    (family,) = unlabelled_families(evidence.load(CLEAN), evidence, [], Plan())
    (found,) = correct([family], 0.05)
    assert (found.pruned, found.n) == (pytest.approx(2 / 3), 3)
    assert isinstance(family, Family)
    complete = replace(evidence, examples=examples.assign(label=0))
    assert unlabelled_families(evidence.load(CLEAN), complete, [], Plan()) == []
