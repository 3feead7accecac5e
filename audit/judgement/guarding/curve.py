"""What handing back more and more inputs recovers of the harm, on test examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.design import Arm
from audit.judgement.guarding.choice import threshold_at
from audit.judgement.guarding.deferral import handed_back
from audit.judgement.guarding.result import Point
from audit.judgement.inference.estimate import Estimate
from audit.judgement.inference.paired import average_by_parent
from audit.judgement.pairs import Design, level_estimate, levels

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


@dataclass(frozen=True, eq=False)
class Seen:
    """One arm's test examples as a guard sees them.

    Attributes:
        signal: float64 [K, examples], NaN where not known.
        shown: bool [K, examples], shown to the model and counted.
        harmed: bool [K, examples], parent right and pruned wrong; nobody without a parent.
        mended: bool [K, examples], parent wrong and pruned right.
        owner: int64 [K], what each row is a replicate of.
        known: What is known of the examples.
    """

    signal: FloatArray
    shown: Mask
    harmed: Mask
    mended: Mask
    owner: NDArray[np.int64]
    known: Design


@dataclass(frozen=True)
class Level:
    """A share with its doubt; None where nobody is in the denominator."""

    share: float | None
    low: float | None
    high: float | None
    estimate: Estimate


def seen(block: Block, evidence: Evidence, arm: Arm, signal: FloatArray, known: Design) -> Seen:
    """Puts signals, harm and mending of one arm side by side.

    Args:
        block: Predictions on clean test examples.
        evidence: Labels.
        arm: The pruned models, each with its parent or, where a person answers, perhaps none.
        signal: float64 [K, examples].
        known: What is known of the examples.
    """
    pruned = block.predicted[arm.pruned]
    shown = (pruned != NOT_SHOWN) & known.counted
    parent = np.where((arm.parent >= 0)[:, None], block.predicted[arm.parent], NOT_SHOWN)
    judged = shown & (parent != NOT_SHOWN) & (evidence.labels != NO_LABEL)
    before, after = parent == evidence.labels, pruned == evidence.labels
    alone = int(arm.parent.max(initial=0)) + 1 + np.arange(len(arm.pruned))
    return Seen(
        signal,
        shown,
        judged & before & ~after,
        judged & ~before & after,
        np.where(arm.parent >= 0, arm.parent, alone),
        known,
    )


def share_among(who: Seen, threshold: float, among: Mask) -> Level:
    """Share handed back of some of the examples, with an interval.

    Args:
        who: The arm's test examples.
        threshold: The guard's.
        among: bool [K, examples], the denominator.
    """
    back = handed_back(who.signal, threshold)
    values = average_by_parent(np.where(among, back, np.nan), who.owner)
    estimate = level_estimate(values, who.known)
    everybody = np.zeros(values.shape[1], dtype=np.int64)
    share = levels(values, everybody, 1, who.known.weights)[0]
    return Level(share, _inside(estimate.low), _inside(estimate.high), estimate)


def curve(who: Seen) -> tuple[Point, ...]:
    """The curve of one arm: one threshold for all of its models at each share asked."""
    own = np.where(who.shown, who.signal, np.nan)
    return tuple(_point(who, share, threshold_at(own, share)) for share in SHARES)


def _point(who: Seen, asked: float, threshold: float) -> Point:
    everybody = share_among(who, threshold, who.shown)
    harmed = share_among(who, threshold, who.harmed)
    mended = share_among(who, threshold, who.mended)
    return Point(asked, everybody.share or 0.0, harmed.share, harmed.low, harmed.high, mended.share)


def _inside(value: float | None) -> float | None:
    return None if value is None else min(max(value, 0.0), 1.0)
