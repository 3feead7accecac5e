"""Turns scores into predictions: thresholds that the plan states, or that validation data set.

A threshold that is not 0.5 makes other predictions of the same models. It is applied where a
condition is loaded, so that every question is about the predictions that would be acted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Block, Condition, Evidence
from audit.evidence.errors import InputError
from audit.judgement.plan import FixedThreshold, OperatingPoint, Plan
from audit.judgement.scores import NO_POSITIVE, NO_SCORE, score_of
from audit.judgement.shifts.kinds import kind_of

FloatArray = NDArray[np.float64]

ROUNDING = 1e-9  # a share of 0.9 of 10 examples is 9 of them, whatever binary fractions say


@dataclass(frozen=True)
class Decided:
    """Evidence whose predictions follow the plan's decision.

    Attributes:
        evidence: The same evidence; `load`, and that of `validation`, give decided predictions.
            Where a model's prediction was decided, `Block.confidence` is that of the decided class.
        record: The rule, and the threshold of every model by name; None for `argmax`.
    """

    evidence: Evidence
    record: Mapping[str, Any] | None


def decided(evidence: Evidence, plan: Plan) -> Decided:
    """Applies `Plan.decision` to everything that is loaded from now on.

    Args:
        evidence: The evidence as recorded.
        plan: `decision` and `positive`.

    Raises:
        InputError: A threshold is asked for and there is no positive class, no score for it, or no
            validation example to set it on.
    """
    if plan.decision == "argmax":
        return Decided(evidence, None)
    if plan.positive is None:
        raise InputError(f"`decision` cannot be applied, because {NO_POSITIVE}.")
    positive = evidence.classes.index(plan.positive)
    thresholds = _thresholds(evidence, plan, positive)
    record = {
        "rule": plan.decision.model_dump(mode="json"),
        "positive": plan.positive,
        "thresholds": dict(zip(map(str, evidence.models["model"]), thresholds, strict=True)),
    }
    return Decided(_applied(evidence, positive, np.asarray(thresholds)), record)


def decide(block: Block, evidence: Evidence, positive: int, thresholds: FloatArray) -> Block:
    """The block with the positive class predicted where its score reaches the model's threshold.

    Below it, the best other class is predicted: with two classes the other, with more the most
    probable one.

    Args:
        block: Predictions under one condition.
        evidence: Where it came from.
        positive: Code of the positive class.
        thresholds: float64 [models]; NaN leaves a model as it is.

    Raises:
        InputError: A model has no score.
    """
    predicted = block.predicted.copy()
    confidence = None if block.confidence is None else block.confidence.copy()
    for row in np.flatnonzero(~np.isnan(thresholds)):
        score = _needed_score(block, evidence, int(row), positive)
        other, other_score = _best_other(block, evidence, int(row), positive, score)
        taken, shown = score >= thresholds[row], block.predicted[row] != NOT_SHOWN
        predicted[row] = np.where(shown, np.where(taken, positive, other), NOT_SHOWN)
        if confidence is not None:
            confidence[row] = np.where(shown, np.where(taken, score, other_score), np.nan)
    return replace(block, predicted=predicted, confidence=confidence)


def operating_threshold(
    score: FloatArray,
    positive: NDArray[np.bool_],
    *,
    specificity: float | None = None,
    sensitivity: float | None = None,
    weights: FloatArray | None = None,
) -> float:
    """The threshold at which a rate first has its value, one of the observed scores.

    For a specificity it is the smallest score with at least that share of the negatives below it;
    for a sensitivity the largest score that at least that share of the positives reaches.

    Args:
        score: float64 [examples], no NaN.
        positive: bool [examples], who is of the positive class.
        specificity: Share in (0, 1).
        sensitivity: Share in (0, 1), where no specificity is given.
        weights: float64 [examples]; None counts each once.

    Returns:
        The threshold; just above the largest score where no observed one will do. NaN where nobody
        is in the rate's denominator.
    """
    among = ~positive if sensitivity is None else positive
    wanted = specificity if sensitivity is None else sensitivity
    weight = np.ones(score.size) if weights is None else weights
    own, each = score[among], weight[among]
    if not own.size or wanted is None:
        return float("nan")
    least = wanted * each.sum() * (1.0 - ROUNDING)
    values, code = np.unique(own, return_inverse=True)
    held = np.bincount(code, each)
    if sensitivity is not None:
        reached = np.cumsum(held[::-1])[::-1]  # weight at or above each value
        return float(values[np.flatnonzero(reached >= least)[-1]])
    last_below = values[np.flatnonzero(np.cumsum(held) >= least)[0]]
    above = score[score > last_below]
    return float(above.min()) if above.size else float(np.nextafter(last_below, np.inf))


def prevalence_threshold(
    score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None
) -> float:
    """The threshold at which as many are predicted positive as are positive, or as near as ties go.

    Args:
        score: float64 [examples], no NaN.
        positive: bool [examples].
        weights: float64 [examples]; None counts each once.
    """
    weight = np.ones(score.size) if weights is None else weights
    if not score.size:
        return float("nan")
    values, code = np.unique(score, return_inverse=True)
    reached = np.cumsum(np.bincount(code, weight)[::-1])[::-1]
    off = np.abs(np.append(reached, 0.0) - weight[positive].sum())
    place = int(np.flatnonzero(off <= off.min() + ROUNDING)[-1])
    return float(values[place] if place < values.size else np.nextafter(values[-1], np.inf))


def prevalence_thresholds(evidence: Evidence, positive: int) -> FloatArray | None:
    """`prevalence_threshold` of every model on clean validation examples, float64 [models].

    Returns:
        None where there is no validation, or a model has no score there.
    """
    block = _validation_block(evidence)
    if block is None or evidence.validation is None:
        return None
    out = np.empty(len(evidence.models))
    for row in range(len(out)):
        score = score_of(block, evidence.validation, row, positive)
        if score is None:
            return None
        use = _usable(score, evidence.validation)
        weights = _weights(evidence.validation)
        labels = evidence.validation.labels[use]
        out[row] = prevalence_threshold(
            score[use], labels == positive, None if weights is None else weights[use]
        )
    return out


def _thresholds(evidence: Evidence, plan: Plan, positive: int) -> list[float]:
    """One threshold per model, in table order."""
    rule = plan.decision
    if isinstance(rule, FixedThreshold):
        return [rule.threshold] * len(evidence.models)
    if not isinstance(rule, OperatingPoint):  # pragma: no cover (argmax never gets here)
        raise TypeError(f"no threshold follows from {rule!r}.")
    block = _validation_block(evidence)
    if block is None or evidence.validation is None:
        raise InputError(
            "`decision` is set on validation examples and there are none on clean data: add "
            "examples of the split `validation` with predictions, or state a `threshold`."
        )
    owner = _dense_owner(evidence) if rule.set_on == "parent" else np.arange(len(evidence.models))
    own = {
        int(row): _own_threshold(block, evidence.validation, int(row), positive, rule)
        for row in np.unique(owner)
    }
    return [own[int(row)] for row in owner]


def _own_threshold(
    block: Block, validation: Evidence, row: int, positive: int, rule: OperatingPoint
) -> float:
    score = _needed_score(block, validation, row, positive)
    use, weights = _usable(score, validation), _weights(validation)
    found = operating_threshold(
        score[use],
        validation.labels[use] == positive,
        specificity=rule.specificity,
        sensitivity=rule.sensitivity,
        weights=None if weights is None else weights[use],
    )
    if np.isnan(found):
        kind = "negative" if rule.sensitivity is None else "positive"
        raise InputError(
            f"`decision` cannot be set for model {validation.models['model'].iloc[row]!r}: its "
            f"validation examples hold no {kind}, so add some, or state a `threshold`."
        )
    return found


def _dense_owner(evidence: Evidence) -> NDArray[np.int64]:
    """The row of each model's dense parent; a model that names none stands for itself."""
    models = evidence.models
    row_of = {str(name): row for row, name in enumerate(models["model"])}
    parent = [row_of.get(str(name), -1) for name in models["parent"]]
    owner = []
    for row in range(len(models)):
        seen = {row}
        while parent[row] >= 0 and parent[row] not in seen:
            row = parent[row]
            seen.add(row)
        owner.append(row)
    return np.asarray(owner, dtype=np.int64)


def _validation_block(evidence: Evidence) -> Block | None:
    validation = evidence.validation
    if validation is None or CLEAN not in validation.conditions or not len(validation.examples):
        return None
    return validation.load(CLEAN)


def _usable(score: FloatArray, validation: Evidence) -> NDArray[np.bool_]:
    """Validation examples that can set a threshold: labelled, shown, and counted."""
    weights = _weights(validation)
    use: NDArray[np.bool_] = ~np.isnan(score) & (validation.labels != NO_LABEL)
    return use if weights is None else use & (weights > 0.0)


def _weights(evidence: Evidence) -> FloatArray | None:
    if "weight" not in evidence.examples:
        return None
    return evidence.examples["weight"].to_numpy(np.float64, na_value=1.0)


def _applied(evidence: Evidence, positive: int, thresholds: FloatArray) -> Evidence:
    def load(condition: Condition) -> Block:
        block = evidence.load(condition)
        if kind_of(block, evidence) == "out_of_distribution":
            return block  # no class is right there, and its confidence tells it from the others
        return decide(block, evidence, positive, thresholds)

    inner = evidence.validation
    validation = None if inner is None else _applied(inner, positive, thresholds)
    return replace(evidence, load=load, validation=validation)


def _needed_score(block: Block, evidence: Evidence, row: int, positive: int) -> FloatArray:
    score = score_of(block, evidence, row, positive)
    missing = score is None or bool(np.isnan(score[block.predicted[row] != NOT_SHOWN]).any())
    if score is None or missing:
        raise InputError(
            f"`decision` cannot be applied to model {evidence.models['model'].iloc[row]!r} under "
            f"{block.condition.name!r}, because {NO_SCORE}."
        )
    return score


def _best_other(
    block: Block, evidence: Evidence, row: int, positive: int, score: FloatArray
) -> tuple[NDArray[np.integer] | int, FloatArray]:
    """The class predicted below the threshold, and its probability."""
    if len(evidence.classes) == 2:
        return 1 - positive, 1.0 - score
    probabilities = evidence.probabilities(block.condition, row)
    if probabilities is None:
        raise InputError(f"`decision` cannot be applied, because {NO_SCORE}.")
    rest = np.where(np.isnan(probabilities), -1.0, probabilities)
    rest[:, positive] = -2.0
    other = rest.argmax(axis=1)
    return other, np.take_along_axis(rest, other[:, None], axis=1)[:, 0].astype(np.float64)
