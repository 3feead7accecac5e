"""Confusion counts per model, group and class, and the rates that follow; undefined is NaN.

One `Counts` holds everything: it adds up over parts of the examples, and every rate, one class
against the rest or averaged over classes, is a ratio of its sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN

CountArray = NDArray[np.int64] | NDArray[np.float64]
RateArray = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """What a confusion matrix has on its margins and diagonal, mergeable by `+`.

    Attributes:
        labelled: [models, groups, classes], examples of the class.
        predicted: [models, groups, classes], examples taken for the class.
        hits: [models, groups, classes], examples of the class taken for it.

    Each is int64, or float64 where examples carry weights.
    """

    labelled: CountArray
    predicted: CountArray
    hits: CountArray

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.labelled + other.labelled,
            self.predicted + other.predicted,
            self.hits + other.hits,
        )

    @property
    def n(self) -> CountArray:
        """Examples shown and labelled, [models, groups]."""
        total: CountArray = self.labelled.sum(axis=-1)
        return total

    @property
    def negatives(self) -> CountArray:
        """Examples of any other class, [models, groups, classes]: what FPR divides by."""
        return self.n[..., None] - self.labelled


def count(
    predicted: NDArray[np.integer],
    labels: NDArray[np.integer],
    groups: NDArray[np.integer],
    n_groups: int,
    n_classes: int,
    weights: NDArray[np.floating] | None = None,
) -> Counts:
    """Counts predictions; an example that a model was not shown, or without a label, is left out.

    Args:
        predicted: [models, examples], class codes or `NOT_SHOWN`.
        labels: [examples], class codes or `NO_LABEL`.
        groups: [examples], group codes; a negative one leaves the example out.
        n_groups: Number of groups.
        n_classes: Number of classes.
        weights: [examples], what each example counts for; None counts each once.
    """
    models = predicted.shape[0]
    known = (labels != NO_LABEL) & (groups >= 0)
    label, group, taken = labels[known], groups[known], predicted[:, known]
    shown = taken != NOT_SHOWN
    cell = np.arange(models, dtype=np.int64)[:, None] * n_groups + group[None, :]
    weight = None if weights is None else np.broadcast_to(weights[known], taken.shape)

    def tally(classes: NDArray[np.integer], where: NDArray[np.bool_]) -> CountArray:
        flat = (cell * n_classes + classes)[where]
        size = models * n_groups * n_classes
        sums = np.bincount(flat, None if weight is None else weight[where], minlength=size)
        return sums.reshape(models, n_groups, n_classes)

    truth = np.broadcast_to(label, taken.shape)
    return Counts(tally(truth, shown), tally(taken, shown), tally(truth, shown & (taken == truth)))


def accuracy(counts: Counts) -> RateArray:
    """Share taken for their own class, [models, groups]."""
    return ratio(counts.hits.sum(axis=-1), counts.n)


def recall(counts: Counts, class_: int | None = None) -> RateArray:
    """True positive rate, [models, groups]; with no class the mean over those with examples."""
    return _of(ratio(counts.hits, counts.labelled), class_)


def false_negative_rate(counts: Counts, class_: int | None = None) -> RateArray:
    """1 - recall, [models, groups]."""
    return _of(ratio(counts.labelled - counts.hits, counts.labelled), class_)


def false_positive_rate(counts: Counts, class_: int | None = None) -> RateArray:
    """Share of the true negatives taken for the class, [models, groups].

    With no class it is the mean over the classes that have negatives in the group.
    """
    return _of(ratio(counts.predicted - counts.hits, counts.negatives), class_)


def selection_rate(counts: Counts, class_: int) -> RateArray:
    """Share of all taken for the class, [models, groups]."""
    return ratio(counts.predicted[..., class_], counts.n)


def precision(counts: Counts, class_: int | None = None) -> RateArray:
    """Share of those taken for the class that are of it, [models, groups].

    Undefined where nobody is taken for it; with no class the mean over the defined.
    """
    return _of(ratio(counts.hits, counts.predicted), class_)


def ratio(part: NDArray[np.number], whole: NDArray[np.number]) -> RateArray:
    """Quotient, NaN where the whole is 0."""
    out = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=out, where=whole != 0)
    return out


def mean_defined(values: RateArray, axis: int) -> RateArray:
    """Mean over the defined values along an axis, NaN where there is none."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis))


def _of(rates: RateArray, class_: int | None) -> RateArray:
    return mean_defined(rates, -1) if class_ is None else rates[..., class_]
