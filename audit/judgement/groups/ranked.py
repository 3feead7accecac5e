"""Whether pruning ranks the positive class worse: paired AUROC and average precision, by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, NO_LABEL, Block, Condition, Evidence
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.inference.families import Family
from audit.judgement.inference.linearised import Linearised, linear_answers
from audit.judgement.inference.paired import average_by_parent, by_cell
from audit.judgement.inference.ranking import (
    Contributions,
    auroc_contributions,
    average_precision_contributions,
)
from audit.judgement.pairs import Contrast, Design, design
from audit.judgement.plan import Plan
from audit.judgement.scores import scores

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

FAMILY = "ranking"
RANKED: tuple[tuple[str, Contributions], ...] = (
    ("auroc", auroc_contributions),
    ("auprc", average_precision_contributions),
)
PLACEMENTS = (
    "by placement values on the same examples (DeLong 1988); n counts the rarer of positives and "
    "negatives"
)
INFLUENCE = (
    "by the influence function of average precision; n counts the rarer of positives and negatives"
)


def ranking_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """AUROC and average precision of everybody, and of every group where examples are clean.

    Args:
        block: Predictions under one condition.
        evidence: Labels, group columns, class names, probabilities.
        arms: The pruned models.
        plan: `positive`; without it, or without scores, nothing is asked.
    """
    divisions: list[Grouping | None] = [None]
    if block.condition == CLEAN:
        divisions += groupings(evidence.examples, plan)
    return [Family(FAMILY, "D", ranking_findings(block, evidence, arms, plan, divisions))]


def ranking_findings(
    block: Block,
    evidence: Evidence,
    arms: Sequence[Arm],
    plan: Plan,
    divisions: Sequence[Grouping | None],
) -> list[Finding]:
    """Both measures of every arm in every group of some divisions; None is everybody."""
    if plan.positive is None:
        return []
    used = sorted({int(row) for arm in arms for row in _rows(arm)})
    found = scores(block, evidence, used, plan) if used else None
    if found is None:
        return []
    known = design(evidence, plan)
    table = np.full((len(evidence.models), found.shape[1]), np.nan)
    table[used] = found
    positive = known.labels == evidence.classes.index(plan.positive)
    return [
        finding
        for arm in arms
        if len(arm.paired().pruned)
        for division in divisions
        for measure, of in RANKED
        for finding in _findings(
            measure, of, table, positive, arm.paired(), division, known, block.condition
        )
    ]


def _rows(arm: Arm) -> CodeArray:
    arm = arm.paired()
    return np.concatenate([arm.pruned, arm.parent, arm.control[arm.control >= 0]])


def _findings(
    measure: str,
    of: Contributions,
    table: FloatArray,
    positive: NDArray[np.bool_],
    arm: Arm,
    division: Grouping | None,
    known: Design,
    condition: Condition,
) -> list[Finding]:
    everybody = np.zeros(positive.size, dtype=np.int64)
    names: Sequence[str | None] = [None] if division is None else division.names
    cells = everybody if division is None else division.codes
    found = ranking_contrast(of, table, positive, arm, cells, len(names), known)
    return [
        answer_finding(
            measure if division is None else f"group_{measure}",
            answer,
            arm,
            known.plan,
            condition=condition,
            class_=known.plan.positive,
            groups=name,
            reason=PLACEMENTS if measure == "auroc" else INFLUENCE,
        )
        for name, answer in zip(names, linear_answers(found, cells, len(names)), strict=True)
    ]


def ranking_contrast(
    of: Contributions,
    table: FloatArray,
    positive: NDArray[np.bool_],
    arm: Arm,
    cells: CodeArray,
    n_cells: int,
    known: Design,
) -> Linearised:
    """Contributions of parents, pruned models and controls, each pair on the examples of both.

    Args:
        of: Scores to contributions.
        table: float64 [models, examples], scores, NaN where there is none.
        positive: bool [examples].
        arm: The pruned models, each with a known parent.
        cells: int64 [examples].
        n_cells: Number of cells.
        known: Labels, weights, clusters.
    """
    usable = known.counted & (known.labels != NO_LABEL)
    shown = ~np.isnan(table[arm.parent]) & ~np.isnan(table[arm.pruned]) & usable

    def z(rows: CodeArray, inside: NDArray[np.bool_]) -> FloatArray:
        return np.stack(
            [
                of(np.where(own, table[row], np.nan), positive, cells, n_cells, known.weights)
                for row, own in zip(rows, inside, strict=True)
            ]
        )

    with_control = arm.controlled()
    control = None
    if len(with_control.pruned):
        inside = shown[arm.control >= 0]
        control = average_by_parent(z(with_control.control, inside), with_control.parent)
    both = Contrast(
        average_by_parent(z(arm.parent, shown), arm.parent),
        average_by_parent(z(arm.pruned, shown), arm.parent),
        control,
        known,
    )
    cell = np.maximum(cells, 0)
    of_class = [by_cell(shown * (one & (cells >= 0)), cell, n_cells) for one in
                (positive, ~positive)]  # fmt: skip
    smallest = np.minimum(*of_class).min(axis=0)
    size = (of_class[0] + of_class[1]).max(axis=0)
    return Linearised(both, smallest.astype(np.int64), size / np.maximum(smallest, 1.0))
