"""Chooses a guard's threshold on validation examples: the least handed back so that limits hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, Block, Evidence
from audit.judgement.accuracy import accuracy_families
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import groupings
from audit.judgement.guarding.deferral import handed_back, replaced, signals
from audit.judgement.pairs import design
from audit.judgement.plan import Guard, Plan
from audit.judgement.policy.applied import Scope, apply
from audit.judgement.policy.limits import Policy, StatedLimit
from audit.judgement.policy.margins import margin
from audit.judgement.policy.wanted import classes_and_groups, covers, policy_findings
from audit.judgement.shifts.calibration import calibration

FloatArray = NDArray[np.float64]

# Shares of the validation inputs that are tried, ascending: finer where a guard is cheap.
SHARES = (
    *(place / 100 for place in range(11)),
    *(place / 100 for place in range(12, 31, 2)),
    *(place / 100 for place in range(35, 100, 5)),
)
NO_LIMIT = (
    "no limit of the policy can be held to validation examples: state one on accuracy, classes, "
    "groups or flips"
)
NO_SIGNAL = "validation examples have no such output of these models: add it"
NEVER = "no share of inputs up to {most:g} brings every limit inside on validation examples"
BY_VALUE = (
    "{n} of {all} cells of limits were held to by their value and not by their bound, which these "
    "validation examples are too few for at any share up to {most:g}"
)


@dataclass(frozen=True)
class Choice:
    """A threshold, or why there is none.

    Attributes:
        threshold: In the signal's units; None where there is none.
        share: Share of the validation inputs handed back.
        met: Whether every limit is met by its bound, or some by their values alone.
        steered_by: Names of the limits that it was chosen by.
        reason: Why there is none, or how it is to be read.
    """

    threshold: float | None
    share: float | None = None
    met: Literal["bound", "value"] | None = None
    steered_by: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class _Cell:
    """One cell of a limit: whether its bound, and whether its value, is inside."""

    name: str
    within: bool
    inside: bool


Cells = Mapping[str, _Cell]


def choose(
    validation: Evidence, blocks: Sequence[Block], arm: Arm, plan: Plan, policy: Policy
) -> Choice:
    """The smallest share of a grid at which every limit that validation answers is within.

    A cell of a limit whose bound no share brings inside, because these examples are too few, is
    held to its value instead. Limits on exemplars and on means over corruptions do not steer: they
    take part on test examples alone.

    Args:
        validation: Evidence on validation examples.
        blocks: Its conditions that limits are about, clean first.
        arm: The pruned models.
        plan: `guard`, `alpha`, `minimum_n`.
        policy: The limits.
    """
    guard = plan.guard or Guard()
    signal = signals(blocks[0], validation, arm.pruned, guard)
    if signal is None:
        return Choice(None, reason=NO_SIGNAL)
    shares = [share for share in SHARES if share < guard.most] + [guard.most]
    tried = list(dict.fromkeys(threshold_at(signal, share) for share in shares))
    last = _cells(tried[-1], validation, blocks, arm, plan, policy)
    names = tuple(sorted({cell.name for cell in last.values()}))
    if not last:
        return Choice(None, reason=NO_LIMIT)
    few = sum(not cell.within for cell in last.values())
    read = BY_VALUE.format(n=few, all=len(last), most=guard.most) if few else None
    for threshold in tried:
        cells = _cells(threshold, validation, blocks, arm, plan, policy)
        if all(_holds(cell, last.get(key)) for key, cell in cells.items()):
            share = _share(signal, threshold)
            return Choice(threshold, share, "value" if few else "bound", names, read)
    return Choice(None, steered_by=names, reason=NEVER.format(most=guard.most))


def _holds(cell: _Cell, at_most: _Cell | None) -> bool:
    """By its bound; by its value where no share up to the largest brings the bound inside."""
    attainable = at_most is not None and at_most.within
    return cell.within or (cell.inside and not attainable)


def threshold_at(signal: FloatArray, share: float) -> float:
    """The threshold below which at most this share of the known signals lies; a short number."""
    own = np.sort(signal[~np.isnan(signal)])
    if not own.size or share <= 0.0:
        return 0.0
    place = min(int(share * own.size + 1e-9), own.size - 1)
    at = float(own[place])
    below = own[own < at]
    return _short(float(below[-1]) if below.size else 0.0, at)


def _short(below: float, at: float) -> float:
    """The number of fewest digits in (below, at]: it hands the same inputs back."""
    for digits in range(2, 17):
        cut = math.floor(at * 10.0**digits) / 10.0**digits
        if below < cut <= at:
            return cut
    return at


def _share(signal: FloatArray, threshold: float) -> float:
    given = ~np.isnan(signal)
    return float((handed_back(signal, threshold) & given).sum() / max(given.sum(), 1))


def _cells(
    threshold: float,
    validation: Evidence,
    blocks: Sequence[Block],
    arm: Arm,
    plan: Plan,
    policy: Policy,
) -> Cells:
    """What limits say of the system with this threshold, by finding."""
    guard = plan.guard or Guard()
    found: list[Finding] = []
    for block in blocks:
        signal = signals(block, validation, arm.pruned, guard)
        if signal is None:
            continue
        masks = dict(zip(arm.pruned.tolist(), handed_back(signal, threshold), strict=True))
        system = replaced(block, validation, arm, masks, guard)
        found += _findings(system, validation, arm, plan, policy)
    held, _ = apply(found, policy, _scope(validation, arm, plan))
    stated = policy.stated()
    return {
        f.id: _Cell(f.limit_name, f.outcome == "within", _inside(f, stated, plan))
        for f in held
        if f.limit_name and f.outcome != "not_asked" and (f.method or "") == arm.method
    }


def _findings(
    block: Block, evidence: Evidence, arm: Arm, plan: Plan, policy: Policy
) -> list[Finding]:
    """What limits ask of one arm under one condition."""
    wanted = [stated for stated in policy.stated() if covers(stated, block.condition)]
    measures = {stated.kind.measure for stated in wanted}
    known = design(evidence, plan)
    calibrated = calibration(block, known) if "ece_level" in measures else None
    out = policy_findings(block, evidence, [arm], plan, policy, calibrated)
    if "accuracy" in measures:
        out += [
            f for each in accuracy_families(block, evidence, [arm], plan) for f in each.findings
        ]
    if block.condition == CLEAN:
        out += classes_and_groups(block, evidence, arm, known, wanted)
    return list({f.id: f for f in out}.values())


def _scope(evidence: Evidence, arm: Arm, plan: Plan) -> Scope:
    singles = [d for d in groupings(evidence.examples, plan) if len(d.columns) == 1]
    return Scope(
        levels=((arm.method or None, arm.sparsity),),
        groups=[name for division in singles for name in division.names],
        plan=plan,
        clustered="cluster" in evidence.examples,
    )


def _inside(finding: Finding, stated: Sequence[StatedLimit], plan: Plan) -> bool:
    """Whether the value lies inside; a denominator too small for a claim says nothing."""
    for each in stated:
        if each.kind.name == finding.limit_name and each.limit.limit == finding.limit:
            found = margin(finding, each, plan.minimum_n)
            return found is None or found.harm <= found.threshold
    return True
