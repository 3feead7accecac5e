"""Cuts a split in two, and draws samples of it, so that every class keeps its share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def stratified_sample(strata: IntArray, count: int, seed: tuple[int, ...]) -> NDArray[np.bool_]:
    """Draws examples so that each stratum keeps its share, to within one.

    Shares are rounded by largest remainder (ties go to the smaller code), so that exactly `count`
    are drawn; which members are drawn depends on the seed and on the number of rows alone.

    Args:
        strata: int64 [N], codes of 0 or more.
        count: Examples to draw, from 0 to N.
        seed: Entropy of the draw.

    Returns:
        bool [N], true where drawn.
    """
    sizes = np.bincount(strata)
    # In integers: 2.4 and 0.4 leave remainders that differ as floats, and a tie would break so.
    quota, remainder = np.divmod(count * sizes, max(len(strata), 1))
    extra = np.lexsort((np.arange(len(sizes)), -remainder))[: count - quota.sum()]
    quota[extra] += 1
    order = np.lexsort((np.random.default_rng(seed).random(len(strata)), strata))
    rank = np.empty(len(strata), dtype=np.int64)  # position of each row within its stratum
    rank[order] = np.arange(len(strata)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.asarray(rank < quota[strata])


def cut(strata: IntArray, fraction: float, seed: tuple[int, ...]) -> tuple[IntArray, IntArray]:
    """Row numbers outside and inside a stratified sample of a fraction of the rows, in order."""
    inside = stratified_sample(strata, round(fraction * len(strata)), seed)
    return np.flatnonzero(~inside), np.flatnonzero(inside)
