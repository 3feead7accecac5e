"""Puts the rows of several tables one after the other, column by column in one type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audit.evidence.check import Origin
from audit.evidence.columns import as_text, factor, is_text
from audit.evidence.distributions import LISTS, is_list
from audit.evidence.sources import Opened

TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, eq=False)
class Stacked:
    """Rows of several tables.

    Attributes:
        table: The rows; a column that a table lacks is null in its rows.
        origin: Which row came from where.
        classes: Class names of the first table whose metadata give any; None where none does.
        having: Column name -> for each table whether it has that column.
    """

    table: pa.Table
    origin: Origin
    classes: tuple[str, ...] | None
    having: dict[str, tuple[bool, ...]]

    def rows_with(self, column: str) -> NDArray[np.bool_]:
        """Bool [rows], rows of the tables that have this column."""
        bounds = [*self.origin.starts, self.table.num_rows]
        return np.repeat(np.array(self.having[column]), np.diff(bounds))


def stack(opened: Sequence[Opened]) -> Stacked:
    """Stacks tables. Where their types differ, text wins over numbers, and floats over integers."""
    names = list(dict.fromkeys(name for each in opened for name in each.table.column_names))
    starts = np.cumsum([0, *(each.table.num_rows for each in opened[:-1])])
    columns = {ours: theirs for each in reversed(opened) for ours, theirs in each.columns.items()}
    return Stacked(
        opened[0].table
        if len(opened) == 1
        else pa.table({name: _joined(opened, name) for name in names}),
        Origin(tuple(each.title for each in opened), tuple(map(int, starts)), columns),
        next((each.classes for each in opened if each.classes), None),
        {name: tuple(name in each.table.column_names for each in opened) for name in names},
    )


def _joined(opened: Sequence[Opened], name: str) -> pa.ChunkedArray:
    present = [each.table.column(name) for each in opened if name in each.table.column_names]
    kind = _common([_value_type(column.type) for column in present])
    chunks: list[pa.Array] = []
    for each in opened:
        if name in each.table.column_names:
            chunks += _as(each.table.column(name), kind).chunks
        else:
            chunks.append(pa.nulls(each.table.num_rows, kind))
    return pa.chunked_array(chunks, kind)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _common(found: Sequence[pa.DataType]) -> pa.DataType:
    kinds = [kind for kind in found if not pa.types.is_null(kind)]
    if any(is_list(kind) for kind in kinds):
        return LISTS
    if not kinds or any(is_text(kind) for kind in kinds):
        return TEXT
    if any(pa.types.is_floating(kind) for kind in kinds):
        return pa.float64()
    return kinds[0] if len(set(kinds)) == 1 else pa.int64()


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if kind != TEXT:
        return column.cast(kind)
    if is_text(column.type):
        return column.cast(pa.string()).dictionary_encode().cast(TEXT)
    if is_text(_value_type(column.type)):
        return column.cast(TEXT)
    found = as_text(factor(column))
    codes = pa.array(found.codes, mask=found.codes < 0)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, found.values)])
