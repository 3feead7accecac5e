"""How much each model speaks for the positive class: the score that ranks and thresholds use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Evidence
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]

NO_POSITIVE = "no class is the positive one: name it as `positive`"
NO_SCORE = (
    "the positive class has no score: add a column `probabilities`, or, with two classes, "
    "`confidence`"
)


def scores(
    block: Block, evidence: Evidence, rows: Sequence[int] | NDArray[np.integer], plan: Plan
) -> FloatArray | None:
    """The score of the positive class.

    It is that class's probability where probabilities were recorded. Otherwise, with two classes,
    it is the confidence where the positive class was predicted and 1 − confidence where the other.

    Args:
        block: Predictions under one condition.
        evidence: Where `block` came from; gives the probabilities of one model at a time.
        rows: Models, as rows of `Evidence.models`.
        plan: `positive`.

    Returns:
        float64 [rows, examples] in [0, 1], NaN where an example was not shown or has no score;
        None where there is no positive class or a model has no scores at all.
    """
    if plan.positive is None:
        return None
    positive = evidence.classes.index(plan.positive)
    out = np.empty((len(rows), block.predicted.shape[1]))
    for place, row in enumerate(rows):
        one = score_of(block, evidence, int(row), positive)
        if one is None:
            return None
        out[place] = one
    return out


def score_of(block: Block, evidence: Evidence, row: int, positive: int) -> FloatArray | None:
    """The score of one model, float64 [examples]; see `scores`."""
    probabilities = evidence.probabilities(block.condition, row)
    predicted = block.predicted[row]
    if probabilities is not None:
        own = probabilities[:, positive].astype(np.float64)
    elif block.confidence is None or len(evidence.classes) != 2:
        return None
    else:
        sure = block.confidence[row].astype(np.float64)
        own = np.where(predicted == positive, sure, 1.0 - sure)
    shown = predicted != NOT_SHOWN
    if np.isnan(own[shown]).all() and shown.any():
        return None
    return np.where(shown, own, np.nan)
