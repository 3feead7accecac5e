"""Corrupts prepared table rows: decodes features to the table's columns, corrupts, encodes again.

What a model takes of a table is in the store as features, and how they were made beside them. So
rows are decoded to numbers, booleans and texts, corrupted with the training part's spreads, ranges
and marginals, and encoded as before. Only the features of cells that changed are replaced: all
others stay as they are, bit by bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import corruptions
from audit.evidence.errors import JobError
from audit.evidence.imports import resolve
from audit.study.prepare import Arrays
from audit.study.recipes import Shown
from audit.study.sources.encoding import MISSING, Categories, Encoding, Measured
from corruptions.tabular import Reference, measure

FloatArray = NDArray[np.float32]
Types = Mapping[str, str | None]

_UNSEEN = "\x00"  # a text that training did not have: encoded as none of the known ones
# Twice the rounding of float32, in which features are, and of the float64 that they were made in.
_NARROW, _WIDE = 2.0**-23, 2.0**-50


@dataclass(frozen=True, eq=False)
class Table:
    """How a data folder's features are read as columns, and what its training part is like.

    Attributes:
        encoding: How columns became features. Ready arrays have a number for each feature.
        types: `Int64` for columns that are whole numbers in training, `boolean` where these are 0
            and 1; others are float64, or objects where they are texts.
        blanks: What a blank becomes, by column, in ready arrays: the training part's mean, as
            they have no other way to say it.
        reference: Spreads, ranges and marginals of the training part.
    """

    encoding: Encoding
    types: Types
    blanks: Mapping[str, float]
    reference: Reference


@lru_cache(maxsize=4)
def table_of(arrays: Arrays) -> Table:
    """Reads the training part of a prepared table.

    Raises:
        JobError: It has none.
    """
    if not arrays.has("train"):
        raise JobError(
            "Corruptions of tables are scaled by the training part, and there is none: name one as "
            "data.splits.train."
        )
    rows = np.asarray(arrays.inputs("train"))
    known = arrays.vocabulary.encoding
    encoding = known or Encoding(
        tuple(Measured(str(at), 0.0, 1.0, False) for at in range(rows.shape[1]))
    )
    raw = _decoded(rows, encoding, {})
    measured = [one for one in encoding.columns if isinstance(one, Measured)]
    types = {one.column: _type(raw[one.column], one) for one in measured}
    means = {one.column: float(np.nanmean(raw[one.column])) for one in measured}
    blanks = {} if known else means
    return Table(encoding, types, blanks, measure(_decoded(rows, encoding, types)))


def corrupt_rows(
    rows: FloatArray, ids: NDArray[Any], shown: Shown, arrays: Arrays, base: Path
) -> FloatArray:
    """Features of test rows under the corruption that a condition shows.

    Args:
        rows: float32 [N, F].
        ids: [N], on which the draws depend.
        shown: The condition.
        arrays: The data that the rows are of.
        base: Folder that `module:function` is looked up from.

    Raises:
        JobError: There is no training part, or the corruption refuses these rows.
    """
    if shown.corruption is None or shown.severity is None:
        return rows
    table, name = table_of(arrays), shown.corruption
    frame = _decoded(rows, table.encoding, table.types)
    try:
        changed = corruptions.corrupt_table(
            frame,
            resolve(name, base) if ":" in name else name,
            shown.severity,
            seed=shown.seed,
            ids=ids.tolist(),
            reference=table.reference,
            label=None,
        )
    except (TypeError, ValueError) as error:
        raise JobError(f"{shown.name} at severity {shown.severity:g}: {error}") from error
    return _encoded(rows, frame, changed, table)


def _decoded(rows: FloatArray, encoding: Encoding, types: Types) -> pd.DataFrame:
    """The columns that features [N, F] were made of."""
    columns: dict[str, Any] = {}
    start = 0
    for one in encoding.columns:
        stop = start + len(one.features)
        some = rows[:, start:stop].astype(np.float64)
        columns[one.column] = (
            _numbers(some, one, types.get(one.column))
            if isinstance(one, Measured)
            else _texts(some, one)
        )
        start = stop
    return pd.DataFrame(columns)


def _numbers(some: NDArray[np.float64], one: Measured, kind: str | None) -> pd.Series[Any]:
    values = one.mean + one.spread * some[:, 0]
    if one.marks_missing:
        values = np.where(some[:, 1] > 0.5, np.nan, values)
    if kind is None:
        return pd.Series(values)
    whole = pd.Series(np.where(np.isfinite(values), np.rint(values), np.nan))
    if kind == "boolean":
        return (whole != 0).astype("boolean").mask(whole.isna())
    return whole.astype("Int64")


def _texts(some: NDArray[np.float64], one: Categories) -> pd.Series[Any]:
    names = [None if name == MISSING else name for name in one.values]
    known = some.max(axis=1, initial=0) > 0.5
    codes = np.where(known, some.argmax(axis=1) if len(names) else 0, len(names))
    return pd.Series(np.array([*names, _UNSEEN], dtype=object)[codes], dtype=object)


def _type(values: pd.Series[Any], one: Measured) -> str | None:
    """`Int64` or `boolean` where a decoded training column is whole but for rounding."""
    known = values.to_numpy()[np.isfinite(values)]
    room = _NARROW * np.abs(known - one.mean) + _WIDE * abs(one.mean)
    # So large that fractions are lost: whether these were integers cannot be told, and is moot.
    if not known.size or room.max() > 0.25 or (np.abs(known - np.rint(known)) > room).any():
        return None
    return "boolean" if np.isin(np.rint(known), (0, 1)).all() else "Int64"


def _encoded(
    rows: FloatArray, frame: pd.DataFrame, changed: pd.DataFrame, table: Table
) -> FloatArray:
    """The rows, with new features for the cells that changed."""
    result, start = rows.copy(), 0
    for one in table.encoding.columns:
        stop = start + len(one.features)
        before, after = frame[one.column], changed[one.column]
        same = (before == after).fillna(False) | (before.isna() & after.isna())
        where = ~same.to_numpy(dtype=bool)
        if where.any():
            new = after[where]
            if one.column in table.blanks:
                new = new.astype("Float64").fillna(table.blanks[one.column])
            result[where, start:stop] = one.apply(new)
        start = stop
    return result
