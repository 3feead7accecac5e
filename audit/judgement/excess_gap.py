"""How far each group falls behind everybody through pruning, and whether the worst is chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Block, Evidence
from audit.judgement.answers import asked
from audit.judgement.design import Arm
from audit.judgement.families import Family
from audit.judgement.findings import Finding
from audit.judgement.groups import Grouping, groupings
from audit.judgement.inference import Estimate, paired_change
from audit.judgement.pairs import (
    Answer,
    Contrast,
    Design,
    Pairs,
    answers,
    contrast,
    correct,
    design,
    levels,
    pairs,
    scaled,
)
from audit.judgement.plan import Plan
from audit.judgement.worst_gap import WorstGap, worst_gap

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

FEW_DISCORDANT = 10  # as in `crossed`: below, a pseudo-example each way keeps the t honest
EVERYBODY = "everybody is in this group, so it cannot fall behind"


def excess_gaps(accuracy: Contrast, division: Grouping) -> list[Answer]:
    """(acc_D − acc_P)(g) − (acc_D − acc_P) overall for every group (Hashemizadeh et al.).

    `parent` and `pruned` are how far the group is behind everybody in each, so that their
    difference is the excess gap.

    Args:
        accuracy: Whether each example is right, in parents, pruned models and controls.
        division: The groups.
    """
    known, d = accuracy.design, accuracy.difference
    whole = answers(accuracy, np.zeros(d.shape[1], dtype=np.int64), 1)[0]
    each = answers(accuracy, division.codes, len(division.names))
    weight = np.ones(d.shape[1]) if known.weights is None else known.weights
    weight = np.where(np.isnan(d).all(axis=0), 0.0, weight)
    sums = np.bincount(division.codes, weight, len(division.names))
    return [
        _excess_gap(d, division.codes == code, float(sums[code] / sums.sum()), answer, whole, known)
        if sums[code]
        else Answer(answer.estimate, None, None, None)
        for code, answer in enumerate(each)
    ]


def worst_gap_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan, name: str
) -> list[Family]:
    """One part of the family `name` per single group column: is its worst group chance.

    Each part carries the p of the largest excess over all arms, the omnibus question "did any group
    fall behind anywhere". Groups smaller than `plan.minimum_n` are not candidates for the worst.

    Args:
        block: Predictions on clean examples.
        evidence: Labels and group columns.
        arms: The pruned models.
        plan: Groups, smallest denominator, resamples and their seed.
        name: The family that the parts belong to.
    """
    known = design(evidence, plan)
    found = [pair for arm in arms if (pair := pairs(block, arm, known)) is not None]
    accuracy = [contrast(pair, correct(known.labels)) for pair in found]
    if not found:
        return []
    out = []
    for division in groupings(evidence.examples, plan):
        if len(division.columns) > 1 or len(division.names) < 2:
            continue
        test = _test(accuracy, division, known)
        if test is not None:
            findings = [
                _worst_finding(pair, one, division, test, place)
                for place, (pair, one) in enumerate(zip(found, accuracy, strict=True))
            ]
            out.append(Family(name, "C", findings, test.p_joint))
    return out


def _excess_gap(
    d: FloatArray,
    inside: NDArray[np.bool_],
    share: float,
    group: Answer,
    whole: Answer,
    known: Design,
) -> Answer:
    """One group's excess gap, as a mean over all examples of what each contributes.

    Contributions are scaled by the group's share, so that one example of it weighs 1. They are not
    centred on the group's own loss: that widens the interval where a group loses much, and brings
    its coverage in small groups up to what it says.
    """
    behind = (
        _difference(whole.parent, group.parent),
        _difference(whole.pruned, group.pruned),
        _difference(whole.control, group.control),
    )
    counts = {
        name: getattr(group.estimate, name) for name in ("n", "units", "parents", "discordant")
    }
    if share > 1.0 - 1e-12:
        return Answer(Estimate(change=0.0, reason=EVERYBODY, **counts), *behind)
    padded = group.estimate.discordant < FEW_DISCORDANT <= whole.estimate.discordant
    estimate = scaled(_mean_change(d * share - np.where(inside, d, 0.0), known, padded), 1 / share)
    gap = _difference(whole.estimate.change, group.estimate.change)
    return Answer(replace(estimate, change=gap, **counts), *behind)


def _mean_change(z: FloatArray, known: Design, padded: bool) -> Estimate:
    """Paired change of contributions; padded with one example each way, where only they are few."""
    weights, clusters = known.weights, known.clusters
    if padded:
        z = np.concatenate([z, np.tile([1.0, -1.0], (len(z), 1))], axis=1)
        weights = None if weights is None else np.concatenate([weights, [1.0, 1.0]])
        if clusters is not None:
            clusters = np.concatenate([clusters, clusters.max() + np.array([1, 2])])
    level = 1.0 - known.plan.alpha
    return paired_change(z, weights=weights, clusters=clusters, level=level)


def _difference(everybody: float | None, group: float | None) -> float | None:
    return None if everybody is None or group is None else everybody - group


def _test(accuracy: Sequence[Contrast], division: Grouping, known: Design) -> WorstGap | None:
    """The permutation test of all arms at once; None where no group is large enough."""
    loss = np.stack([_mean_over_parents(-one.difference) for one in accuracy])
    kept = ~np.isnan(loss).any(axis=0) & (known.labels != NO_LABEL)
    if known.weights is not None:
        loss = loss * known.weights
    units = _units(loss[:, kept], division.codes[kept], known.labels[kept], _at(known, kept))
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


def _worst_finding(
    pair: Pairs, accuracy: Contrast, division: Grouping, test: WorstGap, place: int
) -> Finding:
    code, known = int(test.worst[place]), accuracy.design
    finding = replace(
        asked("worst_excess_gap", pair.arm, condition=pair.condition, subject=division.label),
        n=int((~np.isnan(accuracy.difference)).any(axis=0).sum()),
        parents=len(accuracy.parent),
        generalises_to="examples",
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
        behind.append(_difference(everybody, levels(values, cells, 1, known.weights)[0]))
    return replace(
        finding,
        parent=behind[0],
        pruned=behind[1],
        control=behind[2],
        change=_difference(behind[1], behind[0]),
        reason=f"{division.names[code]} falls furthest behind for its size; one-sided, by "
        "exchanging group labels between examples of one class",
    )
