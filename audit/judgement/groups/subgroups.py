"""What pruning did to each group: rates, their change, and how far each falls behind everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.answers import answer_finding
from audit.judgement.classes.in_groups import class_group_findings
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.groups.excess_gap import excess_gaps
from audit.judgement.groups.further_rates import base_rate_findings, gaps, precision_and_gaps
from audit.judgement.groups.worst_of_groups import FURTHER, worst_gap_families
from audit.judgement.inference.families import Family, holm
from audit.judgement.pairs import (
    Design,
    Pairs,
    Value,
    answers,
    contrast,
    correct,
    design,
    pairs,
)
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]

FAMILY = "groups"
SCREEN = "group_screen"
MACRO = "mean over classes, one against the rest"


@dataclass(frozen=True)
class Rate:
    """A rate as a mean over examples.

    Attributes:
        measure: Its name.
        value: Per-example value, NaN outside the denominator.
        class_: The class it is about, by name.
        scale: [groups], largest value that one example can take; None where it is 1.
        reason: How it is to be read.
    """

    measure: str
    value: Value
    class_: str | None = None
    scale: Sequence[float] | None = None
    reason: str | None = None


def subgroup_findings(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Every group's rates under one condition, and by how much its loss exceeds everybody's.

    Single columns form the gated family `groups`; crossings, and each class within each group, are
    screened. One positive class makes the rates binary; without one they are means over classes,
    one against the rest.

    Args:
        block: Predictions under one condition.
        evidence: Labels, group columns, class names.
        arms: The pruned models.
        plan: Groups, positive class, smallest denominator.
    """
    divisions = groupings(evidence.examples, plan)
    known = design(evidence, plan)
    main: list[Finding] = []
    screen: list[Finding] = []
    further: list[Finding] = []
    shown = (block.predicted != NOT_SHOWN).any(axis=0)
    for division in divisions if any(len(arm.parents) for arm in arms) else ():
        if plan.positive is not None or screened(division, evidence.classes, plan):
            further += base_rate_findings(known, division, evidence.classes, shown)
    for arm in arms:
        found = pairs(block, arm, known)
        if found is None:
            continue
        for division in divisions:
            single = len(division.columns) == 1
            (main if single else screen).extend(group_findings(found, division, evidence.classes))
            further += further_findings(found, division, evidence.classes)
            if single and plan.positive is None and screened(division, evidence.classes, plan):
                screen += class_group_findings(found, division, evidence.classes)
    p = [finding.p for finding in main if finding.p is not None]
    return [
        Family(FAMILY, "C", main, float(holm(p).min()) if p else None),
        *worst_gap_families(block, evidence, arms, plan, FAMILY),
        Family(SCREEN, "D", screen),
        Family(FURTHER, "D", further),
    ]


def screened(division: Grouping, classes: Sequence[str], plan: Plan) -> bool:
    """Whether classes × groups of this division are few enough to be screened cell by cell."""
    return len(classes) * len(division.names) <= plan.screen_cells


def group_findings(found: Pairs, division: Grouping, classes: Sequence[str]) -> list[Finding]:
    """Rates and excess gap of every group of one division, for one arm."""
    plan = found.design.plan
    rates = main_rates(found.design, division, classes)
    out = [finding for rate in rates for finding in rate_findings(found, division, rate)]
    accuracy = contrast(found, correct(found.design.labels))
    for name, answer in zip(division.names, excess_gaps(accuracy, division), strict=True):
        out.append(
            answer_finding(
                "excess_gap", answer, found.arm, plan, condition=found.condition, groups=name
            )
        )
    return out


def further_findings(found: Pairs, division: Grouping, classes: Sequence[str]) -> list[Finding]:
    """TPR, precision and the excess gaps of rates, for one arm; they are screened."""
    if found.design.plan.positive is None:
        fnr = _macro_rates(found.design, division, len(classes))[0]
        tpr = Rate("group_tpr", lambda predicted: 1.0 - fnr.value(predicted), reason=MACRO)
    else:
        positive = found.design.plan.positive
        value = gaps(found.design, classes.index(positive))[0].value
        tpr = Rate("group_tpr", value, positive)
    own = rate_findings(found, division, tpr)
    return own + precision_and_gaps(found, division, classes)


def main_rates(known: Design, division: Grouping, classes: Sequence[str]) -> list[Rate]:
    """Accuracy, FPR and FNR, and the selection rate where there is a positive class."""
    accuracy = Rate("group_accuracy", correct(known.labels))
    if known.plan.positive is not None:
        positive = classes.index(known.plan.positive)
        return [accuracy, *class_rates(known.labels, positive, known.plan.positive)]
    return [accuracy, *_macro_rates(known, division, len(classes))]


def class_rates(labels: CodeArray, class_: int, name: str) -> list[Rate]:
    """FNR, FPR and selection rate of one class against the rest.

    The FPR is conditioned on the true negative class: those of the class are not in it.
    """
    of_class = labels == class_
    labelled = labels != NO_LABEL

    def share(taken: bool, among: NDArray[np.bool_]) -> Value:
        def value(predicted: IntArray) -> FloatArray:
            hit = ((predicted == class_) == taken).astype(np.float64)
            return np.where((predicted == NOT_SHOWN) | ~among, np.nan, hit)

        return value

    return [
        Rate("group_fnr", share(False, of_class), name),
        Rate("group_fpr", share(True, labelled & ~of_class), name),
        Rate("group_selection_rate", share(True, labelled), name),
    ]


def rate_findings(found: Pairs, division: Grouping, rate: Rate) -> list[Finding]:
    """One rate in every group of a division, for one arm."""
    cells, names = division.codes, division.names
    each = answers(contrast(found, rate.value), cells, len(names), rate.scale)
    return [
        answer_finding(
            rate.measure,
            answer,
            found.arm,
            found.design.plan,
            condition=found.condition,
            class_=rate.class_,
            groups=name,
            reason=rate.reason,
        )
        for name, answer in zip(names, each, strict=True)
    ]


def _macro_rates(known: Design, division: Grouping, n_classes: int) -> list[Rate]:
    """Mean FPR and FNR over classes as means over examples.

    An error on an example of class y taken for k adds 1 / negatives of k to the FPR of k, and
    1 / positives of y to the FNR of y; weighing it by those and by the group's size makes the class
    average a mean over the group's examples, so that one inference serves every rate.
    """
    labels, groups, n_groups = known.labels, division.codes, len(division.names)
    counted = (labels != NO_LABEL) & known.counted
    flat = groups[counted] * n_classes + labels[counted]
    weights = None if known.weights is None else known.weights[counted]
    table = np.bincount(flat, weights, n_groups * n_classes).astype(np.float64)
    table = table.reshape(n_groups, n_classes)
    total = table.sum(axis=1, keepdims=True)
    of_label, of_taken = _per_error(table, total), _per_error(total - table, total)

    def value(weigh: Callable[[IntArray], FloatArray]) -> Value:
        def errors(predicted: IntArray) -> FloatArray:
            wrong = np.where(predicted != labels, weigh(predicted), 0.0)
            return np.where((predicted == NOT_SHOWN) | (labels == NO_LABEL), np.nan, wrong)

        return errors

    return [
        Rate(
            "group_fnr",
            value(lambda predicted: of_label[groups, labels][None, :]),
            reason=MACRO,
        ),
        Rate(
            "group_fpr",
            value(lambda predicted: of_taken[groups[None, :], predicted]),
            scale=_largest(of_taken),
            reason=MACRO,
        ),
    ]


def _per_error(denominator: FloatArray, total: FloatArray) -> FloatArray:
    """[groups, classes]: what one error adds to the class average, times the group's size."""
    defined = denominator > 0
    inverse = np.divide(total, denominator, out=np.zeros(denominator.shape), where=defined)
    out: FloatArray = inverse / np.maximum(defined.sum(axis=1, keepdims=True), 1)
    return out


def _largest(table: FloatArray) -> list[float]:
    largest = table.max(axis=1)
    return [float(value) for value in np.where(largest > 0, largest, 1.0)]
