"""Is the group that lost most further behind than chance would put the worst of so many groups.

The largest of several gaps is never negative, so its own interval excludes 0 in null data. The
question is asked by permutation instead: group labels are exchanged between examples of one class,
each example keeping its whole vector of losses, and the largest studentised excess is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]


@dataclass(frozen=True)
class WorstGap:
    """How unusual the worst group is.

    Attributes:
        p: [arms], one-sided p of each arm's largest studentised excess.
        p_joint: One-sided p of the largest over all arms.
        worst: [arms], index of the group with the largest studentised excess; -1 where no group
            differs from another in anything.
        p_floor: The smallest p that so many draws can give.
    """

    p: FloatArray
    p_joint: float
    worst: CodeArray
    p_floor: float


def worst_gap(
    loss: FloatArray,
    groups: CodeArray,
    strata: CodeArray,
    *,
    tested: NDArray[np.bool_],
    resamples: int,
    rng: np.random.Generator,
) -> WorstGap:
    """Tests the largest excess loss of a group against permutations of the group labels.

    The excess of a group is the sum over its examples of the loss less its stratum's mean loss,
    over the standard deviation that this sum has under permutation, which is known exactly and the
    same in every permutation.

    Args:
        loss: [arms, examples], accuracy lost on each example (a mean over parents).
        groups: [examples], group codes.
        strata: [examples], codes between which labels are not exchanged: classes.
        tested: bool [groups], which groups are candidates for the worst.
        resamples: Random permutations.
        rng: Where they come from.
    """
    order = np.argsort(strata, kind="stable")
    loss, groups, strata = loss[:, order], groups[order], strata[order]
    excess = _centred(loss, strata)
    scale = np.where(tested, _deviations(excess, groups, len(tested), strata), 0.0)
    moving = np.flatnonzero(np.any(excess != 0.0, axis=0))
    if not np.any(scale > 0.0):
        arms = len(loss)
        return WorstGap(np.ones(arms), 1.0, np.full(arms, -1, dtype=np.int64), 1 / (resamples + 1))
    observed = _studentised(excess[:, moving], groups[moving], scale)
    largest = observed.max(axis=1)
    exceeded, exceeded_jointly = np.ones(len(loss)), 1.0
    slack = 1e-9 * np.maximum(1.0, np.abs(largest))  # equal statistics may differ by rounding
    for _ in range(resamples):
        drawn = _studentised(excess[:, moving], _permuted(groups, strata, rng)[moving], scale).max(
            axis=1
        )
        exceeded += drawn >= largest - slack
        exceeded_jointly += bool(drawn.max() >= largest.max() - slack.max())
    worst = np.where(np.any(scale > 0.0, axis=1), observed.argmax(axis=1), -1)
    total = resamples + 1
    return WorstGap(exceeded / total, exceeded_jointly / total, worst, 1 / total)


def _centred(loss: FloatArray, strata: CodeArray) -> FloatArray:
    """Loss less its stratum's mean; exactly 0 in strata where nothing varies."""
    size = np.bincount(strata)
    means = np.stack([np.bincount(strata, row) for row in loss]) / np.maximum(size, 1)
    first = np.searchsorted(strata, np.arange(len(size)))
    starts = loss[:, np.minimum(first, len(strata) - 1)]
    varies = np.stack([np.bincount(strata, row) for row in (loss != starts[:, strata])]) > 0
    return np.where(varies[:, strata], loss - means[:, strata], 0.0)


def _deviations(
    excess: FloatArray, groups: CodeArray, n_groups: int, strata: CodeArray
) -> FloatArray:
    """Standard deviation of each group's sum under permutation, [arms, groups].

    A sum of k values drawn without replacement from N with variance v has variance
    k (N - k) / (N - 1) v; strata are independent.
    """
    n_strata = int(strata.max()) + 1
    size = np.bincount(strata, minlength=n_strata)
    flat = groups * n_strata + strata
    member = np.bincount(flat, minlength=n_groups * n_strata).reshape(n_groups, n_strata)
    variance = np.stack(
        [np.bincount(strata, row**2, minlength=n_strata) for row in excess]
    ) / np.maximum(size, 1)
    share = member * (size - member) / np.maximum(size - 1, 1)
    deviation: FloatArray = np.sqrt(variance @ share.T)
    return deviation


def _studentised(excess: FloatArray, groups: CodeArray, scale: FloatArray) -> FloatArray:
    """[arms, groups]; minus infinity for a group that no permutation can change."""
    sums = np.stack([np.bincount(groups, row, minlength=scale.shape[1]) for row in excess])
    out = np.full(scale.shape, -np.inf)
    np.divide(sums, scale, out=out, where=scale > 0.0)
    return out


def _permuted(groups: CodeArray, strata: CodeArray, rng: np.random.Generator) -> CodeArray:
    """Group codes exchanged inside strata: one sort of (stratum, random, code) packed in 64 bits.

    Strata must be sorted. Packing lets a plain sort do the work of an argsort, much faster.
    """
    code_bits = max(int(groups.max()).bit_length(), 1)
    random_bits = 64 - code_bits - max(int(strata[-1]).bit_length(), 1)
    draws = rng.integers(0, 1 << random_bits, len(groups), dtype=np.uint64)
    stratum = strata.astype(np.uint64) << np.uint64(code_bits + random_bits)
    packed = stratum | (draws << np.uint64(code_bits)) | groups.astype(np.uint64)
    packed.sort()
    return (packed & np.uint64((1 << code_bits) - 1)).astype(np.int64)
