"""Somebody's own corruption of tables, held to what ours promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..images import Ids

# How many rows are corrupted a second time to see whether the result repeats.
_REPEATED = 8


def run_custom_table(
    function: Callable[..., Any], frame: pd.DataFrame, severity: float, seed: int, ids: Ids
) -> pd.DataFrame:
    """Calls function(frame, severity, seed=seed, ids=ids) and checks what comes back.

    Args:
        function: Takes a table, a severity, a seed and one id for each row; returns a table with
            the same index and columns.
        frame: The rows.
        severity: 0, or 1 to 5.
        seed: Any integer.
        ids: int64 [N], or N strings.

    Raises:
        TypeError: Something else than a table came back.
        ValueError: It has other columns or another index, severity 0 changed a row, the rows given
            were written to, or the first rows came out differently when asked again on their own.
    """
    name = getattr(function, "__name__", repr(function))
    few = min(_REPEATED, max(1, len(frame) - 1))
    head = frame.iloc[:few]
    kept = head.copy()
    if not _equal(_called(function, name, kept.copy(), 0.0, seed, ids[:few]), kept):
        raise ValueError(f"{name} changes rows at severity 0: make that the identity.")
    result = _called(function, name, frame, severity, seed, ids)
    if not _equal(frame.iloc[:few], kept):
        raise ValueError(f"{name} writes to the rows it is given: let it work on a copy.")
    again = _called(function, name, kept.copy(), severity, seed, ids[:few])
    if not _equal(again, result.iloc[:few]):
        raise ValueError(
            f"{name} gives other results for the same rows in another batch: let its draws depend "
            "only on the seed, the severity and each row's id."
        )
    return result


def _called(
    function: Callable[..., Any],
    name: str,
    frame: pd.DataFrame,
    severity: float,
    seed: int,
    ids: Ids,
) -> pd.DataFrame:
    result = function(frame, severity, seed=seed, ids=ids)
    if not isinstance(result, pd.DataFrame):
        raise TypeError(
            f"{name} returned {type(result).__name__} for a pandas.DataFrame: "
            "return the kind it was given."
        )
    if not result.columns.equals(frame.columns) or not result.index.equals(frame.index):
        raise ValueError(f"{name} returned other rows or columns than it was given: keep them.")
    return result


def _equal(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether every cell is the same; types may differ, as of a batch without blanks."""
    blank = one.isna().to_numpy()
    if one.shape != other.shape or not np.array_equal(blank, other.isna().to_numpy()):
        return False
    # Where neither is blank: pandas' own blanks equal nothing, not even themselves.
    cells = (frame.astype(object).to_numpy()[~blank] for frame in (one, other))
    return np.array_equal(*cells)
