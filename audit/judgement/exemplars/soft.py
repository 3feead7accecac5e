"""What probabilities add to the votes of one arm: a score, and how sure models are of exemplars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Evidence
from audit.judgement.exemplars.populations import Case
from audit.judgement.inference.paired import average_by_parent
from audit.judgement.labels.opinions import Opinion, apart, opinion
from audit.judgement.labels.suspicion import Suspicion

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sureness:
    """How sure parents and pruned models are; float64 [parents, shown], replicates averaged.

    Where no pruned model names its parent, rows of `parent` are all dense models and rows of
    `pruned` all pruned models.
    """

    parent: FloatArray
    pruned: FloatArray


@dataclass(frozen=True, eq=False)
class Soft:
    """What goes beyond the votes; None where it was not recorded.

    Attributes:
        score: float64 [shown], L1 distance in [0, 2] of the mean probabilities of the parents and
            of the pruned models: the taxicab score of voters that share out their vote.
        confidence: Largest probability of each model.
        margin: Largest less second largest probability of each model.
        suspected: bool [shown], suspected label errors.
        judged: bool [shown], where anybody could suspect one.
    """

    score: FloatArray | None
    confidence: Sureness | None
    margin: Sureness | None
    suspected: NDArray[np.bool_] | None
    judged: NDArray[np.bool_] | None


def soft(one: Case, evidence: Evidence, dense_rows: IndexArray, suspects: Suspicion | None) -> Soft:
    """Reads the probabilities of one arm, model by model.

    Args:
        one: The arm.
        evidence: Where probabilities come from.
        dense_rows: Rows of the dense models, which stand for unknown parents.
        suspects: The dense population's opinion; None where it has recorded none.
    """
    shown, sure = one.votes.shown, _confidence(one, dense_rows)
    if suspects is None:
        return Soft(None, sure, None, None, None)
    suspected, judged = suspects.suspected[shown], suspects.known[shown]
    both = _opinions(one, evidence, dense_rows, suspects)
    if both is None:
        return Soft(None, sure, None, suspected, judged)
    before, after = both
    return Soft(
        apart(before.mean[shown], after.mean[shown]),
        sure,
        Sureness(before.margin[:, shown], after.margin[:, shown]),
        suspected,
        judged,
    )


def _opinions(
    one: Case, evidence: Evidence, dense_rows: IndexArray, suspects: Suspicion
) -> tuple[Opinion, Opinion] | None:
    """Parents and pruned models; the dense population is not read again where it is the parents."""
    condition = one.block.condition
    parents, pruned, owner = _rows(one, dense_rows)
    before: Opinion | None = suspects.opinion
    if not np.array_equal(parents, suspects.opinion.owners):
        before = opinion(evidence, condition, parents, parents)
    after = opinion(evidence, condition, pruned, owner)
    return None if before is None or after is None else (before, after)


def _confidence(one: Case, dense_rows: IndexArray) -> Sureness | None:
    given = one.block.confidence
    if given is None:
        return None
    parents, pruned, owner = _rows(one, dense_rows)
    shown = one.votes.shown
    before, after = (given[rows][:, shown].astype(np.float64) for rows in (parents, pruned))
    if np.isnan(before).all() or np.isnan(after).all():
        return None
    return Sureness(before, average_by_parent(after, owner))


def _rows(one: Case, dense_rows: IndexArray) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Rows of the parents, of the pruned models, and the owner of each pruned model."""
    if not one.votes.paired:
        return dense_rows, one.arm.pruned, one.arm.pruned
    arm = one.arm.paired()
    return arm.parents, arm.pruned, arm.parent
