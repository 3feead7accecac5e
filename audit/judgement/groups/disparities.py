"""Disparities between groups as Fairlearn defines them, and what pruning added to them.

A largest difference between groups is never negative and overstates itself where groups are small,
so it has no interval of its own. What pruning *added* can be of either sign: both sides overstate
themselves alike on the same examples, which cancels where they are alike and is conservative where
a group's rate ties with another's. Its interval is a crossed bootstrap of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.answers import asked, without_claim
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.control_features import control_levels
from audit.judgement.groups.disparity_draws import GroupRates, added, rates_of
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.groups.rates import Counts, false_positive_rate, ratio, recall, selection_rate
from audit.judgement.inference.families import Family
from audit.judgement.inference.paired import Estimate
from audit.judgement.pairs import Design, Pairs, design, pairs
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]
Statistic = Callable[[GroupRates], FloatArray]

BY_BOOTSTRAP = (
    "of the change, by crossed bootstrap; the values themselves are extremes over groups, which "
    "overstate themselves in small groups"
)
TOO_FEW_GROUPS = "fewer than two groups have a rate to compare"
FEW_DISCORDANT = 10


def demographic_parity_difference(counts: Counts, class_: int) -> FloatArray:
    """Largest less smallest selection rate of the groups, [models]; NaN under two groups."""
    return spread(selection_rate(counts, class_))


def demographic_parity_ratio(counts: Counts, class_: int) -> FloatArray:
    """Smallest over largest selection rate of the groups, [models]; NaN under two groups."""
    return smallest_over_largest(selection_rate(counts, class_))


def equalised_odds_difference(counts: Counts, class_: int) -> FloatArray:
    """The larger of the groups' spreads in TPR and in FPR, [models] (Fairlearn's worst case).

    A group in which a rate is undefined has no part in its spread, where Fairlearn counts it as 0.
    """
    return np.fmax(spread(recall(counts, class_)), spread(false_positive_rate(counts, class_)))


def equalised_odds_ratio(counts: Counts, class_: int) -> FloatArray:
    """The smaller of the groups' ratios in TPR and in FPR, [models] (Fairlearn's worst case)."""
    return np.fmin(
        smallest_over_largest(recall(counts, class_)),
        smallest_over_largest(false_positive_rate(counts, class_)),
    )


def spread(rates: FloatArray) -> FloatArray:
    """Largest less smallest defined rate over the last axis, NaN where under two are defined."""
    return _compared(rates, lambda low, high: high - low)


def smallest_over_largest(rates: FloatArray) -> FloatArray:
    """Smallest over largest defined rate over the last axis, NaN where the largest is 0 too."""
    return _compared(rates, ratio)


def extreme(rates: FloatArray, *, largest: bool) -> FloatArray:
    """Largest or smallest defined rate over the last axis, NaN where none is defined."""
    found = np.where(np.isnan(rates), -np.inf if largest else np.inf, rates)
    out: FloatArray = found.max(axis=-1) if largest else found.min(axis=-1)
    return np.where(np.isinf(out), np.nan, out)


def _compared(rates: FloatArray, of: Callable[[FloatArray, FloatArray], FloatArray]) -> FloatArray:
    several = (~np.isnan(rates)).sum(axis=-1) > 1
    low, high = extreme(rates, largest=False), extreme(rates, largest=True)
    return np.where(several, of(low, high), np.nan)


OF_ACCURACY: Mapping[str, Statistic] = {
    "accuracy_difference": lambda r: spread(r.accuracy),
    "accuracy_group_min": lambda r: extreme(r.accuracy, largest=False),
}
OF_POSITIVE: Mapping[str, Statistic] = {
    "demographic_parity_difference": lambda r: spread(r.selection),
    "demographic_parity_ratio": lambda r: smallest_over_largest(r.selection),
    "equal_opportunity_difference": lambda r: spread(r.tpr),
    "equalised_odds_difference": lambda r: np.fmax(spread(r.tpr), spread(r.fpr)),
    "equalised_odds_ratio": lambda r: np.fmin(
        smallest_over_largest(r.tpr), smallest_over_largest(r.fpr)
    ),
    "fnr_group_max": lambda r: extreme(1.0 - r.tpr, largest=True),
    "fpr_group_max": lambda r: extreme(r.fpr, largest=True),
}


@dataclass(frozen=True, eq=False)
class _Case:
    """One division of all examples, or of those of one control level."""

    division: Grouping
    level: str | None
    codes: CodeArray


def disparity_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """`disparity_findings`, screened."""
    return [Family("disparities", "D", disparity_findings(block, evidence, arms, plan))]


def disparity_findings(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Finding]:
    """Disparities of every single group column, of all examples and within every control level.

    Args:
        block: Predictions under one condition.
        evidence: Labels, group and control columns, class names.
        arms: The pruned models.
        plan: Groups, control features and positive class; without one only accuracy is compared.
    """
    known = design(evidence, plan)
    found = [pair for arm in arms if (pair := pairs(block, arm, known)) is not None]
    positive = None if plan.positive is None else evidence.classes.index(plan.positive)
    wanted = OF_ACCURACY if positive is None else {**OF_ACCURACY, **OF_POSITIVE}
    return [
        finding
        for case in (_cases(evidence, plan) if found else ())
        for finding in _findings(found, case, positive, wanted, known)
    ]


def _cases(evidence: Evidence, plan: Plan) -> list[_Case]:
    singles = [d for d in groupings(evidence.examples, plan) if len(d.columns) == 1]
    control = control_levels(evidence.examples, plan)
    out = [_Case(division, None, division.codes) for division in singles]
    for level, name in enumerate(() if control is None else control.names):
        inside = control.codes == level if control is not None else np.empty(0)
        out += [_Case(d, name, np.where(inside, d.codes, -1)) for d in singles]
    return out


def _findings(
    found: Sequence[Pairs],
    case: _Case,
    positive: int | None,
    wanted: Mapping[str, Statistic],
    known: Design,
) -> list[Finding]:
    n_groups = len(case.division.names)
    estimates = added(found, case.codes, n_groups, positive, wanted, known)
    out = []
    for pair, own in zip(found, estimates, strict=True):
        sides = [
            None
            if predicted is None
            else rates_of(predicted, case.codes, n_groups, positive, known)
            for predicted in (pair.parent, pair.pruned, pair.control)
        ]
        out += [
            _finding(pair, case, sides, measure, of, own[measure], known)
            for measure, of in wanted.items()
        ]
    return out


def _finding(
    pair: Pairs,
    case: _Case,
    sides: Sequence[GroupRates | None],
    measure: str,
    of: Statistic,
    estimate: Estimate,
    known: Design,
) -> Finding:
    owners = (pair.arm.parent, pair.arm.parent, pair.control_parent)
    parent, pruned, control = (
        None if rates is None else mean_of_parents(of(rates), owner)
        for rates, owner in zip(sides, owners, strict=True)
    )
    question = asked(
        measure,
        pair.arm,
        condition=pair.condition,
        class_=None if measure in OF_ACCURACY else known.plan.positive,
        groups=case.level,
        subject=case.division.label,
    )
    inside = (pair.pruned != NOT_SHOWN).any(axis=0) & (known.labels != NO_LABEL) & (case.codes >= 0)
    finding = replace(
        question,
        parent=parent,
        pruned=pruned,
        control=control,
        n=int(inside.sum()),
        parents=len(pair.arm.parents),
    )
    sizes = np.bincount(case.codes[inside], minlength=len(case.division.names))
    if parent is None or pruned is None or (sizes > 0).sum() < 2:
        return replace(finding, outcome="not_asked", parents=None, reason=TOO_FEW_GROUPS)
    finding = replace(
        finding,
        **{**estimate.answer(), "n": finding.n, "change": pruned - parent},
        relative_change=(pruned - parent) / parent if parent else None,
    )
    return _claimed(finding, sizes, known.plan)


def _claimed(finding: Finding, sizes: CodeArray, plan: Plan) -> Finding:
    """The finding without a claim where a group is too small, or too few examples differ."""
    said = BY_BOOTSTRAP if finding.reason is None else f"{BY_BOOTSTRAP}; {finding.reason}"
    small, few = int(sizes[sizes > 0].min(initial=plan.minimum_n)), finding.discordant or 0
    why = None
    if small < plan.minimum_n:
        why = f"its smallest group has {small} examples, of the {plan.minimum_n} that a claim needs"
    elif 0 < few < FEW_DISCORDANT:
        why = f"only {few} examples differ, too few for a bootstrap to make a claim of"
    if why is None:
        return replace(finding, reason=said)
    return without_claim(replace(finding, reason=said), why)


def mean_of_parents(values: FloatArray, owner: CodeArray) -> float | None:
    """Mean over parents of the mean over their models; None where none is defined."""
    defined = ~np.isnan(values)
    if not defined.any():
        return None
    _, code = np.unique(owner[defined], return_inverse=True)
    return float(np.mean(np.bincount(code, values[defined]) / np.bincount(code)))
