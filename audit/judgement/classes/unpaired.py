"""What can be said of classes where no pruned model names its parent: Welch against all dense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Block, Condition, Evidence
from audit.judgement.answers import answer_finding, asked
from audit.judgement.classes.welch import Centring, Welch, welch_shift
from audit.judgement.design import Arm, dense
from audit.judgement.findings import Finding
from audit.judgement.groups.rates import accuracy, count, mean_defined, ratio
from audit.judgement.inference.estimate import POWER, Estimate
from audit.judgement.inference.student import t_quantile
from audit.judgement.measures import Measure
from audit.judgement.pairs import Answer, Design

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

WELCH = "independent populations: Welch, each model's recall less its own accuracy"
UNPAIRED = "not asked: no pruned model names its parent; add the column `parent`"


def unpaired_classes(block: Block, evidence: Evidence, arm: Arm, known: Design) -> list[Finding]:
    """Recall of a population that names no parents, and its shifts against all dense models.

    Args:
        block: Predictions under one condition.
        evidence: Class names and models.
        arm: Pruned models, none with a known parent.
        known: Labels, weights and plan.

    Returns:
        `recall` of every class, not asked, and, with two models or more on either side,
        `normalised_recall_shift` by Welch.
    """
    classes = len(evidence.classes)
    before = model_rates(block.predicted[dense(evidence.models)], classes, known)
    after = model_rates(block.predicted[arm.pruned], classes, known)
    counted = known.counted & (known.labels != NO_LABEL)
    n = np.bincount(known.labels[counted], minlength=classes)
    out = []
    for i, name in enumerate(evidence.classes):
        question = asked("recall", arm, condition=block.condition, class_=name)
        value = mean_defined(after[0][:, i], 0)
        out.append(
            replace(
                question,
                pruned=float(value) if np.isfinite(value) else None,
                n=int(n[i]),
                outcome="not_asked",
                reason=UNPAIRED,
            )
        )
    if min(len(before[0]), len(after[0])) < 2:
        return out
    return out + _both_centrings(block, evidence, arm, known, before, after)


def model_rates(
    predicted: NDArray[np.integer], classes: int, known: Design
) -> tuple[FloatArray, FloatArray]:
    """Recall [models, classes] and accuracy [models] of every model."""
    group = np.where(known.counted, 0, -1)
    counts = count(predicted, known.labels, group, 1, classes, known.weights)
    return ratio(counts.hits, counts.labelled)[:, 0, :], accuracy(counts)[:, 0]


def welch_answers(
    measure: str | Measure,
    centring: Centring,
    condition: Condition,
    classes: Sequence[str],
    arm: Arm,
    known: Design,
    before: tuple[FloatArray, FloatArray],
    after: tuple[FloatArray, FloatArray],
    reason: str,
) -> list[Finding]:
    """Normalised recall shifts of independent populations, one finding per class.

    Args:
        measure: The measure.
        centring: What is taken off every recall.
        condition: The condition.
        classes: Class names.
        arm: The pruned models.
        known: Labels and plan.
        before: Recall and accuracy of the dense models, from `model_rates`.
        after: The same of the pruned models.
        reason: How the numbers are to be read.
    """
    counted = known.counted & (known.labels != NO_LABEL)
    n = np.bincount(known.labels[counted], minlength=len(classes))
    found = welch_shift(*before, *after, centring=centring)
    return [
        answer_finding(
            measure,
            Answer(
                _welch_estimate(found, i, int(n[i]), len(before[0]), known.plan.alpha),
                _mean(before[0][:, i] - before[1]),
                _mean(after[0][:, i] - after[1]),
                None,
            ),
            arm,
            known.plan,
            condition=condition,
            class_=name,
            reason=reason,
        )
        for i, name in enumerate(classes)
    ]


def _both_centrings(
    block: Block,
    evidence: Evidence,
    arm: Arm,
    known: Design,
    before: tuple[FloatArray, FloatArray],
    after: tuple[FloatArray, FloatArray],
) -> list[Finding]:
    """Shifts centred per model, with the p of the other centring beside."""
    found = welch_answers(
        "normalised_recall_shift",
        "model",
        block.condition,
        evidence.classes,
        arm,
        known,
        before,
        after,
        WELCH,
    )
    other = welch_shift(*before, *after, centring="population").p
    return [
        one
        if one.p is None or one.reason is None
        else replace(one, reason=f"{one.reason}; p = {p:.3g} less the mean accuracy")
        for one, p in zip(found, other, strict=True)
    ]


def _welch_estimate(found: Welch, i: int, n: int, models: int, alpha: float) -> Estimate:
    change, error, df = float(found.change[i]), float(found.standard_error[i]), float(found.df[i])
    known = Estimate(
        change=change if np.isfinite(change) else None,
        n=n,
        units=n,
        parents=models,
        generalises_to="seeds",
    )
    if not np.isfinite(error):
        return replace(known, reason="there is no variance between models to test against")
    reach = float(t_quantile(1.0 - alpha / 2.0, df)) * error
    return replace(
        known,
        low=change - reach,
        high=change + reach,
        p=float(found.p[i]),
        centre=change,
        standard_error=error,
        df=df,
        p_floor=0.0,
        detectable=reach + float(t_quantile(POWER, df)) * error,
    )


def _mean(values: FloatArray) -> float | None:
    found = float(mean_defined(values, 0))
    return found if np.isfinite(found) else None
