"""Under noise, is a pruned model still like its parent, or only like any network?

Liebenwein et al. (arXiv 2103.03014) compare a pruned network with its parent by how often their
answers match and by the distance of their softmax outputs, and a separate dense network with the
same parent: without that control nobody can say what is near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Block, Evidence
from audit.judgement.agreement.flips import flip_values, parents_beside, pruned_beside
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.estimate import Estimate
from audit.judgement.inference.families import Family
from audit.judgement.inference.paired import average_by_parent, paired_change
from audit.judgement.pairs import Answer, Design, design, levels, pairs
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]

MEASURES = ("noise_match", "noise_distance")
BESIDE = (
    "`control` is a separate dense network beside the same parent; the change is pruned less that"
)
ALONE = "one parent only, and no separate dense network to compare with: train another seed"


def noise_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Matching answers and softmax distance to the parent under one size of uniform noise.

    Args:
        block: Predictions under a condition `uniform_noise@<epsilon>`; labels play no part.
        evidence: Models, and the probabilities that the distance needs.
        arms: The pruned models.
        plan: The plan.

    Returns:
        The screen `noise_similarity`, tier D.
    """
    known = design(evidence, plan)
    found: list[Finding] = []
    for arm in arms:
        arm = arm.paired()
        if not len(arm.pruned):
            continue
        for measure, sides in zip(
            MEASURES, (_matches(block, arm, known), _distances(block, evidence, arm)), strict=True
        ):
            if sides is not None:
                found.append(_finding(measure, *sides, block, arm, known))
    return [Family("noise_similarity", "D", [finding for finding in found if finding.n])]


def _matches(block: Block, arm: Arm, known: Design) -> tuple[FloatArray, FloatArray | None] | None:
    """Whether answers match, float64 [parents, examples]: pruned, and a separate network."""
    found = pairs(block, arm, known)
    if found is None:
        return None
    separate = parents_beside(found)
    beside = None if separate is None else flip_values("agreement", separate, known.labels)
    return flip_values("agreement", pruned_beside(found), known.labels), beside


def _distances(
    block: Block, evidence: Evidence, arm: Arm
) -> tuple[FloatArray, FloatArray | None] | None:
    """L2 distances of softmax outputs, as `_matches`; two models' probabilities at a time."""
    parents, condition = arm.parents.tolist(), block.condition
    of_pruned, of_dense = [], []
    for place, parent in enumerate(parents):
        own = evidence.probabilities(condition, parent)
        if own is None:
            return None
        for child in arm.pruned[arm.parent == parent].tolist():
            other = evidence.probabilities(condition, child)
            if other is None:
                return None
            of_pruned.append((parent, _distance(own, other)))
        # The same pairs of parents as in `parents_beside`.
        other = evidence.probabilities(condition, parents[place - 1]) if len(parents) > 1 else None
        if other is not None:
            of_dense.append(_distance(own, other))
    values = average_by_parent([row for _, row in of_pruned], [owner for owner, _ in of_pruned])
    return values, np.stack(of_dense) if len(of_dense) == len(parents) else None


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> FloatArray:
    """‖p − q‖₂ of every example, from 0 to √2; NaN where either was not shown."""
    apart = one - other
    return np.asarray(np.sqrt(np.einsum("ec,ec->e", apart, apart, dtype=np.float64)))


def _finding(
    measure: str,
    values: FloatArray,
    beside: FloatArray | None,
    block: Block,
    arm: Arm,
    known: Design,
) -> Finding:
    inside = known.counted & ~np.isnan(values).all(axis=0)
    values = np.where(inside, values, np.nan)
    level = levels(values, np.zeros(values.shape[1], dtype=np.int64), 1, known.weights)[0]
    if beside is None:
        question = asked(measure, arm, condition=block.condition)
        n, parents = int(inside.sum()), len(arm.parents)
        return replace(question, pruned=level, n=n, parents=parents, reason=ALONE)
    beside = np.where(inside, beside, np.nan)
    floor = levels(beside, np.zeros(values.shape[1], dtype=np.int64), 1, known.weights)[0]
    estimate: Estimate = paired_change(
        values - beside,
        weights=known.weights,
        clusters=known.clusters,
        level=1.0 - known.plan.alpha,
    )
    return answer_finding(
        measure,
        Answer(estimate, None, level, floor),
        arm,
        known.plan,
        condition=block.condition,
        reason=BESIDE,
    )
