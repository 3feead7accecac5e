"""Keeps the rows of a flat table compactly, and lays out one condition's block when asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Condition, FloatArray, IntArray
from audit.evidence.columns import Codes
from audit.evidence.conditions import say
from audit.evidence.errors import TableError


@dataclass(frozen=True, eq=False)
class Rows:
    """Predictions, sorted by condition; calling it with a condition lays out that block.

    Attributes:
        conditions: The conditions, in order.
        starts: int64 [conditions + 1], where the rows of each begin and the last end.
        shape: Numbers of models and of examples.
        model: int32 [rows], the model's index.
        example: int32 [rows], the example's index.
        predicted: int32 [rows], class codes.
        quantities: Name (of `schema.QUANTITIES`) -> float32 [rows], NaN where not recorded.
    """

    conditions: tuple[Condition, ...]
    starts: NDArray[np.int64]
    shape: tuple[int, int]
    model: Codes
    example: Codes
    predicted: Codes
    quantities: Mapping[str, FloatArray]

    def __call__(self, condition: Condition) -> Block:
        """Lays out one condition.

        Raises:
            TableError: There is no such condition.
        """
        rows = self.of(condition)
        predicted: IntArray = np.full(self.shape, NOT_SHOWN, np.int32)
        predicted[self.model[rows], self.example[rows]] = self.predicted[rows]
        laid = {name: self._laid(values, rows) for name, values in self.quantities.items()}
        return Block(condition, predicted, **laid)

    def of(self, condition: Condition) -> slice:
        """The rows of one condition.

        Raises:
            TableError: There is no such condition.
        """
        if condition not in self.conditions:
            raise TableError(f"There are no predictions under {say(condition)}: ask for another.")
        index = self.conditions.index(condition)
        return slice(int(self.starts[index]), int(self.starts[index + 1]))

    def _laid(self, values: FloatArray, rows: slice) -> FloatArray:
        laid = np.full(self.shape, np.nan, np.float32)
        laid[self.model[rows], self.example[rows]] = values[rows]
        return laid


@dataclass(frozen=True, eq=False)
class RowLists:
    """The lists of a flat table's rows; calling it lays out those of one model.

    Attributes:
        rows: The predictions.
        numbers: int64 [rows], the number that each of them has in the table.
        starts: int64 [chunks], where each chunk begins in the table.
        chunks: float32 [rows of the chunk, classes], NaN without a list; None where none has one.
    """

    rows: Rows
    numbers: NDArray[np.int64]
    starts: NDArray[np.int64]
    chunks: tuple[FloatArray | None, ...]

    def __call__(self, condition: Condition, row: int) -> FloatArray | None:
        """float32 [examples, classes], NaN where not shown; None where nothing was recorded.

        Args:
            condition: The condition.
            row: The model's index.

        Raises:
            TableError: There is no such condition.
        """
        rows = self.rows.of(condition)
        own = np.flatnonzero(self.rows.model[rows] == row) + rows.start
        numbers = self.numbers[own]
        chunk = np.searchsorted(self.starts, numbers, side="right") - 1
        laid: FloatArray | None = None
        for index in np.unique(chunk).tolist():
            values = self.chunks[index]
            if values is not None:
                if laid is None:
                    laid = np.full((self.rows.shape[1], values.shape[1]), np.nan, np.float32)
                mine = chunk == index
                places = self.rows.example[own[mine]]
                laid[places] = values[numbers[mine] - self.starts[index]]
        return None if laid is None or np.isnan(laid).all() else laid


def by_condition(
    conditions: Sequence[Condition],
    codes: Codes,
    shape: tuple[int, int],
    model: Codes,
    example: Codes,
    predicted: Codes,
    quantities: Mapping[str, FloatArray],
) -> tuple[Rows, NDArray[np.int64] | None]:
    """Sorts rows by condition.

    Args:
        conditions: The conditions, in order.
        codes: int32 [rows], each row's condition.
        shape: Numbers of models and of examples.
        model: int32 [rows].
        example: int32 [rows].
        predicted: int32 [rows].
        quantities: Name -> float32 [rows].

    Returns:
        The rows, without the conditions that none is under, and where each of them was before,
        int64 [rows]; None where each still is.
    """
    counts = np.bincount(codes, minlength=len(conditions))
    order = None
    if (codes[1:] < codes[:-1]).any():
        # 16-bit codes are sorted by counting, which takes one pass
        narrow = codes.astype(np.uint16) if len(conditions) < 2**16 else codes
        order = np.argsort(narrow, kind="stable")
        model, example, predicted = model[order], example[order], predicted[order]
        quantities = {name: values[order] for name, values in quantities.items()}
    there = counts > 0
    starts = np.concatenate([[0], np.cumsum(counts[there])]).astype(np.int64)
    kept = tuple(condition for condition, any_ in zip(conditions, there, strict=True) if any_)
    return Rows(kept, starts, shape, model, example, predicted, quantities), order
