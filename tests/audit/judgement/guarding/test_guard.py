"""The guard of a whole audit: chosen on validation, certified on test by the same judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN
from audit.judgement.design import arms
from audit.judgement.guarding import guard
from audit.judgement.guarding.curve import SHARES, curve, seen, share_among
from audit.judgement.guarding.result import read_guard
from audit.judgement.judging import judge
from audit.judgement.pairs import design
from audit.judgement.plan import Guard, Plan
from audit.judgement.policy.limits import Policy

POLICY = Policy.model_validate({"max_accuracy_drop": 0.02, "max_class_recall_drop": 0.1})
PLAN = Plan(guard=Guard())


def test_a_guard_turns_over_into_within(doubting):
    """A tenth of the examples is lost where the models doubt: handing that tenth back is enough."""
    (arm,) = guard(doubting(), PLAN, POLICY).arms
    assert (arm.before, arm.after) == ("over", "within")
    assert arm.share == pytest.approx(0.1, abs=0.03)
    assert arm.share_low is not None
    assert arm.share_high is not None
    assert arm.share_low < arm.share < arm.share_high
    assert arm.recovered is not None
    assert arm.recovered > 0.8
    held = {(h.limit_name, h.class_): (h.before, h.after) for h in arm.limits}
    assert held[("max_accuracy_drop", None)] == ("over", "within")
    assert len(held) == 5


def test_what_a_guard_cannot_see_it_cannot_mend(doubting):
    """Where confidence tells nothing, what is handed back recovers as much as chance would."""
    (arm,) = guard(doubting(told=0.0, error=0.2), PLAN, POLICY).arms
    assert arm.threshold is None
    for point in arm.curve:
        assert point.recovered == pytest.approx(point.share, abs=0.1)


def test_without_validation_the_rule_is_not_asked_and_the_curve_is_there(doubting):
    found = judge(doubting(validation=False), PLAN, POLICY)
    (arm,) = found.run["guard"]["arms"]
    assert arm["threshold"] is None
    assert "add examples of the split `validation`" in arm["reason"]
    assert len(arm["curve"]) == len(SHARES)
    asked = [f for f in found.findings if f.measure.startswith("guard_")]
    assert {(f.measure, f.outcome) for f in asked} == {
        ("guard_deferred", "not_asked"),
        ("guard_recovered", "not_asked"),
    }
    assert all("validation" in (f.reason or "") for f in asked)


@pytest.mark.parametrize(
    ("asked", "says"), [(Guard(), "`confidence`"), (Guard(signal="margin"), "`probabilities`")]
)
def test_without_a_signal(doubting, asked, says):
    (arm,) = guard(doubting(confident=False), Plan(guard=asked), POLICY).arms
    assert says in (arm.reason or "")
    assert arm.curve == ()


def test_without_a_parent_to_hand_back_to(doubting):
    evidence = doubting()
    orphans = evidence.models.assign(parent="")
    evidence = replace(evidence, models=orphans, validation=None)
    (arm,) = guard(evidence, PLAN, POLICY).arms
    assert "`parent`" in (arm.reason or "")


def test_judging_with_a_guard_adds_to_the_findings_and_changes_none(doubting):
    evidence = doubting()
    plain, found = judge(evidence, Plan(), POLICY), judge(evidence, PLAN, POLICY)
    kept = [f for f in found.findings if not f.measure.startswith("guard_")]
    assert kept == list(plain.findings)
    assert found.policy == plain.policy
    added = {f.measure: f for f in found.findings if f.measure.startswith("guard_")}
    result = read_guard(found)
    assert result is not None
    assert result == guard(evidence, PLAN, POLICY)
    assert added["guard_deferred"].pruned == result.arms[0].share
    assert added["guard_recovered"].n is not None
    assert found.to_json() == judge(evidence, PLAN, POLICY).to_json()
    assert read_guard(plain) is None


def test_a_person_recovers_what_no_parent_does(doubting):
    """To a person go the examples that the parent gets wrong as well."""
    (parent,) = guard(doubting(), PLAN, POLICY).arms
    (person,) = guard(doubting(), Plan(guard=Guard(to="person")), POLICY).arms
    assert person.after == "within"
    assert parent.recovered == person.recovered


def test_the_curve_by_hand(study):
    """Ten examples; 0, 1 and 2 are harmed, at confidences .1, .2 and .6; all others are above .45.

    A tenth handed back recovers one of three, two tenths two, and only from .6 on the third. The
    one at .5 is mended, and given up with three tenths; the one at .9 is wrong in both.
    """
    labels = np.zeros(10, dtype=int)
    parent = np.array([[0, 0, 0, 1, 0, 0, 0, 0, 1, 0]])
    pruned = np.array([[1, 1, 1, 0, 0, 0, 0, 0, 1, 0]])
    case = study(labels, parent, {0.5: pruned}, classes=("a", "b"))
    sure = np.array([[0.1, 0.2, 0.6, 0.5, 0.55, 0.7, 0.8, 0.85, 0.9, 0.95]])
    plan = Plan()
    who = seen(
        case.block, case.evidence, arms(case.evidence.models)[0], sure, design(case.evidence, plan)
    )
    recovered = {p.asked: p.recovered for p in curve(who)}
    assert recovered[0.0] == 0.0
    assert recovered[0.1] == pytest.approx(1 / 3)
    assert recovered[0.2] == recovered[0.4] == pytest.approx(2 / 3)
    assert recovered[0.5] == 1.0
    assert share_among(who, 0.55, who.shown).share == pytest.approx(0.3)
    given_up = {p.asked: p.given_up for p in curve(who)}
    assert (given_up[0.2], given_up[0.3]) == (0.0, 1.0)


def test_nobody_harmed_is_undefined_and_not_zero(doubting):
    (arm,) = guard(doubting(error=0.0), PLAN, POLICY).arms
    assert all(point.recovered is None for point in arm.curve)
    assert all(point.given_up is None for point in arm.curve)
    assert arm.recovered is None
    assert (arm.threshold, arm.after) == (0.0, "within")


def test_thresholds_of_false_within_on_test_are_as_rare_as_the_level_says(doubting):
    """A guard chosen where it looked best is certified on other examples.

    Pruned models doubt seven tenths of what they lose, so that the best guard leaves 3 points of
    loss, beyond the limit of 2: in 15 audits the verdict is hardly ever *within*.
    """
    policy = Policy.model_validate({"max_accuracy_drop": 0.02})
    plan = Plan(guard=Guard(most=0.15), resamples=100)
    verdicts = [
        guard(doubting(seed, n=200, parents=1, told=0.7), plan, policy).arms[0].after
        for seed in range(15)
    ]
    assert sum(v == "within" for v in verdicts) <= 3


def test_a_condition_without_predictions(doubting):
    evidence = replace(doubting(), conditions=())
    (arm,) = guard(evidence, PLAN, POLICY).arms
    assert f"the condition `{CLEAN.name}`" in (arm.reason or "")
