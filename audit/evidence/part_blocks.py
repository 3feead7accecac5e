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
from audit.evidence.check import Mask, Origin
from audit.evidence.conditions import say
from audit.evidence.errors import TableError
from audit.evidence.outside import shown_as
from audit.evidence.parts import part_path, read_ids, read_part, read_probabilities
from audit.evidence.schema import QUANTITIES
from audit.evidence.tables import read_table

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
        axis: int64 [examples], each one's column in the block; -1 for one of another split.
        outside: bool [examples], those out of distribution.
    """

    folder: Path
    conditions: tuple[Condition, ...]
    models: tuple[str, ...]
    classes: int
    examples: pa.Array
    axis: Places
    outside: Mask

    def __call__(self, condition: Condition) -> Block:
        """Lays out one condition.

        Raises:
            TableError: There is no such condition, or one of its parts is missing or broken.
        """
        self._refuse_unknown(condition)
        shape = (len(self.models), int((self.axis >= 0).sum()))
        predicted = np.full(shape, NOT_SHOWN, np.int32)
        more: dict[str, FloatArray] = {}
        finder = _Finder(self, condition)
        for row, model in enumerate(self.models):
            path = part_path(self.folder, model, condition)
            part = read_part(path, model, condition, self.classes)
            place = finder.places(part.example, path)
            shown = place >= 0
            predicted[row, place[shown]] = part.predicted[shown]
            for name in QUANTITIES:
                values = getattr(part, name)
                if values is not None:
                    laid = more.setdefault(name, np.full(shape, np.nan, np.float32))
                    laid[row, place[shown]] = values[shown]
        return Block(condition, predicted, **more)

    def probabilities(self, condition: Condition, row: int) -> FloatArray | None:
        """Reads the class probabilities of one model, and nothing else of its part.

        Args:
            condition: The condition.
            row: The model's row.

        Returns:
            float32 [examples, classes], NaN where not shown; None where they were not recorded.

        Raises:
            TableError: There is no such condition, or the part is missing or broken.
        """
        self._refuse_unknown(condition)
        path = part_path(self.folder, self.models[row], condition)
        found = read_probabilities(path, self.models[row], condition, self.classes)
        if found is None:
            return None
        example, values = found
        place, count = _Finder(self, condition).places(example, path), int((self.axis >= 0).sum())
        if np.array_equal(place, np.arange(count)):
            return values  # as they are: a copy would double the memory
        shown = place >= 0
        laid = np.full((count, self.classes), np.nan, np.float32)
        laid[place[shown]] = values[shown]
        return None if np.isnan(laid).all() else laid

    def shows(self, condition: Condition, row: int) -> bool:
        """Tells whether a model was shown any of these examples under a condition.

        Raises:
            TableError: The part is missing or broken.
        """
        path = part_path(self.folder, self.models[row], condition)
        table = read_table(path, ("example",), ("example",))
        ids = read_ids(table.column("example"), Origin((str(path),)))
        own = self.examples.to_pandas()[self.axis >= 0]
        return bool(ids.to_pandas().isin(own).any())

    def _refuse_unknown(self, condition: Condition) -> None:
        if condition not in self.conditions:
            raise TableError(f"There are no predictions under {say(condition)}: ask for another.")


@dataclass(eq=False)
class _Finder:
    """Finds the examples of parts; parts of one condition mostly hold the same ones."""

    blocks: PartBlocks
    condition: Condition
    before: tuple[pa.Array, Places] | None = None
    index: pd.Index[Any] | None = field(default=None)

    def places(self, example: pa.Array, path: Path) -> Places:
        """For each row of a part its example's column, -1 for one of another split."""
        if self.before is None or not self.before[0].equals(example):
            self.before = example, self._look_up(example, path)
        return self.before[1]

    def _look_up(self, ids: pa.Array, path: Path) -> Places:
        if self.index is None:
            self.index = pd.Index(self.blocks.examples.to_pandas())
        asked = pd.Index(ids.to_pandas())
        found = np.asarray(self.index.get_indexer(asked), np.int64)
        origin = Origin((str(path),))
        unknown = "which is not in examples.parquet: add it there, or leave the row out"
        origin.refuse_any(found < 0, "example", asked, unknown)
        repeated = np.asarray(asked.duplicated(), np.bool_)
        problem = "which has a row already: give each example one"
        origin.refuse_any(repeated, "example", asked, problem)
        if self.condition.severity is not None:
            out = self.blocks.outside[found]
            origin.refuse_any(out, "example", asked, shown_as(self.condition))
        return self.blocks.axis[found]
