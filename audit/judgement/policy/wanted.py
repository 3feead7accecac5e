"""What a policy asks beyond the standing questions: floors, ceilings, and limits under a shift."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Block, Condition, Evidence
from audit.judgement.agreement.flips import flip_values, pruned_beside
from audit.judgement.answers import answer_finding, asked
from audit.judgement.classes.in_groups import class_group_findings
from audit.judgement.design import Arm
from audit.judgement.exemplars import exemplar_families
from audit.judgement.findings import Finding
from audit.judgement.groups.costs import cost_findings
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.groups.ranked import ranking_findings
from audit.judgement.groups.rates import mean_defined
from audit.judgement.groups.subgroups import further_findings, group_findings, screened
from audit.judgement.inference.paired import Estimate, average_by_parent, paired_change_by_cell
from audit.judgement.pairs import (
    Answer,
    Design,
    Pairs,
    answers,
    contrast,
    correct,
    design,
    level_estimate,
    levels,
    pairs,
)
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import ALL, ANY, Policy, StatedLimit
from audit.judgement.shifts.calibration import Calibration, contributions, expected_ece
from audit.judgement.shifts.kinds import is_attack, is_noise, is_sequence
from audit.judgement.values import shifted_group_values

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

FLIPS = {"flip_level": "flip_rate", "harmed_level": "harmed_rate"}
FURTHER_MEASURES = frozenset({"expected_cost", "group_auroc", "group_tpr"})
GROUP_MEASURES = frozenset(
    {"excess_gap", "group_accuracy", "group_fnr", "group_fpr", "group_selection_rate"}
)
NOBODY = "no test example is of this class: add some"
BIASED = (
    "even perfect calibration shows some error in so many examples: the lower bound is lowered by "
    "what it would show"
)


def policy_findings(
    block: Block,
    evidence: Evidence,
    arms: Sequence[Arm],
    plan: Plan,
    policy: Policy,
    calibrated: Calibration | None,
) -> list[Finding]:
    """Findings that only a limit asks for, under one condition.

    Floors and ceilings hold the pruned models' own value; they need no parent. Classes and groups
    are asked about under a shift only where a limit is.

    Args:
        block: The condition's predictions.
        evidence: Labels, group columns, class names.
        arms: The pruned models.
        plan: The plan.
        policy: The limits.
        calibrated: The condition's calibration, None without confidences.
    """
    wanted = [stated for stated in policy.stated() if covers(stated, block.condition)]
    needed = {stated.kind.measure for stated in wanted}
    known = design(evidence, plan)
    out: list[Finding] = []
    for arm in arms:
        if "accuracy_level" in needed:
            everybody = np.where(known.labels == NO_LABEL, -1, 0)
            out += _right_levels("accuracy_level", block, arm, known, everybody, [None])
        if "recall_level" in needed:
            names = list(evidence.classes)
            out += _right_levels("recall_level", block, arm, known, known.labels, names)
        out += _flip_levels(block, arm, known, needed)
        if "ece_level" in needed and calibrated is not None:
            out.append(_ece_level(block, arm, known, calibrated))
        if block.condition != CLEAN:
            out += classes_and_groups(block, evidence, arm, known, wanted)
        else:
            out += _unscreened(block, evidence, arm, known, wanted)
    if block.condition != CLEAN and "pie_excess" in needed:
        families, _ = exemplar_families(block, evidence, arms, plan)
        out += [f for family in families for f in family.findings if f.measure == "pie_excess"]
    return out + shifted_values(block, evidence, arms, plan, policy)


def shifted_values(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan, policy: Policy
) -> list[Finding]:
    """The values of groups under a shift, where a limit asks for them; arguments as above."""
    wanted = [s for s in policy.stated() if s.kind.measure == "group_value"]
    if block.condition == CLEAN or not any(covers(s, block.condition) for s in wanted):
        return []
    known = design(evidence, plan)
    return [f for arm in arms for f in shifted_group_values(block, evidence, arm, known)]


def covers(stated: StatedLimit, condition: Condition) -> bool:
    """Whether a limit is about this condition, by name, or by being about any."""
    kinds = (is_attack, is_noise, is_sequence)  # only a limit that names such a one is about it
    alone = any(kind(condition) for kind in kinds)
    named = stated.condition in ((ANY, condition.name) if not alone else (condition.name,))
    named = named and stated.condition != ALL
    return named and stated.limit.severity in (None, condition.severity)


def _right_levels(
    measure: str,
    block: Block,
    arm: Arm,
    known: Design,
    cells: CodeArray,
    names: Sequence[str | None],
) -> list[Finding]:
    """Share of right predictions in every cell, with an interval for that share itself.

    The rarer of right and wrong is counted, because inference guards against rare events.
    """
    predicted = np.where(known.counted, block.predicted[arm.pruned], NOT_SHOWN)
    right = average_by_parent(correct(known.labels)(predicted), _owners(arm))
    shares = levels(right, cells, len(names), known.weights)
    out = []
    turn = np.array([share is not None and share > 0.5 for share in shares])
    flipped = np.where((cells >= 0) & turn[cells], 1.0 - right, right)
    estimates = paired_change_by_cell(
        flipped,
        cells,
        len(names),
        weights=known.weights,
        clusters=known.clusters,
        level=1.0 - known.plan.alpha,
    )
    for name, share, turned, estimate in zip(names, shares, turn, estimates, strict=True):
        if estimate.n == 0:
            question = asked(measure, arm, condition=block.condition, class_=name)
            out.append(replace(question, n=0, outcome="not_asked", reason=NOBODY))
            continue
        found = _turned(estimate) if turned else estimate
        answer = Answer(found, None, share, None)
        out.append(
            answer_finding(measure, answer, arm, known.plan, condition=block.condition, class_=name)
        )
    return out


def _flip_levels(block: Block, arm: Arm, known: Design, needed: Set[str]) -> list[Finding]:
    """How often the pruned models answer otherwise than their parents, as a level."""
    found = pairs(block, arm, known) if needed & FLIPS.keys() else None
    if found is None:
        return []
    out = []
    for measure in sorted(needed & FLIPS.keys()):
        values = flip_values(FLIPS[measure], pruned_beside(found), known.labels)
        everybody = np.zeros(values.shape[1], dtype=np.int64)
        share = levels(values, everybody, 1, known.weights)[0]
        answer = Answer(level_estimate(values, known), None, share, None)
        out.append(answer_finding(measure, answer, arm, known.plan, condition=block.condition))
    return out


def _turned(estimate: Estimate) -> Estimate:
    """The interval of 1 − share."""

    def turned(value: float | None) -> float | None:
        return None if value is None else 1.0 - value

    return replace(
        estimate,
        low=turned(estimate.high),
        high=turned(estimate.low),
        examples_low=turned(estimate.examples_high),
        examples_high=turned(estimate.examples_low),
    )


def _owners(arm: Arm) -> CodeArray:
    """The parent of each pruned model; one that names none stands for itself."""
    alone = int(arm.parent.max(initial=0)) + 1 + np.arange(len(arm.pruned))
    return np.where(arm.parent >= 0, arm.parent, alone)


def _ece_level(block: Block, arm: Arm, known: Design, calibrated: Calibration) -> Finding:
    """The pruned models' ECE, its lower bound lowered by what perfect calibration would show."""
    own = calibrated.rows(arm.pruned)
    values = average_by_parent(contributions(own, known), _owners(arm))
    everybody = np.zeros(values.shape[1], dtype=np.int64)
    estimate = paired_change_by_cell(
        values,
        everybody,
        1,
        weights=known.weights,
        clusters=known.clusters,
        level=1.0 - known.plan.alpha,
    )[0]
    ece = levels(values, everybody, 1, known.weights)[0]
    finding = answer_finding(
        "ece_level",
        Answer(estimate, None, ece, None),
        arm,
        known.plan,
        condition=block.condition,
        reason=BIASED,
    )
    if finding.low is None:
        return finding
    expected = expected_ece(own.confidence, known.plan.calibration_bins, known.weights)
    bias = float(mean_defined(expected, 0))
    about_files = finding.examples_low
    return replace(
        finding,
        low=finding.low - bias,
        examples_low=None if about_files is None else about_files - bias,
    )


def classes_and_groups(
    block: Block, evidence: Evidence, arm: Arm, known: Design, wanted: Sequence[StatedLimit]
) -> list[Finding]:
    """Classes and groups under a shift, where a limit asks for them."""
    found = pairs(block, arm, known)
    if found is None:
        return []
    out: list[Finding] = []
    if any(stated.kind.measure == "recall" for stated in wanted):
        cells = np.where(known.labels == NO_LABEL, -1, known.labels)
        both = contrast(found, correct(known.labels))
        out += [
            answer_finding(
                "recall", answer, arm, known.plan, condition=block.condition, class_=name
            )
            for name, answer in zip(
                evidence.classes, answers(both, cells, len(evidence.classes)), strict=True
            )
        ]
    of_groups = [stated for stated in wanted if stated.kind.measure in GROUP_MEASURES]
    for division in groupings(evidence.examples, known.plan) if of_groups else ():
        if any(_names_some(stated, division) for stated in of_groups):
            out += group_findings(found, division, evidence.classes)
            if known.plan.positive is None and any(stated.class_ for stated in of_groups):
                out += class_group_findings(found, division, evidence.classes)
    out += _further(block, evidence, found, wanted)
    asked_about = {stated.kind.measure for stated in wanted}
    return [finding for finding in out if finding.measure in asked_about]


def _further(
    block: Block, evidence: Evidence, found: Pairs, wanted: Sequence[StatedLimit]
) -> list[Finding]:
    """TPR, AUROC and expected cost of groups under a shift, where a limit asks for them."""
    own = [stated for stated in wanted if stated.kind.measure in FURTHER_MEASURES and stated.groups]
    plan, out = found.design.plan, list[Finding]()
    for division in groupings(evidence.examples, plan) if own else ():
        needed = {stated.kind.measure for stated in own if _names_some(stated, division)}
        if "group_tpr" in needed:
            out += further_findings(found, division, evidence.classes)
        if "group_auroc" in needed:
            out += ranking_findings(block, evidence, [found.arm], plan, [division])
        if "expected_cost" in needed:
            out += cost_findings(found, division, evidence.classes)
    return out


def _unscreened(
    block: Block, evidence: Evidence, arm: Arm, known: Design, wanted: Sequence[StatedLimit]
) -> list[Finding]:
    """Classes within groups on clean examples, where a limit asks and no screen has answered."""
    cells = [s for s in wanted if s.class_ and s.groups and s.kind.measure in GROUP_MEASURES]
    found = pairs(block, arm, known) if cells and known.plan.positive is None else None
    if found is None:
        return []
    asked_about = {stated.kind.measure for stated in cells}
    return [
        finding
        for division in groupings(evidence.examples, known.plan)
        if any(_names_some(stated, division) for stated in cells)
        and not (len(division.columns) == 1 and screened(division, evidence.classes, known.plan))
        for finding in class_group_findings(found, division, evidence.classes)
        if finding.measure in asked_about
    ]


def _names_some(stated: StatedLimit, division: Grouping) -> bool:
    if stated.groups == ANY:
        return len(division.columns) == 1
    return stated.groups is not None and stated.group_name in division.names
