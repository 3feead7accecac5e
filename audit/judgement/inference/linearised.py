"""Statistics that are no mean of the examples, written as one, so that one inference serves all.

A ratio R = Σ w a / Σ w b (precision: hits over those taken) has denominators that differ between
models. Each example's contribution

    z_i = R + (Σ w / Σ w b) · (a_i − R b_i)

has the mean R over the examples and, to first order, the variance of R (the delta method; Cochran,
"Sampling Techniques", 3rd ed., ch. 6). So the parents × examples inference of means applies to it,
weights and clusters included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.judgement.inference.estimate import Estimate
from audit.judgement.inference.paired import average_by_parent, by_cell
from audit.judgement.pairs import Answer, Contrast, Pairs, Value, answers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Linearised:
    """A statistic of every cell as a mean of contributions.

    Attributes:
        contrast: Contributions in parents, pruned models and controls.
        smallest: int64 [cells], fewest examples in the denominator of any model.
        scale: float64 [cells], about how far one example can move the statistic, times the examples
            of the cell.
    """

    contrast: Contrast
    smallest: CodeArray
    scale: FloatArray


def ratio_contributions(
    part: FloatArray, whole: FloatArray, cells: CodeArray, n_cells: int, weights: FloatArray | None
) -> FloatArray:
    """Contributions to the ratio of two sums in every cell; see the top of this file.

    Args:
        part: float64 [models, examples], a; NaN where an example has no part in it.
        whole: float64 [models, examples], b, NaN in the same places.
        cells: int64 [examples], -1 for an example of no cell.
        n_cells: Number of cells.
        weights: float64 [examples], positive; None counts each once.

    Returns:
        float64 [models, examples], NaN where `part` is, in no cell, and in cells where b sums to 0.
    """
    inside = (cells >= 0) & ~np.isnan(part)
    w = np.where(inside, 1.0 if weights is None else weights, 0.0)
    cell = np.maximum(cells, 0)
    total = by_cell(w, cell, n_cells)
    below = by_cell(w * np.where(inside, whole, 0.0), cell, n_cells)
    above = by_cell(w * np.where(inside, part, 0.0), cell, n_cells)
    ratio, raised = np.full(total.shape, np.nan), np.full(total.shape, np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    np.divide(total, below, out=raised, where=below > 0)
    r = ratio[:, cell]
    return np.where(inside, r + raised[:, cell] * (part - r * whole), np.nan)


def ratio_contrast(
    found: Pairs, part: Value, whole: Value, cells: CodeArray, n_cells: int
) -> Linearised:
    """The ratio of two sums over each cell, in parents, pruned models and controls.

    Args:
        found: The pairs.
        part: Predictions [models, examples] to what is summed above the line.
        whole: Predictions to what is summed below it: 1 where an example counts, else 0.
        cells: int64 [examples], -1 for an example of no cell.
        n_cells: Number of cells.
    """
    weights = found.design.weights

    def z(predicted: IntArray) -> FloatArray:
        return ratio_contributions(part(predicted), whole(predicted), cells, n_cells, weights)

    owner = found.arm.parent
    control = None
    if found.control is not None:
        control = average_by_parent(z(found.control), found.control_parent)
    before, after = z(found.parent), z(found.pruned)
    below = np.nan_to_num(np.concatenate([whole(found.parent), whole(found.pruned)]))
    smallest = _counted(below, cells, n_cells).min(axis=0)
    size = np.bincount(cells[cells >= 0], minlength=n_cells)
    return Linearised(
        Contrast(
            average_by_parent(before, owner), average_by_parent(after, owner), control, found.design
        ),
        smallest,
        size / np.maximum(smallest, 1),
    )


def linear_answers(found: Linearised, cells: CodeArray, n_cells: int) -> list[Answer]:
    """The change in every cell; `n` counts the smallest denominator of any model.

    Args:
        found: The statistic.
        cells: int64 [examples], -1 for an example of no cell.
        n_cells: Number of cells.
    """
    each = answers(found.contrast, cells, n_cells, np.maximum(found.scale, 1.0).tolist())
    return [
        replace(answer, estimate=_of_smallest(answer, int(found.smallest[cell])))
        for cell, answer in enumerate(each)
    ]


def _of_smallest(answer: Answer, smallest: int) -> Estimate:
    """A model with an empty denominator has no ratio and no part; the others answer."""
    found = answer.estimate
    n = min(max(smallest, 1), found.n)
    return replace(found, n=n, units=min(n, found.units))


def _counted(whole: FloatArray, cells: CodeArray, n_cells: int) -> CodeArray:
    inside = cells >= 0
    return by_cell((whole[:, inside] > 0).astype(np.float64), cells[inside], n_cells).astype(
        np.int64
    )
