"""Rates of each group beside accuracy, FPR and FNR: who they are, TPR, precision, excess gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN
from audit.judgement.answers import answer_finding, asked
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping
from audit.judgement.groups.excess_gap import excess_gaps
from audit.judgement.groups.rates import count, precision, ratio
from audit.judgement.inference.linearised import Linearised, linear_answers, ratio_contrast
from audit.judgement.inference.proportions import wilson
from audit.judgement.pairs import Answer, Design, Pairs, Value, contrast

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]

BASE_RATE = "of the examples, the same for every model; n is the group's size"
WILSON = "interval by Wilson's score"
BY_DELTA = (
    "its denominator differs between models, so the interval is of the linearised ratio (delta "
    "method) and n is the smallest denominator of any model"
)
MACRO_PRECISION = "mean over the classes that anybody in the group is taken for"


@dataclass(frozen=True)
class Gap:
    """A rate whose excess gap is asked.

    Attributes:
        measure: Its name.
        value: The rate as a mean over examples, signed so that a loss is a fall.
    """

    measure: str
    value: Value


def base_rate_findings(
    known: Design, division: Grouping, classes: Sequence[str], shown: NDArray[np.bool_]
) -> list[Finding]:
    """Who is in each group: its size, and the share that is of the positive class, or of each.

    Args:
        known: Labels and weights.
        division: The groups.
        classes: Class names.
        shown: bool [examples], whom any model was shown.
    """
    counted = known.counted & (known.labels != NO_LABEL) & shown
    codes, labels = division.codes[counted], known.labels[counted]
    weights = None if known.weights is None else known.weights[counted]
    shape = (len(division.names), len(classes))
    flat = codes * len(classes) + labels
    table = np.bincount(flat, weights, shape[0] * shape[1]).reshape(shape).astype(np.float64)
    sizes = np.bincount(codes, minlength=shape[0])
    share = ratio(table, table.sum(axis=1, keepdims=True))
    positive = known.plan.positive
    asked_of = range(len(classes)) if positive is None else [list(classes).index(positive)]
    return [
        _base_rate(share[group, class_], int(sizes[group]), name, classes[class_], known)
        for group, name in enumerate(division.names)
        for class_ in asked_of
    ]


def precision_and_gaps(found: Pairs, division: Grouping, classes: Sequence[str]) -> list[Finding]:
    """Precision and, with a positive class, the excess gaps of three rates, for one arm."""
    positive = found.design.plan.positive
    if positive is None:
        return _macro_precision(found, division, len(classes))
    code = list(classes).index(positive)
    each = linear_answers(precision_contrast(found, division, code), division.codes,
                          len(division.names))  # fmt: skip
    out = _findings("group_precision", each, found, division.names, positive, BY_DELTA)
    for gap in gaps(found.design, code):
        both = contrast(found, gap.value)
        behind = excess_gaps(both, division)
        out += _findings(gap.measure, behind, found, division.names, positive, None)
    return out


def precision_contrast(found: Pairs, division: Grouping, class_: int) -> Linearised:
    """Precision of one class in each group, as a mean of contributions."""
    of_class, labelled = found.design.labels == class_, found.design.labels != NO_LABEL

    def among(rows: NDArray[np.bool_]) -> Value:
        def value(predicted: IntArray) -> FloatArray:
            hit = ((predicted == class_) & rows).astype(np.float64)
            return np.where((predicted == NOT_SHOWN) | ~labelled, np.nan, hit)

        return value

    n_groups = len(division.names)
    return ratio_contrast(found, among(of_class), among(labelled), division.codes, n_groups)


def gaps(known: Design, class_: int) -> list[Gap]:
    """TPR, true negative rate and TPR again: an FPR rises by what its complement falls."""
    of_class, labelled = known.labels == class_, known.labels != NO_LABEL

    def among(rows: NDArray[np.bool_], sign: float, wanted: bool) -> Value:
        def value(predicted: IntArray) -> FloatArray:
            hit = sign * ((predicted == class_) == wanted)
            return np.where((predicted == NOT_SHOWN) | ~rows, np.nan, hit)

        return value

    return [
        Gap("excess_gap_tpr", among(of_class, 1.0, True)),
        Gap("excess_gap_fpr", among(labelled & ~of_class, -1.0, True)),
        Gap("excess_gap_fnr", among(of_class, -1.0, False)),
    ]


def macro_precision_contributions(
    taken: IntArray,
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    shape: tuple[int, int],
    weights: FloatArray | None = None,
) -> FloatArray:
    """Contributions to the mean of the classes' precisions in each group, for one model.

    With C classes that anybody in the group is taken for, of which an example taken for k is one of
    Σ_k w: z = mean + (Σ w / (C · Σ_k w)) · (1 if it is of k else 0, less the precision of k).

    Args:
        taken: [examples], predictions or `NOT_SHOWN`.
        labels: int64 [examples].
        groups: int64 [examples], -1 leaves an example out.
        shape: Numbers of groups and of classes.
        weights: float64 [examples]; None counts each once.

    Returns:
        float64 [examples], NaN for those left out; its weighted mean is the macro precision.
    """
    n_groups, n_classes = shape
    shown = (taken != NOT_SHOWN) & (groups >= 0)
    counts = count(taken[None], labels, groups, n_groups, n_classes, weights)
    own, mean = ratio(counts.hits, counts.predicted)[0], precision(counts)[0]
    each = None if weights is None else weights[shown]
    size = np.bincount(groups[shown], each, n_groups)
    classes = (~np.isnan(own)).sum(axis=1)
    g, k = groups[shown], taken[shown]
    per = size[g] / (classes[g] * counts.predicted[0, g, k])
    out = np.full(taken.shape, np.nan)
    out[shown] = mean[g] + per * ((k == labels[shown]) - own[g, k])
    return out


def _macro_precision(found: Pairs, division: Grouping, n_classes: int) -> list[Finding]:
    """The mean of the classes' precisions, linearised class by class, one model at a time."""
    known, codes, n_groups = found.design, division.codes, len(division.names)
    outside = (known.labels == NO_LABEL) | ~known.counted
    groups = np.where(outside, -1, codes)

    def z(predicted: IntArray) -> FloatArray:
        shape = (n_groups, n_classes)
        return np.stack(
            [
                macro_precision_contributions(row, known.labels, groups, shape, known.weights)
                for row in predicted
            ]
        )

    sizes = np.bincount(codes, minlength=n_groups)
    scale = np.maximum(sizes / max(n_classes, 1), 1.0)
    each = linear_answers(Linearised(contrast(found, z), sizes, scale), codes, n_groups)
    return _findings("group_precision", each, found, division.names, None, MACRO_PRECISION)


def _base_rate(share: float, n: int, group: str, class_: str, known: Design) -> Finding:
    question = asked("group_base_rate", None, class_=class_, groups=group)
    if n == 0:
        return replace(question, n=0, outcome="not_asked", reason="nobody with a label is in it")
    value, reason = float(share), BASE_RATE
    found = replace(question, parent=value, pruned=value, n=n, generalises_to="examples")
    if known.weights is None and known.clusters is None:
        low, high = wilson(value * n, n, 1.0 - known.plan.alpha)
        found, reason = replace(found, low=float(low), high=float(high)), f"{reason}; {WILSON}"
    return replace(found, reason=reason)


def _findings(
    measure: str,
    each: Sequence[Answer],
    found: Pairs,
    names: Sequence[str],
    class_: str | None,
    reason: str | None,
) -> list[Finding]:
    return [
        answer_finding(
            measure,
            answer,
            found.arm,
            found.design.plan,
            condition=found.condition,
            class_=class_,
            groups=name,
            reason=reason,
        )
        for name, answer in zip(names, each, strict=True)
    ]
