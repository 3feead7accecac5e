"""Does confidence still mean what it meant: calibration errors, overconfidence and loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.paired import average_by_parent
from audit.judgement.pairs import Contrast, Design, contrast_of, overall
from audit.judgement.shifts.bins import binned, equal_mass, equal_width

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Bins = Callable[[FloatArray, int, FloatArray | None], IndexArray]

# The measure of an error, of its expectation, and the bins that both are taken in.
BINNED: Mapping[str, tuple[str, Bins]] = {
    "ece": ("ece_expected", equal_width),
    "ece_adaptive": ("ece_adaptive_expected", equal_mass),
}
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


def contributions(found: Calibration, known: Design, into: Bins = equal_width) -> FloatArray:
    """What each example adds to its model's ECE, [models, examples]; their mean is the ECE.

    ECE = Σ_b |Σ_{i in b} (correct − confidence)| / n over equal-width bins (Guo et al., eq. 3),
    bins closed on the right. Written as a mean over examples of sign(bin) × (confidence − correct),
    it takes the same paired inference as everything else.

    Args:
        found: Confidences and gaps.
        known: Weights, and the plan's number of bins.
        into: `equal_width`, or `equal_mass` for the adaptive ECE.
    """
    return _signed(found, into(found.confidence, known.plan.calibration_bins, known.weights), known)


def _signed(found: Calibration, place: IndexArray, known: Design) -> FloatArray:
    weights = np.ones(found.gap.shape[1]) if known.weights is None else known.weights
    sums, _ = binned(found.gap, place, known.plan.calibration_bins, weights)
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
    confidence: FloatArray,
    bins: int,
    weights: FloatArray | None = None,
    into: Bins = equal_width,
) -> FloatArray:
    """The ECE of a perfectly calibrated model with these confidences, float64 [models].

    ECE is never 0 in small samples. Inside a bin, the number right is close to binomial with the
    bin's mean confidence, and its mean absolute deviation has a closed form (De Moivre 1730).

    Args:
        confidence: float [models, examples] in [0, 1], NaN where there is none.
        bins: How many.
        weights: [examples]; bins then count effective examples.
        into: `equal_width` or `equal_mass`.
    """
    return _perfect(confidence, into(confidence, bins, weights), bins, weights)


def _perfect(
    confidence: FloatArray, place: IndexArray, bins: int, weights: FloatArray | None
) -> FloatArray:
    w = np.ones(confidence.shape[1]) if weights is None else weights
    sums, weight = binned(confidence, place, bins, w)
    squares = weight if weights is None else binned(confidence, place, bins, w**2)[1]
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
    """Both ECEs, their expectations, overconfidence and loss of every arm under one condition.

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
    """Each ECE and its expectation, on the examples that parent and pruned model share."""
    arm = arm.paired()
    if not len(arm.pruned):
        return []
    sides, owners = sides_of(found, arm)
    where, plan, out = block.condition, known.plan, []
    bins, weights = plan.calibration_bins, known.weights
    for measure, (expectation, into) in BINNED.items():
        places = [None if side is None else into(side.confidence, bins, weights) for side in sides]
        error = overall(_contrast(sides, owners, places, _signed, known))
        perfect = overall(_contrast(sides, owners, places, _expectations, known))
        finding = answer_finding(measure, error, arm, plan, condition=where, reason=HELD)
        expected = answer_finding(expectation, perfect, arm, plan, condition=where)
        out += [replace(finding, p=None, p_floor=None), _untested(expected)]
    return out


def sides_of(
    found: Calibration, arm: Arm
) -> tuple[list[Calibration | None], tuple[IndexArray, IndexArray, IndexArray]]:
    """Parents, pruned models and controls of a paired arm on the examples that they share.

    Returns:
        The three, the last None without controls, and the parent of each of their rows.
    """
    outside = np.isnan(found.gap[arm.parent]) | np.isnan(found.gap[arm.pruned])
    sides = [found.rows(arm.parent, outside), found.rows(arm.pruned, outside), None]
    controlled = arm.controlled()
    if len(controlled.pruned):
        sides[2] = found.rows(controlled.control, outside[arm.control >= 0])
    return sides, (arm.parent, arm.parent, controlled.parent)


def _untested(finding: Finding) -> Finding:
    """An expectation under perfect calibration: it follows from the confidences."""
    return replace(
        finding,
        low=None,
        high=None,
        standard_error=None,
        df=None,
        p=None,
        p_floor=None,
        detectable=None,
        discordant=None,
        examples_low=None,
        examples_high=None,
        examples_standard_error=None,
        examples_df=None,
        examples_p=None,
        reason=EXPECTED,
    )


def _contrast(
    sides: Sequence[Calibration | None],
    owners: Sequence[IndexArray],
    places: Sequence[IndexArray | None],
    value: Callable[[Calibration, IndexArray, Design], FloatArray],
    known: Design,
) -> Contrast:
    parent, pruned, control = (
        None if side is None or place is None else average_by_parent(value(side, place, known), own)
        for side, place, own in zip(sides, places, owners, strict=True)
    )
    if parent is None or pruned is None:
        raise ValueError("an arm has no parent: leave it out first.")
    return Contrast(parent, pruned, control, known)


def _expectations(found: Calibration, place: IndexArray, known: Design) -> FloatArray:
    """The expected ECE of each model, repeated on its examples."""
    bins = known.plan.calibration_bins
    expected = _perfect(found.confidence, place, bins, known.weights)
    return np.where(np.isnan(found.gap), np.nan, expected[:, None])


def _mean_absolute_deviation(n: FloatArray, p: FloatArray) -> FloatArray:
    """E|X − np| of a binomial X: 2 m C(n, m) p^m (1 − p)^(n − m + 1) with m = ⌊np⌋ + 1."""
    m = np.minimum(np.floor(n * p) + 1.0, n)
    inner = (n > 0) & (p > 0) & (p < 1)
    n, m, p = np.where(inner, n, 1.0), np.where(inner, m, 1.0), np.where(inner, p, 0.5)
    choose = special.gammaln(n + 1) - special.gammaln(m + 1) - special.gammaln(n - m + 1)
    log = np.log(2.0 * m) + choose + m * np.log(p) + (n - m + 1) * np.log1p(-p)
    return np.where(inner, np.exp(log), 0.0)
