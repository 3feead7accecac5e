"""What was audited, as `findings.json` tells it: counts, conditions, the plan, notes; no times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from audit.evidence.blocks import NO_LABEL, Evidence
from audit.judgement.design import Arm, controls, dense
from audit.judgement.groups.divisions import groupings
from audit.judgement.groups.subgroups import screened
from audit.judgement.plan import Plan


def audited_record(
    evidence: Evidence,
    audited: Sequence[Arm],
    plan: Plan,
    run: Mapping[str, Any],
    notes: Sequence[str],
) -> dict[str, Any]:
    """What was audited, without any time of day.

    Args:
        evidence: Models, examples, conditions.
        audited: The pruned models.
        plan: The plan.
        run: What the caller adds; it stands over what is counted here.
        notes: Sentences that follow those about the evidence.
    """
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
        "notes": [*_notes(evidence, audited, plan), *notes],
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
