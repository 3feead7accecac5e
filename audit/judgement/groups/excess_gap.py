"""How far each group falls behind everybody through pruning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.judgement.groups.divisions import Grouping
from audit.judgement.inference.paired import Estimate, paired_change
from audit.judgement.pairs import Answer, Contrast, Design, answers, scaled

FloatArray = NDArray[np.float64]

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
        difference(whole.parent, group.parent),
        difference(whole.pruned, group.pruned),
        difference(whole.control, group.control),
    )
    counts = {
        name: getattr(group.estimate, name) for name in ("n", "units", "parents", "discordant")
    }
    if share > 1.0 - 1e-12:
        return Answer(Estimate(change=0.0, reason=EVERYBODY, **counts), *behind)
    padded = group.estimate.discordant < FEW_DISCORDANT <= whole.estimate.discordant
    estimate = scaled(_mean_change(d * share - np.where(inside, d, 0.0), known, padded), 1 / share)
    gap = difference(whole.estimate.change, group.estimate.change)
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


def difference(everybody: float | None, group: float | None) -> float | None:
    """Everybody's value less the group's; None where either is."""
    return None if everybody is None or group is None else everybody - group
