"""The reliability table: how often each bin of confidence was right, printed beside every ECE."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from audit.evidence.blocks import Condition
from audit.judgement.design import Arm
from audit.judgement.findings import RELIABILITY_COLUMNS
from audit.judgement.pairs import Design
from audit.judgement.shifts.bins import binned, equal_width
from audit.judgement.shifts.calibration import Calibration, sides_of

ROLES = ("parent", "pruned", "control")


def reliability(
    condition: Condition, found: Calibration | None, arms: Sequence[Arm], known: Design
) -> pd.DataFrame:
    """One row per arm, role and bin that holds a prediction, replicates and parents pooled.

    The absolute gaps between `confidence` and `accuracy`, weighted by `share`, add up to the ECE
    where there is one model of each role; of several, to that of their predictions together.

    Args:
        condition: The condition.
        found: Its calibration, None without confidences.
        arms: The pruned models.
        known: Weights, and the plan's number of bins.

    Returns:
        `method, sparsity, condition, severity, role, bin, low, high, n, share, confidence,
        accuracy`: a bin is (low, high], `n` counts its predictions, `share` is theirs of all.
    """
    frames = [] if found is None else [_of_arm(condition, found, arm, known) for arm in arms]
    return together(frame for frame in frames if len(frame))


def together(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Tables of several arms or conditions as one."""
    some = list(frames)
    if not some:
        return pd.DataFrame(columns=list(RELIABILITY_COLUMNS))
    return pd.concat(some, ignore_index=True)


def _of_arm(condition: Condition, found: Calibration, arm: Arm, known: Design) -> pd.DataFrame:
    arm = arm.paired()
    if not len(arm.pruned):
        return together([])
    sides, _ = sides_of(found, arm)
    frames = [
        _of_side(side, known).assign(role=role)
        for role, side in zip(ROLES, sides, strict=True)
        if side is not None
    ]
    return together(frames).assign(
        method=arm.method,
        sparsity=np.nan if arm.sparsity is None else arm.sparsity,
        condition=condition.name,
        severity=np.nan if condition.severity is None else condition.severity,
    )[list(RELIABILITY_COLUMNS)]


def _of_side(side: Calibration, known: Design) -> pd.DataFrame:
    bins = known.plan.calibration_bins
    place = equal_width(side.confidence, bins)
    counted = np.ones(side.gap.shape[1])
    weights = counted if known.weights is None else known.weights
    sure, weight = (part.sum(axis=0) for part in binned(side.confidence, place, bins, weights))
    gap = binned(side.gap, place, bins, weights)[0].sum(axis=0)
    n = binned(side.gap, place, bins, counted)[1].sum(axis=0)
    held = np.flatnonzero(weight > 0)
    confidence = sure[held] / weight[held]
    return pd.DataFrame(
        {
            "bin": held,
            "low": held / bins,
            "high": (held + 1) / bins,
            "n": n[held].astype(np.int64),
            "share": weight[held] / weight.sum(),
            "confidence": confidence,
            "accuracy": confidence - gap[held] / weight[held],
        }
    )
