"""Every class's change as a function of weights on parents and examples, for statistics of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.judgement.inference.bootstrap import crossed_bootstrap
from audit.judgement.inference.crossed import sums
from audit.judgement.inference.estimate import Estimate
from audit.judgement.pairs import Contrast

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Statistic = Callable[[FloatArray], float]

DRAWS = 200  # for a standard error; every draw passes over all parents and examples


@dataclass(frozen=True, eq=False)
class Changes:
    """Differences by cell; an example that any parent's pair was not shown is left out.

    Attributes:
        difference: float64 [parents, moved], of the examples that differ at all.
        moved: int64 [moved], their places in `cell`.
        cell: int64 [examples], of every example with a cell.
        weight: float64 [examples].
        clusters: int64 [examples], codes 0, 1, …; None makes each example its own.
        cells: Number of cells.
    """

    difference: FloatArray
    moved: IndexArray
    cell: IndexArray
    weight: FloatArray
    clusters: IndexArray | None
    cells: int

    def by_cell(self, parents: FloatArray, examples: FloatArray) -> FloatArray:
        """Change of every cell, float64 [cells], NaN where nobody has weight.

        Args:
            parents: float64 [parents], weights.
            examples: float64 [examples], weights on top of their own.
        """
        weight = self.weight * examples
        mean = (parents @ self.difference) / parents.sum()
        total = sums(weight, self.cell, self.cells)
        part = sums(mean * weight[self.moved], self.cell[self.moved], self.cells)
        out = np.full(self.cells, np.nan)
        np.divide(part, total, out=out, where=total > 0)
        return out

    @property
    def each(self) -> FloatArray:
        """Change of every cell, as observed."""
        return self.by_cell(np.ones(len(self.difference)), np.ones(self.cell.size))


def changes(found: Contrast, cells: IndexArray, n_cells: int) -> Changes:
    """Gathers the differences of a contrast.

    Args:
        found: What differs.
        cells: int64 [examples], negative for an example of no cell.
        n_cells: Number of cells.
    """
    known, d = found.design, found.difference
    some = np.flatnonzero((cells >= 0) & ~np.isnan(d).any(axis=0))
    d = d[:, some]
    moved = np.flatnonzero((d != 0).any(axis=0))
    clusters = None
    if known.clusters is not None:
        clusters = np.unique(known.clusters[some], return_inverse=True)[1].astype(np.int64)
    weight = np.ones(some.size) if known.weights is None else known.weights[some]
    return Changes(d[:, moved], moved, cells[some], weight, clusters, n_cells)


def bootstrapped(found: Changes, statistic: Statistic, seed: int, level: float) -> Estimate:
    """A statistic of the cells' changes with an interval for new parents and new examples.

    Args:
        found: The differences.
        statistic: Changes [cells], NaN where undefined, to a number.
        seed: Seed of the draws.
        level: Coverage, in (0, 1).
    """
    return crossed_bootstrap(
        lambda parents, examples: statistic(found.by_cell(parents, examples)),
        parents=len(found.difference),
        examples=found.cell.size,
        draws=DRAWS,
        generator=np.random.default_rng(seed),
        clusters=found.clusters,
        level=level,
    )
