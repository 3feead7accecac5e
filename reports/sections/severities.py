"""Accuracy under every corruption at every severity: the parents beside the pruned models."""

from __future__ import annotations

from collections.abc import Sequence

from audit.judgement.findings import Finding
from reports.names import in_prose, method_name, sparsity_name
from reports.page import Cell, Column, Row, Table
from reports.quantities import UNDEFINED, count, percent
from reports.sections.context import Context
from reports.select import whom
from reports.wording import say

_FIRST, _LAST = ("method", "condition", "sparsity"), "n"


def severities_table(context: Context) -> Table | None:
    """Two rows for every corruption, at the sparsity to look at closely of every method.

    An accuracy that nobody asked for is undefined; n is the smallest of a row's.
    """
    rows, severities = [], _severities(context)
    for method in context.document.methods:
        found = _asked(context, method)
        for name in sorted({f.condition for f in found if f.condition is not None}):
            of_one = [f for f in found if f.condition == name]
            told = (method_name(method), in_prose(name))
            parents, pruned = say("column.parent"), sparsity_name(context.focus.get(method))
            rows.append(_row((*told, parents), of_one, severities, role="parent"))
            rows.append(_row((*told, pruned), of_one, severities, role="pruned"))
    if not rows:
        return None
    return Table(
        key="severities",
        caption=say("table.severities"),
        columns=(
            *(Column(say(f"column.{name}"), "text") for name in _FIRST),
            *(Column(say("column.at_severity", severity=f"{s:g}"), "number") for s in severities),
            Column(say(f"column.{_LAST}"), "number"),
        ),
        rows=tuple(rows),
    )


def _asked(context: Context, method: str) -> list[Finding]:
    at = context.focus.get(method)
    return [
        f
        for f in context.asked.get("robustness", ())
        if f.measure == "accuracy"
        and f.severity is not None
        and whom(f) == "everybody"
        and (f.method or "") == method
        and f.sparsity == at
        and f.model is None
    ]


def _severities(context: Context) -> list[float]:
    every = (_asked(context, method) for method in context.document.methods)
    return sorted({f.severity for some in every for f in some if f.severity is not None})


def _row(
    told: Sequence[str], findings: Sequence[Finding], severities: Sequence[float], role: str
) -> Row:
    by_severity = {f.severity: f for f in findings}
    cells = [
        percent(getattr(by_severity[one], role)) if one in by_severity else UNDEFINED
        for one in severities
    ]
    asked = [f.n for f in findings if f.n is not None]
    return Row(tuple(map(Cell, (*told, *cells, count(min(asked, default=None))))))
