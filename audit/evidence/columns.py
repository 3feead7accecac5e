"""Turns one Arrow column into numpy: codes with their sorted values, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audit.evidence.check import Origin

Codes = NDArray[np.int32]

LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Factor:
    """A column as codes.

    Attributes:
        codes: int32 [rows], an index into `values`; -1 where the cell is empty.
        values: Arrow array of the distinct values that occur, ascending.
    """

    codes: Codes
    values: pa.Array

    @property
    def names(self) -> NDArray[np.object_]:
        """The values as Python objects, with None at the end, so that `names[codes]` works."""
        return self.named(None)

    def named(self, empty: str | None) -> NDArray[np.object_]:
        """As `names`, with `empty` at the end."""
        return np.array([*self.values.to_pylist(), empty], dtype=object)


def factor(column: pa.ChunkedArray) -> Factor:
    """Codes a column of any scalar type; NaN and "" count as empty, whole floats as integers."""
    column = _integers_where_whole(column)
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    joined = column.unify_dictionaries().combine_chunks()
    if isinstance(joined, pa.ChunkedArray):  # a column without rows, or one too large to join
        joined = (
            pa.concat_arrays(joined.chunks)
            if joined.num_chunks
            else joined.type.wrap_array(pa.array([], joined.type))
        )
    codes = joined.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    values = joined.dictionary
    if pa.types.is_string(values.type):
        values = pc.if_else(pc.equal(values, ""), None, values)
    return _sorted(codes.astype(np.int32, copy=False), values)


def as_text(found: Factor) -> Factor:
    """Writes the values of a factor as text: 3 becomes "3" and True "True"."""
    values = found.values
    if pa.types.is_boolean(values.type):
        values = pc.if_else(values, "True", "False")
    return _sorted(found.codes, values.cast(pa.string()))


def ids(column: pa.ChunkedArray, origin: Origin) -> Factor:
    """Codes a column of example ids: int64, or text where they are text or too large for that.

    Raises:
        TableError: An id is missing, or is a number with a fraction.
    """
    found = factor(column)
    problem = "which is no id: give every example one, a whole number or text"
    origin.refuse_any(found.codes < 0, "example", cells(found), problem)
    kind = found.values.type
    if pa.types.is_floating(kind):
        broken = [not value.is_integer() for value in found.values.to_pylist()]
        origin.refuse_any(np.array(broken)[found.codes], "example", cells(found), problem)
    large = pa.types.is_uint64(kind) and pc.max(found.values).as_py() > LARGEST
    if not pa.types.is_integer(kind) or large:
        return as_text(found)
    return Factor(found.codes, found.values.cast(pa.int64()))


def numbers(
    column: pa.ChunkedArray, name: str, origin: Origin, dtype: type[np.floating[Any]] = np.float64
) -> NDArray[Any]:
    """Reads a column as floats, NaN where the cell is empty.

    Raises:
        TableError: A cell holds something that is no number.
    """
    if is_number(column.type) or pa.types.is_null(column.type):
        with np.errstate(over="ignore"):  # too large is infinite, which is for others to refuse
            return np.asarray(column.cast(pa.float64()).to_numpy(), dtype)
    found = as_text(factor(column))
    names = found.names
    values = pd.to_numeric(pd.Series(names), errors="coerce").to_numpy(np.float64)
    wrong = np.isnan(values) & (names != None)  # noqa: E711 (elementwise)
    problem = "which is no number: give one, or leave it empty"
    origin.refuse_any(wrong[found.codes], name, _Cells(found), problem)
    return np.asarray(values[found.codes], dtype)


def is_number(kind: pa.DataType) -> bool:
    """Tells whether a column of this type holds numbers, booleans not counted."""
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(each(kind) for each in kinds)


def is_scalar(kind: pa.DataType) -> bool:
    """Tells whether cells of this type are single values that can be compared and written down."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    others = (pa.types.is_boolean, pa.types.is_temporal, pa.types.is_null, is_text, is_number)
    return any(each(kind) for each in others)


def is_text(kind: pa.DataType) -> bool:
    """Tells whether a column of this type holds text."""
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(each(kind) for each in kinds)


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column in the one type of its kind: text, float64 for decimals, or as it is."""
    kind = column.type
    if pa.types.is_large_string(kind):
        # The distinct values fit where all of them together may not.
        column = column.dictionary_encode()
        kind = column.type
    if pa.types.is_dictionary(kind):
        value = pa.string() if is_text(kind.value_type) else kind.value_type
        return column.cast(pa.dictionary(pa.int32(), value))
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_temporal(kind) or is_text(kind):
        return column.cast(pa.string())
    return column


@dataclass(frozen=True)
class _Cells:
    """The values of a factor by row, looked up only when one is asked for."""

    found: Factor

    def __getitem__(self, row: int) -> Any:
        return self.found.names[self.found.codes[row]]


def cells(found: Factor) -> Any:
    """What `Origin.refuse_any` needs of a factor: its value in a row."""
    return _Cells(found)


def _integers_where_whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A float column of whole numbers is one of integers that had empty cells on its way here."""
    if not pa.types.is_floating(column.type):
        return column
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
    return column.cast(pa.int64()) if pc.all(whole).as_py() is not False else column


def _sorted(codes: Codes, values: pa.Array) -> Factor:
    """Sorts the values, joins equal ones and drops those that no row has."""
    used = np.zeros(len(values) + 1, np.bool_)
    used[codes] = True
    kept = values.filter(pa.array(used[:-1])).unique().drop_null()
    kept = kept.take(pc.sort_indices(kept))
    if kept.equals(values):  # nothing moves, so that many million codes need no new ones
        return Factor(codes, values)
    place = pc.index_in(values, kept).fill_null(-1).to_numpy(zero_copy_only=False)
    return Factor(np.append(place, -1).astype(np.int32)[codes], kept)
