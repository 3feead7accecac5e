"""One side of a comparison in a few numbers: its arms, its verdicts, what it reports."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from audit.judgement.blalock import Tick, blalock
from audit.judgement.comparing.congruence import pair_name
from audit.judgement.comparing.order import outcome_of
from audit.judgement.comparing.runs import Level, Side
from audit.judgement.findings import Finding

PAIRS = 3  # Blalock et al., arXiv 2003.03033, section 6


@dataclass(frozen=True)
class ArmSummary:
    """One method at one sparsity: a row of the grid.

    Attributes:
        method: The method; "" where it has no name.
        sparsity: Requested sparsity; None where none is stated.
        parent: Accuracy of the parents on clean examples.
        pruned: Accuracy of the pruned models.
        control: Accuracy of the controls.
        change: pruned − parent.
        low: Lower end of its interval.
        high: Upper end.
        n: Examples.
        parents: Distinct parents.
        worst_class: The class whose recall fell most.
        worst_class_change: By how much.
        worst_group: The group whose accuracy fell most.
        worst_group_change: By how much.
        outcome: The policy's verdict.
        limits: Limits by outcome, such as {"over": 2}.
    """

    method: str
    sparsity: float | None
    parent: float | None
    pruned: float | None
    control: float | None
    change: float | None
    low: float | None
    high: float | None
    n: int | None
    parents: int | None
    worst_class: str | None
    worst_class_change: float | None
    worst_group: str | None
    worst_group_change: float | None
    outcome: str
    limits: dict[str, int]


@dataclass(frozen=True)
class SideSummary:
    """A side.

    Attributes:
        name: Its name in the comparison.
        folder: Its run folder, as it was given.
        data: What it audited; "" where not recorded.
        architecture: The architecture; "" where not recorded.
        predictions: Whether its predictions are at hand, or its findings only.
        examples: Audited examples.
        parents: Dense parents.
        arms: Its arms.
        largest_within: By method, the largest sparsity within every limit; None for none.
        has_limits: Whether any limit was stated.
        practices: The reporting practices of Blalock et al., ticked.
    """

    name: str
    folder: str
    data: str
    architecture: str
    predictions: bool
    examples: int | None
    parents: int | None
    arms: tuple[ArmSummary, ...]
    largest_within: dict[str, float | None]
    has_limits: bool
    practices: tuple[Tick, ...]


def summary(side: Side) -> SideSummary:
    """Reads a side's few numbers off its findings."""
    run, findings = side.run.findings.run, side.run.findings
    data, architecture = pair_name(side)
    evidence = side.run.evidence
    methods = {method for method, _ in side.levels}
    return SideSummary(
        name=side.name,
        folder=side.run.folder.as_posix(),
        data=data,
        architecture=architecture,
        predictions=evidence is not None,
        examples=_count(run.get("examples")),
        parents=_count(run.get("parents")),
        arms=tuple(_arm(side, level) for level in side.levels),
        largest_within={
            entry.get("method") or "": entry.get("sparsity")
            for entry in findings.policy.get("largest_within") or ()
            if (entry.get("method") or "") in methods
        },
        has_limits=bool(findings.policy.get("limits")),
        practices=blalock(
            findings, pd.DataFrame() if evidence is None else evidence.models, side.run.layers
        ),
    )


def enough_pairs(pairs: Collection[tuple[str, str]]) -> Tick:
    """Whether several audits together show enough (data set, architecture) pairs.

    Args:
        pairs: Data set and architecture of every side; "" where not recorded.
    """
    known = sorted({pair for pair in pairs if any(pair)})
    told = "; ".join(" × ".join(part or "not recorded" for part in pair) for pair in known)
    return Tick(
        "pairs",
        f"at least {PAIRS} pairs of data set and architecture, large and modern ones among them",
        len(known) >= PAIRS,
        f"{len(known)} here: {told}" if known else "not recorded",
    )


def _arm(side: Side, level: Level) -> ArmSummary:
    own = [
        f
        for f in side.run.findings.findings
        if (f.method or "", f.sparsity) == level and f.condition == "clean" and f.model is None
    ]
    overall = next((f for f in own if f.measure == "accuracy"), None)
    worst_class = _worst([f for f in own if f.measure == "recall"])
    worst_group = _worst(
        [f for f in own if f.measure == "group_accuracy" and " & " not in (f.groups or "")]
    )
    return ArmSummary(
        method=level[0],
        sparsity=level[1],
        parent=overall.parent if overall else None,
        pruned=overall.pruned if overall else None,
        control=overall.control if overall else None,
        change=overall.change if overall else None,
        low=overall.low if overall else None,
        high=overall.high if overall else None,
        n=overall.n if overall else None,
        parents=overall.parents if overall else None,
        worst_class=worst_class.class_ if worst_class else None,
        worst_class_change=worst_class.change if worst_class else None,
        worst_group=worst_group.groups if worst_group else None,
        worst_group_change=worst_group.change if worst_group else None,
        outcome=outcome_of(side.run.findings.policy, *level),
        limits=_limits(side, level),
    )


def _worst(findings: list[Finding]) -> Finding | None:
    changed = [f for f in findings if f.change is not None]
    return min(changed, key=lambda f: f.change or 0.0, default=None)


def _limits(side: Side, level: Level) -> dict[str, int]:
    for verdict in side.run.findings.policy.get("verdicts") or ():
        same = (verdict.get("method") or "", verdict.get("sparsity")) == level
        if same and verdict.get("model") is None:
            names = ("over", "cannot_tell", "not_asked", "waived", "within")
            return {name: verdict[name] for name in names if verdict.get(name)}
    return {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
