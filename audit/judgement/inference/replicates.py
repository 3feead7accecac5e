"""Several pruned models of one parent count once: they are averaged before anything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


def average_by_parent(values: ArrayLike, parent: ArrayLike) -> FloatArray:
    """Averages replicates of one parent, so that they count once.

    Ten children of one parent counted as ten independent models reject half of all true nulls.

    Args:
        values: [K, examples], NaN where a model has no value.
        parent: int [K], parent of each row; none may be unknown.

    Returns:
        float64 [parents, examples], parents ascending; NaN where no replicate has a value.

    Raises:
        ValueError: A parent is unknown, or the lengths disagree.
    """
    rows, parents = np.asarray(values, dtype=np.float64), np.asarray(parent, dtype=np.int64)
    if rows.ndim != 2 or parents.shape != rows.shape[:1]:
        raise ValueError(
            f"`values` is {rows.shape} and `parent` {parents.shape}: give [K, examples] and [K]."
        )
    if (parents < 0).any():
        raise ValueError("a parent is unknown (-1): leave out models without a parent first.")
    distinct, code = np.unique(parents, return_inverse=True)
    if distinct.size == parents.size:
        return rows[np.argsort(parents, kind="stable")]
    return _mean_rows(rows, code, distinct.size)


def _mean_rows(rows: FloatArray, code: IndexArray, groups: int) -> FloatArray:
    out = np.full((groups, rows.shape[1]), np.nan)
    for group in range(groups):
        own = rows[code == group]
        count = (~np.isnan(own)).sum(axis=0)
        np.divide(np.nansum(own, axis=0), count, out=out[group], where=count > 0)
    return out
