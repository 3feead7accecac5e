"""Divides examples into groups: by a column, by a numeric column cut at edges, or by a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.imports import resolve
from audit.judgement.plan import Binned
from audit.study.sources.encoding import MISSING, texts
from audit.study.sources.records import Records

Measure = Callable[[Any, pd.DataFrame], Any]


def group_columns(
    groups: Sequence[str | Binned], records: Records, rows: NDArray[Any], inputs: Any, base: Path
) -> pd.DataFrame:
    """The groups of some rows, one text column per grouping.

    Args:
        groups: Columns, cut columns, or references to functions. A function is called as
            `function(inputs, columns)`, with the images as uint8 [N, H, W, C] (or a table's
            feature columns) and a frame of the other columns, and gives a frame or a mapping of
            column names to N values.
        records: The split.
        rows: Rows of it, int64 [N].
        inputs: What a function measures.
        base: Folder of the config file.

    Returns:
        N rows; blanks are the group `missing`.

    Raises:
        InputError: A column is missing or cannot be cut, two groupings have one name, or a
            function gives something else.
    """
    columns: dict[str, NDArray[np.object_]] = {}
    for group in groups:
        for name, values in _one(group, records, rows, inputs, base).items():
            if name in columns:
                raise InputError(
                    f"data.groups makes the column {name!r} twice: name each grouping once."
                )
            columns[name] = values
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)), dtype=object)


def _one(
    group: str | Binned, records: Records, rows: NDArray[Any], inputs: Any, base: Path
) -> dict[str, NDArray[np.object_]]:
    if isinstance(group, Binned):
        column = records.column(group.column, "groups").iloc[rows]
        return {_bare(group.column): cut_at(column, group.bins)}
    # A colon is allowed in a column's name; only what is no column is taken for a function.
    if ":" in group and group not in records.columns:
        return _measured(group, records.columns.iloc[rows], inputs, base)
    return {_bare(group): texts(records.column(group, "groups").iloc[rows])}


def _bare(name: str) -> str:
    return name.removeprefix("group_")


def cut_at(values: pd.Series[Any], edges: Sequence[float]) -> NDArray[np.object_]:
    """Numbers as the half-open interval they fall into, as the judgement cuts them too.

    Args:
        values: Numbers, [N].
        edges: Increasing. [0, 30, 60] makes [0, 30), [30, 60), and (-inf, 0) and [60, inf) apart.

    Returns:
        Names of the intervals, object [N]; `missing` for blanks.

    Raises:
        InputError: The column is not numeric.
    """
    try:
        numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The group column {str(values.name)!r} has bins but is not numeric ({error}): take "
            "the bins out."
        ) from error
    inner = [f"[{low:g}, {high:g})" for low, high in pairwise(edges)]
    names = [f"(-inf, {edges[0]:g})", *inner, f"[{edges[-1]:g}, inf)", MISSING]
    codes = np.searchsorted(edges, numbers, side="right")
    codes[np.isnan(numbers)] = len(names) - 1
    return np.array(names, dtype=object)[codes]


def _measured(
    reference: str, columns: pd.DataFrame, inputs: Any, base: Path
) -> dict[str, NDArray[np.object_]]:
    measure: Measure = resolve(reference, base)
    found = measure(inputs, columns.reset_index(drop=True))
    if not isinstance(found, pd.DataFrame | Mapping):
        raise InputError(
            f"{reference} gives a {type(found).__name__} of groups: return a frame, or a mapping "
            "of column names to values."
        )
    made: dict[str, NDArray[np.object_]] = {}
    for name in found:
        values = pd.Series(np.asarray(found[name]), name=str(name))
        if len(values) != len(columns):
            raise InputError(
                f"{reference} gives {len(values)} values of {name!r} for {len(columns)} examples: "
                "return one for each, in order."
            )
        made[_bare(str(name))] = texts(values)
    return made
