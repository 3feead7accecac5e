"""Exact and score methods for one pair of models; pooled over several pairs they over-reject."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from audit.judgement.inference.student import normal_quantile

FloatArray = NDArray[np.float64]


def wilson(
    successes: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Score interval of a proportion (Wilson 1927), without continuity correction.

    Args:
        successes: Counts, any shape; fractions are accepted.
        n: Counts of the same shape; 0 gives NaN.
        level: Coverage, in (0, 1).

    Returns:
        Lower and upper ends in [0, 1].
    """
    k, size = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    size = np.where(size > 0, size, np.nan)
    z2 = float(normal_quantile(0.5 + level / 2.0)) ** 2
    middle = (k + z2 / 2.0) / (size + z2)
    reach = np.sqrt(z2 * (k * (size - k) / size + z2 / 4.0)) / (size + z2)
    return np.clip(middle - reach, 0.0, 1.0), np.clip(middle + reach, 0.0, 1.0)


def newcombe(
    both: ArrayLike,
    parent_only: ArrayLike,
    pruned_only: ArrayLike,
    neither: ArrayLike,
    level: float = 0.95,
) -> tuple[FloatArray, FloatArray]:
    """Interval of a paired difference of proportions, pruned − parent (Newcombe 1998, method 10).

    Args:
        both: Examples right in both, any shape.
        parent_only: Right in the parent alone.
        pruned_only: Right in the pruned model alone.
        neither: Right in neither.
        level: Coverage, in (0, 1).

    Returns:
        Lower and upper ends in [−1, 1]; NaN where there are no examples.
    """
    a, b, c, d = (
        np.asarray(count, dtype=np.float64) for count in (both, pruned_only, parent_only, neither)
    )
    n = np.where(a + b + c + d > 0, a + b + c + d, np.nan)
    first, second = (a + b) / n, (a + c) / n
    low1, high1 = wilson(a + b, n, level)
    low2, high2 = wilson(a + c, n, level)
    phi = _phi(a, b, c, d, n)
    down1, up1, down2, up2 = first - low1, high1 - first, second - low2, high2 - second
    change = (b - c) / n
    low = change - np.sqrt(down1**2 - 2.0 * phi * down1 * up2 + up2**2)
    high = change + np.sqrt(up1**2 - 2.0 * phi * up1 * down2 + down2**2)
    return np.clip(low, -1.0, 1.0), np.clip(high, -1.0, 1.0)


def mcnemar_exact(harmed: ArrayLike, mended: ArrayLike) -> FloatArray:
    """Two-sided exact McNemar p: of all flips, were as many for the worse as for the better?

    Args:
        harmed: Examples right in the parent alone, any shape.
        mended: Examples right in the pruned model alone.

    Returns:
        p, 1 where nothing flipped.
    """
    b, c = np.asarray(harmed, dtype=np.int64), np.asarray(mended, dtype=np.int64)
    tail = np.asarray(special.bdtr(np.minimum(b, c), b + c, 0.5), dtype=np.float64)
    p: FloatArray = np.minimum(2.0 * tail, 1.0)
    return p


def mcnemar_floor(flips: ArrayLike) -> FloatArray:
    """The smallest p that `mcnemar_exact` can give with so many flips: 2 / 2^flips, at most 1."""
    return np.minimum(2.0 * 0.5 ** np.asarray(flips, dtype=np.float64), 1.0)


def _phi(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray, n: FloatArray) -> FloatArray:
    """Correlation of the two answers; a positive one is continuity-corrected, as Newcombe does."""
    margins = np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    cross = a * d - b * c
    cross = np.where(cross > 0, np.maximum(cross - n / 2.0, 0.0), cross)
    return np.divide(cross, margins, out=np.zeros_like(margins), where=margins > 0)
