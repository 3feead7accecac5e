"""What pruning did to accuracy over everybody, under one condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.evidence.blocks import CLEAN, Block, Evidence
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm, dense
from audit.judgement.findings import Finding
from audit.judgement.inference.families import Family
from audit.judgement.pairs import contrast, correct, design, levels, overall, pairs
from audit.judgement.plan import Plan

ACCURACY = "accuracy"
SHIFTED = "shifted_accuracy"
UNPAIRED = "not asked: no pruned model names its parent; add the column `parent`"


def accuracy_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Accuracy of every arm beside its parents and controls.

    Args:
        block: Predictions under any condition.
        evidence: Labels and models.
        arms: The pruned models; where none of an arm names its parent, its own accuracy and that of
            the dense models are given and the change is not asked.
        plan: `alpha`, `minimum_n`.

    Returns:
        One family, tier B: `accuracy` on clean examples, else `shifted_accuracy`, which pools the
        conditions when families are corrected.
    """
    known = design(evidence, plan)
    findings: list[Finding] = []
    for arm in arms:
        found = pairs(block, arm, known)
        if found is None:
            findings.append(_unpaired(block, evidence, arm, plan))
            continue
        answer = overall(contrast(found, correct(known.labels)))
        findings.append(answer_finding("accuracy", answer, arm, plan, condition=block.condition))
    return [Family(ACCURACY if block.condition == CLEAN else SHIFTED, "B", findings)]


def _unpaired(block: Block, evidence: Evidence, arm: Arm, plan: Plan) -> Finding:
    known = design(evidence, plan)
    right = correct(known.labels)
    cell = (known.counted - 1).astype("int64")
    parent, pruned = (
        levels(right(block.predicted[rows]), cell, 1, known.weights)[0]
        for rows in (dense(evidence.models), arm.pruned)
    )
    question = asked("accuracy", arm, condition=block.condition)
    return replace(question, parent=parent, pruned=pruned, outcome="not_asked", reason=UNPAIRED)
