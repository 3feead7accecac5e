"""Step-down max-T: many questions at once, from the joint null of flipping signs of whole units.

A unit is a parent (its vector of changes over all questions) or an independent example (its
contribution to every question). If pruning changed nothing, a unit's pruned and parent sides are
exchangeable, so all its signs flip together; how questions hang together is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]

MOST_ENUMERATED = 12  # units; up to here all 2^12 = 4,096 sign vectors are tried
BLOCK = 2_000_000  # null statistics held at a time: 16 MB
TIE = 1e-9  # relative; statistics equal but for rounding count as equal


@dataclass(frozen=True, eq=False)
class MaxT:
    """Adjusted p-values of one family.

    Attributes:
        p_adjusted: float64 [questions]; 1 where a question has no difference at all.
        p_floor: The smallest p that these units could have given.
        units: Units with any difference.
        draws: Sign vectors tried, the observed one among them.
        enumerated: Whether these are all there are.
    """

    p_adjusted: FloatArray
    p_floor: float
    units: int
    draws: int
    enumerated: bool


def max_t(scores: FloatArray | sparse.csr_array[Any], *, resamples: int, seed: int) -> MaxT:
    """Step-down max-T of K questions over sign flips of units (Westfall & Young 1993, 4.1).

    The statistic is |Σ_u x_uk| / sqrt(Σ_u x_uk²), which rises with |t| and stays finite where the
    variance is 0.

    Args:
        scores: [units, questions], what each unit contributes to each question's change; 0 where it
            contributes nothing. All units are flipped when 2^units ≤ 4096, else `resamples` drawn.
        resamples: Sign vectors drawn where not all are tried.
        seed: Seed of the draw.
    """
    table = sparse.csr_array(scores)
    active = np.flatnonzero(np.diff(table.indptr))
    table = table[active]
    norm = np.sqrt(np.asarray(table.multiply(table).sum(axis=0)).ravel())
    if table.nnz > 0.5 * table.shape[0] * table.shape[1]:
        dense = table.toarray()
        return max_t_of(lambda s: s @ dense, active.size, norm, resamples=resamples, seed=seed)
    turned = sparse.csr_array(table.T)
    return max_t_of(lambda s: (turned @ s.T).T, active.size, norm, resamples=resamples, seed=seed)


def max_t_of(
    flipped: Callable[[FloatArray], FloatArray],
    units: int,
    norm: FloatArray,
    *,
    resamples: int,
    seed: int,
) -> MaxT:
    """`max_t` where the changes under flipped signs are computed by a function.

    Args:
        flipped: Signs [draws, units] to changes [draws, questions].
        units: Number of units; each should contribute to some question.
        norm: float64 [questions], root of the sum of squared contributions.
        resamples: As for `max_t`.
        seed: As for `max_t`.
    """
    if units == 0 or norm.size == 0:
        return MaxT(np.ones(norm.size), 1.0, units, 1, True)
    safe = np.where(norm > 0, norm, np.inf)
    observed = np.abs(flipped(np.ones((1, units)))[0]) / safe
    upward = np.argsort(observed, kind="stable")
    threshold = observed[upward] * (1.0 - TIE)
    reached, draws = np.zeros(norm.size), 0
    for signs in _signs(units, norm.size, resamples, seed):
        null = (np.abs(flipped(signs)) / safe)[:, upward]
        np.maximum.accumulate(null, axis=1, out=null)
        reached += (null >= threshold).sum(axis=0)
        draws += len(signs)
    enumerated = units <= MOST_ENUMERATED
    p_upward = reached / draws if enumerated else (reached + 1.0) / (draws + 1.0)
    p = np.empty(norm.size)
    p[upward] = np.maximum.accumulate(p_upward[::-1])[::-1]
    floor = 1.0 / draws if enumerated else 1.0 / (draws + 1.0)
    return MaxT(np.where(norm > 0, p, 1.0), floor, units, draws, enumerated)


def _signs(units: int, questions: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    """Blocks of sign vectors; of each pair of opposites one, because |T| is the same for both."""
    rows = max(1, BLOCK // max(questions, units))
    if units <= MOST_ENUMERATED:
        every = np.arange(2 ** (units - 1))
        bits = (every[:, None] >> np.arange(units)) & 1
        signs = (1 - 2 * bits).astype(np.float64)
        yield from (signs[start : start + rows] for start in range(0, len(signs), rows))
        return
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, rows):
        size = (min(rows, resamples - start), units)
        yield (2 * generator.integers(0, 2, size=size) - 1).astype(np.float64)
