"""Can a model still tell inputs of no class from those it was made for, once it is pruned?

In are the clean test examples, out the examples of the split `ood` under the condition of their
data set. Scores are the largest softmax probability (Hendrycks & Gimpel, arXiv 1610.02136) and the
energy (Liu et al., arXiv 2010.03759); a larger score means *in*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Condition, Evidence
from audit.judgement.answers import answer_finding, too_small
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.false_alarms import false_alarm_contributions
from audit.judgement.inference.families import Family
from audit.judgement.inference.ranking import auroc_contributions, average_precision_contributions
from audit.judgement.pairs import Answer, Contrast, Design, answers, contrast_of, level_estimate
from audit.judgement.shifts.kinds import out_of_distribution
from audit.judgement.shifts.proper_scores import rows_of

FloatArray = NDArray[np.float64]
Recorded = Mapping[str, NDArray[np.float32]]

Contributions = Callable[[FloatArray, NDArray[np.bool_], FloatArray], FloatArray]


def _auroc(score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray) -> FloatArray:
    return auroc_contributions(score, positive, np.zeros(score.size, np.int64), 1, weights)


def _precision(score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray) -> FloatArray:
    everybody = np.zeros(score.size, dtype=np.int64)
    return average_precision_contributions(score, positive, everybody, 1, weights)


# The measure's name, what each example contributes to it, and which side is the positive one.
STATISTICS: Mapping[str, tuple[Contributions, str]] = {
    "ood_auroc": (_auroc, "in"),
    "ood_aupr_in": (_precision, "in"),
    "ood_aupr_out": (_precision, "out"),
    "ood_fpr95": (false_alarm_contributions, "in"),
}
SUFFIX: Mapping[str, str] = {"confidence": "", "energy": "_energy"}
LEVEL = "ood_auroc_level"


@dataclass(frozen=True, eq=False)
class Scores:
    """What is kept of the clean examples until others are seen.

    Attributes:
        recorded: By `confidence` and `energy`, float32 [models, examples], larger means *in*, NaN
            where not shown or of the split `ood`; only what was recorded.
    """

    recorded: Recorded = field(default_factory=dict)


def clean_scores(block: Block, evidence: Evidence) -> Scores:
    """Keeps the scores of clean examples, where there are others to tell them from."""
    outside = out_of_distribution(evidence)
    return _scores(block, ~outside) if outside.any() else Scores()


def ood_families(
    block: Block, evidence: Evidence, clean: Scores, arms: Sequence[Arm], known: Design
) -> list[Family]:
    """Every statistic of every score for every arm, on one out-of-distribution data set.

    Args:
        block: Its predictions.
        evidence: Which examples are out of distribution.
        clean: The scores of the clean examples.
        arms: The pruned models.
        known: Weights and clusters; labels play no part.

    Returns:
        The screen `out_of_distribution`, tier D.
    """
    there = _scores(block, out_of_distribution(evidence))
    found: list[Finding] = []
    for score, out in there.recorded.items():
        inside = clean.recorded.get(score)
        if inside is not None:
            for arm in arms:
                found += _of_arm(score, inside, out, arm.paired(), block.condition, known)
    return [Family("out_of_distribution", "D", found)]


def _scores(block: Block, kept: NDArray[np.bool_]) -> Scores:
    shown = (block.predicted != NOT_SHOWN) & kept
    found = {}
    for name, values, sign in (("confidence", block.confidence, 1), ("energy", block.energy, -1)):
        if values is not None and (shown & ~np.isnan(values)).any():
            found[name] = np.where(shown, sign * values, np.nan).astype(np.float32)
    return Scores(found)


def _of_arm(
    score: str,
    inside: NDArray[np.float32],
    out: NDArray[np.float32],
    arm: Arm,
    condition: Condition,
    known: Design,
) -> list[Finding]:
    rows = rows_of([arm])
    if not len(rows):
        return []
    # One denominator for all of them: what some model lacks is left out of every one.
    sides = [~np.isnan(values[rows]).any(axis=0) & known.counted for values in (inside, out)]
    sizes = [int(side.sum()) for side in sides]
    if not all(sizes):
        return []
    weights = np.ones(inside.shape[1]) if known.weights is None else known.weights
    found: list[Finding] = []
    for measure, (statistic, positive) in STATISTICS.items():
        values = np.full(inside.shape, np.nan)
        for row in rows.tolist():
            values[row] = _contributions(statistic, positive, inside[row], out[row], sides, weights)
        both = contrast_of(values, arm, known)
        if both is None:
            continue
        said = f"{sizes[0]:,} in, {sizes[1]:,} out, by {score}; positive: {positive}"
        name, scale = measure + SUFFIX[score], sum(sizes) / min(sizes)
        everybody = np.zeros(len(weights), dtype=np.int64)
        asked = {name: answers(both, everybody, 1, [scale])[0]}
        if name == "ood_auroc":
            asked[LEVEL] = _level(both, asked[name])
        for what, answer in asked.items():
            finding = answer_finding(
                what, answer, arm, known.plan, condition=condition, reason=said
            )
            few = min(sizes) < known.plan.minimum_n
            found.append(too_small(finding, min(sizes), known.plan) if few else finding)
    return found


def _contributions(
    statistic: Contributions,
    positive: str,
    inside: NDArray[np.float32],
    out: NDArray[np.float32],
    sides: Sequence[NDArray[np.bool_]],
    weights: FloatArray,
) -> FloatArray:
    """What each example contributes to one model's statistic; NaN for an example of neither."""
    here, there = sides
    either = here | there
    score = np.where(here, inside, out)[either].astype(np.float64)
    values = np.full(len(weights), np.nan)
    if positive == "in":
        values[either] = statistic(score, here[either], weights[either])
    else:
        values[either] = statistic(-score, there[either], weights[either])
    return values


def _level(both: Contrast, answer: Answer) -> Answer:
    """The pruned models' own value, with its interval."""
    return Answer(level_estimate(both.pruned, both.design), None, answer.pruned, None)
