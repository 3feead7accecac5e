"""One limit in one cell: how much there is, and how much would tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from audit.judgement.policy.sample_size import (
    Spread,
    Target,
    examples_needed,
    parents_needed,
    reach,
)

GRID = (2, 3, 5, 7, 10, 15, 20, 30, 50)
ZERO = "an unchanged model lies on its limit or beyond it: no number of examples can show it within"


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one limit needs in one cell.

    Attributes:
        name: The policy key.
        limit: Its value.
        claim: `recipe` or `files`.
        method: The method; None before a run.
        sparsity: The sparsity; None before a run.
        model: The candidate's name.
        condition: The condition.
        severity: The severity.
        class_: The class, or `any` (written `class`).
        groups: The group, or `any`.
        cells: How many cells must pass together.
        counted: What is counted: examples, positives, negatives.
        margin: How far an unchanged model is from the limit.
        parents: Parents there are.
        examples: Such examples there are; None where nobody knows.
        enough: Whether they suffice.
        examples_needed: With these parents; None where no number suffices.
        parents_needed: With these examples.
        grid: Numbers of parents, each with the examples that suffice, None for no number.
        reason: Why it could not be planned.
    """

    name: str
    limit: float
    claim: str
    method: str | None = None
    sparsity: float | None = None
    model: str | None = None
    condition: str | None = None
    severity: float | None = None
    class_: str | None = None
    groups: str | None = None
    cells: int = 1
    counted: str = "examples"
    margin: float | None = None
    parents: int | None = None
    examples: int | None = None
    enough: bool | None = None
    examples_needed: int | None = None
    parents_needed: int | None = None
    grid: tuple[tuple[int, int | None], ...] = field(default_factory=tuple)
    reason: str | None = None

    def record(self) -> dict[str, Any]:
        """The need as plain values for JSON."""
        return {key.rstrip("_"): value for key, value in asdict(self).items()}


def planned(need: Need, spread: Spread | None, target: Target | None, least: int) -> Need:
    """The need with what suffices, or with why nothing can be said.

    Args:
        need: Whom it is about, and how much there is.
        spread: What varies; None where nobody knows.
        target: What is to be shown; None where nobody knows.
        least: Smallest denominator that may make a claim.
    """
    if spread is None or target is None or target.margin <= 0.0:
        return replace(need, reason=need.reason or ZERO)
    here, parents = need.examples, need.parents or 1
    enough = None
    if here is not None:
        enough = here >= max(least, 2) and reach(spread, target, parents, here) <= target.margin
    # One parent tells nothing of others, so that a claim about them begins at two.
    several = target.claim == "recipe" and parents > 1
    rows = sorted({parents, *GRID}) if several else [parents]
    some = here is not None and here >= max(least, 2)
    return replace(
        need,
        margin=target.margin,
        enough=enough,
        examples_needed=examples_needed(spread, target, parents, least),
        parents_needed=parents_needed(spread, target, here or 2) if some else None,
        grid=tuple((m, examples_needed(spread, target, m, least)) for m in rows),
    )


def target_of(
    margin: float | None, level: float, power: float, cells: int, claim: Any
) -> Target | None:
    """What is to be shown in one of several cells that must pass together."""
    if margin is None:
        return None
    each = 1.0 - (1.0 - power) / max(cells, 1)
    return Target(margin=margin, level=level, power=each, claim=claim)
