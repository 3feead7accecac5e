"""False alarms at 95 %: what else passes the threshold that keeps 95 % of the positives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CAUGHT = 0.95  # of the positives
LARGEST_REACH = 0.5 * (1.0 - CAUGHT)  # the curve bends: a long chord overstates how steep it is


def false_alarm_contributions(
    score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray
) -> FloatArray:
    """What each example contributes to the false positive rate at 95 % true positive rate.

    The threshold is a quantile of the positives. With F the rate, q the threshold and n, n₁ and n₀
    the weight of all, of positives and of negatives, a negative contributes F + n/n₀ (1{s ≥ q} − F)
    and a positive F − n/n₁ F′ (1{s ≥ q} − .95): their mean is F and their spread its uncertainty
    (Bahadur's representation). How fast the rate moves with the share that is kept, F′, is read off
    the curve between two neighbouring thresholds, because exactly it is a ratio of densities.

    Args:
        score: float64 [examples], larger means positive.
        positive: bool [examples], at least one of each.
        weights: float64 [examples], positive.

    Returns:
        float64 [examples], weighted mean F in [0, 1].
    """
    mine, total = np.where(positive, weights, 0.0), weights.sum()
    others = weights - mine
    threshold = _keeping(CAUGHT, score, positive, weights)
    passed = (score >= threshold).astype(np.float64)
    rate = float(others @ passed / others.sum())
    share = float(mine @ passed / mine.sum())
    reach = min(LARGEST_REACH, 0.25 * float(positive.sum()) ** (-1.0 / 3.0))
    upper, lower = (
        float(others @ (score >= _keeping(level, score, positive, weights)) / others.sum())
        for level in (CAUGHT + reach, CAUGHT - reach)
    )
    slope = (upper - lower) / (2.0 * reach)
    out: FloatArray = np.where(
        positive,
        rate - total / mine.sum() * slope * (passed - share),
        rate + total / others.sum() * (passed - rate),
    )
    return out


def _keeping(
    share: float, score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray
) -> float:
    """The largest score such that this share of the positives' weight is at or above it."""
    own, mass = score[positive], weights[positive]
    order = np.argsort(-own, kind="stable")
    above = np.cumsum(mass[order])
    # Sums of weights are off by rounding: 19 of 20 is 95 %.
    place = int(np.searchsorted(above, share * above[-1] * (1.0 - 1e-12), side="left"))
    return float(own[order][min(place, own.size - 1)])
