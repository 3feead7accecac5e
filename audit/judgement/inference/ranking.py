"""How well a score ranks the positive class above the rest: AUROC and average precision.

Both are written as a mean over examples of contributions z, so that a change between paired models,
clusters, weights and several parents have the same inference as every rate:

- AUROC (Mann–Whitney, ties one half) is the mean of placement values. With V10 of a positive the
  share of negatives below it and V01 of a negative the share of positives above it,
  z = A + (n / n₁) (V10 − A) for a positive and A + (n / n₀) (V01 − A) for a negative. The variance
  of the mean of z is that of DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988), eq. 5.
- Average precision AP = Σ (R_k − R_{k−1}) P_k over distinct scores (as scikit-learn has it), is
  the mean precision at the scores of the positives; z = AP + n · IF, with IF its influence function
  (how AP moves with a little more weight on that example).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]
Contributions = Callable[
    [FloatArray, NDArray[np.bool_], CodeArray, int, FloatArray | None], FloatArray
]


def auroc_contributions(
    score: FloatArray,
    positive: NDArray[np.bool_],
    cells: CodeArray,
    n_cells: int,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Contributions to the AUROC of every cell, in O(n log n) time and O(n) memory.

    Args:
        score: float64 [examples], higher for the positive class; NaN leaves an example out.
        positive: bool [examples].
        cells: int64 [examples], -1 for an example of no cell.
        n_cells: Number of cells.
        weights: float64 [examples], positive; None counts each once.

    Returns:
        float64 [examples]; their weighted mean over a cell is its AUROC, in [0, 1]. NaN where an
        example is left out, and in cells that lack positives or negatives.
    """
    runs = _runs(score, positive, cells, n_cells, weights)
    below, rank_below = runs.below(runs.negative), runs.below(runs.positive)
    of_positive = _share(below + runs.negative / 2, runs.negatives[runs.cell])
    of_negative = 1.0 - _share(rank_below + runs.positive / 2, runs.positives[runs.cell])
    auroc = _share(_sums(runs.cell, runs.positive * np.nan_to_num(of_positive), n_cells),
                   runs.positives)  # fmt: skip
    auroc = np.where(runs.negatives > 0, auroc, np.nan)
    total, a = (runs.positives + runs.negatives)[runs.cell], auroc[runs.cell]
    up = a + (of_positive - a) * _share(total, runs.positives[runs.cell])
    down = a + (of_negative - a) * _share(total, runs.negatives[runs.cell])
    return runs.spread(up, down, positive)


def average_precision_contributions(
    score: FloatArray,
    positive: NDArray[np.bool_],
    cells: CodeArray,
    n_cells: int,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Contributions to the average precision of every cell; arguments as `auroc_contributions`.

    With a and b the weight of positives and negatives at or above a score, and sums over positives
    i with s_i ≤ s: IF(s, positive) = (a/(a+b) − AP + Σ w_i b_i/(a_i+b_i)²) / n₁ and
    IF(s, negative) = −Σ w_i a_i/(a_i+b_i)² / n₁.

    Returns:
        float64 [examples]; their weighted mean over a cell is its average precision. NaN where an
        example is left out, and in cells without positives.
    """
    runs = _runs(score, positive, cells, n_cells, weights)
    above = runs.positives[runs.cell] - runs.below(runs.positive)
    false = runs.negatives[runs.cell] - runs.below(runs.negative)
    precision = _share(above, above + false)
    average = _share(_sums(runs.cell, runs.positive * precision, n_cells), runs.positives)
    square = (above + false) ** 2
    gain, loss = runs.positive * false / square, runs.positive * above / square
    gained, lost = runs.below(gain) + gain, runs.below(loss) + loss
    mean = average[runs.cell]
    raised = _share((runs.positives + runs.negatives)[runs.cell], runs.positives[runs.cell])
    up = mean + raised * (precision - mean + gained)
    down = mean - raised * lost
    return runs.spread(up, down, positive)


def auroc(
    score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None
) -> float | None:
    """Area under the ROC curve, ties counted one half; None without positives or negatives."""
    return _mean(auroc_contributions, score, positive, weights)


def average_precision(
    score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None
) -> float | None:
    """Average precision, the area under the precision–recall steps; None without positives."""
    return _mean(average_precision_contributions, score, positive, weights)


@dataclass(frozen=True, eq=False)
class _Runs:
    """Examples of one cell and one score are a run; runs are sorted by cell, then by score.

    Attributes:
        cell: int64 [runs].
        positive: float64 [runs], weight of the positives.
        negative: float64 [runs].
        positives: float64 [cells], weight of all positives of a cell.
        negatives: float64 [cells].
        run: int64 [examples], -1 for one left out.
    """

    cell: CodeArray
    positive: FloatArray
    negative: FloatArray
    positives: FloatArray
    negatives: FloatArray
    run: CodeArray

    def below(self, values: FloatArray) -> FloatArray:
        """Sum over the runs of the same cell with a lower score, [runs]."""
        before = np.cumsum(values) - values
        first = np.searchsorted(self.cell, self.cell, side="left")
        return before - before[first] if values.size else before

    def spread(self, up: FloatArray, down: FloatArray, positive: NDArray[np.bool_]) -> FloatArray:
        """Values of runs to their examples, by class; NaN for those left out."""
        out = np.full(self.run.size, np.nan)
        kept = self.run >= 0
        run = self.run[kept]
        out[kept] = np.where(positive[kept], up[run], down[run])
        return out


def _runs(
    score: FloatArray,
    positive: NDArray[np.bool_],
    cells: CodeArray,
    n_cells: int,
    weights: FloatArray | None,
) -> _Runs:
    kept = np.flatnonzero((cells >= 0) & ~np.isnan(score))
    order = kept[np.lexsort((score[kept], cells[kept]))]
    cell, value = cells[order], score[order]
    starts = np.ones(order.size, dtype=np.bool_)
    starts[1:] = (cell[1:] != cell[:-1]) | (value[1:] != value[:-1])
    place = np.cumsum(starts) - 1
    weight = np.ones(order.size) if weights is None else weights[order]
    up = np.where(positive[order], weight, 0.0)
    count, run = int(starts.sum()), np.full(score.size, -1, dtype=np.int64)
    run[order] = place
    return _Runs(
        cell[starts],
        _sums(place, up, count),
        _sums(place, weight - up, count),
        _sums(cell, up, n_cells),
        _sums(cell, weight - up, n_cells),
        run,
    )


def _mean(
    of: Contributions,
    score: FloatArray,
    positive: NDArray[np.bool_],
    weights: FloatArray | None,
) -> float | None:
    z = of(score, positive, np.zeros(score.size, dtype=np.int64), 1, weights)
    given = ~np.isnan(z)
    if not given.any():
        return None
    return float(np.average(z[given], weights=None if weights is None else weights[given]))


def _sums(codes: CodeArray, values: FloatArray, size: int) -> FloatArray:
    return np.bincount(codes, values, size).astype(np.float64, copy=False)


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    out = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
