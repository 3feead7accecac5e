"""How often pruned models and their parents differ inside each group; no label is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audit.evidence.blocks import Evidence
from audit.judgement.agreement.flips import (
    Beside,
    controls_beside,
    flip_values,
    parents_beside,
    pruned_beside,
    with_control,
)
from audit.judgement.answers import answer_finding
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.inference.estimate import Estimate
from audit.judgement.inference.paired import paired_change_by_cell
from audit.judgement.pairs import Answer, Pairs, levels

AGAINST = "the change is against the controls: what pruning adds to more training"
ALONE = "no change is given: without controls nobody knows what more training alone flips"
OTHER_PARENTS = f"{ALONE}; `control` shows parents against each other"


def group_flips(found: Pairs, evidence: Evidence) -> list[Finding]:
    """`group_flip_rate` of every group of every single column, beside the controls or the floor.

    Args:
        found: The pairs.
        evidence: Group columns.
    """
    return [
        finding
        for division in groupings(evidence.examples, found.design.plan)
        if len(division.columns) == 1
        for finding in _of_division(found, division)
    ]


def _of_division(found: Pairs, division: Grouping) -> list[Finding]:
    known, size = found.design, len(division.names)
    values = flip_values("flip_rate", pruned_beside(found), known.labels)
    controls = controls_beside(found)
    floor: Beside | None = controls or parents_beside(found)
    beside: list[float | None] = [None] * size
    if floor is not None:
        churn = flip_values("flip_rate", floor, known.labels)
        beside = levels(churn, division.codes, size, known.weights)
    difference, read = values, OTHER_PARENTS if floor is not None else ALONE
    if controls is not None:
        churn = flip_values("flip_rate", controls, known.labels)
        difference, read = values[np.unique(with_control(found))] - churn, AGAINST
    estimates = paired_change_by_cell(
        difference,
        division.codes,
        size,
        weights=known.weights,
        clusters=known.clusters,
        level=1.0 - known.plan.alpha,
    )
    rates = levels(values, division.codes, size, known.weights)
    return [
        answer_finding(
            "group_flip_rate",
            Answer(one if controls is not None else _counts(one), None, rates[i], beside[i]),
            found.arm,
            known.plan,
            condition=found.condition,
            groups=division.names[i],
            reason=read,
        )
        for i, one in enumerate(estimates)
    ]


def _counts(found: Estimate) -> Estimate:
    """Who was asked, without an answer."""
    return replace(
        Estimate(),
        n=found.n,
        units=found.units,
        parents=found.parents,
        discordant=found.discordant,
        generalises_to=found.generalises_to,
    )
