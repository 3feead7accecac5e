"""Each pruned model beside its own parent and control, example by example, under one condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Condition, Evidence
from audit.judgement.design import Arm
from audit.judgement.inference.paired import (
    Estimate,
    average_by_parent,
    by_cell,
    cluster_codes,
    paired_change,
    paired_change_by_cell,
)
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]
Value = Callable[[IntArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Design:
    """What every question about the examples shares.

    Attributes:
        labels: int64 [examples], `NO_LABEL` where nobody knows.
        weights: float64 [examples], all positive; None counts each once.
        clusters: int64 [examples], what is independent; None makes each example its own.
        counted: bool [examples], False for an example of weight 0.
        plan: The plan.
    """

    labels: CodeArray
    weights: FloatArray | None
    clusters: CodeArray | None
    counted: NDArray[np.bool_]
    plan: Plan


@dataclass(frozen=True, eq=False)
class Pairs:
    """One arm's predictions under one condition; an example not shown to both is shown to neither.

    Attributes:
        arm: The arm; every parent is known.
        condition: The condition.
        parent: int [K, examples], class codes.
        pruned: int [K, examples].
        control: int [K', examples], of the K' pruned models whose parent has one; None for none.
        control_parent: int64 [K'], the parents of those.
        design: What is known of the examples.
    """

    arm: Arm
    condition: Condition
    parent: IntArray
    pruned: IntArray
    control: IntArray | None
    control_parent: CodeArray
    design: Design


@dataclass(frozen=True, eq=False)
class Contrast:
    """One quantity in parents, pruned models and controls, replicates averaged.

    Attributes:
        parent: float64 [parents, examples], NaN where not in the denominator.
        pruned: float64 [parents, examples].
        control: float64 [parents with a control, examples], or None.
        design: What is known of the examples.
    """

    parent: FloatArray
    pruned: FloatArray
    control: FloatArray | None
    design: Design

    @property
    def difference(self) -> FloatArray:
        """Change from parent to pruned, [parents, examples]."""
        return self.pruned - self.parent


@dataclass(frozen=True)
class Answer:
    """An estimate with the values it lies between."""

    estimate: Estimate
    parent: float | None
    pruned: float | None
    control: float | None


def design(evidence: Evidence, plan: Plan) -> Design:
    """Reads labels, weights and clusters from the example table."""
    examples = evidence.examples
    weights, counted = None, np.ones(len(examples), dtype=np.bool_)
    if "weight" in examples:
        stated = pd.to_numeric(examples["weight"]).to_numpy(np.float64, na_value=1.0)
        counted = stated > 0.0
        weights = np.where(counted, stated, 1.0)
    clusters = None
    if "cluster" in examples and examples["cluster"].notna().any():
        clusters = cluster_codes(examples["cluster"].to_numpy(), len(examples))
    return Design(evidence.labels, weights, clusters, counted, plan)


def pairs(block: Block, arm: Arm, known: Design) -> Pairs | None:
    """Puts pruned models beside their parents; None where no parent is known."""
    arm = arm.paired()
    if not len(arm.pruned):
        return None
    parent, pruned = block.predicted[arm.parent], block.predicted[arm.pruned]
    shown = (parent != NOT_SHOWN) & (pruned != NOT_SHOWN) & known.counted
    with_control = arm.controlled()
    control = None
    if len(with_control.pruned):
        inside = shown[arm.control >= 0]
        control = np.where(inside, block.predicted[with_control.control], NOT_SHOWN)
    return Pairs(
        arm=arm,
        condition=block.condition,
        parent=np.where(shown, parent, NOT_SHOWN),
        pruned=np.where(shown, pruned, NOT_SHOWN),
        control=control,
        control_parent=with_control.parent,
        design=known,
    )


def contrast(found: Pairs, value: Value) -> Contrast:
    """Applies a per-example value, NaN outside its denominator, to all three kinds of model.

    Args:
        found: The pairs.
        value: int [models, examples] predictions to float [models, examples].
    """
    owner = found.arm.parent
    control = None
    if found.control is not None:
        control = average_by_parent(value(found.control), found.control_parent)
    return Contrast(
        average_by_parent(value(found.parent), owner),
        average_by_parent(value(found.pruned), owner),
        control,
        found.design,
    )


def contrast_of(values: FloatArray, arm: Arm, known: Design) -> Contrast | None:
    """The contrast of a value that every model already has; None where no parent is known.

    Args:
        values: float [models, examples], rows as in `Evidence.models`, NaN outside a denominator.
        arm: The pruned models.
        known: What is known of the examples.
    """
    arm = arm.paired()
    if not len(arm.pruned):
        return None
    parent, pruned = values[arm.parent], values[arm.pruned]
    outside = np.isnan(parent) | np.isnan(pruned) | ~known.counted
    with_control = arm.controlled()
    control = None
    if len(with_control.pruned):
        inside = ~outside[arm.control >= 0]
        control = average_by_parent(
            np.where(inside, values[with_control.control], np.nan), with_control.parent
        )
    return Contrast(
        average_by_parent(np.where(outside, np.nan, parent), arm.parent),
        average_by_parent(np.where(outside, np.nan, pruned), arm.parent),
        control,
        known,
    )


def correct(labels: CodeArray) -> Value:
    """1 where the prediction is the label, 0 where not, NaN where either is unknown."""

    def value(predicted: IntArray) -> FloatArray:
        right = (predicted == labels).astype(np.float64)
        return np.where((predicted == NOT_SHOWN) | (labels == NO_LABEL), np.nan, right)

    return value


def answers(
    found: Contrast, cells: CodeArray, n_cells: int, scale: Sequence[float] | None = None
) -> list[Answer]:
    """The change in every cell, by parent × example inference, with the values beside it.

    Args:
        found: The quantity.
        cells: int64 [examples], -1 for an example of no cell.
        n_cells: Number of cells.
        scale: Per cell, the largest value one example can take (1 for a rate): inference adds
            pseudo-examples of size 1 to rare events, so values are brought to that size for it.
    """
    known = found.design
    factor = np.ones(n_cells) if scale is None else np.asarray(scale, dtype=np.float64)
    size = np.where(cells >= 0, factor[cells], 1.0)
    estimates = paired_change_by_cell(
        found.difference / size,
        cells,
        n_cells,
        weights=known.weights,
        clusters=known.clusters,
        level=1.0 - known.plan.alpha,
    )
    parent = levels(found.parent, cells, n_cells, known.weights)
    pruned = levels(found.pruned, cells, n_cells, known.weights)
    control: list[float | None] = [None] * n_cells
    if found.control is not None:
        control = levels(found.control, cells, n_cells, known.weights)
    return [
        Answer(scaled(estimate, factor[i]), parent[i], pruned[i], control[i])
        for i, estimate in enumerate(estimates)
    ]


def overall(found: Contrast) -> Answer:
    """The change over everybody."""
    return answers(found, np.zeros(found.parent.shape[1], dtype=np.int64), 1)[0]


def level_estimate(values: FloatArray, known: Design) -> Estimate:
    """How sure the mean of [parents, examples] is: the inference of a change from nothing."""
    return paired_change(
        values, weights=known.weights, clusters=known.clusters, level=1.0 - known.plan.alpha
    )


def levels(
    values: FloatArray, cells: CodeArray, n_cells: int, weights: FloatArray | None
) -> list[float | None]:
    """Mean over parents of each cell's mean; None where nobody is in it."""
    empty = np.isnan(values)
    nowhere = empty.all(axis=0)
    inside = (cells >= 0) & ~nowhere
    v, cell = values[:, inside], cells[inside]
    w = np.ones(cell.size) if weights is None else weights[inside]
    if not (empty & ~nowhere).any():  # one denominator for all parents: their mean comes first
        v = v.mean(axis=0, keepdims=True)
    given = ~np.isnan(v)
    weight = by_cell(given * w, cell, n_cells)
    total = by_cell(np.where(given, v, 0.0) * w, cell, n_cells)
    means = np.full(weight.shape, np.nan)
    np.divide(total, weight, out=means, where=weight > 0.0)
    defined = ~np.isnan(means)
    count = defined.sum(axis=0)
    sums = np.where(defined, means, 0.0).sum(axis=0)
    return [float(s / c) if c else None for s, c in zip(sums, count, strict=True)]


def by_parent(values: FloatArray, arm: Arm, weights: FloatArray | None) -> dict[int, float]:
    """Mean over examples of each row of [parents, examples], by the row of its parent in models."""
    given = ~np.isnan(values)
    w = np.ones(values.shape[1]) if weights is None else weights
    total, weight = (np.where(given, values, 0.0) * w).sum(axis=1), (given * w).sum(axis=1)
    return {
        int(parent): float(s / c)
        for parent, s, c in zip(arm.parents, total, weight, strict=True)
        if c > 0
    }


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The estimate of factor × change, for a positive factor."""
    if factor == 1.0:
        return estimate

    def times(value: float | None) -> float | None:
        return None if value is None else value * factor

    return replace(
        estimate,
        change=times(estimate.change),
        low=times(estimate.low),
        high=times(estimate.high),
        centre=times(estimate.centre),
        standard_error=times(estimate.standard_error),
        detectable=times(estimate.detectable),
        examples_low=times(estimate.examples_low),
        examples_high=times(estimate.examples_high),
        examples_standard_error=times(estimate.examples_standard_error),
    )
