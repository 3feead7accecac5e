"""The table and the lines that a comparison ends with in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.judgement.comparing.comparison import Comparison
from reports.comparison.answers import answers, verdict_of
from reports.comparison.page import TONES
from reports.names import in_prose, method_name, short, sparsity_name
from reports.quantities import UNDEFINED, bare_change, interval, percent, probability
from reports.terminal import STYLES
from reports.wording import say, word_for

if TYPE_CHECKING:
    from rich.table import Table

_NAME_WIDTH = 24
_SIDES = ("side", "method", "sparsity", "pruned", "change", "interval", "verdict")
_MOVES = ("after", "sparsity", "difference", "interval", "p", "outcome")
_NUMBERS = frozenset({"sparsity", "pruned", "change", "interval", "difference", "p"})


def sides_table(comparison: Comparison) -> Table:
    """One row per side, method and sparsity: accuracy, its change in points, the verdict."""
    from rich.text import Text

    table = _empty(_SIDES, f"{100 * (1 - comparison.alpha):g}")
    for side in comparison.sides:
        for arm in side.arms:
            style = STYLES.get(arm.outcome, "")  # type: ignore[call-overload]
            table.add_row(
                Text(short(side.name, _NAME_WIDTH)),
                Text(short(method_name(arm.method), _NAME_WIDTH)),
                Text(sparsity_name(arm.sparsity)),
                Text(percent(arm.pruned)),
                Text(bare_change(arm.change, "fraction")),
                Text(interval(arm.low, arm.high, "fraction")),
                Text(word_for("outcome", arm.outcome), style=style),
            )
    return table


def moves_table(comparison: Comparison) -> Table | None:
    """One row per later side and pair of arms: the difference in accuracy lost on clean examples.

    None where no two sides could be compared.
    """
    from rich.text import Text

    table = _empty(_MOVES, f"{100 * (1 - comparison.alpha):g}")
    for pair in comparison.pairs:
        names = [short(comparison.sides[i].name, _NAME_WIDTH) for i in (pair.before, pair.after)]
        for move in (m for m in pair.moves if m.family == "accuracy"):
            same = move.sparsity_before == move.sparsity_after
            table.add_row(
                Text(say("comparison.against", after=names[1], before=names[0])),
                Text(sparsity_name(move.sparsity_before) if same else UNDEFINED),
                Text(bare_change(move.difference, move.unit)),
                Text(interval(move.low, move.high, move.unit)),
                Text(probability(move.p_adjusted)),
                Text(say(f"comparison.outcome.{move.outcome}"), style=STYLES[TONES[move.outcome]]),
            )
    return table if table.row_count else None


def order_lines(comparison: Comparison) -> str:
    """Each side's verdict, then what may be ranked and what not, a line each."""
    told = [
        say("comparison.verdict_line", name=in_prose(side.name), verdict=verdict_of(side))
        for side in comparison.sides
    ]
    for answer in answers(comparison):
        told.append(" ".join([say("grammar.sentence", text=answer.text), *answer.why]))
    return "\n".join(told)


def _empty(names: tuple[str, ...], coverage: str) -> Table:
    from rich.table import Table

    table = Table(pad_edge=True, padding=(0, 1))
    for name in names:
        table.add_column(
            say(f"comparison.terminal.{name}", coverage=coverage),
            justify="right" if name in _NUMBERS else "left",
            overflow="fold",
        )
    return table
