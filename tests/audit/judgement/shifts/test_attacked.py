from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.judging import judge
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.shifts.attacked import PER_MODEL, attack_families

PGD = Condition("pgd@8/255", None)
FOG = Condition("fog", 3.0)


def test_by_hand(study):
    """The attack costs the parent 1 of 4 and the pruned model, wrong once before, 2: one beyond."""
    made = study([0] * 4, [[0, 0, 0, 0]], {0.5: [[0, 0, 0, 0]]})
    known = design(made.evidence, Plan(minimum_n=1))
    clean = np.array([[0.0, 0, 0, 0], [1, 0, 0, 0]])
    error = np.array([[1.0, 0, 0, 0], [1, 1, 1, 0]])
    (family,) = attack_families(PGD, error, clean, made.arms, known)
    accuracy, excess = family.findings
    assert (accuracy.parent, accuracy.pruned) == (0.75, 0.25)
    assert excess.change == 0.25
    assert {f.reason.split(";")[0] for f in family.findings} == {PER_MODEL}
    assert (family.name, family.tier) == ("adversarial", "D")
    (alone,) = attack_families(PGD, error, None, made.arms, known)
    assert [f.measure for f in alone.findings] == ["adversarial_accuracy"]


@pytest.fixture
def evidence(study):
    """Clean, fog, and an attack that breaks every pruned model on most examples."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 200)
    blocks = {}
    for condition, rates in ((CLEAN, (0.1, 0.1)), (FOG, (0.2, 0.2)), (PGD, (0.3, 0.9))):
        dense, pruned, more = (
            np.where(draw.random((3, 200)) < rate, (labels + 1) % 3, labels)
            for rate in (*rates, rates[1])
        )
        made = study(labels, dense, {0.5: pruned, 0.9: more}, condition=condition)
        sure = draw.uniform(0.4, 1.0, made.block.predicted.shape).astype(np.float32)
        blocks[condition] = replace(made.block, confidence=sure)
    return replace(made.evidence, conditions=tuple(blocks), load=blocks.__getitem__)


def test_an_attack_is_no_corruption_and_no_natural_shift(evidence):
    found = judge(evidence, Plan(), Policy())
    own = [f for f in found.findings if f.condition == PGD.name]
    assert {f.measure for f in own} == {"adversarial_accuracy", "adversarial_excess_error"}
    assert {f.family for f in own} == {"adversarial"}
    without = judge(replace(evidence, conditions=(CLEAN, FOG)), Plan(), Policy())
    kept = {f.id: f for f in found.findings if f.family != "adversarial" and f.n}
    assert {f.id: f for f in without.findings if f.n} == kept


def test_a_limit_on_attacks(evidence):
    policy = {
        "max_adversarial_error_increase": 0.3,
        "min_accuracy": {"limit": 0.5, "condition": "any"},
    }
    found = judge(evidence, Plan(), Policy.model_validate(policy))
    held = [f for f in found.findings if f.limit_name == "max_adversarial_error_increase"]
    assert {(f.condition, f.outcome) for f in held} == {(PGD.name, "over")}
    # `any` condition is none that an attack made for one model: those are named.
    floors = [f for f in found.findings if f.limit_name == "min_accuracy"]
    assert {(f.condition, f.outcome) for f in floors} == {("clean", "within"), ("fog", "within")}
    named = {"min_accuracy": {"limit": 0.5, "condition": PGD.name}}
    found = judge(evidence, Plan(), Policy.model_validate(named))
    assert {f.outcome for f in found.findings if f.limit_name == "min_accuracy"} == {"over"}
