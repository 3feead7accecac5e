"""Where two models predict differently: flips for the worse, for the better, and Cohen's kappa."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN
from audit.judgement.inference.crossed import sums
from audit.judgement.inference.paired import average_by_parent
from audit.judgement.pairs import Pairs

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Predictions = NDArray[np.integer]

NEED_LABELS = ("harmed_rate", "mended_rate", "net_harm_rate")


@dataclass(frozen=True, eq=False)
class Beside:
    """A population beside the parents, row by row.

    Attributes:
        parent: int [K, examples], class codes or `NOT_SHOWN`.
        other: int [K, examples], the models beside them.
        owner: int64 [K], the parent of each row.
    """

    parent: Predictions
    other: Predictions
    owner: IndexArray


def pruned_beside(found: Pairs) -> Beside:
    """The pruned models beside their parents."""
    return Beside(found.parent, found.pruned, found.arm.parent)


def controls_beside(found: Pairs) -> Beside | None:
    """The controls beside their parents; None without controls."""
    if found.control is None:
        return None
    parents, _ = _distinct_parents(found)
    return Beside(parents[with_control(found)], found.control, found.control_parent)


def parents_beside(found: Pairs) -> Beside | None:
    """Every parent beside another one: what independent training alone changes; None for one."""
    parents, owner = _distinct_parents(found)
    if len(parents) < 2:
        return None
    return Beside(parents, np.roll(parents, 1, axis=0), owner)


def with_control(found: Pairs) -> IndexArray:
    """Places among the arm's distinct parents of those that have a control, once per replicate."""
    return np.searchsorted(found.arm.parents, found.control_parent).astype(np.int64)


def flip_values(measure: str, beside: Beside, labels: IndexArray) -> FloatArray:
    """One of the flip measures for every example.

    Args:
        measure: `flip_rate`, `agreement`, `harmed_rate`, `mended_rate` or `net_harm_rate`.
        beside: The two populations.
        labels: int64 [examples], `NO_LABEL` where nobody knows.

    Returns:
        float64 [parents, examples], replicates averaged, NaN outside the denominator.
    """
    parent, other = beside.parent, beside.other
    shown = (parent != NOT_SHOWN) & (other != NOT_SHOWN)
    if measure in NEED_LABELS:
        shown = shown & (labels != NO_LABEL)
    value = _value(measure, parent, other, labels)
    return average_by_parent(np.where(shown, value, np.nan), beside.owner)


def kappa_values(beside: Beside, classes: int, weights: FloatArray | None) -> FloatArray:
    """Cohen's kappa per parent, replicates averaged, float64 [parents, 1]."""
    each = cohen_kappa(beside.parent, beside.other, classes, weights)
    return average_by_parent(each[:, None], beside.owner)


def cohen_kappa(
    first: Predictions, second: Predictions, classes: int, weights: FloatArray | None = None
) -> FloatArray:
    """Cohen's kappa of every pair of rows: (p_o − p_e) / (1 − p_e).

    Args:
        first: int [pairs, examples], class codes or `NOT_SHOWN`.
        second: The same of the others.
        classes: Number of classes.
        weights: float64 [examples]; None counts each example once.

    Returns:
        float64 [pairs], NaN where nobody was shown, or where both only ever say the same one class
        (agreement beyond chance has no meaning then).
    """
    shown = (first != NOT_SHOWN) & (second != NOT_SHOWN)
    weight = shown * np.ones(shown.shape[1]) if weights is None else shown * weights
    total = weight.sum(axis=1)
    size = np.where(total > 0, total, np.nan)
    same = (weight * (first == second)).sum(axis=1) / size
    chance = np.array(
        [
            float(_marginal(w, a, classes) @ _marginal(w, b, classes))
            for w, a, b in zip(weight, first, second, strict=True)
        ]
    )
    room = 1.0 - chance / size**2
    out = np.full(len(first), np.nan)
    np.divide(same - chance / size**2, room, out=out, where=room > 1e-12)
    return out


def _value(
    measure: str, parent: Predictions, other: Predictions, labels: IndexArray
) -> NDArray[np.int8]:
    harmed = ((parent == labels) & (other != labels)).astype(np.int8)
    mended = ((parent != labels) & (other == labels)).astype(np.int8)
    values: dict[str, NDArray[np.int8]] = {
        "flip_rate": (parent != other).astype(np.int8),
        "agreement": (parent == other).astype(np.int8),
        "harmed_rate": harmed,
        "mended_rate": mended,
        "net_harm_rate": harmed - mended,
    }
    return values[measure]


def _marginal(weight: FloatArray, predicted: Predictions, classes: int) -> FloatArray:
    return sums(weight, np.maximum(predicted, 0), classes)


def _distinct_parents(found: Pairs) -> tuple[Predictions, IndexArray]:
    """Predictions of the distinct parents, ascending, and who they are."""
    distinct, first = np.unique(found.arm.parent, return_index=True)
    return found.parent[first], distinct
