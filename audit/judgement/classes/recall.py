"""What pruning did to each class: recall and normalised recall shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Block, Evidence
from audit.judgement.answers import answer_finding
from audit.judgement.classes.flips import flip_examples, flip_parents, parent_changes
from audit.judgement.classes.screen import rate_findings
from audit.judgement.classes.shares import share_findings
from audit.judgement.classes.unpaired import unpaired_classes
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.estimate import Estimate, shifted
from audit.judgement.inference.families import MOST_QUESTIONS, Family
from audit.judgement.inference.max_t import MaxT
from audit.judgement.inference.paired import paired_change_by_cell
from audit.judgement.pairs import (
    Answer,
    Contrast,
    Design,
    Pairs,
    answers,
    contrast,
    correct,
    design,
    overall,
    pairs,
)
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

CLASSES = "classes"
RATES = "class_precision"
SHARES = "class_shares"
PAIRED = "paired over parents, each model's recall less its own accuracy"
KNOWN_ACCURACY = "one parent: the change of accuracy is taken as known"


@dataclass(frozen=True, eq=False)
class _Case:
    """One arm's classes before correction; findings are in the order of the classes."""

    parents: IndexArray
    right: Contrast
    recall: list[Finding]
    shift: list[Finding]


def class_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Recall, normalised recall shift, precision and FPR of every class, for every arm.

    Args:
        block: Predictions under one condition.
        evidence: Labels, class names, models.
        arms: The pruned models; where none of an arm names its parent, its shifts are tested by
            Welch against all dense models and its other questions are not asked.
        plan: `alpha`, `minimum_n` (of positives), `resamples`, `seed`.

    Returns:
        The family `classes` (recall and shift), tier C, and the screens `class_precision`
        (precision and one-vs-rest false positive rate) and `class_shares` (how many classes lose
        and gain), tier D.
        Step-down max-T is used where a flip matches the claim and could open the family: shifts of
        many parents, and everything about single pairs. The rest is corrected by Holm.
    """
    known = design(evidence, plan)
    cases: list[_Case] = []
    unpaired: list[Finding] = []
    screen: list[Finding] = []
    shares: list[Finding] = []
    for arm in arms:
        found = pairs(block, arm, known)
        if found is None:
            unpaired += unpaired_classes(block, evidence, arm, known)
            continue
        cases.append(_case(found, evidence.classes))
        screen += rate_findings(found, evidence.classes)
        shares += share_findings(found, cases[-1].right, len(evidence.classes))
    parts = [*_corrected(cases, len(evidence.classes), known), unpaired]
    gated = [Family(CLASSES, "C", part) for part in parts]
    return [*gated, Family(RATES, "D", screen), Family(SHARES, "D", shares)]


def _case(found: Pairs, classes: Sequence[str]) -> _Case:
    right = contrast(found, correct(found.design.labels))
    recalls = answers(right, found.design.labels, len(classes))
    shifts = _shifts(right, recalls, found.design)
    read = PAIRED if len(right.parent) > 1 else KNOWN_ACCURACY
    return _Case(
        found.arm.parents,
        right,
        [_finding("recall", one, found, name) for one, name in zip(recalls, classes, strict=True)],
        [
            _finding("normalised_recall_shift", one, found, name, read)
            for one, name in zip(shifts, classes, strict=True)
        ],
    )


def _finding(
    measure: str, answer: Answer, found: Pairs, class_: str, reason: str | None = None
) -> Finding:
    plan, condition = found.design.plan, found.condition
    return answer_finding(
        measure, answer, found.arm, plan, condition=condition, class_=class_, reason=reason
    )


def _shifts(right: Contrast, recalls: Sequence[Answer], known: Design) -> list[Answer]:
    """Recall less accuracy before and after, and the change with a t over parents."""
    change, total = parent_changes(right, len(recalls), known)
    whole = overall(right)
    if len(right.parent) > 1:
        estimates = over_parents(change - total, known.plan.alpha)
    else:
        by = whole.estimate.change or 0.0
        estimates = [shifted(one.estimate, by) for one in recalls]
    return [
        Answer(
            replace(
                estimate,
                n=one.estimate.n,
                units=one.estimate.units,
                discordant=one.estimate.discordant,
            ),
            _less(one.parent, whole.parent),
            _less(one.pruned, whole.pruned),
            _less(one.control, whole.control),
        )
        for estimate, one in zip(estimates, recalls, strict=True)
    ]


def over_parents(change: FloatArray, alpha: float) -> list[Estimate]:
    """A paired t over parents per question (new training runs, these inputs).

    Args:
        change: float64 [parents, questions], NaN where a parent has no answer.
        alpha: The interval covers 1 − alpha.
    """
    questions = change.shape[1]
    return paired_change_by_cell(
        change, np.arange(questions), questions, generalises_to="seeds", level=1.0 - alpha
    )


def _less(value: float | None, by: float | None) -> float | None:
    return None if value is None or by is None else value - by


def _corrected(cases: Sequence[_Case], classes: int, known: Design) -> tuple[list[Finding], ...]:
    """Recalls and shifts of all arms, in the parts that are corrected each on their own."""
    recall = [f for case in cases for f in case.recall]
    shift = [f for case in cases for f in case.shift]
    right, parents = [case.right for case in cases], [case.parents for case in cases]
    smallest = min((rows.size for rows in parents), default=0)
    if max((rows.size for rows in parents), default=0) == 1:
        found = flip_examples(right, classes, _asked(recall + shift), known)
        unit = "examples" if known.clusters is None else "clusters"
        return (_with_max_t(recall + shift, found, unit),)
    if 2.0 / 2.0**smallest * MOST_QUESTIONS <= known.plan.alpha:
        found = flip_parents(right, parents, classes, _asked(shift), known)
        return recall, _with_max_t(shift, found, "parents")
    return recall, shift


def _asked(findings: Sequence[Finding]) -> NDArray[np.bool_]:
    return np.array([finding.p is not None for finding in findings], dtype=np.bool_)


def _with_max_t(findings: Sequence[Finding], found: MaxT, unit: str) -> list[Finding]:
    how = f"p_adjusted: step-down max-T, flipping the signs of {found.units} {unit}"
    return [
        finding
        if finding.p is None
        else replace(
            finding,
            p_adjusted=float(p),
            p_floor=max(finding.p_floor or 0.0, found.p_floor),
            reason=f"{finding.reason}; {how}" if finding.reason else how,
        )
        for finding, p in zip(findings, found.p_adjusted, strict=True)
    ]
