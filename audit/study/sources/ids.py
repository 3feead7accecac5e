"""Gives every example a name that no other example of any part has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.study.sources.choose import Chosen, PartName
from audit.study.sources.records import Records


def example_ids(
    chosen: Mapping[PartName, Chosen], splits: Mapping[str, Records], column: str | None
) -> dict[PartName, NDArray[Any]]:
    """Ids by part, all integers (int64) or all texts.

    They are the id column where the config names one, else what the source gives, else row
    numbers: of the file where it has one split, and otherwise of the test split, with the rows of
    the other splits counted on after it.

    Raises:
        InputError: An id is blank, or names two examples.
    """
    used = [chosen[part].split for part in ("test", "train", "validation") if part in chosen]
    starts, start = dict[str, int](), 0
    for split in dict.fromkeys(used):
        starts[split], start = start, start + len(splits[split])
    ids = {
        part: _given(splits[one.split], column, one.rows, starts[one.split])
        for part, one in chosen.items()
    }
    if any(values.dtype.kind != "i" for values in ids.values()):
        ids = {part: values.astype(str) for part, values in ids.items()}
    _refuse_twins(ids)
    return ids


def _given(
    records: Records, column: str | None, rows: NDArray[np.int64], start: int
) -> NDArray[Any]:
    if column is not None:
        values = records.column(column, "id").iloc[rows]
    elif records.ids is not None:
        values = pd.Series(records.ids[rows])
    else:
        return rows + start
    for row in np.flatnonzero(values.isna().to_numpy(dtype=bool))[:1]:
        raise InputError(f"Row {rows[row]} has no id: fill it, or take data.id out.")
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.to_numpy(dtype=np.int64)
    return np.array([str(value) for value in values.tolist()], dtype=str)


def _refuse_twins(ids: Mapping[PartName, NDArray[Any]]) -> None:
    everything = pd.Series(np.concatenate(list(ids.values())))
    for position in np.flatnonzero(everything.duplicated().to_numpy())[:1]:
        twin = everything.iloc[position]
        where = [part for part, values in ids.items() if (values == twin).any()]
        raise InputError(
            f"The id {twin} names two examples ({' and '.join(where)}): give each its own, or "
            "take data.id out to number rows."
        )
