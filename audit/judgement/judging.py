"""Judges the evidence: every family of questions, corrected together, held to the policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audit.evidence.blocks import CLEAN, Block, Condition, Evidence
from audit.evidence.errors import InputError
from audit.judgement.audited import audited_record
from audit.judgement.decisions import decided
from audit.judgement.design import Arm, arms
from audit.judgement.exemplars import exemplar_families
from audit.judgement.findings import Finding, Findings, no_exemplars
from audit.judgement.groups.divisions import groupings
from audit.judgement.guarding.certified import guarded_findings
from audit.judgement.guarding.result import RUN_KEY
from audit.judgement.inference.families import OMNIBUS, Family, correct
from audit.judgement.labels.errors import label_families
from audit.judgement.labels.suspicion import suspicion
from audit.judgement.measures import MEASURES
from audit.judgement.own_measures import (
    OwnMeasure,
    limits_on_own,
    own_families,
    own_measures,
)
from audit.judgement.pairs import Design, design
from audit.judgement.plan import Plan
from audit.judgement.policy.applied import Scope, apply
from audit.judgement.policy.candidate import (
    Candidate,
    View,
    candidate,
    candidate_families,
    candidate_note,
)
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.waivers import notes as waiver_notes
from audit.judgement.policy.wanted import policy_findings, shifted_values
from audit.judgement.questions import ON_CLEAN, ON_CLEAN_WITHOUT_CLASSES, ON_KIND, WITHOUT_CLASSES
from audit.judgement.shifts.calibration import calibration
from audit.judgement.shifts.gathered import Gathered, gather, shift_families
from audit.judgement.shifts.kinds import kind_of
from audit.judgement.shifts.reliability import together
from audit.judgement.unasked import Have, explained, unasked


def judge(
    evidence: Evidence,
    plan: Plan,
    policy: Policy,
    run: Mapping[str, Any] | None = None,
    base: Path | None = None,
) -> Findings:
    """Asks every question that the evidence can answer, and says of the others what they need.

    One condition is in memory at a time. The same evidence, plan and policy give the same findings,
    byte for byte.

    Args:
        evidence: Predictions, examples, models.
        plan: Groups, positive class, level, smallest denominator.
        policy: The limits; without any, nothing is judged, only measured.
        run: What the caller adds to `Findings.run`, plain values only.
        base: Folder in which the modules of own measures are found first; None is the current one.

    Raises:
        InputError: The plan names a class, a group column, a candidate or a measure that is not
            there, or a measure of the user's own fails.
        TableError: A condition cannot be read.
    """
    _check_positive(evidence, plan)
    acted = decided(evidence, plan)
    evidence = acted.evidence  # from here on, predictions are the ones that would be acted on
    if acted.record is not None:
        run = {**(run or {}), "decision": acted.record}
    divisions = groupings(evidence.examples, plan)  # a missing column is refused before any work
    audited, known = arms(evidence.models), design(evidence, plan)
    own = own_measures(plan, base or Path())
    limited = limits_on_own(list(policy.own), own)
    one = candidate(evidence, audited, plan)
    views = [View(evidence, audited, own=own)]
    views += [replace(one.view, own=own)] if one else []
    seen, *alone = _look(views, plan, policy, known)
    families = _families(seen, views[0], known, run or {})
    for each in alone:
        families += candidate_families(_families(each, views[1], known, run or {}))
    have = Have(evidence, audited, plan, seen.confidence, seen.loss, seen.energy, seen.value)
    found = explained(correct(families, plan.alpha), have)
    found += unasked([finding for finding in found if finding.model is None], have)
    scope = Scope(
        levels=tuple((arm.method or None, arm.sparsity) for arm in audited),
        groups=[name for d in divisions if len(d.columns) == 1 for name in d.names],
        plan=plan,
        one=one.one if one else None,
        own=limited,
        clustered=known.clusters is not None,
        weighted=known.weights is not None,
        alone={(arm.method or None, arm.sparsity) for arm in audited if len(arm.pruned) == 1},
    )
    judged, document = apply(found, policy, scope)
    notes = waiver_notes(document["waivers"])
    notes += [candidate_note(one.one, plan.alpha)] if one else []
    record = {**(run or {}), **_beside(own, one)}
    whole = Findings(
        run=audited_record(evidence, audited, plan, record, notes),
        policy=document,
        findings=tuple(sorted(judged, key=_order(evidence.conditions))),
        exemplars=seen.exemplars,
        reliability=together(seen.shifts.reliability),
    )
    return whole if plan.guard is None else _guarded(whole, evidence, plan, policy)


def _beside(own: Sequence[OwnMeasure], one: Candidate | None) -> dict[str, Any]:
    """What a reader of the run must know of measures of the user's own, and of a candidate."""
    beside: dict[str, Any] = {"measures": [each.record() for each in own]} if own else {}
    if one is not None:
        beside["candidate"] = {"model": one.one.model, "of": one.one.of}
    return beside


def _guarded(found: Findings, evidence: Evidence, plan: Plan, policy: Policy) -> Findings:
    """Adds what guards would do; the evidence is of predictions that were decided already."""
    acted = plan.model_copy(update={"decision": "argmax"})
    result, more = guarded_findings(evidence, acted, policy, found)
    findings = sorted((*found.findings, *more), key=_order(evidence.conditions))
    run = dict(sorted({**found.run, RUN_KEY: result.record()}.items()))
    return replace(found, run=run, findings=tuple(findings))


@dataclass(frozen=True)
class _Seen:
    """Everything that was found while conditions streamed by."""

    families: tuple[Family, ...]
    shifts: Gathered
    exemplars: pd.DataFrame
    confidence: bool = False
    loss: bool = False
    energy: bool = False
    value: bool = False


def _look(views: Sequence[View], plan: Plan, policy: Policy, known: Design) -> list[_Seen]:
    """Sees every condition, clean first; nothing holds a block while the next is read."""
    evidence = views[0].evidence
    seen = [_Seen((), Gathered(), no_exemplars()) for _ in views]
    for condition in sorted(evidence.conditions, key=lambda c: c != CLEAN):
        seen = _add_to_each(seen, evidence.load(condition), views, plan, policy, known)
    return seen


def _add_to_each(
    seen: Sequence[_Seen],
    block: Block,
    views: Sequence[View],
    plan: Plan,
    policy: Policy,
    known: Design,
) -> list[_Seen]:
    return [
        _with_own(
            _add(before, view.of(block), view.evidence, view.arms, plan, policy, known),
            view.of(block),
            view,
            plan,
        )
        for before, view in zip(seen, views, strict=True)
    ]


def _with_own(seen: _Seen, block: Block, view: View, plan: Plan) -> _Seen:
    own = own_families(view.own, block, view.evidence, view.arms, plan)
    return replace(seen, families=(*seen.families, *own))


def _families(seen: _Seen, view: View, known: Design, run: Mapping[str, Any]) -> list[Family]:
    shifted = shift_families(seen.shifts, view.arms, view.evidence, known, run)
    return [*seen.families, *shifted]


def _add(
    seen: _Seen,
    block: Block,
    evidence: Evidence,
    audited: Sequence[Arm],
    plan: Plan,
    policy: Policy,
    known: Design,
) -> _Seen:
    if not evidence.classes:
        return _without_classes(seen, block, evidence, audited, plan, policy)
    calibrated, kind = calibration(block, known), kind_of(block, evidence)
    found = [family for ask in ON_KIND[kind] for family in ask(block, evidence, audited, plan)]
    wanted = (
        []  # inputs of no class answer no question about labels
        if kind == "out_of_distribution"
        else policy_findings(block, evidence, audited, plan, policy, calibrated)
    )
    exemplars = seen.exemplars
    if block.condition == CLEAN:
        suspects = suspicion(evidence, block.condition)
        counted, exemplars = exemplar_families(block, evidence, audited, plan, suspects)
        asked = [family for ask in ON_CLEAN for family in ask(block, evidence, audited, plan)]
        found += [*counted, *label_families(block, evidence, audited, plan, suspects), *asked]
    return _Seen(
        families=(*seen.families, *found, Family("policy", "A", wanted)),
        shifts=gather(seen.shifts, block, calibrated, audited, evidence, known),
        exemplars=exemplars,
        confidence=seen.confidence or calibrated is not None,
        loss=seen.loss or block.loss is not None,
        energy=seen.energy or block.energy is not None,
        # A sequence's values are flip probabilities, and say nothing of single answers.
        value=seen.value or (block.value is not None and kind != "sequence"),
    )


def _without_classes(
    seen: _Seen,
    block: Block,
    evidence: Evidence,
    audited: Sequence[Arm],
    plan: Plan,
    policy: Policy,
) -> _Seen:
    """Where answers are no classes, `value` is all that there is to ask of them."""
    more = ON_CLEAN_WITHOUT_CLASSES if block.condition == CLEAN else ()
    asking = (*WITHOUT_CLASSES, *more)
    found = [family for ask in asking for family in ask(block, evidence, audited, plan)]
    wanted = Family("policy", "A", shifted_values(block, evidence, audited, plan, policy))
    return replace(seen, families=(*seen.families, *found, wanted), value=True)


def _check_positive(evidence: Evidence, plan: Plan) -> None:
    if plan.positive is None or plan.positive in evidence.classes:
        return
    if not evidence.classes:
        raise InputError(
            f"`positive` is {plan.positive!r}, and answers are no classes but values: leave it out."
        )
    near = get_close_matches(plan.positive, evidence.classes, n=1, cutoff=0.0)
    raise InputError(
        f"`positive` is {plan.positive!r}, which is no class: "
        f"did you mean {near[0]!r}, of {', '.join(evidence.classes[:20])}?"
    )


def _order(conditions: Sequence[Condition]) -> Any:
    """By method, sparsity, measure, condition, class and group: an order that ids only settle."""
    measures = {name: place for place, name in enumerate(MEASURES)}
    names = {c.name: place for place, c in reversed(list(enumerate(conditions)))}

    def key(finding: Finding) -> tuple[Any, ...]:
        sparsity, severity = finding.sparsity, finding.severity
        return (
            finding.method or "",
            np.inf if sparsity is None else sparsity,
            measures.get(finding.measure, len(measures)),
            finding.measure,
            names.get(finding.condition or "", len(names)),
            np.inf if severity is None else severity,
            (finding.groups or "").count(" & "),
            finding.groups or "",
            finding.class_ or "",
            (finding.family if finding.measure == OMNIBUS else finding.subject) or "",
            finding.model or "",
            finding.limit_name or "",
            finding.id,
        )

    return key
