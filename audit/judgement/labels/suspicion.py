"""Which labels the dense population itself does not believe, once for a whole audit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Condition, Evidence
from audit.judgement.design import dense
from audit.judgement.labels.confident_learning import (
    by_confident_joint,
    confidence,
    estimated_error_share,
)
from audit.judgement.labels.opinions import Opinion, opinion


@dataclass(frozen=True, eq=False)
class Suspicion:
    """Suspected label errors by confident learning on mean probabilities of the dense population.

    Attributes:
        opinion: What all dense models think, averaged.
        known: bool [examples], labelled and shown to every dense model.
        suspected: bool [examples], False where not `known`.
        estimated: Share of wrong labels by the calibrated joint, in [0, 1]; None where nothing is
            known. It also counts errors that no single example gives away.
    """

    opinion: Opinion
    known: NDArray[np.bool_]
    suspected: NDArray[np.bool_]
    estimated: float | None


def suspicion(evidence: Evidence, condition: Condition) -> Suspicion | None:
    """Suspects labels; None where a dense model has no probabilities, or there is no dense model.

    The audited examples are held out from training, so that the probabilities are out-of-sample, as
    confident learning needs them.

    Args:
        evidence: Labels, models and probabilities.
        condition: Under which; clean.
    """
    rows = dense(evidence.models)
    every = opinion(evidence, condition, rows, rows)
    if every is None:
        return None
    labels = evidence.labels
    known = (labels != NO_LABEL) & ~np.isnan(every.margin).any(axis=0)
    suspected = np.zeros(labels.size, dtype=np.bool_)
    if not known.any():
        return Suspicion(every, known, suspected, None)
    mean = every.mean if known.all() else every.mean[known]
    found = confidence(mean, labels[known])
    suspected[known] = by_confident_joint(found)
    return Suspicion(every, known, suspected, estimated_error_share(found))
