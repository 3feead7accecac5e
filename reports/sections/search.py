"""The section on the group that nobody named: what was found on one half, and on the other."""

from __future__ import annotations

from audit.judgement.findings import Finding
from reports.names import method_name, short, sparsity_name
from reports.page import Cell, Column, Row, Section, Table
from reports.quantities import UNDEFINED, bare_change, count, number
from reports.sections.context import Context, section
from reports.wording import say

_COLUMNS = (
    "method",
    "sparsity",
    "slice",
    "found",
    "found_n",
    "tested",
    "interval",
    "tested_n",
    "p",
)
_TEXT = frozenset({"method", "slice"})


def search(context: Context) -> Section:
    """Both halves' values side by side, so that what the choice of the worst adds is seen."""
    table = _table(context)
    lead = [] if table is None else [say("search.lead")]
    lead += [
        say(
            "search.nothing",
            method=method_name(f.method or ""),
            sparsity=sparsity_name(f.sparsity),
            reason=f.reason,
        )
        for f in context.asked.get("search", ())
        if f.measure == "searched_slice" and f.groups is None
    ]
    return section(context, "search", tables=[table], lead=lead)


def _table(context: Context) -> Table | None:
    asked = context.asked.get("search", ())
    found = {_key(f): f for f in asked if f.measure == "found_slice"}
    tested = [f for f in asked if f.measure == "searched_slice" and _key(f) in found]
    if not tested:
        return None
    return Table(
        key="search-halves",
        caption=say("search.caption"),
        columns=tuple(
            Column(say(f"search.column.{name}"), "text" if name in _TEXT else "number")
            for name in _COLUMNS
        ),
        rows=tuple(_row(found[_key(f)], f) for f in tested),
    )


def _row(found: Finding, tested: Finding) -> Row:
    interval = UNDEFINED
    if tested.low is not None and tested.high is not None:
        ends = (bare_change(end, tested.unit) for end in (tested.low, tested.high))
        interval = say("search.interval", **dict(zip(("low", "high"), ends, strict=True)))
    p = UNDEFINED if tested.p_adjusted is None else number(tested.p_adjusted, 3)
    texts = (
        method_name(tested.method or ""),
        sparsity_name(tested.sparsity),
        short(tested.groups or "", 120),
        bare_change(found.change, found.unit),
        count(found.n),
        bare_change(tested.change, tested.unit),
        interval,
        count(tested.n),
        p,
    )
    return Row(tuple(map(Cell, texts)))


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.method, finding.sparsity, finding.model, finding.groups
