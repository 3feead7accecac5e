"""Lays out one condition's block from parts of an evidence folder, read when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Condition, FloatArray
from audit.evidence.check import Origin
from audit.evidence.conditions import say
from audit.evidence.errors import TableError
from audit.evidence.parts import Part, part_path, read_part

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PartBlocks:
    """Calling it with a condition reads its parts and lays out that block.

    Attributes:
        folder: The evidence folder.
        conditions: The conditions there are.
        models: Names in the order of the block's rows.
        classes: How many classes there are.
        examples: Arrow array of every example's id.
        axis: int64 [examples], each one's column in the block; -1 for a training example.
    """

    folder: Path
    conditions: tuple[Condition, ...]
    models: tuple[str, ...]
    classes: int
    examples: pa.Array
    axis: Places

    def __call__(self, condition: Condition) -> Block:
        """Lays out one condition.

        Raises:
            TableError: There is no such condition, or one of its parts is missing or broken.
        """
        if condition not in self.conditions:
            raise TableError(f"There are no predictions under {say(condition)}: ask for another.")
        shape = (len(self.models), int((self.axis >= 0).sum()))
        predicted = np.full(shape, NOT_SHOWN, np.int32)
        more: dict[str, FloatArray] = {}
        finder = _Finder(self.examples, self.axis)
        for row, model in enumerate(self.models):
            path = part_path(self.folder, model, condition)
            part = read_part(path, model, condition, self.classes)
            place = finder.places(part, path)
            shown = place >= 0
            predicted[row, place[shown]] = part.predicted[shown]
            for name, values in (("confidence", part.confidence), ("loss", part.loss)):
                if values is not None:
                    laid = more.setdefault(name, np.full(shape, np.nan, np.float32))
                    laid[row, place[shown]] = values[shown]
        return Block(condition, predicted, more.get("confidence"), more.get("loss"))


@dataclass(eq=False)
class _Finder:
    """Finds the examples of parts; parts of one condition mostly hold the same ones."""

    examples: pa.Array
    axis: Places
    before: tuple[pa.Array, Places] | None = None
    index: pd.Index[Any] | None = field(default=None)

    def places(self, part: Part, path: Path) -> Places:
        """For each row of a part its example's column, -1 for a training example."""
        if self.before is None or not self.before[0].equals(part.example):
            self.before = part.example, self._look_up(part.example, path)
        return self.before[1]

    def _look_up(self, ids: pa.Array, path: Path) -> Places:
        if self.index is None:
            self.index = pd.Index(self.examples.to_pandas())
        asked = pd.Index(ids.to_pandas())
        found = np.asarray(self.index.get_indexer(asked), np.int64)
        origin = Origin((str(path),))
        unknown = "which is not in examples.parquet: add it there, or leave the row out"
        origin.refuse_any(found < 0, "example", asked, unknown)
        repeated = np.asarray(asked.duplicated(), np.bool_)
        problem = "which has a row already: give each example one"
        origin.refuse_any(repeated, "example", asked, problem)
        return self.axis[found]
