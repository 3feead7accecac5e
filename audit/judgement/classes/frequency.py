"""Did the classes that were rare in training lose more? Change of recall against frequency."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Block, Condition, Evidence
from audit.judgement.answers import answer_finding, asked
from audit.judgement.classes.changes import bootstrapped, changes
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import PREFIX, Grouping, groupings
from audit.judgement.inference.families import Family
from audit.judgement.pairs import Contrast, answers, contrast, correct, design, pairs
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

FREQUENCY = "frequency"
FEWEST = 3  # cells of different training frequency that a line or a ranking takes
SLOPE = (
    "accuracy inside {cells} {what} per tenfold of their training examples, weighted by their test "
    "examples; above 0 the rarer ones lost more; less the change of accuracy it is the same"
)
RANK = (
    "Spearman's rank correlation over {cells} classes, each counted once; above 0 the rarer ones "
    "lost more"
)
TOO_FEW = (
    "{cells} {what} have both training and test examples, at different training frequencies: it "
    "takes {fewest}"
)


@dataclass(frozen=True, eq=False)
class Frequencies:
    """Cells (classes, or classes within groups) with how often each was trained on.

    Attributes:
        cells: int64 [examples], -1 for an example of no cell that was trained on.
        log10: float64 [cells], of the number of training examples, NaN where there are none.
        what: What the cells are.
        label: The group columns; None for classes alone.
    """

    cells: IndexArray
    log10: FloatArray
    what: str
    label: str | None = None


def frequency_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Slope and rank correlation of recall change against training frequency, for every arm.

    Args:
        block: Predictions under one condition.
        evidence: Labels, groups and the training examples, which say how frequent a class was.
        arms: The pruned models.
        plan: Groups and level.

    Returns:
        The screen `frequency`, tier D; empty where no training example is known.
    """
    if not (evidence.training["label"] != NO_LABEL).any():
        return [Family(FREQUENCY, "D")]
    known = design(evidence, plan)
    by_class = of_classes(evidence)
    by_cell = of_class_groups(evidence, plan)
    findings: list[Finding] = []
    for arm in arms:
        found = pairs(block, arm, known)
        if found is not None:
            right = contrast(found, correct(known.labels))
            findings += [slope_finding("frequency_slope", right, arm, block.condition, by_class)]
            findings += [_rank(right, arm, block.condition, by_class)]
            findings += [
                slope_finding("cell_frequency_slope", right, arm, block.condition, each)
                for each in by_cell
            ]
    return [Family(FREQUENCY, "D", findings)]


def of_classes(evidence: Evidence) -> Frequencies:
    """Classes by their training examples."""
    trained = evidence.training["label"].to_numpy(np.int64)
    times = np.bincount(trained[trained != NO_LABEL], minlength=len(evidence.classes))
    return _frequencies(evidence.labels, times, "classes", None)


def of_class_groups(evidence: Evidence, plan: Plan) -> list[Frequencies]:
    """Classes within the groups of each single column that training examples have as well."""
    training, labels = evidence.training, evidence.labels
    label = training["label"].to_numpy(np.int64)
    singles = [d for d in groupings(evidence.examples, plan) if len(d.columns) == 1]
    here = {d.label: d for d in singles if f"{PREFIX}{d.label}" in training}
    out = []
    for there in _trained_in(training, plan, here):
        names = here[there.label].names
        place = {name: code for code, name in enumerate(names)}
        code = np.array([place.get(name, -1) for name in there.names])[there.codes]
        some, size = (label != NO_LABEL) & (code >= 0), len(names)
        cell = label[some] * size + code[some]
        times = np.bincount(cell, minlength=len(evidence.classes) * size)
        cells = np.where(labels != NO_LABEL, labels * size + here[there.label].codes, -1)
        out.append(_frequencies(cells, times, f"classes within {there.label}", there.label))
    return out


def _trained_in(
    training: pd.DataFrame, plan: Plan, shared: Collection[str]
) -> tuple[Grouping, ...]:
    """The training examples divided by the columns that are shared, cut at the same edges."""
    wanted = [f"{PREFIX}{name}" for name in shared] if plan.groups is None else plan.groups
    kept = [
        group
        for group in wanted
        if (group if isinstance(group, str) else group.column).removeprefix(PREFIX) in shared
    ]
    return groupings(training, plan.model_copy(update={"groups": tuple(kept), "intersections": 1}))


def _frequencies(cells: IndexArray, times: IndexArray, what: str, label: str | None) -> Frequencies:
    log10 = np.full(times.size, np.nan)
    np.log10(times, out=log10, where=times > 0)
    trained = (cells >= 0) & (times[cells] > 0)
    return Frequencies(np.where(trained, cells, -1), log10, what, label)


def slope_finding(
    measure: str, right: Contrast, arm: Arm, condition: Condition, cells: Frequencies
) -> Finding:
    """Weighted least squares as a mean over examples, so that it is inferred like any change.

    β = Σ_i w_i (x_i − x̄) d_i / Σ_i w_i (x_i − x̄)²: an example's change d_i counts by how far its
    cell's frequency x_i lies from the mean. A constant taken from every d_i changes nothing.
    """
    known = right.design
    question = asked(measure, arm, condition=condition, subject=cells.label)
    some = (cells.cells >= 0) & ~np.isnan(right.difference).any(axis=0)
    present = np.unique(cells.cells[some])
    different = np.unique(cells.log10[present]).size
    if present.size < FEWEST or different < 2:
        reason = TOO_FEW.format(cells=present.size, what=cells.what, fewest=FEWEST)
        return replace(question, n=int(some.sum()), outcome="not_asked", reason=reason)
    weight = (np.ones(some.size) if known.weights is None else known.weights)[some]
    x = cells.log10[cells.cells[some]]
    off = x - np.average(x, weights=weight)
    pull = np.full(some.size, np.nan)
    pull[some] = weight.sum() * off / (weight * off**2).sum()
    scaled = replace(
        right,
        parent=right.parent * pull,
        pruned=right.pruned * pull,
        control=None if right.control is None else right.control * pull,
    )
    everybody = np.zeros(some.size, dtype=np.int64)
    answer = answers(scaled, everybody, 1, [float(np.abs(pull[some]).max())])[0]
    reason = SLOPE.format(cells=present.size, what=cells.what)
    found = answer_finding(measure, answer, arm, known.plan, condition=condition, reason=reason)
    return replace(found, id=question.id, subject=question.subject)


def _rank(right: Contrast, arm: Arm, condition: Condition, cells: Frequencies) -> Finding:
    """Spearman's rank correlation of frequency and change of recall, over classes."""
    known = right.design
    question = asked("frequency_rank_correlation", arm, condition=condition)
    moved = changes(right, cells.cells, cells.log10.size)
    there = int((~np.isnan(moved.each)).sum())
    if there < FEWEST or np.unique(cells.log10[~np.isnan(moved.each)]).size < 2:
        reason = TOO_FEW.format(cells=there, what=cells.what, fewest=FEWEST)
        return replace(question, outcome="not_asked", reason=reason)

    def spearman(change: FloatArray) -> float:
        return rank_correlation(cells.log10, change)

    found = bootstrapped(moved, spearman, known.plan.seed, 1.0 - known.plan.alpha)
    return replace(
        question,
        pruned=found.change,
        low=None if found.low is None else max(found.low, -1.0),
        high=None if found.high is None else min(found.high, 1.0),
        n=moved.cell.size,
        parents=len(moved.difference),
        generalises_to=found.generalises_to,
        p=found.p,
        p_floor=found.p_floor,
        reason=RANK.format(cells=there),
    )


def rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Spearman's rank correlation over the pairs that are defined; NaN where either is constant."""
    given = ~(np.isnan(first) | np.isnan(second))
    a, b = (_ranks(side[given]) for side in (first, second))
    if given.sum() < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks 1, 2, …; equal values share the mean of theirs."""
    _, code, times = np.unique(values, return_inverse=True, return_counts=True)
    mean: FloatArray = np.cumsum(times) - (times - 1) / 2.0
    return mean[code]
