"""Checks columns of lists of numbers: class probabilities of predictions, and embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from audit.evidence.blocks import FloatArray
from audit.evidence.check import ROUNDING, Origin, first_rows
from audit.evidence.columns import Factor, is_number
from audit.evidence.errors import TableError

# Probabilities that were kept in half precision or with four decimals still pass.
SUM_TOLERANCE = 1e-3
LISTS = pa.list_(pa.float32())
_ROWS_AT_A_TIME = 2**14

_ONE = "but another row of the same example has another: give each example one"
_NO_DISTRIBUTION = "which is no distribution: give one number from 0 to 1 per class, together 1"


def is_list(kind: pa.DataType) -> bool:
    """Tells whether cells of this type are lists of numbers."""
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(each(kind) for each in kinds) and is_number(kind.value_type)


def lists(values: ArrayLike, name: str, origin: Origin) -> pa.Array:
    """Checked probabilities as an Arrow column.

    Args:
        values: [rows, classes], each row a distribution.
        name: What messages call them.
        origin: Where the rows came from.

    Raises:
        TableError: They have another number of axes, or a row is no distribution.
    """
    array = np.asarray(values, np.float32)
    if array.ndim != 2:
        raise TableError(f"{origin.name}: {name} have {array.ndim} axes: give [rows, classes].")
    check_distributions(array, 0, name, origin)
    return as_lists(array)


def as_lists(array: FloatArray) -> pa.Array:
    """A float32 array [rows, numbers] as a column of lists."""
    offsets = np.arange(len(array) + 1, dtype=np.int64) * array.shape[1]
    kind = pa.ListArray if array.size < 2**31 else pa.LargeListArray
    narrow = offsets.astype(np.int32 if kind is pa.ListArray else np.int64)
    return kind.from_arrays(narrow, np.ascontiguousarray(array).ravel())


def check_distributions(array: FloatArray, first: int, name: str, origin: Origin) -> None:
    """Refuses a row with a number outside [0, 1], or whose numbers do not add up to 1.

    Args:
        array: float32 [rows, classes]; a row of NaN alone stands for nothing recorded.
        first: The index of the first row in `origin`.
        name: The column's name.
        origin: Where the rows came from.
    """
    for start in range(0, len(array), _ROWS_AT_A_TIME):  # so that no copy of all is made
        some = array[start : start + _ROWS_AT_A_TIME]
        with np.errstate(invalid="ignore"):  # NaN compares as false, and so is refused below
            total = some.sum(axis=1, dtype=np.float64)
        fine = np.abs(total - 1.0) <= SUM_TOLERANCE
        fine &= (some.min(axis=1, initial=0.0) >= 0.0) & (
            some.max(axis=1, initial=0.0) <= 1.0 + ROUNDING
        )
        bad = ~fine & ~np.isnan(some).all(axis=1)
        if bad.any():
            row = int(bad.argmax())
            shown = [float(f"{number:.4g}") for number in some[row][:6]]
            value = _Listed(shown, len(some[row]))
            origin.refuse(first + start + row, name, value, _NO_DISTRIBUTION)


def longest(column: pa.ChunkedArray) -> int:
    """The most numbers that a cell of a column of lists holds; 0 where all are empty."""
    if pa.types.is_null(column.type):
        return 0
    return int(pc.max(pc.list_value_length(column)).as_py() or 0)


def rectangle(
    column: pa.ChunkedArray, name: str, origin: Origin, numbers: int | None = None
) -> tuple[FloatArray | None, ...]:
    """The chunks of a column of lists as arrays, without a copy where there are no gaps.

    Args:
        column: Lists of numbers, as many in each; empty cells are allowed.
        name: The column's name.
        origin: Where the rows came from.
        numbers: How many numbers each cell must hold; by default as many as the first one that is
            not empty.

    Returns:
        float32 [rows, numbers] for each chunk, NaN in rows without a list; None for a chunk of
        which every row has none.

    Raises:
        TableError: A list is longer or shorter.
    """
    found: list[FloatArray | None] = []
    first = 0
    for chunk in column.chunks:
        given = ~np.asarray(chunk.is_null())
        if not given.any():
            found.append(None)
        else:
            lengths = _lengths(chunk)
            numbers = int(lengths[given][0]) if numbers is None else numbers
            bad = given & (lengths != numbers)
            problem = f"which has not the {numbers} numbers that it takes: give as many in each row"
            origin.refuse_any(_moved(bad, first), name, _Cells(chunk, first), problem)
            found.append(_array(chunk, given, numbers))
        first += len(chunk)
    return tuple(found)


def embeddings(column: pa.ChunkedArray, example: Factor, origin: Origin) -> pd.Series[Any]:
    """The embedding of each example: a float32 array [numbers], or None where no row has one.

    Args:
        column: Lists of numbers, as many in each; any one row of an example may give it.
        example: The rows' examples.
        origin: Where the rows came from.

    Raises:
        TableError: A list is longer or shorter than the first, a number in it is missing or
            infinite, or two rows of one example differ.
    """
    known = np.full(len(example.values), None, dtype=object)
    if pa.types.is_null(column.type):
        return pd.Series(known, dtype=object)
    found = rectangle(column, "embedding", origin)
    given = ~np.asarray(column.is_null()) if column.null_count else None
    first = first_rows(example.codes, len(known), given)
    settled = np.full((len(known), _numbers(found)), np.nan, np.float32)
    for start, _, values in _placed(column, found):
        mine = np.flatnonzero((first >= start) & (first < start + len(values)))
        settled[mine] = values[first[mine] - start]
    for start, chunk, values in _placed(column, found):
        rows = np.flatnonzero(~np.asarray(chunk.is_null()))
        finite = np.asarray(np.isfinite(values[rows]).all(axis=1), np.bool_)
        wrong = _mask(len(chunk), rows, ~finite)
        problem = "which is no place: give finite numbers, or leave it empty"
        origin.refuse_any(_moved(wrong, start), "embedding", _Cells(chunk, start), problem)
        other = values[rows] != settled[example.codes[start + rows]]
        different = _mask(len(chunk), rows, np.asarray(other.any(axis=1), np.bool_))
        origin.refuse_any(_moved(different, start), "embedding", _Cells(chunk, start), _ONE)
    for code in np.flatnonzero(first >= 0).tolist():
        known[code] = settled[code]
    return pd.Series(known, dtype=object)


def _numbers(chunks: tuple[FloatArray | None, ...]) -> int:
    return next((values.shape[1] for values in chunks if values is not None), 0)


def _placed(
    column: pa.ChunkedArray, chunks: tuple[FloatArray | None, ...]
) -> Iterator[tuple[int, pa.Array, FloatArray]]:
    """The chunks that hold lists, with the row that each begins in."""
    start = 0
    for chunk, values in zip(column.chunks, chunks, strict=True):
        if values is not None:
            yield start, chunk, values
        start += len(chunk)


def _mask(count: int, rows: NDArray[np.int64], bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask = np.zeros(count, np.bool_)
    mask[rows[bad]] = True
    return mask


def _moved(bad: NDArray[np.bool_], first: int) -> NDArray[np.bool_]:
    """The mask of a chunk as one of the rows of the table up to its end."""
    return np.concatenate([np.zeros(first, np.bool_), bad]) if bad.any() else bad


def _lengths(chunk: pa.Array) -> NDArray[np.int64]:
    if pa.types.is_fixed_size_list(chunk.type):
        return np.full(len(chunk), chunk.type.list_size, np.int64)
    return np.asarray(pc.fill_null(pc.list_value_length(chunk), -1), np.int64)


def _array(chunk: pa.Array, given: NDArray[np.bool_], numbers: int) -> FloatArray:
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and refused as such
        flat = np.asarray(chunk.flatten().to_numpy(zero_copy_only=False), np.float32)
    if given.all():
        return flat.reshape(len(chunk), numbers)
    array = np.full((len(chunk), numbers), np.nan, np.float32)
    array[given] = flat.reshape(
        int(given.sum()), numbers
    )  # flatten leaves the rows without a list out
    return array


class _Listed:
    """A list in a message: its first numbers, and how many there are."""

    def __init__(self, first: list[float], count: int) -> None:
        self.first, self.count = first, count

    def __repr__(self) -> str:
        more = f", … {self.count} numbers" if self.count > len(self.first) else ""
        return f"[{', '.join(map(repr, self.first))}{more}]"


class _Cells:
    """The cells of a chunk by their row in the table."""

    def __init__(self, chunk: pa.Array, first: int) -> None:
        self.chunk, self.first = chunk, first

    def __getitem__(self, row: int) -> Any:
        cell = self.chunk[row - self.first].as_py()
        return _Listed(cell[:6], len(cell))
