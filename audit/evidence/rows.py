"""Keeps the rows of a flat table compactly, and lays out one condition's block when asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
        confidence: float32 [rows], NaN where not recorded; None if never.
        loss: float32 [rows], NaN where not recorded; None if never.
    """

    conditions: tuple[Condition, ...]
    starts: NDArray[np.int64]
    shape: tuple[int, int]
    model: Codes
    example: Codes
    predicted: Codes
    confidence: FloatArray | None
    loss: FloatArray | None

    def __call__(self, condition: Condition) -> Block:
        """Lays out one condition.

        Raises:
            TableError: There is no such condition.
        """
        if condition not in self.conditions:
            raise TableError(f"There are no predictions under {say(condition)}: ask for another.")
        index = self.conditions.index(condition)
        rows = slice(int(self.starts[index]), int(self.starts[index + 1]))
        predicted: IntArray = np.full(self.shape, NOT_SHOWN, np.int32)
        predicted[self.model[rows], self.example[rows]] = self.predicted[rows]
        return Block(
            condition, predicted, self._laid(self.confidence, rows), self._laid(self.loss, rows)
        )

    def _laid(self, values: FloatArray | None, rows: slice) -> FloatArray | None:
        if values is None:
            return None
        laid = np.full(self.shape, np.nan, np.float32)
        laid[self.model[rows], self.example[rows]] = values[rows]
        return laid


def by_condition(
    conditions: Sequence[Condition],
    codes: Codes,
    shape: tuple[int, int],
    **columns: NDArray[Any] | None,
) -> Rows:
    """Sorts rows by condition.

    Args:
        conditions: The conditions, in order.
        codes: int32 [rows], each row's condition.
        shape: Numbers of models and of examples.
        **columns: `model`, `example`, `predicted`, `confidence` and `loss` of the rows.
    """
    counts = np.bincount(codes, minlength=len(conditions))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    if (codes[1:] < codes[:-1]).any():
        # 16-bit codes are sorted by counting, which takes one pass
        narrow = codes.astype(np.uint16) if len(conditions) < 2**16 else codes
        order = np.argsort(narrow, kind="stable")
        columns = {name: None if c is None else c[order] for name, c in columns.items()}
    return Rows(tuple(conditions), starts, shape, **columns)  # type: ignore[arg-type]
