"""Groups compared within the levels of control features: like with like, level by level.

A control feature (Fairlearn's word) is a column that may rightly explain a difference between
groups. Rates are then given for each group in each level, and a group is held to everybody of its
own level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit.evidence.blocks import Block, Evidence
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.control_features import control_levels
from audit.judgement.groups.divisions import Grouping, cross, groupings
from audit.judgement.groups.excess_gap import excess_gaps
from audit.judgement.groups.subgroups import main_rates, rate_findings
from audit.judgement.inference.families import Family
from audit.judgement.pairs import Pairs, contrast, correct, design, pairs
from audit.judgement.plan import Plan

FAMILY = "control_features"


def control_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Rates and excess gaps of every single group column within every control level, screened.

    Args:
        block: Predictions under one condition.
        evidence: Labels, group and control columns, class names.
        arms: The pruned models.
        plan: Groups and control features; without any of these nothing is asked.
    """
    control = control_levels(evidence.examples, plan)
    if control is None:
        return []
    known = design(evidence, plan)
    found = [pair for arm in arms if (pair := pairs(block, arm, known)) is not None]
    singles = [d for d in groupings(evidence.examples, plan) if len(d.columns) == 1]
    return [
        Family(
            FAMILY,
            "D",
            [
                finding
                for pair in found
                for division in singles
                for finding in level_findings(pair, division, control, evidence.classes)
            ],
        )
    ]


def level_findings(
    found: Pairs, division: Grouping, control: Grouping, classes: Sequence[str]
) -> list[Finding]:
    """Every group's rates in every level, and its excess gap to everybody of that level."""
    crossed = cross([division, control])
    out = [
        finding
        for rate in main_rates(found.design, crossed, classes)
        for finding in rate_findings(found, crossed, rate)
    ]
    accuracy = contrast(found, correct(found.design.labels))
    for level, level_name in enumerate(control.names):
        inside = control.codes == level
        own = replace(
            accuracy,
            parent=np.where(inside, accuracy.parent, np.nan),
            pruned=np.where(inside, accuracy.pruned, np.nan),
            control=None
            if accuracy.control is None
            else np.where(inside, accuracy.control, np.nan),
        )
        for group, answer in enumerate(excess_gaps(own, division)):
            there = np.flatnonzero(inside & (division.codes == group))
            if there.size:
                out.append(
                    answer_finding(
                        "excess_gap",
                        answer,
                        found.arm,
                        found.design.plan,
                        condition=found.condition,
                        groups=crossed.names[crossed.codes[there[0]]],
                        reason=f"beyond what everybody of {level_name} loses",
                    )
                )
    return out
