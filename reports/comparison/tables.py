"""The tables of a comparison that hold no moves: sides, checks, exemplars, recipes, practices."""

from __future__ import annotations

from audit.judgement.comparing.comparison import Comparison, Pair
from audit.judgement.comparing.summary import ArmSummary, SideSummary
from audit.judgement.findings import Outcome
from reports.names import method_name, short, sparsity_name, title
from reports.page import Cell, Column, ColumnKind, Row, Table
from reports.quantities import (
    UNDEFINED,
    bare_change,
    count,
    interval,
    number,
    percent,
    probability,
)
from reports.wording import say, word_for

LONGEST_VALUE = 120
OUTCOMES: dict[str, Outcome] = {
    "within": "within",
    "over": "over",
    "cannot_tell": "cannot_tell",
    "no_limit": "no_limit",
}
GRID: tuple[tuple[str, ColumnKind], ...] = (
    ("side", "text"),
    ("data", "text"),
    ("architecture", "text"),
    ("method", "text"),
    ("sparsity", "number"),
    ("verdict", "outcome"),
    ("pruned", "number"),
    ("change", "number"),
    ("interval", "number"),
    ("parent", "number"),
    ("control", "number"),
    ("worst_class", "text"),
    ("worst_group", "text"),
    ("n", "number"),
    ("parents", "number"),
)
OVERLAPS = ("before", "after", "shared", "jaccard", "expected", "p", "churn", "churned")
MOST_ROWS = 200


def grid(comparison: Comparison) -> Table:
    """Every side at every method and sparsity, laid side by side and not ranked."""
    rows = [_grid_row(side, arm) for side in comparison.sides for arm in side.arms]
    coverage = f"{100 * (1 - comparison.alpha):g}"
    return Table(
        key="grid",
        caption=say("comparison.table.grid"),
        columns=tuple(
            Column(say(f"comparison.grid.{name}", coverage=coverage), kind) for name, kind in GRID
        ),
        rows=tuple(rows[:MOST_ROWS]),
        truncated=say("comparison.truncated", shown=count(MOST_ROWS), total=count(len(rows)))
        if len(rows) > MOST_ROWS
        else None,
        claims=True,
    )


def _grid_row(side: SideSummary, arm: ArmSummary) -> Row:
    outcome = OUTCOMES.get(arm.outcome, "cannot_tell")
    return Row(
        (
            _name(side.name),
            _name(side.data or UNDEFINED),
            _name(side.architecture or UNDEFINED),
            Cell(method_name(arm.method)),
            Cell(sparsity_name(arm.sparsity)),
            Cell(word_for("outcome", outcome), outcome=outcome),
            Cell(percent(arm.pruned)),
            Cell(bare_change(arm.change, "fraction")),
            Cell(interval(arm.low, arm.high, "fraction")),
            Cell(percent(arm.parent)),
            Cell(percent(arm.control)),
            _worst(arm.worst_class, arm.worst_class_change),
            _worst(arm.worst_group, arm.worst_group_change),
            Cell(count(arm.n)),
            Cell(count(arm.parents)),
        )
    )


def _worst(name: str | None, by: float | None) -> Cell:
    if name is None:
        return Cell(UNDEFINED)
    told = say("overview.named", who=short(name, 24), change=bare_change(by, "fraction"))
    return Cell(told, title(name, 24))


def _name(name: str) -> Cell:
    return Cell(short(name), title(name))


def checks(key: str, pair: Pair) -> Table:
    """What agrees between two sides, and what does not."""
    rows = []
    for check in pair.checks:
        tone: Outcome = "not_asked" if check.agrees is None else "over"
        tone = "within" if check.agrees else tone
        word = {True: "agrees", False: "differs", None: "unknown"}[check.agrees]
        rows.append(
            Row(
                (
                    Cell(say(f"comparison.facet.{check.facet}")),
                    Cell(say(f"comparison.check.{word}"), outcome=tone),
                    Cell(short(check.said, LONGEST_VALUE), title(check.said, LONGEST_VALUE)),
                )
            )
        )
    return Table(
        key=key,
        caption=say("comparison.table.checks"),
        columns=(
            Column(say("column.what")),
            Column(say("comparison.column.check"), "outcome"),
            Column(say("comparison.column.said")),
        ),
        rows=tuple(rows),
    )


def overlaps(key: str, pair: Pair) -> Table | None:
    """Exemplars in common at each pair of arms; None where neither side has any."""
    shown = [each for each in pair.overlaps if each.before or each.after]
    if not shown:
        return None
    rows = [
        Row(
            (
                Cell(sparsity_name(each.sparsity_before)),
                Cell(sparsity_name(each.sparsity_after)),
                Cell(count(each.before)),
                Cell(count(each.after)),
                Cell(count(each.shared)),
                Cell(number(each.jaccard, 2)),
                Cell(number(each.expected, 1)),
                Cell(probability(each.p)),
                Cell(count(each.churn)),
                Cell(count(each.churned)),
            )
        )
        for each in shown
    ]
    names = ("sparsity_before", "sparsity_after", *OVERLAPS)
    return Table(
        key=key,
        caption=say("comparison.table.overlaps"),
        columns=tuple(Column(say(f"comparison.overlap.{name}"), "number") for name in names),
        rows=tuple(rows),
    )


def recipes(comparison: Comparison) -> Table | None:
    """What was done otherwise, a column per side."""
    if not comparison.recipes:
        return None
    rows = [
        Row(
            (
                Cell(say(f"comparison.topic.{each.topic}")),
                Cell(short(each.what, 80)),
                *(_value(value) for value in each.values),
            )
        )
        for each in comparison.recipes
    ]
    return Table(
        key="recipes-table",
        caption=say("comparison.table.recipes"),
        columns=(
            Column(say("comparison.column.topic")),
            Column(say("column.what")),
            *(Column(short(side.name, 40)) for side in comparison.sides),
        ),
        rows=tuple(rows),
    )


def _value(value: str | None) -> Cell:
    if value is None:
        return Cell(say("comparison.not_stated"))
    return Cell(short(value, LONGEST_VALUE), title(value, LONGEST_VALUE))


def practices(comparison: Comparison) -> Table:
    """Each practice with a tick per side; the last is about all sides together."""
    first = comparison.sides[0].practices
    rows = []
    for place, practice in enumerate(first):
        ticks = [side.practices[place] for side in comparison.sides]
        cells = [_tick(tick.done, tick.detail) for tick in ticks]
        rows.append(Row((Cell(practice.asks), *cells)))
    every = comparison.pairs_practice
    cells = [_tick(every.done, every.detail)] * len(comparison.sides)
    rows.append(Row((Cell(every.asks), *cells)))
    return Table(
        key="practices-table",
        caption=say("table.practices"),
        columns=(
            Column(say("column.practice")),
            *(Column(short(side.name, 40)) for side in comparison.sides),
        ),
        rows=tuple(rows),
    )


def _tick(done: bool, detail: str) -> Cell:
    key = "comparison.tick.done" if done else "comparison.tick.not_done"
    told = say(key, detail=short(detail, LONGEST_VALUE))
    return Cell(told, title(detail, LONGEST_VALUE))
