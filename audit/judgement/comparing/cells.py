"""One question of two arms on shared examples, answered in every cell: classes, groups, or all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Condition
from audit.judgement.comparing.differences import paired_differences, unpaired_differences
from audit.judgement.comparing.moves import Answered, Move, answered
from audit.judgement.comparing.parents import SameParents
from audit.judgement.comparing.runs import Level
from audit.judgement.design import Arm
from audit.judgement.inference.estimate import Estimate
from audit.judgement.measures import MEASURES
from audit.judgement.pairs import Contrast, levels, scaled
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Name = tuple[str | None, str | None]  # of a cell: its class and its group


@dataclass(frozen=True, eq=False)
class Case:
    """Two arms on the shared examples: what every question about them needs.

    Attributes:
        levels: Their methods and sparsities.
        arms: Their models, on each side's own axis.
        parents: How their parents were matched.
        weights: float64 [shared]; None counts each example once.
        clusters: int64 [shared]; None makes each example its own.
        plan: The first side's plan.
    """

    levels: tuple[Level, Level]
    arms: tuple[Arm, Arm]
    parents: SameParents
    weights: FloatArray | None
    clusters: IndexArray | None
    plan: Plan


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked.

    Attributes:
        measure: A name in `MEASURES`.
        family: The questions it is corrected with.
        condition: The condition.
        cells: int64 [shared], -1 for an example of no cell.
        name: Class and group of a cell.
    """

    measure: str
    family: str
    condition: Condition
    cells: IndexArray
    name: Callable[[int], Name]


def answers(case: Case, one: Contrast, other: Contrast, question: Question) -> Iterator[Move]:
    """One move per cell that has anybody in it on both sides.

    Args:
        case: The arms.
        one: Whether the first side's models are right, [parents, shared].
        other: The second side's; where parents are matched, row m has the parent of row m of `one`.
        question: What is asked.
    """
    n_cells = int(question.cells.max(initial=-1)) + 1
    sides = [
        [_levels(values, question.cells, n_cells, case.weights) for values in _values(c)]
        for c in (one, other)
    ]
    found = _estimates(case, one, other, question.cells, n_cells)
    for i, estimate in enumerate(found):
        if estimate.n:
            two = _answered(sides[0], i), _answered(sides[1], i)
            move = _move(case, question, i, two, (len(one.parent), len(other.parent)), estimate.n)
            yield answered(move, estimate, case.plan.minimum_n)


def _move(
    case: Case,
    question: Question,
    cell: int,
    sides: tuple[Answered, Answered],
    parents: tuple[int, int],
    n: int,
) -> Move:
    """The question about one cell, with both sides' values."""
    known = MEASURES[question.measure]
    class_, groups = question.name(cell)
    return Move(
        measure=question.measure,
        unit=known.unit,
        family=question.family,
        how="parents_and_examples" if case.parents.paired else "examples",
        method_before=case.levels[0][0],
        method_after=case.levels[1][0],
        sparsity_before=case.levels[0][1],
        sparsity_after=case.levels[1][1],
        condition=question.condition.name,
        severity=question.condition.severity,
        class_=class_,
        groups=groups,
        before=sides[0],
        after=sides[1],
        n=n,
        parents_before=parents[0],
        parents_after=parents[1],
        worse_direction=known.worse_direction,
    )


def _values(found: Contrast) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    return found.parent, found.pruned, found.control


def _estimates(
    case: Case, one: Contrast, other: Contrast, cells: IndexArray, n_cells: int
) -> list[Estimate]:
    level = 1.0 - case.plan.alpha
    if not case.parents.paired:
        return unpaired_differences(
            one.difference,
            other.difference,
            cells,
            n_cells,
            weights=case.weights,
            clusters=case.clusters,
            level=level,
        )
    # Over parents that answered alike a difference is pruned less pruned, which reaches ±1; over
    # others it reaches ±2, and so must the examples that guard against rare events.
    alike = np.array_equal(one.parent, other.parent, equal_nan=True)
    reach = 1.0 if alike else 2.0
    found = paired_differences(
        one.difference / reach,
        other.difference / reach,
        cells,
        n_cells,
        weights=case.weights,
        clusters=case.clusters,
        level=level,
    )
    return [scaled(estimate, reach) for estimate in found]


def _levels(
    values: FloatArray | None, cells: IndexArray, n_cells: int, weights: FloatArray | None
) -> list[float | None]:
    return [None] * n_cells if values is None else levels(values, cells, n_cells, weights)


def _answered(values: Sequence[Sequence[float | None]], i: int) -> Answered:
    parent, pruned, control = (column[i] for column in values)
    change = None if parent is None or pruned is None else pruned - parent
    return Answered(parent, pruned, control, change)
