"""Moves as rows of a table, worst first, each with a name that links lead to."""

from __future__ import annotations

from collections.abc import Sequence

from audit.judgement.comparing.moves import Move, MoveOutcome
from reports.comparison.columns import fields
from reports.page import Column, Row, Table
from reports.quantities import count
from reports.wording import say

ROWS, FOLDED_ROWS = 80, 40
WORST_FIRST: tuple[MoveOutcome, ...] = ("worse", "better", "cannot_tell", "not_asked", "same")


def worst_first(moves: Sequence[Move]) -> list[Move]:
    """Worse, then better, then what could not be told apart; inside, the surest first."""
    return sorted(
        moves,
        key=lambda m: (
            WORST_FIRST.index(m.outcome),
            1.0 if m.p_adjusted is None else m.p_adjusted,
            1.0 if m.p is None else m.p,
            -abs(m.difference or 0.0),
        ),
    )


def anchor(pair: int, move: Move, moves: Sequence[Move]) -> str:
    """The name that links to the move's row lead to."""
    return f"m-{pair}-{moves.index(move)}"


def moves_table(
    key: str, caption: str, pair: int, moves: Sequence[Move], every: Sequence[Move], alpha: float
) -> Table | None:
    """The table of some moves of a pair; None when there are none.

    Args:
        key: The table's name inside the page.
        caption: What it shows.
        pair: The pair's place.
        moves: Its rows.
        every: All moves of the pair, whose places name the rows.
        alpha: Intervals cover 1 − alpha.
    """
    folded = key.endswith("-measures")
    ordered = worst_first(moves)
    shown = ordered[: FOLDED_ROWS if folded else ROWS]
    if not shown:
        return None
    notes = tuple(dict.fromkeys(m.reason for m in shown if m.reason))
    columns = fields(shown, notes, alpha)
    cut = None
    if len(shown) < len(ordered):
        cut = say("comparison.truncated", shown=count(len(shown)), total=count(len(ordered)))
    return Table(
        key=key,
        caption=caption,
        columns=tuple(Column(field.heading, field.kind) for field in columns),
        rows=tuple(
            Row(tuple(field.show(m) for field in columns), anchor(pair, m, every)) for m in shown
        ),
        truncated=cut,
        notes=notes,
        folded=folded,
        claims=True,
    )
