"""A move: one question asked of two sides, and by how much their answers differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from audit.judgement.findings import Direction, Estimand
from audit.judgement.inference.estimate import Estimate, detectable_changes
from audit.judgement.inference.families import holm
from audit.judgement.plan import Plan

MoveOutcome = Literal["better", "worse", "same", "cannot_tell", "not_asked"]
How = Literal["parents_and_examples", "examples", "findings"]


FAMILIES = ("accuracy", "classes", "groups", "intersections", "shifts", "measures")


@dataclass(frozen=True)
class Answered:
    """What one side answers: values and their change, None where undefined."""

    parent: float | None = None
    pruned: float | None = None
    control: float | None = None
    change: float | None = None


@dataclass(frozen=True, kw_only=True)
class Move:
    """How much more, or less, pruning changed on the second side than on the first.

    Attributes:
        measure: A name from `judgement.measures.MEASURES`.
        unit: What its numbers are, as of a finding.
        family: The questions corrected together: one of `FAMILIES`.
        how: `parents_and_examples` where both sides prune the very same parents, `examples` where
            they share the examples only, `findings` where nothing but two intervals was known.
        method_before: The first side's method; "" where it has no name.
        method_after: The second side's.
        sparsity_before: The first side's requested sparsity; None where none is stated.
        sparsity_after: The second side's.
        condition: Condition name; `all` for a mean over every corruption.
        severity: Severity; None for natural shifts and means over severities.
        class_: Class name (written `class` in files).
        groups: Group; None for everybody.
        before: The first side's answer.
        after: The second side's.
        difference: after.change − before.change (of levels: after.pruned − before.pruned).
        beside_controls: (pruned − control) of the second side less that of the first, untested:
            where the sides were trained otherwise, `difference` holds what the training did too.
        low: Lower end of its interval.
        high: Upper end.
        standard_error: Its standard error.
        df: Degrees of freedom of its t distribution.
        n: Shared examples in the denominator; None where they are not known to be the same.
        parents_before: Distinct parents of the first side.
        parents_after: Of the second.
        discordant: Shared examples on which the two changes differ.
        generalises_to: Who the interval is about: new `examples`, new training `seeds`, or `both`.
        examples_low: Lower end of the interval about these very models and new examples.
        examples_high: Its upper end.
        p: Two-sided p of no difference, before correction.
        p_adjusted: After Holm's correction inside the family.
        family_size: How many are corrected together.
        detectable: Smallest true difference found with 80 % power at the corrected level.
        worse_direction: Which way is worse.
        outcome: `better` or `worse` where the corrected p is at most alpha, `same` where not one
            example differs, else `cannot_tell`; `not_asked` without a p.
        reason: How the number is to be read, or why there is none.
    """

    measure: str
    unit: str
    family: str
    how: How
    method_before: str
    method_after: str
    sparsity_before: float | None
    sparsity_after: float | None
    condition: str | None = "clean"
    severity: float | None = 0.0
    class_: str | None = None
    groups: str | None = None
    before: Answered = Answered()
    after: Answered = Answered()
    difference: float | None = None
    beside_controls: float | None = None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    df: float | None = None
    n: int | None = None
    parents_before: int | None = None
    parents_after: int | None = None
    discordant: int | None = None
    generalises_to: Estimand | None = None
    examples_low: float | None = None
    examples_high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    family_size: int = 0
    detectable: float | None = None
    worse_direction: Direction | None = None
    outcome: MoveOutcome = "not_asked"
    reason: str | None = None

    def record(self) -> dict[str, Any]:
        """The move as plain values, keys in the order of the fields."""
        plain = {f.name.rstrip("_"): getattr(self, f.name) for f in fields(self)}
        return plain | {"before": vars(self.before), "after": vars(self.after)}


def answered(move: Move, estimate: Estimate, minimum: int) -> Move:
    """The move with its estimate; with fewer than `minimum` units it keeps no p."""
    found = replace(
        move,
        difference=estimate.change,
        beside_controls=_beside_controls(move.before, move.after),
        low=estimate.low,
        high=estimate.high,
        standard_error=estimate.standard_error,
        df=estimate.df,
        discordant=estimate.discordant,
        generalises_to=estimate.generalises_to,
        examples_low=estimate.examples_low,
        examples_high=estimate.examples_high,
        p=estimate.p,
        detectable=estimate.detectable,
        reason=_said(move.reason, estimate.reason),
    )
    if estimate.units >= minimum:
        return found
    small = f"{estimate.units} in the denominator, of the {minimum} that a claim needs"
    return replace(found, p=None, detectable=None, reason=_said(found.reason, small))


def corrected(moves: Sequence[Move], plan: Plan) -> tuple[Move, ...]:
    """Holm's correction inside each family, and what can be said of every move after it."""
    out = list(moves)
    for family in dict.fromkeys(move.family for move in moves):
        places = [i for i, m in enumerate(moves) if m.family == family and m.p is not None]
        raised = holm([moves[i].p or 0.0 for i in places])
        reach = detectable_changes(
            np.array([moves[i].standard_error for i in places], dtype=np.float64),
            np.array([moves[i].df for i in places], dtype=np.float64),
            plan.alpha / max(len(places), 1),
        )
        for i, p, detectable in zip(places, raised, reach, strict=True):
            out[i] = replace(
                moves[i],
                p_adjusted=float(p),
                family_size=len(places),
                detectable=float(detectable) if np.isfinite(detectable) else None,
            )
    return tuple(replace(move, outcome=_outcome(move, plan.alpha)) for move in out)


def _outcome(move: Move, alpha: float) -> MoveOutcome:
    if move.discordant == 0 and move.how != "findings" and move.n:
        return "same"
    if move.p_adjusted is None or move.difference is None:
        return "not_asked"
    if move.p_adjusted > alpha or move.worse_direction is None:
        return "cannot_tell"
    return "worse" if (move.difference > 0) == (move.worse_direction == "up") else "better"


def _beside_controls(before: Answered, after: Answered) -> float | None:
    values = after.pruned, after.control, before.pruned, before.control
    if any(value is None for value in values):
        return None
    second, its_control, first, own_control = (float(value or 0.0) for value in values)
    return (second - its_control) - (first - own_control)


def _said(*parts: str | None) -> str | None:
    return "; ".join(part for part in parts if part) or None
