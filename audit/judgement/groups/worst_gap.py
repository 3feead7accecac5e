"""Is the group that lost most further behind than chance would put the worst of so many groups.

The largest of several gaps is never negative, so its own interval excludes 0 in null data. The
question is asked by permutation instead: group labels are exchanged between examples of one class,
each example keeping its whole vector of losses, and the largest studentised excess is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

LARGE = 1000  # examples per tested group from which on their sum is taken as normal
TIE = 1e-9  # relative; statistics equal but for rounding count as equal


@dataclass(frozen=True)
class WorstGap:
    """How unusual the worst group is.

    Attributes:
        p: [arms], one-sided p of each arm's largest studentised excess.
        p_joint: One-sided p of the largest over all arms.
        p_spread: [arms], p of the largest less the smallest studentised excess.
        worst: [arms], index of the group with the largest studentised excess; -1 where no group
            differs from another in anything.
        p_floor: The smallest p that so many draws can give.
    """

    p: FloatArray
    p_joint: float
    p_spread: FloatArray
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
    if not np.any(scale > 0.0):
        none = np.full(len(loss), -1, dtype=np.int64)
        one = np.ones(len(loss))
        return WorstGap(one, 1.0, one, none, 1 / (resamples + 1))
    observed = _studentised(excess, groups, scale)
    exceeded, spread, exceeded_jointly = np.ones(len(loss)), np.ones(len(loss)), 1.0
    reached, wide = _less_rounding(observed.max(axis=1)), _less_rounding(_range(observed))
    for drawn in _null(excess, groups, strata, scale, resamples, rng):
        largest = drawn.max(axis=2)
        exceeded += (largest >= reached).sum(axis=0)
        exceeded_jointly += float((largest.max(axis=1) >= reached.max()).sum())
        spread += (_range(drawn) >= wide).sum(axis=0)
    worst = np.where(np.any(scale > 0.0, axis=1), observed.argmax(axis=1), -1)
    total = resamples + 1
    return WorstGap(exceeded / total, exceeded_jointly / total, spread / total, worst, 1 / total)


def _less_rounding(reached: FloatArray) -> FloatArray:
    """Equal statistics may differ by rounding; an arm without any loss has none to differ."""
    size = np.maximum(1.0, np.abs(np.where(reached > -np.inf, reached, 0.0)))
    return reached - TIE * size


def _range(studentised: FloatArray) -> FloatArray:
    """Largest less smallest over the last axis; minus infinity where no group can change."""
    lowest = np.where(studentised > -np.inf, studentised, np.inf).min(axis=-1)
    out: FloatArray = studentised.max(axis=-1) - lowest
    return out


def _null(
    excess: FloatArray,
    groups: CodeArray,
    strata: CodeArray,
    scale: FloatArray,
    resamples: int,
    rng: np.random.Generator,
) -> Iterator[FloatArray]:
    """Studentised excesses in random relabellings, in blocks of [draws, arms, groups].

    Where every group has `LARGE` examples or more, the sums are normal to all intents (Hájek 1961)
    and their exact covariance takes the place of the relabelling.
    """
    tested: NDArray[np.bool_] = np.any(scale > 0.0, axis=0)
    if np.bincount(groups, minlength=scale.shape[1])[tested].min() >= LARGE:
        yield _normal(excess, groups, strata, scale, resamples, rng)
        return
    moving = np.flatnonzero(np.any(excess != 0.0, axis=0))
    part = np.ascontiguousarray(excess[:, moving])
    for _ in range(resamples):
        yield _studentised(part, _permuted(groups, strata, rng)[moving], scale)[None]


def _normal(
    excess: FloatArray,
    groups: CodeArray,
    strata: CodeArray,
    scale: FloatArray,
    resamples: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draws from the normal with the covariance of relabelling, [draws, arms, groups].

    Over strata, Cov(S_ag, S_bh) adds up C_ab · n_g (δ_gh N − n_h) / (N − 1), with C the covariance
    of the losses of arms a and b in the stratum, and n of its N examples in the groups g and h.
    """
    arms, n_groups = scale.shape
    size = np.bincount(strata)
    member = _members(groups, n_groups, strata)
    within = np.zeros((len(size), arms, arms))
    for a in range(arms):
        for b in range(a + 1):
            sums = np.bincount(strata, excess[a] * excess[b])
            within[:, a, b] = within[:, b, a] = sums / np.maximum(size, 1)
    both = -member[:, None, :] * member[None, :, :]
    both[np.arange(n_groups), np.arange(n_groups)] += member * size
    covariance = np.einsum("sab,ghs->agbh", within, both / np.maximum(size - 1, 1), optimize=True)
    flat = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0.0).ravel()
    values, vectors = np.linalg.eigh(covariance.reshape(len(flat), -1) * flat * flat[:, None])
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = (rng.standard_normal((resamples, len(flat))) @ root.T).reshape(-1, arms, n_groups)
    return np.where(scale > 0.0, drawn, -np.inf)


def _members(groups: CodeArray, n_groups: int, strata: CodeArray) -> CodeArray:
    """Examples per group and stratum, int64 [groups, strata]."""
    n_strata = int(strata.max()) + 1
    flat = groups * n_strata + strata
    return np.bincount(flat, minlength=n_groups * n_strata).reshape(n_groups, n_strata)


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
    member = _members(groups, n_groups, strata)
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
