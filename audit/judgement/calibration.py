"""Does confidence still mean what it meant: calibration error, overconfidence and loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference import average_by_parent
from audit.judgement.pairs import Contrast, Design, contrast_of, overall

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

HELD = (
    "interval with the sign of each bin's gap held fixed; whether calibration moved is tested on "
    "overconfidence, which is a plain mean"
)
EXPECTED = "an expectation that follows from the confidences: it has no test"


@dataclass(frozen=True, eq=False)
class Calibration:
    """What calibration is measured on, under one condition; rows as in `Evidence.models`.

    Attributes:
        confidence: float64 [models, examples], NaN where there is none, or no label.
        gap: float64 [models, examples], confidence − correctness, NaN there too.
    """

    confidence: FloatArray
    gap: FloatArray

    def rows(self, rows: IndexArray, outside: NDArray[np.bool_] | None = None) -> Calibration:
        """Some models, without the examples that are outside, bool [rows, examples]."""
        confidence, gap = self.confidence[rows], self.gap[rows]
        if outside is None:
            return Calibration(confidence, gap)
        return Calibration(np.where(outside, np.nan, confidence), np.where(outside, np.nan, gap))


def calibration(block: Block, known: Design) -> Calibration | None:
    """Gathers confidences and their gaps; None where no confidence is recorded."""
    confidence = _recorded(block, block.confidence, known)
    if confidence is None:
        return None
    right = (block.predicted == known.labels).astype(np.float64)
    return Calibration(confidence, confidence - right)


def contributions(found: Calibration, known: Design) -> FloatArray:
    """What each example adds to its model's ECE, [models, examples]; their mean is the ECE.

    ECE = Σ_b |Σ_{i in b} (correct − confidence)| / n over equal-width bins (Guo et al., eq. 3),
    bins closed on the right. Written as a mean over examples of sign(bin) × (confidence − correct),
    it takes the same paired inference as everything else.
    """
    bins = known.plan.calibration_bins
    weights = np.ones(found.gap.shape[1]) if known.weights is None else known.weights
    place = _bins(found.confidence, bins)
    sums, _ = _binned(found.gap, place, bins, weights)
    signs: FloatArray = np.take_along_axis(np.sign(sums), np.maximum(place, 0), axis=1)
    return signs * found.gap


def _recorded(block: Block, values: NDArray[np.float32] | None, known: Design) -> FloatArray | None:
    """Values of labelled examples that were shown, NaN elsewhere; None where there is none."""
    if values is None:
        return None
    counted = (block.predicted != NOT_SHOWN) & (known.labels != NO_LABEL) & known.counted
    out = np.where(counted, values, np.nan).astype(np.float64)
    return None if np.isnan(out).all() else out


def expected_ece(
    confidence: FloatArray, bins: int, weights: FloatArray | None = None
) -> FloatArray:
    """The ECE of a perfectly calibrated model with these confidences, float64 [models].

    ECE is never 0 in small samples. Inside a bin, the number right is close to binomial with the
    bin's mean confidence, and its mean absolute deviation has a closed form (De Moivre 1730).

    Args:
        confidence: float [models, examples] in [0, 1], NaN where there is none.
        bins: Equal-width bins.
        weights: [examples]; bins then count effective examples.
    """
    w = np.ones(confidence.shape[1]) if weights is None else weights
    sums, weight = _binned(confidence, _bins(confidence, bins), bins, w)
    _, squares = _binned(confidence, _bins(confidence, bins), bins, w**2)
    occupied = weight > 0
    share = np.divide(sums, weight, out=np.zeros_like(sums), where=occupied)
    effective = np.divide(weight**2, squares, out=np.zeros_like(sums), where=occupied)
    deviation = _mean_absolute_deviation(effective, share)
    per_example = np.divide(deviation, effective, out=np.zeros_like(sums), where=occupied)
    total = weight.sum(axis=1)
    expected = np.full(total.shape, np.nan)
    np.divide((per_example * weight).sum(axis=1), total, out=expected, where=total > 0)
    return expected


def calibration_findings(
    block: Block, found: Calibration | None, arms: Sequence[Arm], known: Design
) -> list[Finding]:
    """ECE, its expectation, overconfidence and loss of every arm under one condition.

    Args:
        block: The condition's predictions.
        found: Their calibration, None without confidences.
        arms: The pruned models.
        known: What is known of the examples.
    """
    out: list[Finding] = []
    loss = _recorded(block, block.loss, known)
    gap = None if found is None else found.gap
    for arm in arms:
        out += [] if found is None else _ece_findings(block, found, arm, known)
        for measure, values in (("overconfidence", gap), ("nll", loss)):
            both = None if values is None else contrast_of(values, arm, known)
            if both is not None:
                out.append(
                    answer_finding(
                        measure, overall(both), arm, known.plan, condition=block.condition
                    )
                )
    return [finding for finding in out if finding.n]


def _ece_findings(block: Block, found: Calibration, arm: Arm, known: Design) -> list[Finding]:
    """ECE and its expectation, both on the examples that parent and pruned model share."""
    arm = arm.paired()
    if not len(arm.pruned):
        return []
    outside = np.isnan(found.gap[arm.parent]) | np.isnan(found.gap[arm.pruned])
    sides = [found.rows(arm.parent, outside), found.rows(arm.pruned, outside), None]
    controlled = arm.controlled()
    if len(controlled.pruned):
        sides[2] = found.rows(controlled.control, outside[arm.control >= 0])
    owners = (arm.parent, arm.parent, controlled.parent)
    where, plan = block.condition, known.plan
    ece = overall(_contrast(sides, owners, contributions, known))
    perfect = overall(_contrast(sides, owners, _expectations, known))
    expected = answer_finding("ece_expected", perfect, arm, plan, condition=where)
    expected = replace(expected, low=None, high=None, standard_error=None, df=None, p=None)
    return [
        replace(
            answer_finding("ece", ece, arm, plan, condition=where, reason=HELD),
            p=None,
            p_floor=None,
        ),
        replace(expected, reason=EXPECTED, p_floor=None, detectable=None, discordant=None),
    ]


def _contrast(
    sides: Sequence[Calibration | None],
    owners: Sequence[IndexArray],
    value: Callable[[Calibration, Design], FloatArray],
    known: Design,
) -> Contrast:
    parent, pruned, control = (
        None if side is None else average_by_parent(value(side, known), owner)
        for side, owner in zip(sides, owners, strict=True)
    )
    if parent is None or pruned is None:
        raise ValueError("an arm has no parent: leave it out first.")
    return Contrast(parent, pruned, control, known)


def _expectations(found: Calibration, known: Design) -> FloatArray:
    """The expected ECE of each model, repeated on its examples."""
    expected = expected_ece(found.confidence, known.plan.calibration_bins, known.weights)
    return np.where(np.isnan(found.gap), np.nan, expected[:, None])


def _bins(confidence: FloatArray, bins: int) -> NDArray[np.int64]:
    """Bin of each confidence, closed on the right; -1 where there is none."""
    place = np.ceil(np.nan_to_num(confidence, nan=0.0) * bins).astype(np.int64) - 1
    return np.where(np.isnan(confidence), -1, np.clip(place, 0, bins - 1))


def _binned(
    values: FloatArray, place: NDArray[np.int64], bins: int, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of values, and of weights, per model and bin: two [models, bins]."""
    models = values.shape[0]
    inside = place >= 0
    flat = (np.arange(models)[:, None] * bins + place)[inside]
    weight = np.broadcast_to(weights, values.shape)[inside]
    shape = (models, bins)
    sums = np.bincount(flat, values[inside] * weight, models * bins).astype(np.float64)
    counts = np.bincount(flat, weight, models * bins).astype(np.float64)
    return sums.reshape(shape), counts.reshape(shape)


def _mean_absolute_deviation(n: FloatArray, p: FloatArray) -> FloatArray:
    """E|X − np| of a binomial X: 2 m C(n, m) p^m (1 − p)^(n − m + 1) with m = ⌊np⌋ + 1."""
    m = np.minimum(np.floor(n * p) + 1.0, n)
    inner = (n > 0) & (p > 0) & (p < 1)
    n, m, p = np.where(inner, n, 1.0), np.where(inner, m, 1.0), np.where(inner, p, 0.5)
    choose = special.gammaln(n + 1) - special.gammaln(m + 1) - special.gammaln(n - m + 1)
    log = np.log(2.0 * m) + choose + m * np.log(p) + (n - m + 1) * np.log1p(-p)
    return np.where(inner, np.exp(log), 0.0)
