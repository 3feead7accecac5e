"""Every slice of a few columns, ranked by how surely it loses more than everybody.

All conjunctions of up to three columns' values are counted, a `bincount` each, as in SliceLine
(Sagadeeva & Boehm, SIGMOD 2021); Slice Finder (Chung et al., arXiv 1807.06068) goes down a lattice
and tests what it finds on the examples that it was found on. Here a slice's score is the lower
bound of what it loses beyond everybody, which small slices have to earn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy import special

from audit.judgement.inference.crossed import PSEUDO, sums
from audit.judgement.search.features import Feature

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]
Mask = NDArray[np.bool_]
Row = tuple[float, int, str, tuple[int, ...], list[int]]  # minus bound, columns, name, both codes

SURE = 0.95  # one-sided, of the bound that ranks
ALIKE = 0.8  # Jaccard: slices of more examples in common are one
MOST_LOOKS = 500  # from the worst down, at slices that may only echo one before them


@dataclass(frozen=True, eq=False)
class Half:
    """What the ranking sees; arrays are over all examples.

    Attributes:
        searched: bool, who is in the half that is searched.
        tested: bool, who is in the other.
        loss: float64, what each example lost beyond everybody on the half that is searched, mean
            over parents; anything outside both halves.
        weights: float64, or None.
        clusters: int64, or None.
        least: Fewest units (clusters, or examples) of a slice in either half.
    """

    searched: Mask
    tested: Mask
    loss: FloatArray
    weights: FloatArray | None
    clusters: CodeArray | None
    least: int


@dataclass(frozen=True, eq=False)
class Slice:
    """A slice worth testing.

    Attributes:
        name: `column=value & column=value`, columns sorted.
        inside: bool [examples].
        bound: What it surely loses beyond everybody, on the half that was searched.
    """

    name: str
    inside: Mask
    bound: float


@dataclass(frozen=True)
class Found:
    """The worst slices, and how many were looked at."""

    worst: tuple[Slice, ...]
    looked_at: int


def worst_slices(columns: Sequence[Feature], half: Half, depth: int, most: int) -> Found:
    """The slices that lose most for sure, none nearly the same as one before it.

    Args:
        columns: What slices are made of, sorted by name.
        half: Losses, and who is searched.
        depth: Largest number of columns in one slice.
        most: Largest number of slices.
    """
    looked_at = 0
    rows: list[Row] = []
    for several in range(1, depth + 1):
        for chosen in combinations(range(len(columns)), several):
            code, values = _joint([columns[i] for i in chosen])
            enough, bound = _bounds(code, len(values), half)
            looked_at += int(enough.sum())
            rows += [
                (
                    -float(bound[cell]),
                    several,
                    _name(columns, chosen, values[cell]),
                    chosen,
                    values[cell].tolist(),
                )
                for cell in np.flatnonzero(enough & (bound > 0.0))
            ]
    return Found(_distinct(sorted(rows), columns, half, most), looked_at)


def _name(columns: Sequence[Feature], chosen: Sequence[int], values: CodeArray) -> str:
    return " & ".join(columns[i].names[value] for i, value in zip(chosen, values, strict=True))


def _joint(columns: Sequence[Feature]) -> tuple[CodeArray, CodeArray]:
    """One code per combination of values, -1 for none, and the values of each [codes, columns]."""
    shape = tuple(len(column.names) for column in columns)
    known = np.logical_and.reduce([column.codes >= 0 for column in columns])
    flat = np.zeros(known.size, dtype=np.int64)
    for column, size in zip(columns, shape, strict=True):
        flat = flat * size + column.codes
    if prod(shape) > known.size:  # more cells than examples: number those that there are
        present, numbered = np.unique(flat[known], return_inverse=True)
        flat[known] = numbered
    else:
        present = np.arange(prod(shape))
    values = np.stack(np.unravel_index(present, shape), axis=1).astype(np.int64)
    return np.where(known, flat, -1), values


def _bounds(code: CodeArray, cells: int, half: Half) -> tuple[Mask, FloatArray]:
    """Which cells are large enough, and the lower bound of what each loses beyond everybody.

    One example that lost all and one that gained all are added to every cell, which draws small
    ones towards nothing; losses are not centred on the cell's own, so that a larger loss is not
    taken for a surer one.
    """
    inside = half.searched & (code >= 0)
    own = code[inside]
    n = np.bincount(own, minlength=cells)
    enough = (n >= half.least) & (n < half.searched.sum())
    enough &= _sizes(code, half.tested, cells, half.clusters) >= half.least
    weight = np.ones(own.size) if half.weights is None else half.weights[inside]
    off = weight * half.loss[inside]
    total, size = sums(off, own, cells), sums(weight, own, cells)
    if half.clusters is None:
        squares = sums(off**2, own, cells)
    else:
        unit, cell = _cluster_cells(own, half.clusters[inside])
        squares = sums(sums(off, unit, cell.size) ** 2, cell, cells)
        enough &= np.bincount(cell, minlength=cells) >= half.least
    each = size / np.maximum(n, 1)
    padded = np.where(n > 0, size + PSEUDO * each, 1.0)
    error = np.sqrt(squares + PSEUDO * each**2) / padded
    return enough, total / padded - float(special.ndtri(SURE)) * error


def _sizes(code: CodeArray, among: Mask, cells: int, clusters: CodeArray | None) -> CodeArray:
    """Independent units of every cell."""
    inside = among & (code >= 0)
    own = code[inside]
    if clusters is not None:
        _, own = _cluster_cells(own, clusters[inside])
    return np.bincount(own, minlength=cells)


def _cluster_cells(cell: CodeArray, cluster: CodeArray) -> tuple[CodeArray, CodeArray]:
    """Each example's unit, a cluster inside a cell, and each unit's cell."""
    span = int(cluster.max(initial=0)) + 1
    pairs, unit = np.unique(cell * span + cluster, return_inverse=True)
    return unit, pairs // span


def _distinct(
    rows: Sequence[Row],
    columns: Sequence[Feature],
    half: Half,
    most: int,
) -> tuple[Slice, ...]:
    """From the worst down; of nearly the same examples, the one of fewer columns comes first.

    A slice that loses no more than everybody without the examples of those before it echoes them.
    """
    out: list[Slice] = []
    among = half.searched | half.tested
    taken = np.zeros(among.size, dtype=np.bool_)
    for bound, _, name, chosen, values in rows[:MOST_LOOKS]:
        if len(out) == most:
            break
        inside = among.copy()
        for column, value in zip(chosen, values, strict=True):
            inside &= columns[column].codes == value
        if all(_jaccard(inside, other.inside) <= ALIKE for other in out) and (
            not out or _holds(inside & ~taken, half)
        ):
            out.append(Slice(name, inside, -bound))
            taken |= inside
    return tuple(out)


def _holds(inside: Mask, half: Half) -> bool:
    """Whether these examples alone surely lose more than everybody."""
    enough, bound = _bounds(np.where(inside, 0, -1).astype(np.int64), 1, half)
    return bool(enough[0] and bound[0] > 0.0)


def _jaccard(a: Mask, b: Mask) -> float:
    both = int((a & b).sum())
    return both / max(int(a.sum()) + int(b.sum()) - both, 1)
