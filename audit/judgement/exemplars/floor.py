"""How many exemplars chance alone makes, and whether there are more: swaps inside parents.

Two samples of one population disagree on every close example, so exemplars are counted against a
floor: the parents' own controls, or, without controls, disjoint halves of the parents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from audit.judgement.exemplars.ballots import Ballots, Ties, exemplars, modal, tally
from audit.judgement.exemplars.populations import Populations

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
RealArray = NDArray[np.floating]  # float32 where whole numbers stay exact in it, else float64

MOST_ENUMERATED = 12  # parents; up to here all 2^12 = 4,096 swaps are tried
FEWEST_FOR_HALVES = 6  # parents: below, the smallest p of swapping D and P is above .05
SPLITS = 20  # ways of halving the parents that are averaged
PRODUCT = 2048  # vote patterns multiplied at a time: 8 MB with 1,000 swaps
ROWS = 128  # of them compared at a time: half a megabyte, which a cache holds
EXACT = 2**24  # whole numbers below this are exact in float32


@dataclass(frozen=True)
class SwapTest:
    """One-sided p of "the pruned models vote further from the parents than chance would".

    Attributes:
        p: Share of swaps with at least the observed total.
        p_floor: The smallest p that so many parents could have given.
        swaps: Swaps tried.
        enumerated: Whether these are all there are.
    """

    p: float
    p_floor: float
    swaps: int
    enumerated: bool


def swap_pruned_and_control(votes: Populations, resamples: int, seed: int) -> SwapTest:
    """Tests Σ taxicab(D, P) − taxicab(D, C), swapping pruned and control inside parents.

    If pruning did no more than the extra training of the controls, a parent's pruned and control
    model are exchangeable.

    Args:
        votes: The votes; every parent has a control.
        resamples: Swaps drawn where 2^parents is above 4,096.
        seed: Seed of the draw.

    Raises:
        ValueError: A parent has no control.
    """
    if votes.control is None:
        raise ValueError("a parent has no control: leave it out, or use the floor of halves.")
    step = _steps(votes.cast, votes.pruned, votes.control)
    control = tally(votes.cast, votes.control.sum(axis=0))
    patterns = _clipped(step, votes.dense_votes, votes.pruned_votes, control)
    half = _totals(patterns, _swaps(votes.parents, resamples // 2, seed))
    # Swapping the others instead exchanges the two terms, and so turns the sign of the total.
    return _p_value(np.concatenate([half, -half]), votes.parents, 1)


def swap_parent_and_pruned(votes: Populations, resamples: int, seed: int) -> SwapTest:
    """Tests Σ taxicab(D, P), swapping D and P inside parents: for populations without controls.

    Swapping everybody gives the same total again, so p is at least 2 / 2^parents.

    Args:
        votes: The votes; row m of `dense` is the parent of row m of `pruned`.
        resamples: Swaps drawn where 2^parents is above 4,096.
        seed: Seed of the draw.
    """
    step = _steps(votes.cast, votes.dense, votes.pruned)
    patterns = _folded(-2.0 * step, votes.dense_votes - votes.pruned_votes)
    half = _totals(patterns, _swaps(votes.parents, resamples, seed))
    return _p_value(half, votes.parents, 2)


def halves_floor(votes: Populations, ties: Ties, seed: int) -> tuple[FloatArray, FloatArray, int]:
    """Exemplars between disjoint halves of equal odd size, averaged over twenty halvings.

    PIE(D_A, P_B) beside PIE(D_A, D_B): both compare the same number of models, and neither compares
    a model with its own parent.

    Args:
        votes: The votes of at least two parents.
        ties: How ties are decided.
        seed: Seed of the halvings.

    Returns:
        float64 [shown] share of halvings in which the example is an exemplar of the pruned models,
        the same for parents against parents, and the size of a half.
    """
    parents, cast = votes.parents, votes.cast
    size = parents // 2 - (1 - parents // 2 % 2)
    generator = np.random.default_rng(seed)
    of_pruned, of_parents = np.zeros(cast.examples), np.zeros(cast.examples)
    for _ in range(SPLITS):
        order = generator.permutation(parents)
        a, b = order[:size], order[size : 2 * size]
        here, there, pruned_there = (
            modal(cast, tally(cast, side.sum(axis=0)), ties)
            for side in (votes.dense[a], votes.dense[b], votes.pruned[b])
        )
        of_pruned += exemplars(here, pruned_there)
        of_parents += exemplars(here, there)
    return of_pruned / SPLITS, of_parents / SPLITS, size


@dataclass(frozen=True, eq=False)
class _Patterns:
    """Distinct rows of votes that a swap can change, with how often each occurs.

    After swaps s, a row adds |x| to the total, or, with a `reach` h, x kept inside [−h, h]; x is
    `step` @ (s, 1), so that the last column is a constant.
    """

    step: RealArray
    reach: RealArray | None
    times: FloatArray


def _steps(cast: Ballots, give: FloatArray, take: FloatArray) -> sparse.csr_array:
    """What swapping each parent's two models moves, sparse [rows, parents] without zeros."""
    weight = give - take
    owner = np.argmax(weight != 0, axis=0)
    each = weight[owner, np.arange(cast.voters)]
    some = np.flatnonzero(each[cast.voter])
    voter, rows = cast.voter[some], cast.label.size
    # Votes come row by row, so that the compressed rows need no sorting.
    ends = np.cumsum(np.bincount(cast.row[some], minlength=rows))
    start = np.concatenate([[0], ends])
    step = sparse.csr_array((each[voter], owner[voter], start), shape=(rows, len(weight)))
    step.sum_duplicates()
    step.eliminate_zeros()
    return step


def _clipped(
    step: sparse.csr_array, dense: FloatArray, pruned: FloatArray, control: FloatArray
) -> _Patterns:
    """Rows for Σ |D − P + t| − |D − C − t|, where t is what the swaps take from P and give to C.

    |t + a| − |t − b| is 2t + a − b kept inside ±|a + b|, with the sign of a + b: one operation
    instead of five. Rows with a + b = 0 add nothing.
    """
    rows = np.flatnonzero(np.diff(step.indptr))
    a, b = (dense - pruned)[rows], (dense - control)[rows]
    some = a + b != 0
    rows, a, b = rows[some], a[some], b[some]
    sign = np.sign(a + b)
    moves = 2.0 * sign[:, None] * step[rows].toarray()
    table = np.hstack([moves, np.stack([sign * (a - b), np.abs(a + b)], axis=1)])
    distinct, times = _distinct(table)
    return _Patterns(distinct[:, :-1], distinct[:, -1:], times)


def _folded(step: sparse.csr_array, gap: FloatArray) -> _Patterns:
    """Rows for Σ |D − P − 2 t|, where t is what the swaps take from D and give to P."""
    rows = np.flatnonzero(np.diff(step.indptr))
    distinct, times = _distinct(np.hstack([step[rows].toarray(), gap[rows, None]]))
    return _Patterns(distinct, None, times)


def _distinct(table: FloatArray) -> tuple[RealArray, FloatArray]:
    """The distinct rows and how often each occurs, by sorting one random projection.

    Two different rows share a projection with a chance of about 2^-64; it is checked, not assumed.
    """
    weights = np.random.default_rng(0).integers(-(2**62), 2**62, size=table.shape[1])
    key = table.astype(np.int64) @ weights
    _, keep, code, times = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    if not np.array_equal(table[keep][code], table):
        keep, times = np.arange(len(table)), np.ones(len(table))
    exact = np.abs(table).sum(axis=1).max(initial=0.0) < EXACT
    return table[keep].astype(np.float32 if exact else np.float64), times.astype(np.float64)


def _swaps(parents: int, draws: int, seed: int) -> NDArray[np.float32]:
    """Who is swapped, 0 or 1, and a row of ones, [parents + 1, swaps]; the first swaps nobody.

    Of each pair of opposite swaps one is enough, so that the last parent stays when all are tried.
    """
    if parents <= MOST_ENUMERATED:
        drawn = (np.arange(2 ** (parents - 1))[None, :] >> np.arange(parents)[:, None]) & 1
    else:
        drawn = np.random.default_rng(seed).integers(0, 2, size=(parents, draws + 1))
        drawn[:, 0] = 0
    ones = np.ones((1, drawn.shape[1]))
    return np.vstack([drawn, ones]).astype(np.float32)


def _totals(patterns: _Patterns, swaps: NDArray[np.float32]) -> FloatArray:
    """The statistic after every swap, but for a constant; whole numbers, so that ties are exact."""
    totals = np.zeros(swaps.shape[1])
    for start in range(0, len(patterns.times), PRODUCT):
        product = patterns.step[start : start + PRODUCT] @ swaps
        for row in range(start, start + len(product), ROWS):
            totals += _part(patterns, slice(row, row + ROWS), product[row - start :][:ROWS])
    return totals


def _part(patterns: _Patterns, part: slice, value: RealArray) -> FloatArray:
    """What a few patterns add to every total; `value` is overwritten."""
    times = patterns.times[part]
    if patterns.reach is None:
        np.abs(value, out=value)
        largest = np.abs(patterns.step[part]).sum(axis=1).max()
    else:
        reach = patterns.reach[part]
        np.minimum(value, reach, out=value)  # np.clip does the same, four times slower
        np.maximum(value, -reach, out=value)
        largest = reach.max()
    exact = times.sum() * float(largest) < EXACT
    total = times.astype(value.dtype) @ value if exact else times @ value.astype(np.float64)
    return np.asarray(total, dtype=np.float64)


def _p_value(totals: FloatArray, parents: int, sides: int) -> SwapTest:
    """The first total is the observed one, and counts as one of the swaps."""
    enumerated = parents <= MOST_ENUMERATED
    p = float((totals >= totals[0]).mean())
    floor = max(sides / 2.0**parents, 1.0 / totals.size)
    return SwapTest(p, min(floor, 1.0), 2**parents if enumerated else totals.size, enumerated)
