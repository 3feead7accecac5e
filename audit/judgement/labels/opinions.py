"""What populations think of every example: mean probabilities and margins, one model at a time.

All probabilities of all models never fit in memory: 50,000 examples × 1,000 classes are 200 MB for
each model, so that a population is summed up as its models are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Condition, Evidence

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Probabilities = NDArray[np.float32]

ROWS = 4096  # examples looked at together: 16 MB of float32 with a thousand classes


@dataclass(frozen=True, eq=False)
class Opinion:
    """The probabilities of a population; replicates of one parent share its weight.

    Attributes:
        owners: int64 [parents], ascending: the parent of each row of `margin`.
        mean: float32 [examples, classes], NaN for an example that some model was not shown.
        margin: float64 [parents, examples], largest less second largest probability of each model,
            mean over replicates.
    """

    owners: IndexArray
    mean: Probabilities
    margin: FloatArray


def opinion(
    evidence: Evidence, condition: Condition, rows: IndexArray, owner: IndexArray
) -> Opinion | None:
    """Reads a population; None where a model has no probabilities, or there is no model.

    Args:
        evidence: Where probabilities come from.
        condition: The condition.
        rows: int64 [models], rows of `Evidence.models`.
        owner: int64 [models], the parent of each; a parent is its own.
    """
    owners, place, copies = np.unique(owner, return_inverse=True, return_counts=True)
    mean: Probabilities | None = None
    margin = np.zeros((owners.size, len(evidence.examples)))
    for row, at in zip(rows.tolist(), place.tolist(), strict=True):
        own = evidence.probabilities(condition, row)
        if own is None:
            return None
        if mean is None:
            mean = np.zeros(own.shape, dtype=np.float32)
        share = 1.0 / float(copies[at])
        for part in _parts(len(own)):
            mean[part] += own[part] * np.float32(share / owners.size)
            margin[at, part] += share * margins(own[part])
    return None if mean is None else Opinion(owners, mean, margin)


def margins(probabilities: NDArray[np.floating]) -> FloatArray:
    """Largest less second largest probability, [rows, classes] to float64 [rows], NaN for NaN."""
    if probabilities.shape[1] < 2:
        return np.asarray(probabilities.sum(axis=1), dtype=np.float64)
    top = np.partition(probabilities, -2, axis=1)[:, -2:].astype(np.float64)
    return np.asarray(top[:, 1] - top[:, 0])


def apart(first: Probabilities, second: Probabilities) -> FloatArray:
    """L1 distance of two populations' mean probabilities, in [0, 2]; float64 [examples]."""
    out = np.empty(len(first))
    for part in _parts(len(first)):
        out[part] = np.abs(first[part] - second[part]).sum(axis=1, dtype=np.float64)
    return out


def _parts(examples: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, examples, ROWS))
