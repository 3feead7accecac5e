"""Moments of a parents × examples table, class by class, from the few cells that are not 0.

Each class against the rest is a question about nearly every example, yet only those that somebody
took for the class move it. What a unit moves parent m's change of class c by is

    moved_mg = scale_c · (S_mg − R_mc · own_gc),

where S is 0 but for the votes, R is the parent's change, and own is what the unit weighs in the
denominator. Its sums of squares (see `crossed`) follow from sums over the votes alone. They add up
over blocks of whole units.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from audit.judgement.inference.crossed import Moments, sums

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over (unit, class) pairs, float64 [classes] each; they add up over blocks of units.

    Attributes:
        mean_square: Σ S̄², with S̄ the mean over parents.
        mean_own: Σ S̄ · own.
        square: Σ over parents as well of S².
        crossed: Σ over parents as well of R · S · own.
        examples: Examples with any difference.
        units: Units with any difference.
    """

    mean_square: FloatArray
    mean_own: FloatArray
    square: FloatArray
    crossed: FloatArray
    examples: FloatArray
    units: FloatArray

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, eq=False)
class Moved:
    """What single (example, class) pairs add, one row each; pairs that are absent add nothing.

    Attributes:
        class_: int64 [rows].
        unit: int64 [rows].
        by: float64 [rows, parents], S.
        differs: bool [rows], whether the example counts as one that differs.
    """

    class_: IndexArray
    unit: IndexArray
    by: FloatArray
    differs: NDArray[np.bool_]


def add_up(moved: Moved, own: FloatArray | None, change: FloatArray) -> Sums:
    """Sums of one block, whose units are whole.

    Args:
        moved: Rows of (example, class) pairs.
        own: float64 [rows], what the unit weighs in the class's denominator; None for 0.
        change: float64 [parents, classes], R, NaN where a parent has none.
    """
    classes = change.shape[1]
    examples = np.bincount(moved.class_[moved.differs], minlength=classes).astype(np.float64)
    class_, by, differs, own = _by_unit(moved, own)
    defined = np.maximum((~np.isnan(change)).sum(axis=0), 1)
    mean = by.sum(axis=1) / defined[class_]
    weight = np.zeros(class_.size) if own is None else own
    rate = np.nan_to_num(change).T[class_]
    return Sums(
        mean_square=sums(mean**2, class_, classes),
        mean_own=sums(mean * weight, class_, classes),
        square=sums((by**2).sum(axis=1), class_, classes),
        crossed=sums((by * rate).sum(axis=1) * weight, class_, classes),
        examples=examples,
        units=np.bincount(class_[differs], minlength=classes).astype(np.float64),
    )


def sparse_moments(
    found: Sums,
    change: FloatArray,
    scale: FloatArray,
    squares: FloatArray,
    n: IndexArray,
    units: IndexArray,
) -> Moments:
    """Puts the sums together.

    Args:
        found: Sums over every block.
        change: float64 [parents, classes], R, NaN where a parent has none.
        scale: float64 [classes].
        squares: float64 [classes], Σ own² over all units of a class's denominator.
        n: int64 [classes], examples in the denominator.
        units: int64 [classes], units in it.
    """
    parents = (~np.isnan(change)).sum(axis=0)
    rates = np.nan_to_num(change)
    mean = np.full(n.size, np.nan)
    np.divide(rates.sum(axis=0), parents, out=mean, where=parents > 0)
    centre = np.nan_to_num(mean)
    between = found.mean_square - 2.0 * centre * found.mean_own + centre**2 * squares
    every = found.square - 2.0 * found.crossed + (rates**2).sum(axis=0) * squares
    between, every = (np.maximum(scale**2 * total, 0.0) for total in (between, every))
    asked = parents > 0
    spread = np.where(np.isnan(change), 0.0, change - centre) ** 2
    return Moments(
        n=np.where(asked, n, 0),
        units=np.where(asked, units, 0),
        parents=parents,
        discordant=np.where(asked, found.examples, 0).astype(np.int64),
        discordant_units=np.where(asked, found.units, 0).astype(np.int64),
        largest=(found.examples > 0).astype(np.float64),
        change=mean,
        between_parents=spread.sum(axis=0),
        between_units=between,
        residual=np.maximum(every - parents * between, 0.0),
    )


def _by_unit(
    moved: Moved, own: FloatArray | None
) -> tuple[IndexArray, FloatArray, NDArray[np.bool_], FloatArray | None]:
    """Rows of one unit and class added up; where every example is its own unit, as they are."""
    if not moved.class_.size:
        return moved.class_, moved.by, moved.differs, own
    span = int(moved.unit.max()) + 1
    key = moved.class_ * span + moved.unit
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    if first.size == order.size:
        return moved.class_, moved.by, moved.differs, own
    by = np.add.reduceat(moved.by[order], first, axis=0)
    differs = np.logical_or.reduceat(moved.differs[order], first)
    start = order[first]
    return moved.class_[start], by, differs, None if own is None else own[start]
