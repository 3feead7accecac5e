"""Scores of whole probabilities, read model by model: Brier, top-5; and of confidence alone.

All class probabilities of all models are too many for memory: one model's are read at a time, and
what is kept is one number per example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.families import Family
from audit.judgement.pairs import Design, contrast_of, design, overall
from audit.judgement.plan import Plan
from audit.judgement.shifts.calibration import Calibration

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Score = Callable[[NDArray[np.float32], IndexArray], FloatArray]

TOP = 5
AT_A_TIME = 8192  # examples, so that no second copy of the probabilities is ever made
ALONE = "of the confidence alone: the other classes' probabilities play no part"


def probability_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Brier score, and on clean examples top-5 accuracy, where probabilities are recorded.

    Args:
        block: Predictions under any condition.
        evidence: Labels, models, probabilities.
        arms: The pruned models.
        plan: The plan.

    Returns:
        Screens, tier D: `calibration_screen`; and on clean examples `compression`.
    """
    known = design(evidence, plan)
    rows = rows_of(arms)
    if not len(rows) or evidence.probabilities(block.condition, int(rows[0])) is None:
        return []
    scores: dict[str, Score] = {"brier": brier}
    if block.condition == CLEAN and len(evidence.classes) > TOP:
        scores["top5_accuracy"] = top5
    found = _scored(scores, block, evidence, rows, known)
    families = []
    for measure, values in found.items():
        family = "calibration_screen" if measure == "brier" else "compression"
        families.append(Family(family, "D", _findings(measure, values, block, arms, known)))
    return families


def confidence_findings(
    block: Block, found: Calibration | None, arms: Sequence[Arm], known: Design
) -> list[Finding]:
    """The top-label Brier score, and the share of predictions that are not sure.

    Args:
        block: The condition's predictions.
        found: Their calibration, None without confidences.
        arms: The pruned models.
        known: What is known of the examples.
    """
    if found is None:
        return []
    level = known.plan.uncertain_below
    unsure = np.where(
        np.isnan(found.confidence), np.nan, (found.confidence < level).astype(np.float64)
    )
    stated = f"confidence below {level:g}"
    return [
        *_findings("top_label_brier", found.gap**2, block, arms, known, ALONE),
        *_findings("uncertain_share", unsure, block, arms, known, stated),
    ]


def brier(probabilities: NDArray[np.float32], labels: IndexArray) -> FloatArray:
    """Σ_k (p_k − y_k)² per example, from 0 to 2 (Brier 1950).

    Args:
        probabilities: float32 [examples, classes].
        labels: int64 [examples], all known.

    Returns:
        float64 [examples].
    """
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0].astype(np.float64)
    squares = np.einsum("ec,ec->e", probabilities, probabilities, dtype=np.float64)
    return np.asarray(squares - 2.0 * own + 1.0)


def top5(probabilities: NDArray[np.float32], labels: IndexArray) -> FloatArray:
    """1 where the label is among the five most likely classes, else 0; ties go to smaller codes.

    Args:
        probabilities: float32 [examples, classes].
        labels: int64 [examples], all known.

    Returns:
        float64 [examples].
    """
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    before = np.arange(probabilities.shape[1]) < labels[:, None]
    ahead = (probabilities > own) | ((probabilities == own) & before)
    undefined = np.isnan(own[:, 0])
    return np.where(undefined, np.nan, (ahead.sum(axis=1) < TOP).astype(np.float64))


def rows_of(arms: Sequence[Arm]) -> IndexArray:
    """Rows of `Evidence.models` that any arm with a parent compares, ascending."""
    paired = [arm.paired() for arm in arms]
    rows = [part for arm in paired for part in (arm.parent, arm.pruned, arm.control)]
    every = np.unique(np.concatenate(rows)) if rows else np.empty(0, dtype=np.int64)
    return every[every >= 0]


def _scored(
    scores: dict[str, Score], block: Block, evidence: Evidence, rows: IndexArray, known: Design
) -> dict[str, FloatArray]:
    """Each score of every row, float64 [models, examples], NaN where there is none."""
    shape = (len(evidence.models), len(known.labels))
    out = {name: np.full(shape, np.nan) for name in scores}
    labelled = (known.labels != NO_LABEL) & known.counted
    for row in rows.tolist():
        probabilities = evidence.probabilities(block.condition, row)
        if probabilities is None:
            continue
        counted = np.flatnonzero(labelled & (block.predicted[row] != NOT_SHOWN))
        for start in range(0, len(counted), AT_A_TIME):
            some = counted[start : start + AT_A_TIME]
            for name, score in scores.items():
                out[name][row, some] = score(probabilities[some], known.labels[some])
    return out


def _findings(
    measure: str,
    values: FloatArray,
    block: Block,
    arms: Sequence[Arm],
    known: Design,
    reason: str | None = None,
) -> list[Finding]:
    out = []
    for arm in arms:
        both = contrast_of(values, arm, known)
        if both is not None:
            answer = overall(both)
            out.append(
                answer_finding(
                    measure, answer, arm, known.plan, condition=block.condition, reason=reason
                )
            )
    return [finding for finding in out if finding.n]
