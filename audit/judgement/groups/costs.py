"""What errors cost, in the units of the person who states them, and what pruning adds to it.

The expected cost of an answer is C(FP) · P(false positive) + C(FN) · P(false negative), the cost
matrix of Elkan, "The Foundations of Cost-Sensitive Learning" (2001), with nothing on its diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.inference.families import Family
from audit.judgement.pairs import Pairs, Value, answers, contrast, design, pairs
from audit.judgement.plan import Costs, Plan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]

FAMILY = "costs"


def cost_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """The expected cost of everybody, and of every group where the examples are clean; screened.

    Args:
        block: Predictions under one condition.
        evidence: Labels, group columns, class names.
        arms: The pruned models.
        plan: `costs` and `positive`; without either, nothing is asked.
    """
    if plan.costs is None or plan.positive is None:
        return []
    known, clean = design(evidence, plan), block.condition == CLEAN
    divisions = groupings(evidence.examples, plan) if clean else ()
    out: list[Finding] = []
    for arm in arms:
        found = pairs(block, arm, known)
        if found is not None:
            out += cost_findings(found, None, evidence.classes)
            for division in divisions:
                out += cost_findings(found, division, evidence.classes)
    return [Family(FAMILY, "D", out)]


def cost_findings(found: Pairs, division: Grouping | None, classes: Sequence[str]) -> list[Finding]:
    """Expected cost of one arm, of every group of a division or, where None, of everybody."""
    plan = found.design.plan
    if plan.costs is None or plan.positive is None:
        return []
    labels = found.design.labels
    value = cost(labels, classes.index(plan.positive), plan.costs)
    everybody = np.zeros(labels.size, dtype=np.int64)
    names: Sequence[str | None] = [None] if division is None else division.names
    cells = everybody if division is None else division.codes
    largest = max(plan.costs.false_positive, plan.costs.false_negative) or 1.0
    each = answers(contrast(found, value), cells, len(names), [largest] * len(names))
    return [
        answer_finding(
            "expected_cost",
            answer,
            found.arm,
            plan,
            condition=found.condition,
            class_=plan.positive,
            groups=name,
        )
        for name, answer in zip(names, each, strict=True)
    ]


def cost(labels: CodeArray, positive: int, costs: Costs) -> Value:
    """What each answer costs, [models, examples]; NaN where it or the label is unknown."""
    of_class, unknown = labels == positive, labels == NO_LABEL

    def value(predicted: IntArray) -> FloatArray:
        taken = predicted == positive
        spent = costs.false_positive * (taken & ~of_class)
        spent = spent + costs.false_negative * (~taken & of_class)
        return np.where((predicted == NOT_SHOWN) | unknown, np.nan, spent)

    return value
