"""Is the group that fell furthest behind, or the spread between groups, more than chance makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.answers import asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.control_features import control_levels
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.groups.excess_gap import difference
from audit.judgement.groups.worst_gap import WorstGap, worst_gap
from audit.judgement.inference.families import Family
from audit.judgement.pairs import (
    Contrast,
    Design,
    Pairs,
    Value,
    contrast,
    correct,
    design,
    levels,
    pairs,
)
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]

FURTHER = "group_rates"


@dataclass(frozen=True)
class Quality:
    """A share of right answers, of which groups may lose more or less.

    Attributes:
        worst: The measure of the group that falls furthest behind.
        spread: The measure of the distance between groups.
        value: 1 where right, 0 where wrong, NaN outside the denominator.
        class_: The class it is about.
    """

    worst: str
    spread: str
    value: Value
    class_: str | None = None


def qualities(known: Design, classes: Sequence[str]) -> list[Quality]:
    """Accuracy, and with a positive class what is right among its negatives and positives.

    The excess gaps of FPR and FNR are those of their complements: a group whose FPR rises by more
    than everybody's loses more of its true negatives.
    """
    right = correct(known.labels)
    out = [Quality("worst_excess_gap", "excess_gap_spread", right)]
    positive = known.plan.positive
    if positive is None:
        return out
    of_class, labelled = known.labels == classes.index(positive), known.labels != NO_LABEL

    def among(rows: NDArray[np.bool_]) -> Value:
        def value(predicted: IntArray) -> FloatArray:
            hit = ((predicted == classes.index(positive)) == of_class).astype(np.float64)
            return np.where((predicted == NOT_SHOWN) | ~rows, np.nan, hit)

        return value

    return [
        *out,
        Quality(
            "worst_excess_gap_fpr", "excess_gap_fpr_spread", among(labelled & ~of_class), positive
        ),
        Quality("worst_excess_gap_fnr", "excess_gap_fnr_spread", among(of_class), positive),
    ]


def worst_gap_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan, name: str
) -> list[Family]:
    """Per single group column: is its worst group chance, and is the spread of its groups.

    The parts of the family `name` carry the p of the largest excess loss of accuracy over all arms,
    the omnibus question "did any group fall behind anywhere"; the rest is screened. Groups smaller
    than `plan.minimum_n` are no candidates. Labels are exchanged within classes, and within the
    levels of the plan's control features where there are any.

    Args:
        block: Predictions on clean examples.
        evidence: Labels and group columns.
        arms: The pruned models.
        plan: Groups, control features, smallest denominator, resamples and their seed.
        name: The family that the parts belong to.
    """
    known = design(evidence, plan)
    found = [pair for arm in arms if (pair := pairs(block, arm, known)) is not None]
    if not found:
        return []
    control = control_levels(evidence.examples, plan)
    out, screen = [], []
    for quality in qualities(known, evidence.classes):
        each = [contrast(pair, quality.value) for pair in found]
        for division in groupings(evidence.examples, plan):
            if len(division.columns) > 1 or len(division.names) < 2:
                continue
            test = _test(each, division, known, control)
            if test is None:
                continue
            cases = list(enumerate(zip(found, each, strict=True)))
            worst = [
                _worst_finding(quality, pair, one, division, test, place, control)
                for place, (pair, one) in cases
            ]
            if quality.class_ is None:
                out.append(Family(name, "C", worst, test.p_joint))
            else:
                screen += worst
            screen += [
                _spread_finding(quality, pair, one, division, test, place, control)
                for place, (pair, one) in cases
            ]
    return [*out, Family(FURTHER, "D", screen)] if screen else out


def _test(
    accuracy: Sequence[Contrast], division: Grouping, known: Design, control: Grouping | None
) -> WorstGap | None:
    """The permutation test of all arms at once; None where no group is large enough."""
    loss = np.stack([_mean_over_parents(-one.difference) for one in accuracy])
    kept = ~np.isnan(loss).any(axis=0) & (known.labels != NO_LABEL)
    if known.weights is not None:
        loss = loss * known.weights
    strata = known.labels[kept]
    if control is not None:
        strata = strata * len(control.names) + control.codes[kept]
    units = _units(loss[:, kept], division.codes[kept], strata, _at(known, kept))
    sizes = np.bincount(units[1], minlength=len(division.names))
    tested = sizes >= known.plan.minimum_n
    if tested.sum() < 1 or (sizes > 0).sum() < 2:
        return None
    return worst_gap(
        *units,
        tested=tested,
        resamples=known.plan.resamples,
        rng=np.random.default_rng(known.plan.seed),
    )


def _at(known: Design, kept: NDArray[np.bool_]) -> CodeArray | None:
    return None if known.clusters is None else known.clusters[kept]


def _units(
    loss: FloatArray, groups: CodeArray, labels: CodeArray, clusters: CodeArray | None
) -> tuple[FloatArray, CodeArray, CodeArray]:
    """What is exchanged: examples between groups within a class, or whole clusters.

    A cluster that lies in one group moves as one, with its losses taken less their class means,
    because a cluster has no class of its own. Where clusters reach into several groups, labels are
    exchanged inside each cluster instead.
    """
    strata = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    if clusters is None:
        return loss, groups, strata
    size = np.bincount(strata)
    means = np.stack([np.bincount(strata, row) for row in loss]) / size
    span = int(groups.max()) + 1
    pair: CodeArray
    pair, unit = np.unique(clusters * span + groups, return_inverse=True)
    sums: FloatArray = np.stack([np.bincount(unit, row) for row in loss - means[:, strata]])
    owner = pair // span
    across = len(np.unique(owner)) < len(pair)
    strata = np.unique(owner, return_inverse=True)[1] if across else np.zeros_like(owner)
    return sums, pair % span, strata.astype(np.int64)


def _mean_over_parents(values: FloatArray) -> FloatArray:
    given = ~np.isnan(values)
    out = np.full(values.shape[1], np.nan)
    total = np.where(given, values, 0.0).sum(axis=0)
    np.divide(total, given.sum(axis=0), out=out, where=given.any(axis=0))
    return out


def _question(
    measure: str, quality: Quality, pair: Pairs, accuracy: Contrast, division: Grouping
) -> Finding:
    return replace(
        asked(
            measure,
            pair.arm,
            condition=pair.condition,
            class_=quality.class_,
            subject=division.label,
        ),
        n=int((~np.isnan(accuracy.difference)).any(axis=0).sum()),
        parents=len(accuracy.parent),
        generalises_to="examples",
    )


def _worst_finding(
    quality: Quality,
    pair: Pairs,
    accuracy: Contrast,
    division: Grouping,
    test: WorstGap,
    place: int,
    control: Grouping | None,
) -> Finding:
    code, known = int(test.worst[place]), accuracy.design
    finding = replace(
        _question(quality.worst, quality, pair, accuracy, division),
        p=float(test.p[place]),
        p_floor=test.p_floor,
    )
    if code < 0:
        return replace(finding, change=0.0, reason="no group differs from another in anything")
    cells = np.where(division.codes == code, 0, -1)
    behind: list[float | None] = []
    for values in (accuracy.parent, accuracy.pruned, accuracy.control):
        if values is None:
            behind.append(None)
            continue
        everybody = levels(values, np.zeros_like(cells), 1, known.weights)[0]
        behind.append(difference(everybody, levels(values, cells, 1, known.weights)[0]))
    return replace(
        finding,
        parent=behind[0],
        pruned=behind[1],
        control=behind[2],
        change=difference(behind[1], behind[0]),
        reason=f"{division.names[code]} falls furthest behind for its size; one-sided, by "
        f"{_exchanging(control)}",
    )


def _spread_finding(
    quality: Quality,
    pair: Pairs,
    accuracy: Contrast,
    division: Grouping,
    test: WorstGap,
    place: int,
    control: Grouping | None,
) -> Finding:
    """Largest less smallest change of the groups; never negative, so it has a p and no interval."""
    known, finding = accuracy.design, _question(quality.spread, quality, pair, accuracy, division)
    change = np.array(
        [
            np.nan if value is None else value
            for value in levels(
                accuracy.difference, division.codes, len(division.names), known.weights
            )
        ]
    )
    if (~np.isnan(change)).sum() < 2:
        reason = "fewer than two groups have anybody in the denominator: add such examples"
        return replace(
            finding, outcome="not_asked", parents=None, generalises_to=None, reason=reason
        )
    low, high = int(np.nanargmin(change)), int(np.nanargmax(change))
    return replace(
        finding,
        change=float(change[high] - change[low]),
        p=float(test.p_spread[place]),
        p_floor=test.p_floor,
        reason=f"between {division.names[low]} and {division.names[high]}; never negative, so it "
        f"has no interval; by {_exchanging(control)}",
    )


def _exchanging(control: Grouping | None) -> str:
    within = "" if control is None else f" and level of {control.label}"
    return f"exchanging group labels between examples of one class{within}"
