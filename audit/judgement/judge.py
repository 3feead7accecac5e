"""Judges the evidence: every family of questions, corrected together, held to the policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from audit.evidence.blocks import CLEAN, NO_LABEL, Block, Condition, Evidence
from audit.evidence.errors import InputError
from audit.judgement.calibration import calibration
from audit.judgement.design import Arm, arms, controls, dense
from audit.judgement.exemplars import exemplar_families
from audit.judgement.families import OMNIBUS, Family, correct
from audit.judgement.findings import Finding, Findings, no_exemplars
from audit.judgement.groups import groupings
from audit.judgement.limits import Policy
from audit.judgement.measures import MEASURES
from audit.judgement.pairs import Design, design
from audit.judgement.plan import Plan
from audit.judgement.policy import Scope, apply
from audit.judgement.questions import ON_CLEAN, ON_EVERY_CONDITION
from audit.judgement.shifts import Gathered, gather, shift_families
from audit.judgement.subgroups import screened
from audit.judgement.unasked import Have, explained, unasked
from audit.judgement.wanted import policy_findings


def judge(
    evidence: Evidence, plan: Plan, policy: Policy, run: Mapping[str, Any] | None = None
) -> Findings:
    """Asks every question that the evidence can answer, and says of the others what they need.

    One condition is in memory at a time. The same evidence, plan and policy give the same findings,
    byte for byte.

    Args:
        evidence: Predictions, examples, models.
        plan: Groups, positive class, level, smallest denominator.
        policy: The limits; without any, nothing is judged, only measured.
        run: What the caller adds to `Findings.run`, plain values only.

    Raises:
        InputError: The plan names a class or a group column that is not there.
        TableError: A condition cannot be read.
    """
    _check_positive(evidence, plan)
    divisions = groupings(evidence.examples, plan)  # a missing column is refused before any work
    audited, known = arms(evidence.models), design(evidence, plan)
    seen = _look(evidence, audited, plan, policy, known)
    families = [*seen.families, *shift_families(seen.shifts, audited, evidence.models, known)]
    have = Have(evidence, audited, plan, seen.confidence, seen.loss)
    found = explained(correct(families, plan.alpha), have)
    found += unasked(found, have)
    scope = Scope(
        levels=tuple((arm.method or None, arm.sparsity) for arm in audited),
        groups=[name for d in divisions if len(d.columns) == 1 for name in d.names],
        plan=plan,
    )
    judged, document = apply(found, policy, scope)
    return Findings(
        run=_run(evidence, audited, plan, run or {}),
        policy=document,
        findings=tuple(sorted(judged, key=_order(evidence.conditions))),
        exemplars=seen.exemplars,
    )


@dataclass(frozen=True)
class _Seen:
    """Everything that was found while conditions streamed by."""

    families: tuple[Family, ...]
    shifts: Gathered
    exemplars: pd.DataFrame
    confidence: bool
    loss: bool


def _look(
    evidence: Evidence, audited: Sequence[Arm], plan: Plan, policy: Policy, known: Design
) -> _Seen:
    """Sees every condition, clean first; nothing holds a block while the next is read."""
    seen = _Seen((), Gathered(), no_exemplars(), confidence=False, loss=False)
    for condition in sorted(evidence.conditions, key=lambda c: c != CLEAN):
        seen = _add(seen, evidence.load(condition), evidence, audited, plan, policy, known)
    return seen


def _add(
    seen: _Seen,
    block: Block,
    evidence: Evidence,
    audited: Sequence[Arm],
    plan: Plan,
    policy: Policy,
    known: Design,
) -> _Seen:
    calibrated = calibration(block, known)
    found = [family for ask in ON_EVERY_CONDITION for family in ask(block, evidence, audited, plan)]
    wanted = policy_findings(block, evidence, audited, plan, policy, calibrated)
    exemplars = seen.exemplars
    if block.condition == CLEAN:
        counted, exemplars = exemplar_families(block, evidence, audited, plan)
        asked = [family for ask in ON_CLEAN for family in ask(block, evidence, audited, plan)]
        found += [*counted, *asked]
    return _Seen(
        families=(*seen.families, *found, Family("policy", "A", wanted)),
        shifts=gather(seen.shifts, block, calibrated, audited, evidence.models, known),
        exemplars=exemplars,
        confidence=seen.confidence or calibrated is not None,
        loss=seen.loss or block.loss is not None,
    )


def _check_positive(evidence: Evidence, plan: Plan) -> None:
    if plan.positive is None or plan.positive in evidence.classes:
        return
    near = get_close_matches(plan.positive, evidence.classes, n=1, cutoff=0.0)
    raise InputError(
        f"`positive` is {plan.positive!r}, which is no class: "
        f"did you mean {near[0]!r}, of {', '.join(evidence.classes[:20])}?"
    )


def _run(
    evidence: Evidence, audited: Sequence[Arm], plan: Plan, run: Mapping[str, Any]
) -> dict[str, Any]:
    """What was audited, without any time of day."""
    found = {
        "tool": "prune-audit",
        "version": _version(),
        "models": len(evidence.models),
        "parents": len(dense(evidence.models)),
        "controls": len(controls(evidence.models)),
        "pruned": sum(len(arm.pruned) for arm in audited),
        "examples": len(evidence.examples),
        "training_examples": len(evidence.training),
        "conditions": [{"name": c.name, "severity": c.severity} for c in evidence.conditions],
        "classes": list(evidence.classes),
        "groups": [d.label for d in groupings(evidence.examples, plan)],
        "plan": plan.model_dump(mode="json"),
        "notes": _notes(evidence, audited, plan),
    }
    return dict(sorted({**found, **run}.items()))


def _version() -> str:
    try:
        return version("prune-audit")
    except PackageNotFoundError:
        return "unknown"


def _notes(evidence: Evidence, audited: Sequence[Arm], plan: Plan) -> list[str]:
    """What a reader must know of the whole audit, in sentences."""
    notes = []
    unlabelled = int((evidence.labels == NO_LABEL).sum())
    if unlabelled:
        notes.append(f"{unlabelled:,} of {len(evidence.labels):,} examples have no label.")
    alone = sum(int((arm.parent < 0).sum()) for arm in audited)
    if alone:
        notes.append(f"{alone:,} pruned models have no known parent and are paired with none.")
    for division in groupings(evidence.examples, plan):
        if len(division.columns) == 1 and not screened(division, evidence.classes, plan):
            notes.append(
                f"{len(evidence.classes):,} classes × {len(division.names):,} groups of "
                f"{division.label} are not screened cell by cell: raise `screen_cells` to do it."
            )
    for column, what in (("cluster", "What is independent is a cluster"), ("weight", "Weighted")):
        if column in evidence.examples:
            notes.append(f"{what}, as the column `{column}` of the examples says.")
    return notes


def _order(conditions: Sequence[Condition]) -> Any:
    """By method, sparsity, measure, condition, class and group: an order that ids only settle."""
    measures = {name: place for place, name in enumerate(MEASURES)}
    names = {c.name: place for place, c in reversed(list(enumerate(conditions)))}

    def key(finding: Finding) -> tuple[Any, ...]:
        sparsity, severity = finding.sparsity, finding.severity
        return (
            finding.method or "",
            np.inf if sparsity is None else sparsity,
            measures[finding.measure],
            names.get(finding.condition or "", len(names)),
            np.inf if severity is None else severity,
            (finding.groups or "").count(" & "),
            finding.groups or "",
            finding.class_ or "",
            (finding.family if finding.measure == OMNIBUS else finding.subject) or "",
            finding.limit_name or "",
            finding.id,
        )

    return key
