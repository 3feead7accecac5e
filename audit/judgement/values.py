"""What pruning did to a quality of each answer that is no class: Dice, an error, a likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, Block, Evidence
from audit.judgement.accuracy import UNPAIRED
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm, dense
from audit.judgement.findings import Direction, Finding
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.inference.families import Family
from audit.judgement.inference.paired import EMPTY
from audit.judgement.pairs import Contrast, Design, answers, contrast_of, design, levels
from audit.judgement.plan import Plan, ValueColumn

FAMILY = "values"
SCREEN = "value_screen"
NOBODY = (
    "no example has a value of the parents' and of the pruned models' answers: add them to the "
    "column `value`"
)

FloatArray = NDArray[np.float64]


def value_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """The mean of the column `value`, beside parents and controls: of everybody, and of groups.

    Each change is the mean of pruned − parent over examples, by the same inference over parents ×
    examples as every rate; no example has to have a label or a predicted class. An example without
    a value of both models is in neither mean.

    Args:
        block: Predictions under any condition.
        evidence: Group columns and models.
        arms: The pruned models.
        plan: `value` says which way is better, and how far one example can move; `groups`.

    Returns:
        Of clean examples the family `values`, tier B (`value`, and `group_value` of single
        columns); the screen `value_screen` of crossed columns, and of everybody under a shift.
        Nothing where there is no such column.
    """
    if block.value is None:
        return []
    known, values = design(evidence, plan), block.value.astype(np.float64)
    main: list[Finding] = []
    crossed: list[Finding] = []
    for arm in arms:
        found = contrast_of(values, arm, known)
        if found is None:
            main.append(_unpaired(values, block, evidence, arm, known))
            continue
        everybody = np.zeros(values.shape[1], dtype=np.int64)
        main += _findings("value", found, everybody, [None], arm, block)
        for division in groupings(evidence.examples, plan) if block.condition == CLEAN else ():
            of = main if len(division.columns) == 1 else crossed
            of += group_values(found, division, arm, block)
    if block.condition != CLEAN:
        return [Family(SCREEN, "D", main)]
    return [Family(FAMILY, "B", main), Family(SCREEN, "D", crossed)]


def group_values(found: Contrast, division: Grouping, arm: Arm, block: Block) -> list[Finding]:
    """The mean value of every group of one division, for one arm."""
    return _findings("group_value", found, division.codes, division.names, arm, block)


def shifted_group_values(
    block: Block, evidence: Evidence, arm: Arm, known: Design
) -> list[Finding]:
    """The mean value of every group under any condition, where a limit asks for it."""
    found = None
    if block.value is not None:
        found = contrast_of(block.value.astype(np.float64), arm, known)
    if found is None:
        return []
    divisions = groupings(evidence.examples, known.plan)
    return [f for division in divisions for f in group_values(found, division, arm, block)]


def _findings(
    measure: str,
    found: Contrast,
    cells: NDArray[np.int64],
    names: Sequence[str | None],
    arm: Arm,
    block: Block,
) -> list[Finding]:
    plan = found.design.plan
    each = answers(found, cells, len(names), [plan.value.scale] * len(names))
    out = []
    for name, answer in zip(names, each, strict=True):
        if answer.estimate.reason == EMPTY:
            answer = replace(answer, estimate=replace(answer.estimate, reason=NOBODY))
        finding = answer_finding(
            measure,
            answer,
            arm,
            plan,
            condition=block.condition,
            groups=name,
            reason=_what(plan.value),
        )
        out.append(replace(finding, worse_direction=worse(plan.value)))
    return out


def worse(column: ValueColumn) -> Direction:
    """Which way the column gets worse."""
    return "down" if column.better == "up" else "up"


def _what(column: ValueColumn) -> str | None:
    """What the value is, where the plan says so."""
    return None if column.name == ValueColumn().name else f"the value is {column.name}"


def _unpaired(
    values: FloatArray, block: Block, evidence: Evidence, arm: Arm, known: Design
) -> Finding:
    """Its own mean and that of the dense models, where nobody knows who was made from whom."""
    cells = (known.counted - 1).astype(np.int64)
    parent, pruned = (
        levels(values[rows], cells, 1, known.weights)[0]
        for rows in (dense(evidence.models), arm.pruned)
    )
    question = asked("value", arm, condition=block.condition)
    return replace(
        question,
        parent=parent,
        pruned=pruned,
        worse_direction=worse(known.plan.value),
        outcome="not_asked",
        reason=UNPAIRED,
    )
