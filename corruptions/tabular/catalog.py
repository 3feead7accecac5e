"""The corruptions of tables there are, one row each, and the named set of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from ..spelling import unknown
from . import entries, numeric
from .profile import Kind

Family = Literal["numbers", "entries"]


@dataclass(frozen=True)
class TableCorruption:
    """One way to change the columns of a table.

    Attributes:
        function: (values [N], profile, stream, *constants) -> values [N], of one column.
        family: Which kind of shift it is.
        description: One line for people.
        kinds: The kinds of column that it changes; others stay as they are.
        distance: What grows with every step of severity, on a table that has such columns.
        source: Where the recipe comes from; the constants are ours.
    """

    function: Callable[..., pd.Series[Any]]
    family: Family
    description: str
    kinds: tuple[Kind, ...]
    distance: str
    source: str = "ours"


_JENGA = "Jenga (Schelter et al., EDBT 2021)"

TABLE_CORRUPTIONS: Mapping[str, TableCorruption] = {
    "numeric_noise": TableCorruption(
        numeric.numeric_noise,
        "numbers",
        "normal noise in proportion to each column's spread",
        ("number",),
        "mean absolute change, in spreads",
        _JENGA,
    ),
    "unit_error": TableCorruption(
        numeric.unit_error,
        "numbers",
        "some numbers ten times too large, as in another unit",
        ("number",),
        "share of cells",
        _JENGA,
    ),
    "out_of_range": TableCorruption(
        numeric.out_of_range,
        "numbers",
        "some numbers beyond the range that training saw",
        ("number",),
        "mean absolute change, in ranges",
    ),
    "saturation": TableCorruption(
        numeric.saturation,
        "numbers",
        "all numbers clamped to the middle of the range, as by a gauge that saturates",
        ("number",),
        "mean absolute change, in ranges",
    ),
    "missing_values": TableCorruption(
        entries.missing_values,
        "entries",
        "some cells blank, completely at random",
        ("number", "boolean", "category", "other"),
        "share of cells",
        _JENGA,
    ),
    "category_swap": TableCorruption(
        entries.category_swap,
        "entries",
        "some entries drawn anew from the column's marginal",
        ("boolean", "category"),
        "share of cells",
        "ours",
    ),
}

TABLE_SETS: Mapping[str, tuple[str, ...]] = {"tabular": tuple(TABLE_CORRUPTIONS)}


def find_table(name: str) -> TableCorruption:
    """The catalogue's row of that name.

    Raises:
        ValueError: There is none; the nearest name is offered.
    """
    if name not in TABLE_CORRUPTIONS:
        raise unknown("corruption of tables", name, TABLE_CORRUPTIONS)
    return TABLE_CORRUPTIONS[name]
