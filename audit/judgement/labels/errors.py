"""Suspected label errors as findings: how many there are, and what accuracy is without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Block, Condition, Evidence
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import groupings
from audit.judgement.inference.families import Family
from audit.judgement.inference.proportions import wilson
from audit.judgement.labels.corrected import corrected_findings
from audit.judgement.labels.suspicion import Suspicion
from audit.judgement.pairs import Answer, Design, answers, contrast, correct, design, pairs
from audit.judgement.plan import Plan

BoolArray = NDArray[np.bool_]
CodeArray = NDArray[np.int64]

LABELS = "labels"
NAMES = ("accuracy_off_suspects", "accuracy_on_suspects")
SUSPECTED = (
    "a suspicion is no proof: by confident learning on the mean probabilities of {models}, held "
    "out from training"
)
ESTIMATED = "by the confident joint {share:.2%} of all labels are wrong"
BELIEVED = (
    "the parents' own probabilities say which labels are suspected, so parents agree with the "
    "others by construction, and nothing is tested"
)


def label_families(
    block: Block,
    evidence: Evidence,
    arms: Sequence[Arm],
    plan: Plan,
    suspects: Suspicion | None,
) -> list[Family]:
    """What wrong labels do to the audit: suspected ones, and, where stated, corrected ones.

    Args:
        block: Predictions under one condition.
        evidence: Labels, corrected labels, groups, class names, models.
        arms: The pruned models.
        plan: Groups and level.
        suspects: Suspected label errors; None where no probabilities are recorded.

    Returns:
        The screen `labels`, tier D.
    """
    known = design(evidence, plan)
    findings = corrected_findings(block, evidence, arms, known)
    if suspects is not None and suspects.known.any():
        findings += _shares(block.condition, evidence, known, suspects)
        for arm in arms:
            findings += _accuracies(block, arm, known, suspects)
    return [Family(LABELS, "D", findings)]


def _shares(
    condition: Condition, evidence: Evidence, known: Design, suspects: Suspicion
) -> list[Finding]:
    """`label_error_share` of everybody, of every class and of every group."""
    models = len(suspects.opinion.owners)
    said = SUSPECTED.format(models="one parent" if models == 1 else f"{models} parents")
    whole = said
    if suspects.estimated is not None:
        whole = f"{said}; {ESTIMATED.format(share=suspects.estimated)}"
    inside = suspects.known & known.counted
    everybody = np.zeros(inside.size, dtype=np.int64)
    question = asked("label_error_share", None, condition=condition)
    out = [replace(_share(question, everybody == 0, inside, known, suspects), reason=whole)]
    for code, name in enumerate(evidence.classes):
        of_class = asked("label_error_share", None, condition=condition, class_=name)
        here = known.labels == code
        if (here & inside).any():
            out.append(replace(_share(of_class, here, inside, known, suspects), reason=said))
    for division in groupings(evidence.examples, known.plan):
        for code, name in enumerate(division.names if len(division.columns) == 1 else ()):
            of_group = asked("label_error_share", None, condition=condition, groups=name)
            here = division.codes == code
            if (here & inside).any():
                out.append(replace(_share(of_group, here, inside, known, suspects), reason=said))
    return out


def _share(
    question: Finding, here: BoolArray, inside: BoolArray, known: Design, suspects: Suspicion
) -> Finding:
    """A share of labels, as a value of the parents, whose population suspects them."""
    some = here & inside
    weights = None if known.weights is None else known.weights[some]
    share = float(np.average(suspects.suspected[some], weights=weights))
    finding = replace(
        question,
        parent=share,
        n=int(some.sum()),
        parents=len(suspects.opinion.owners),
        discordant=int(suspects.suspected[some].sum()),
        generalises_to="examples",
    )
    if known.weights is not None or known.clusters is not None:
        return finding
    level = 1.0 - known.plan.alpha
    low, high = wilson(int(suspects.suspected[some].sum()), int(some.sum()), level)
    return replace(finding, low=float(low), high=float(high))


def _accuracies(block: Block, arm: Arm, known: Design, suspects: Suspicion) -> list[Finding]:
    """Accuracy where nobody suspects the label, and where it is suspected."""
    found = pairs(block, arm, known)
    if found is None:
        return []
    right = contrast(found, correct(known.labels))
    cells = np.where(suspects.known, suspects.suspected.astype(np.int64), -1)
    return [
        _described(measure, answer, arm, block.condition, known.plan)
        for measure, answer in zip(NAMES, answers(right, cells, len(NAMES)), strict=True)
    ]


def _described(measure: str, answer: Answer, arm: Arm, condition: Condition, plan: Plan) -> Finding:
    """The values and the interval; the choice of the examples takes every claim away."""
    finding = answer_finding(measure, answer, arm, plan, condition=condition, reason=BELIEVED)
    return replace(finding, p=None, p_floor=None, examples_p=None, detectable=None)
