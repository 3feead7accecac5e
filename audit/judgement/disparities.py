"""Disparities between groups as Fairlearn defines them, and what pruning added to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Evidence
from audit.judgement.answers import asked
from audit.judgement.design import Arm
from audit.judgement.families import Family
from audit.judgement.findings import Finding
from audit.judgement.groups import Grouping, groupings
from audit.judgement.pairs import Design, Pairs, design, pairs
from audit.judgement.plan import Plan
from audit.judgement.rates import Counts, count, false_positive_rate, recall, selection_rate

FloatArray = NDArray[np.float64]

NO_INTERVAL = (
    "a largest difference between groups is never negative, so it has no interval: see each group"
)


def demographic_parity_difference(counts: Counts, class_: int) -> FloatArray:
    """Largest less smallest selection rate of the groups, [models]; NaN under two groups."""
    return spread(selection_rate(counts, class_))


def equalised_odds_difference(counts: Counts, class_: int) -> FloatArray:
    """The larger of the groups' spreads in TPR and in FPR, [models] (Fairlearn's worst case).

    A group in which a rate is undefined has no part in its spread, where Fairlearn counts it as 0.
    """
    return np.fmax(spread(recall(counts, class_)), spread(false_positive_rate(counts, class_)))


def spread(rates: FloatArray) -> FloatArray:
    """Largest less smallest defined rate of every row, NaN where fewer than two are defined."""
    defined = ~np.isnan(rates)
    high = np.where(defined, rates, -np.inf).max(axis=1)
    low = np.where(defined, rates, np.inf).min(axis=1)
    out = np.full(len(rates), np.nan)
    np.subtract(high, low, out=out, where=defined.sum(axis=1) > 1)
    return out


def disparity_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """`disparity_findings`, screened."""
    return [Family("disparities", "D", disparity_findings(block, evidence, arms, plan))]


def disparity_findings(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Finding]:
    """Both disparities of every single group column; nothing without a positive class.

    Args:
        block: Predictions under one condition.
        evidence: Labels, group columns, class names.
        arms: The pruned models.
        plan: Groups and positive class.
    """
    if plan.positive is None:
        return []
    known = design(evidence, plan)
    positive, n_classes = evidence.classes.index(plan.positive), len(evidence.classes)
    out = []
    for arm in arms:
        found = pairs(block, arm, known)
        for division in groupings(evidence.examples, plan) if found else ():
            if found is not None and len(division.columns) == 1:
                out += _findings(found, division, positive, n_classes, known)
    return out


def _findings(
    found: Pairs, division: Grouping, positive: int, n_classes: int, known: Design
) -> list[Finding]:
    owner = found.arm.parent
    sides = [
        None if predicted is None else _counts(predicted, division, n_classes, known)
        for predicted in (found.parent, found.pruned, found.control)
    ]
    out = []
    for measure, of in (
        ("demographic_parity_difference", demographic_parity_difference),
        ("equalised_odds_difference", equalised_odds_difference),
    ):
        owners = (owner, owner, found.control_parent)
        parent, pruned, control = (
            None if side is None else _mean_of_parents(of(side, positive), who)
            for side, who in zip(sides, owners, strict=True)
        )
        question = asked(
            measure,
            found.arm,
            condition=found.condition,
            class_=known.plan.positive,
            subject=division.label,
        )
        defined = parent is not None and pruned is not None
        out.append(
            replace(
                question,
                parent=parent,
                pruned=pruned,
                control=control,
                change=pruned - parent if parent is not None and pruned is not None else None,
                n=int(((found.pruned != NOT_SHOWN).any(axis=0) & (known.labels >= 0)).sum()),
                parents=len(found.arm.parents),
                outcome="no_limit" if defined else "not_asked",
                reason=NO_INTERVAL if defined else "fewer than two groups have a rate to compare",
            )
        )
    return out


def _counts(
    predicted: NDArray[np.integer], division: Grouping, n_classes: int, known: Design
) -> Counts:
    return count(
        predicted, known.labels, division.codes, len(division.names), n_classes, known.weights
    )


def _mean_of_parents(values: FloatArray, owner: NDArray[np.int64]) -> float | None:
    """Mean over parents of the mean over their models; None where none is defined."""
    defined = ~np.isnan(values)
    if not defined.any():
        return None
    _, code = np.unique(owner[defined], return_inverse=True)
    return float(np.mean(np.bincount(code, values[defined]) / np.bincount(code)))
