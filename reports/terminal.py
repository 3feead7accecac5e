"""The table and the one line that end a run in the terminal, at most a hundred columns wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.judgement.findings import Outcome
from reports.names import method_name, short
from reports.overview import Judged, overview_cells, overviews
from reports.verdict import largest_within
from reports.wording import say, word_for

if TYPE_CHECKING:
    from rich.table import Table

    from audit.judgement.findings import Findings

STYLES: dict[Outcome, str] = {
    "over": "red",
    "within": "green",
    "cannot_tell": "yellow",
    "not_asked": "yellow",
    "no_limit": "dim",
}
_COLUMNS = ("sparsity", "accuracy", "worst_class", "worst_group", "corrupted", "pies", "verdict")
_NUMBERS = frozenset({"sparsity", "accuracy", "corrupted"})
_WRAPPED = frozenset({"method", "worst_class", "worst_group", "pies"})
_NAME_WIDTH = 30
# Columns: what a hundred leave room for, with and without a column of methods.
_ROOMY = {"worst_class": 11, "worst_group": 14, "pies": 14}
_NARROW = {"method": 9, "worst_class": 8, "worst_group": 10, "pies": 9}
_WIDEST = {"method": 14, "worst_class": 18, "worst_group": 28, "pies": 14}


def terminal_table(findings: Findings) -> Table:
    """One row per method and sparsity: changes in points, exemplars, verdict.

    Args:
        findings: What was found.

    Returns:
        A table that fits in a hundred columns; names are cut, and markup in them is shown as text.
    """
    from rich.table import Table
    from rich.text import Text

    rows = overviews(findings)
    several = len({row.method for row in rows}) > 1
    table = Table(pad_edge=True, padding=(0, 1))
    for name in (("method",) if several else ()) + _COLUMNS:
        table.add_column(
            say(f"overview.{name}"),
            justify="right" if name in _NUMBERS else "left",
            overflow="fold",
            no_wrap=name not in _WRAPPED,
            min_width=(_NARROW if several else _ROOMY).get(name),
            max_width=_WIDEST.get(name),
        )
    for row in rows:
        cells = [Text(text) for text in overview_cells(row, names=_NAME_WIDTH)]
        verdict = Text(verdict_words(row.judged), style=STYLES[row.judged.outcome])
        method = [Text(short(method_name(row.method), _NAME_WIDTH))] if several else []
        table.add_row(*method, *cells, verdict)
    return table


def verdict_words(verdict: Judged) -> str:
    """`within`, `cannot tell`, or `over 2 of 9` limits."""
    if verdict.outcome == "over" and verdict.over:
        return say("overview.over_of", n=verdict.over, total=verdict.limits)
    return word_for("outcome", verdict.outcome)


def largest_within_line(findings: Findings) -> str:
    """`largest sparsity within every limit: 0.7`, per method where there are several."""
    methods = list(dict.fromkeys(row.method for row in overviews(findings)))
    if not methods:
        return say("verdict.no_models")
    told = []
    for method in methods:
        answer, _ = largest_within(findings.policy, method)
        text = answer[:1].lower() + answer[1:]
        told.append(text if len(methods) == 1 else f"{method_name(method)}: {text}")
    return "\n".join(told)
