"""Moments of a parents × examples table, cell by cell, and the variances that follow from them.

A question divides the examples into cells (classes, groups, or one cell of all). In a cell, the
change of parent m is the ratio R_m = Σ_i w_i d_mi / Σ_i w_i over the examples in its denominator.
Its linearisation over the u independent units (examples, or clusters of them),

    L_mg = R_m + u · Σ_{i in g} w_i (d_mi − R_m) / Σ_i w_i,

has row means R_m, and equals d where every weight is 1 and every cluster one example. Everything
below is the two-way variance of L (parents × units, both random), for all cells at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

ENOUGH_DISCORDANT = 10  # with fewer, the t of so few differing units is anti-conservative
PSEUDO = 2  # one unit that moved all the way up and one all the way down
NO_VARIANCE = 1e-12  # standard errors below this share of the largest difference are rounding


@dataclass(frozen=True, eq=False)
class Moments:
    """What every cell's inference needs; arrays have one entry per cell, NaN where undefined.

    Attributes:
        n: Distinct examples in a denominator.
        units: Independent units among them: clusters, or the examples themselves.
        parents: Parents with anybody in their denominator.
        discordant: Examples with any difference.
        discordant_units: Units with any difference.
        largest: Largest absolute difference.
        change: Mean over parents of their change.
        between_parents: Sum of squares of the parents' changes about their mean.
        between_units: Sum of squares of the units' linearised means about their mean.
        residual: Sum of squares of what neither parent nor unit explains.
    """

    n: IndexArray
    units: IndexArray
    parents: IndexArray
    discordant: IndexArray
    discordant_units: IndexArray
    largest: FloatArray
    change: FloatArray
    between_parents: FloatArray
    between_units: FloatArray
    residual: FloatArray


@dataclass(frozen=True, eq=False)
class Components:
    """Variances of the change, one entry per cell, NaN where undefined.

    Attributes:
        centre: What the interval is centred on: the change, shrunk where pseudo-units were added.
        examples: e, variance of the mean over units: these parents, new examples.
        seeds: m, variance of the mean over parents: these examples, new training runs.
        residual: r, the part that e and m both hold.
        units: Units, pseudo-units included.
        parents: Parents.
        pseudo: Whether one +1 and one −1 pseudo-unit were added.
    """

    centre: FloatArray
    examples: FloatArray
    seeds: FloatArray
    residual: FloatArray
    units: IndexArray
    parents: IndexArray
    pseudo: NDArray[np.bool_]


def moments(
    difference: FloatArray,
    cells: IndexArray,
    n_cells: int,
    weights: FloatArray | None,
    clusters: IndexArray | None,
) -> Moments:
    """Sums of squares per cell, by bincount over examples; see the top of this file.

    Args:
        difference: float64 [parents, examples], NaN where an example is not in the denominator.
        cells: int64 [examples] in [0, n_cells), or negative for an example of no cell.
        n_cells: Number of cells.
        weights: float64 [examples], positive; None counts each example once.
        clusters: int64 [examples], codes of what is independent; None makes each example its own.
    """
    given = ~np.isnan(difference)
    keep = (cells >= 0) & given.any(axis=0)
    if not keep.all():
        difference, given, cells = difference[:, keep], given[:, keep], cells[keep]
        weights = None if weights is None else weights[keep]
        clusters = None if clusters is None else clusters[keep]
    share = _shares(given, weights)
    d = difference if given.all() else np.where(given, difference, 0.0)
    unit, unit_cell = _units(cells, clusters)
    units = np.bincount(unit_cell, minlength=n_cells)
    rate, centred = _linearised(d, share, cells, n_cells)
    moved = centred if clusters is None else by_cell(centred, unit, unit_cell.size)
    moved *= units[unit_cell]
    parents = (~np.isnan(rate)).sum(axis=0)
    change = _quotient(np.nansum(rate, axis=0), parents)
    mean_moved = moved.sum(axis=0) / np.maximum(parents, 1)[unit_cell]
    between_units = sums(mean_moved**2, unit_cell, n_cells)
    all_squares = sums((moved**2).sum(axis=0), unit_cell, n_cells)
    moves = np.abs(d).max(axis=0, initial=0.0)
    discordant_unit = np.bincount(unit, moves > 0, unit_cell.size) > 0
    largest = np.zeros(n_cells)
    np.maximum.at(largest, cells, moves)
    return Moments(
        n=np.bincount(cells, minlength=n_cells),
        units=units,
        parents=parents,
        discordant=np.bincount(cells[moves > 0], minlength=n_cells),
        discordant_units=np.bincount(unit_cell[discordant_unit], minlength=n_cells),
        largest=largest,
        change=change,
        between_parents=np.nansum((rate - change) ** 2, axis=0),
        between_units=between_units,
        residual=np.maximum(all_squares - parents * between_units, 0.0),
    )


def components(found: Moments, seeds: NDArray[np.bool_]) -> Components:
    """Variance components, with pseudo-units where few units differ or none varies.

    The two pseudo-units differ by ±1 in every parent (by the largest difference seen, where that is
    above 1), as in the adjusted interval for paired proportions of Agresti & Min (2005). They go in
    where fewer than ten units differ, and where all differ alike, which has no variance either.

    Args:
        found: The moments.
        seeds: bool [cells], whether the claim is about new training runs on these very units; no
            unit is added then, which would only make parents look more alike.
    """
    plain = _components(found, np.zeros(found.n.shape, dtype=np.bool_))
    tiny = plain.examples <= (NO_VARIANCE * found.largest) ** 2
    few = (found.discordant_units < ENOUGH_DISCORDANT) | tiny
    return _components(found, few & (found.n > 0) & ~seeds)


def sums(values: NDArray[np.number], cells: IndexArray, n_cells: int) -> FloatArray:
    """Sums per cell: [examples] to float64 [cells]."""
    return np.bincount(cells, values, n_cells).astype(np.float64, copy=False)


def by_cell(values: FloatArray, cells: IndexArray, n_cells: int) -> FloatArray:
    """Sums per cell of every row: [rows, examples] to [rows, cells]."""
    table = np.empty((len(values), n_cells))
    for row, out in zip(values, table, strict=True):
        out[:] = sums(row, cells, n_cells)
    return table


def _shares(given: NDArray[np.bool_], weights: FloatArray | None) -> FloatArray:
    """What each example counts for, [parents, examples], or one row if parents are alike."""
    rows = np.ones((1, given.shape[1])) if given.all() else given.astype(np.float64)
    shares: FloatArray = rows if weights is None else rows * weights
    return shares


def _linearised(
    d: FloatArray, share: FloatArray, cells: IndexArray, n_cells: int
) -> tuple[FloatArray, FloatArray]:
    """Every parent's change [parents, cells], NaN for none, and what each example moves it by."""
    weight = by_cell(share, cells, n_cells)
    rate = _quotient(by_cell(share * d, cells, n_cells), weight)
    off = d - np.nan_to_num(rate)[:, cells]
    centred: FloatArray = share * off / np.where(weight > 0, weight, 1.0)[:, cells]
    return rate, centred


def _units(cell: IndexArray, clusters: IndexArray | None) -> tuple[IndexArray, IndexArray]:
    """Each example's unit, and each unit's cell: a cluster is a unit of every cell it reaches."""
    if clusters is None:
        return np.arange(cell.size), cell
    span = int(clusters.max(initial=0)) + 1
    pairs, unit = np.unique(cell * span + clusters, return_inverse=True)
    return unit, pairs // span


def _components(found: Moments, pseudo: NDArray[np.bool_]) -> Components:
    """Variances in closed form; adding two columns of ±s shrinks row means by u / (u + 2)."""
    added = np.where(pseudo, PSEUDO, 0)
    u, total, parents = found.units, found.units + added, found.parents
    size = np.maximum(found.largest, 1.0)
    shrink = _quotient(u, total)
    centre = found.change * shrink
    widened = found.between_units + u * found.change**2 + added * size**2 - total * centre**2
    columns = np.where(pseudo, widened, found.between_units)
    rows = found.between_parents * shrink**2
    residual = found.residual + found.between_parents * added * shrink
    return Components(
        centre=np.where(found.n > 0, centre, np.nan),
        examples=_quotient(columns, (total - 1) * total),
        seeds=_quotient(rows, (parents - 1) * parents),
        residual=_quotient(residual, (parents - 1) * (total - 1) * parents * total),
        units=total,
        parents=parents,
        pseudo=pseudo,
    )


def _quotient(part: NDArray[np.number], whole: NDArray[np.number]) -> FloatArray:
    """The quotient, NaN where the whole is not above 0."""
    part = np.broadcast_to(part, np.broadcast_shapes(part.shape, whole.shape))
    out = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=np.broadcast_to(whole > 0, part.shape))
    return out
