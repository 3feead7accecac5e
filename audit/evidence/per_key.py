"""Takes what many rows say of one example or one model, and refuses rows that contradict it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audit.evidence.check import Origin, first_rows
from audit.evidence.columns import Codes, Factor, as_text, cells, factor, is_number


@dataclass(frozen=True, eq=False)
class Keyed:
    """Rows that belong to keys: to examples, or to models.

    Attributes:
        kind: `example` or `model`.
        keys: The rows' keys, with their values; no code is -1.
        origin: Where the rows came from.
    """

    kind: str
    keys: Factor
    origin: Origin

    def first_rows(self) -> NDArray[np.int64]:
        """The first row of each key, int64 [keys]."""
        return first_rows(self.keys.codes, len(self.keys.values))

    def settle(self, name: str, column: Factor) -> Codes:
        """For each key the one value that its rows give, as int32 codes [keys]; -1 for none.

        Raises:
            TableError: Two rows of one key give different values.
        """
        codes, said = self.keys.codes, column.codes >= 0
        first = first_rows(codes, len(self.keys.values), said)
        settled = np.where(first >= 0, column.codes[first], -1).astype(np.int32)
        bad = said & (column.codes != settled[codes])
        if bad.any():
            row = int(bad.argmax())
            earlier = int(first[codes[row]])
            self.origin.refuse(
                row,
                name,
                cells(column)[row],
                f"but {cells(column)[earlier]!r} in {self.origin.row(earlier)} for the same "
                f"{self.kind} {cells(self.keys)[row]!r}: give each {self.kind} one value",
            )
        return settled

    def column(self, name: str, column: pa.ChunkedArray, empty: str | None) -> pd.Series[Any]:
        """The value of each key: numbers stay numbers (NaN where empty), the rest becomes text.

        Args:
            name: Its name, for messages.
            column: What the rows say.
            empty: What an empty cell of text reads.

        Raises:
            TableError: Two rows of one key give different values.
        """
        found = factor(column)
        if pa.types.is_binary(found.values.type):
            return pd.Series(found.names[self.settle(name, found)], dtype=object)
        if is_number(found.values.type):
            return pd.Series(_numbers(found.values, self.settle(name, found)))
        found = as_text(found)
        return pd.Series(found.named(empty)[self.settle(name, found)], dtype=object)


def _numbers(values: pa.Array, codes: Codes) -> NDArray[Any]:
    if (codes >= 0).all():
        return np.asarray(values.to_numpy(zero_copy_only=False)[codes])
    padded = np.append(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), np.nan)
    return np.asarray(padded[codes])
