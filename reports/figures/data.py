"""The numbers that a figure draws, as a table to read beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.figures.plots import Dot, Series
from reports.page import Cell, Column, Row, Table
from reports.quantities import UNDEFINED, number
from reports.wording import say

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 2


def of_series(key: str, series: Sequence[Series], places: Mapping[float, str], axis: str) -> Table:
    """A row per position, a column per line, the band in brackets.

    Args:
        key: The figure's name inside the page.
        series: The lines.
        places: What each position is called, in order.
        axis: What the positions are.
    """
    columns = (Column(axis, "number"), *(Column(each.label, "number") for each in series))
    digits = _digits(series)
    rows = (
        Row((Cell(name), *(Cell(_at(each, place, digits)) for each in series)))
        for place, name in places.items()
    )
    return _table(key, columns, tuple(rows))


def of_tiles(key: str, values: pd.DataFrame, rows: str, digits: int = 1) -> Table:
    """The tiles of a heat map: a row and a column each, as drawn."""
    columns = (Column(rows), *(Column(str(name), "number") for name in values.columns))
    told = (
        Row((Cell(str(name)), *(Cell(number(float(value), digits)) for value in line)))
        for name, line in zip(values.index, values.to_numpy().tolist(), strict=True)
    )
    return _table(key, columns, tuple(told))


def of_dots(key: str, dots: Sequence[Dot], levels: Sequence[str], rows: str) -> Table:
    """A row per row of the plot, a column per level; the interval where one is drawn.

    Args:
        key: The figure's name inside the page.
        dots: The dots, in the order of their rows; `level` is the column.
        levels: Names of the columns.
        rows: What the rows are.
    """
    found: dict[str, dict[int, Dot]] = {}
    for dot in dots:
        found.setdefault(dot.row, {})[dot.level] = dot
    columns = (Column(rows), *(Column(name, "number") for name in levels))
    told = (
        Row((Cell(name), *(Cell(_dot(some.get(place))) for place in range(len(levels)))))
        for name, some in found.items()
    )
    return _table(key, columns, tuple(told))


def of_bars(
    key: str,
    names: Sequence[str],
    values: Sequence[float],
    bounds: Sequence[float | None],
    axis: str,
) -> Table:
    """A row per bar: its value and its lower bound."""
    columns = (
        Column(say("column.condition")),
        Column(axis, "number"),
        Column(say("figure.data.bound"), "number"),
    )
    rows = (
        Row((Cell(name), Cell(number(value, 3)), Cell(number(bound, 3))))
        for name, value, bound in zip(names, values, bounds, strict=True)
    )
    return _table(key, columns, tuple(rows))


def _table(key: str, columns: tuple[Column, ...], rows: tuple[Row, ...]) -> Table:
    return Table(f"{key}-data", say("figure.data.caption"), columns, rows)


def _digits(series: Sequence[Series]) -> int:
    """None for counts, one more than usual where every line stays below one."""
    values = [abs(value) for each in series for value in (*each.y, *each.low, *each.high)]
    if all(float(value).is_integer() for value in values):
        return 0
    return DIGITS + (max(values) < 1)


def _at(series: Series, place: float, digits: int) -> str:
    if place not in series.x:
        return UNDEFINED
    at = list(series.x).index(place)
    text = number(series.y[at], digits)
    if not series.low:
        return text
    ends = number(series.low[at], digits), number(series.high[at], digits)
    return say("grammar.spread", mean=text, low=ends[0], high=ends[1])


def _dot(dot: Dot | None) -> str:
    if dot is None:
        return UNDEFINED
    text = number(dot.x, DIGITS, signed=True)
    if not dot.focus or dot.low is None or dot.high is None:
        return text
    low, high = (number(end, DIGITS, signed=True) for end in (dot.low, dot.high))
    return say("grammar.spread", mean=text, low=low, high=high)
