"""Orders congruent audits, by verdict and then by interval, and says where it cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from audit.judgement.comparing.moves import Move
from audit.judgement.comparing.runs import Side
from audit.judgement.inference.families import holm

By = Literal["verdict", "interval", "cannot_tell"]
Deciding = Callable[[int, int], Move | None]

_ORDER = ("within", "no_limit", "cannot_tell", "over")


@dataclass(frozen=True)
class Step:
    """Two neighbours of a ranking.

    Attributes:
        ahead: The side that is named first.
        behind: The other.
        by: What puts it first: its `verdict`, the `interval` of the difference in accuracy, or
            nothing (`cannot_tell`), and then both share a place.
        move: The difference in accuracy lost, behind less ahead, at the largest sparsity that both
            have, its `p_adjusted` by Holm over the steps; None where it could not be asked.
    """

    ahead: int
    behind: int
    by: By
    move: Move | None


@dataclass(frozen=True)
class Ranking:
    """Congruent sides in order.

    Attributes:
        sides: Indices of the sides, first to last.
        places: The place of each, from 1; sides that cannot be told apart share one.
        steps: What lies between neighbours.
    """

    sides: tuple[int, ...]
    places: tuple[int, ...]
    steps: tuple[Step, ...]


def ranked(sides: Sequence[Side], members: Sequence[int], deciding: Deciding) -> Ranking:
    """Ranks sides that are congruent with the first of `members`.

    Args:
        sides: All sides.
        members: Indices of those to rank.
        deciding: The move by which two sides are told apart: (before, after).
    """
    first = members[0]
    gained = {side: _gained(deciding(first, side)) if side != first else 0.0 for side in members}
    order = sorted(members, key=lambda side: (verdict_key(sides[side]), -gained[side], side))
    moves = [deciding(a, b) for a, b in pairwise(order)]
    raised = iter(holm([move.p for move in moves if move is not None and move.p is not None]))
    steps, places = [], [1]
    for (ahead, behind), move in zip(pairwise(order), moves, strict=True):
        if move is not None and move.p is not None:
            move = replace(move, p_adjusted=float(next(raised)), family_size=len(moves))
        same = verdict_key(sides[ahead]) == verdict_key(sides[behind])
        by: By = "verdict"
        if same:
            by = "interval" if _told(move, sides[ahead].run.plan.alpha) else "cannot_tell"
        steps.append(Step(ahead, behind, by, move))
        places.append(places[-1] if by == "cannot_tell" else len(places) + 1)
    return Ranking(tuple(order), tuple(places), tuple(steps))


def verdict_key(side: Side) -> tuple[float, ...]:
    """Smaller is better: a chosen arm's outcome, or the largest sparsity within every limit."""
    policy = side.run.findings.policy
    if not policy.get("limits"):
        return (0.0,)
    if side.chosen:
        return (float(_ORDER.index(outcome_of(policy, *side.levels[0]))),)
    within = [e["sparsity"] for e in policy.get("largest_within") or () if e.get("sparsity")]
    return (-max(within, default=0.0),)


def outcome_of(policy: Mapping[str, Any], method: str, sparsity: float | None) -> str:
    """The verdict on an arm; `cannot_tell` where the policy says nothing of it."""
    for verdict in policy.get("verdicts") or ():
        same = (verdict.get("method") or "") == method and verdict.get("sparsity") == sparsity
        if same and verdict.get("model") is None:
            return str(verdict["outcome"])
    return "cannot_tell" if policy.get("limits") else "no_limit"


def _gained(move: Move | None) -> float:
    return 0.0 if move is None or move.difference is None else move.difference


def _told(move: Move | None, alpha: float) -> bool:
    return move is not None and move.p_adjusted is not None and move.p_adjusted <= alpha
