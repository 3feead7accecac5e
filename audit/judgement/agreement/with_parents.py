"""How often a pruned model predicts otherwise than its parent, beside how often a control does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.agreement.dense_floor import parents_beside_each_other
from audit.judgement.agreement.flips import (
    Beside,
    controls_beside,
    flip_values,
    kappa_values,
    parents_beside,
    pruned_beside,
    with_control,
)
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.flips import group_flips
from audit.judgement.inference.estimate import Estimate
from audit.judgement.inference.families import Family
from audit.judgement.inference.paired import paired_change
from audit.judgement.inference.proportions import mcnemar_exact, mcnemar_floor, newcombe
from audit.judgement.pairs import Answer, Design, Pairs, design, levels, pairs
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]

AGREEMENT = "agreement"
RATES = ("flip_rate", "agreement", "harmed_rate", "mended_rate")
MEASURES = (*RATES, "net_harm_rate", "kappa")
AGAINST = "the change is pruned less control: what pruning adds to more training"
NO_CONTROLS = "no change is given: without controls nobody knows what more training alone flips"
OTHER_PARENTS = f"{NO_CONTROLS}; `control` shows parents against each other"
LOST = "the change is accuracy lost, pruned less parent"
EXACT = "one pair of models: exact McNemar, Newcombe's interval"
UNPAIRED = "not asked: no pruned model names its parent; add the column `parent`"


def agreement_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Flips, split into harmed and mended, agreement, Cohen's kappa and net harm, for every arm.

    Flips are asked of every group too, and once of parents among each other: how far two models lie
    apart that were trained alike.

    Args:
        block: Predictions under one condition.
        evidence: Labels, groups and models.
        arms: The pruned models; an arm that names no parent is not asked.
        plan: `alpha`, `minimum_n`.

    Returns:
        The screen `agreement`, tier D.
    """
    known = design(evidence, plan)
    findings: list[Finding] = []
    for arm in arms:
        found = pairs(block, arm, known)
        if found is None:
            questions = [asked(measure, arm, condition=block.condition) for measure in MEASURES]
            findings += [replace(q, outcome="not_asked", reason=UNPAIRED) for q in questions]
            continue
        findings += [_rate(measure, found) for measure in RATES]
        findings += [_net_harm(found), _kappa(found, len(evidence.classes))]
        findings += group_flips(found, evidence)
    findings += parents_beside_each_other(block, evidence, known)
    return [Family(AGREEMENT, "D", findings)]


def _rate(measure: str, found: Pairs) -> Finding:
    known, controls = found.design, controls_beside(found)
    values = flip_values(measure, pruned_beside(found), known.labels)
    floor = _floor(found)
    beside = None if floor is None else _level(flip_values(measure, floor, known.labels), known)
    flips = flip_values("flip_rate", pruned_beside(found), known.labels)
    estimate = _counts(flips if measure == "agreement" else values, known)
    if controls is not None:
        churn = flip_values(measure, controls, known.labels)
        estimate = _estimate(values[np.unique(with_control(found))] - churn, known)
    answer = Answer(estimate, None, _level(values, known), beside)
    return _finding(measure, found, answer, _read(found))


def _kappa(found: Pairs, classes: int) -> Finding:
    """Kappa is no mean over examples, so it is tested over parents."""
    known, controls = found.design, controls_beside(found)
    values = kappa_values(pruned_beside(found), classes, known.weights)
    floor = _floor(found)
    beside = None if floor is None else _mean(kappa_values(floor, classes, known.weights))
    estimate = _counts(flip_values("flip_rate", pruned_beside(found), known.labels), known)
    if controls is not None:
        churn = kappa_values(controls, classes, known.weights)
        tested = paired_change(
            values[np.unique(with_control(found))] - churn,
            generalises_to="seeds",
            level=1.0 - known.plan.alpha,
        )
        estimate = replace(
            tested, n=estimate.n, units=estimate.units, discordant=estimate.discordant
        )
    return _finding("kappa", found, Answer(estimate, None, _mean(values), beside), _read(found))


def _net_harm(found: Pairs) -> Finding:
    """Harmed less mended; one pair of models is tested on its flips alone."""
    known, controls, pruned = found.design, controls_beside(found), pruned_beside(found)
    values = flip_values("net_harm_rate", pruned, known.labels)
    beside = None
    if controls is not None:
        beside = _level(flip_values("net_harm_rate", controls, known.labels), known)
    estimate, read = _estimate(values, known), LOST
    if len(pruned.owner) == 1 and known.weights is None and known.clusters is None:
        estimate, read = _exact(estimate, pruned, known), f"{LOST}; {EXACT}"
    answer = Answer(estimate, None, estimate.change, beside)
    return _finding("net_harm_rate", found, answer, read)


def _exact(estimate: Estimate, pair: Beside, known: Design) -> Estimate:
    """Exact McNemar and Newcombe's interval of the accuracy that one pair lost."""
    some = (known.labels != NO_LABEL) & (pair.parent[0] != NOT_SHOWN)
    if not some.any():
        return estimate
    before = pair.parent[0][some] == known.labels[some]
    after = pair.other[0][some] == known.labels[some]
    harmed, mended = int((before & ~after).sum()), int((~before & after).sum())
    both, neither = int((before & after).sum()), int((~before & ~after).sum())
    low, high = newcombe(both, harmed, mended, neither, 1.0 - known.plan.alpha)
    return replace(
        estimate,
        low=-float(high),
        high=-float(low),
        p=float(mcnemar_exact(harmed, mended)),
        p_floor=float(mcnemar_floor(harmed + mended)),
        reason=None,
    )


def _floor(found: Pairs) -> Beside | None:
    """What to show beside: the controls, else parents against each other."""
    return controls_beside(found) or parents_beside(found)


def _read(found: Pairs) -> str:
    if found.control is not None:
        return AGAINST
    return OTHER_PARENTS if len(found.arm.parents) > 1 else NO_CONTROLS


def _estimate(difference: FloatArray, known: Design) -> Estimate:
    return paired_change(
        difference,
        weights=known.weights,
        clusters=known.clusters,
        level=1.0 - known.plan.alpha,
    )


def _counts(values: FloatArray, known: Design) -> Estimate:
    """Who was asked, without an answer."""
    counted = _estimate(values, known)
    return Estimate(
        n=counted.n,
        units=counted.units,
        parents=counted.parents,
        discordant=counted.discordant,
        generalises_to=counted.generalises_to,
    )


def _level(values: FloatArray, known: Design) -> float | None:
    everybody = np.zeros(values.shape[1], dtype=np.int64)
    return levels(values, everybody, 1, known.weights)[0]


def _mean(values: FloatArray) -> float | None:
    return levels(values, np.zeros(1, dtype=np.int64), 1, None)[0]


def _finding(measure: str, found: Pairs, answer: Answer, read: str) -> Finding:
    plan, condition = found.design.plan, found.condition
    return answer_finding(measure, answer, found.arm, plan, condition=condition, reason=read)
