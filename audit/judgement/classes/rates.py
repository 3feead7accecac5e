"""False positive rate and precision of every class, from the predictions that somebody made.

A precision H / T has another denominator in every model: to first order an example taken for the
class moves it by w (right − H / T) / T in each model that took it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN
from audit.judgement.exemplars.ballots import ballots
from audit.judgement.inference.crossed import sums
from audit.judgement.inference.paired import Estimate, average_by_parent
from audit.judgement.inference.paired import _estimates as estimates_of
from audit.judgement.inference.sparse_moments import Moved, Sums, add_up, sparse_moments
from audit.judgement.pairs import Design, Pairs

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

VOTES = 4_000_000  # predictions looked at together: some 200 MB
ROUNDING = 1e-9  # shares of replicates cancel up to rounding


@dataclass(frozen=True, eq=False)
class ClassRate:
    """One rate of every class: means over parents, NaN where undefined, and the change.

    Attributes:
        parent: float64 [classes].
        pruned: float64 [classes].
        estimates: One per class.
    """

    parent: FloatArray
    pruned: FloatArray
    estimates: list[Estimate]


@dataclass(frozen=True, eq=False)
class _Votes:
    """Labelled examples shown to every pair, clusters together; rows are pairs.

    `weight` is of examples; `own` [units, classes] what every unit weighs in each class, `whole`
    [units] in all; `place` the parent of each pair, 0, 1, …, and `share` its part of the parent's
    mean.
    """

    label: IndexArray
    weight: FloatArray
    unit: IndexArray
    own: sparse.csr_array
    whole: FloatArray
    predicted: tuple[IndexArray, IndexArray]
    place: IndexArray
    share: FloatArray
    classes: int


@dataclass(frozen=True, eq=False)
class _Tally:
    """What each pair's parent and pruned model took for a class, float64 [2, pairs, classes]."""

    taken: FloatArray
    hits: FloatArray


def class_rates(found: Pairs, classes: int) -> tuple[ClassRate, ClassRate]:
    """False positive rate and precision of every class, each class against the rest.

    Args:
        found: The pairs of one arm; an example without a label, or not shown to every pair, is left
            out.
        classes: Number of classes.
    """
    votes = _votes(found, classes)
    tally = _tally(votes)
    level = 1.0 - found.design.plan.alpha
    return _false_positives(votes, tally, level), _precisions(votes, tally, level)


def rates_of(
    predicted: NDArray[np.integer], owner: IndexArray, known: Design, classes: int
) -> tuple[FloatArray, FloatArray]:
    """False positive rate and precision of other models, such as controls.

    Args:
        predicted: int [models, examples], class codes or `NOT_SHOWN`.
        owner: int64 [models], the parent of each; its replicates are averaged.
        known: Labels and weights.
        classes: Number of classes.

    Returns:
        Means over parents, float64 [classes] each, NaN where undefined.
    """
    labelled = known.labels != NO_LABEL
    label = known.labels[labelled]
    weight = np.ones(label.size) if known.weights is None else known.weights[labelled]
    fpr, precision = np.empty((2, len(predicted), classes))
    for i, row in enumerate(predicted[:, labelled]):
        shown = row != NOT_SHOWN
        w, of, taken_for = weight[shown], label[shown], row[shown].astype(np.int64)
        taken = sums(w, taken_for, classes)
        hits = sums(w * (taken_for == of), taken_for, classes)
        fpr[i] = _quotient(taken - hits, w.sum() - sums(w, of, classes))
        precision[i] = _quotient(hits, taken)
    return _mean(average_by_parent(fpr, owner)), _mean(average_by_parent(precision, owner))


def _votes(found: Pairs, classes: int) -> _Votes:
    known = found.design
    some = np.flatnonzero((known.labels != NO_LABEL) & (found.parent != NOT_SHOWN).all(axis=0))
    unit = np.arange(some.size)
    if known.clusters is not None:
        some = some[np.argsort(known.clusters[some], kind="stable")]
        unit = np.unique(known.clusters[some], return_inverse=True)[1].astype(np.int64)
    weight = np.ones(some.size) if known.weights is None else known.weights[some]
    label = known.labels[some]
    units = int(unit.max(initial=-1)) + 1
    own = sparse.csr_array((weight, (unit, label)), shape=(units, classes))
    own.sum_duplicates()
    place = np.searchsorted(found.arm.parents, found.arm.parent)
    return _Votes(
        label,
        weight,
        unit,
        own,
        sums(weight, unit, units),
        (found.parent[:, some].astype(np.int64), found.pruned[:, some].astype(np.int64)),
        place,
        1.0 / np.bincount(place)[place],
        classes,
    )


def _tally(votes: _Votes) -> _Tally:
    pairs = len(votes.place)
    taken, hits = np.zeros((2, pairs, votes.classes)), np.zeros((2, pairs, votes.classes))
    for side, predicted in enumerate(votes.predicted):
        for pair, row in enumerate(predicted):
            taken[side, pair] = sums(votes.weight, row, votes.classes)
            hits[side, pair] = sums(votes.weight * (row == votes.label), row, votes.classes)
    return _Tally(taken, hits)


def _false_positives(votes: _Votes, tally: _Tally, level: float) -> ClassRate:
    """Rates among the examples of all other classes, the same for every model."""
    of_class = sums(votes.weight, votes.label, votes.classes)
    others = votes.weight.sum() - of_class
    others[others < ROUNDING * max(float(votes.weight.sum()), 1.0)] = 0.0
    before, after = (_by_parent(votes, _quotient(t, others)) for t in tally.taken - tally.hits)
    change = after - before
    found = _none(votes)
    for cast in _cast(votes):
        by = cast.summed(cast.side * cast.wrong * cast.share * cast.weight)
        some = (np.abs(by) > ROUNDING * cast.row_weight[:, None]).any(axis=1)
        moved = Moved(
            cast.row_class[some], cast.row_unit[some], by[some], np.ones(some.sum(), bool)
        )
        inside = np.asarray(votes.own[moved.unit, moved.class_]).ravel()
        found = found + add_up(moved, votes.whole[moved.unit] - inside, change)
    n = votes.label.size - np.bincount(votes.label, minlength=votes.classes)
    units, squares = _denominators(votes)
    scale = _quotient(units.astype(np.float64), others)
    moments = sparse_moments(found, change, np.nan_to_num(scale), squares, n, units)
    return ClassRate(_mean(before), _mean(after), estimates_of(moments, None, level))


def _precisions(votes: _Votes, tally: _Tally, level: float) -> ClassRate:
    """Rates among those that a model took for the class; undefined where either took nobody."""
    rate = _quotient(tally.hits, tally.taken)
    rate[:, np.isnan(rate).any(axis=0)] = np.nan
    before, after = (_by_parent(votes, side) for side in rate)
    change = after - before
    asked = ~np.isnan(rate[0])
    share = np.zeros(asked.shape)
    copies = np.stack([sums(asked[:, c], votes.place, len(change)) for c in range(votes.classes)])
    np.divide(1.0, copies.T[votes.place], out=share, where=asked)
    each = _quotient(np.broadcast_to(share, rate.shape), tally.taken)
    found, n, units = (
        _none(votes),
        np.zeros(votes.classes, np.int64),
        np.zeros(votes.classes, np.int64),
    )
    for cast in _cast(votes):
        where = (cast.later, cast.pair, cast.label)
        off = np.nan_to_num((~cast.wrong - rate[where]) * each[where])
        taken = cast.summed(cast.side * cast.share)
        moved = Moved(
            cast.row_class,
            cast.row_unit,
            cast.summed(cast.side * cast.weight * off),
            np.asarray((np.abs(taken) > ROUNDING).any(axis=1), dtype=np.bool_),
        )
        found = found + add_up(moved, None, change)
        n += np.bincount(cast.row_class, minlength=votes.classes)
        key = np.unique(cast.row_class * (len(votes.whole) + 1) + cast.row_unit)
        units += np.bincount(key // (len(votes.whole) + 1), minlength=votes.classes)
    moments = sparse_moments(
        found, change, units.astype(np.float64), np.zeros(votes.classes), n, units
    )
    return ClassRate(_mean(before), _mean(after), estimates_of(moments, None, level))


@dataclass(frozen=True, eq=False)
class _Cast:
    """The predictions of one block of whole units: arrays [votes], and rows (example, class)."""

    row: IndexArray
    label: IndexArray
    later: IndexArray
    pair: IndexArray
    side: FloatArray
    share: FloatArray
    weight: FloatArray
    wrong: NDArray[np.bool_]
    place: IndexArray
    parents: int
    row_class: IndexArray
    row_unit: IndexArray
    row_weight: FloatArray

    def summed(self, values: FloatArray) -> FloatArray:
        """Sums per row and parent, float64 [rows, parents]."""
        at = self.row * self.parents + self.place
        return sums(values, at, self.row_class.size * self.parents).reshape(-1, self.parents)


def _cast(votes: _Votes) -> Iterator[_Cast]:
    pairs = len(votes.place)
    for part in _blocks(votes.unit, max(1, VOTES // (2 * pairs))):
        cast = ballots(np.concatenate([side[:, part] for side in votes.predicted]))
        later, pair = np.divmod(cast.voter, pairs)
        label, example = cast.label[cast.row], cast.example[cast.row] + part.start
        yield _Cast(
            row=cast.row,
            label=label,
            later=later,
            pair=pair,
            side=2.0 * later - 1.0,
            share=votes.share[pair],
            weight=votes.weight[example],
            wrong=votes.label[example] != label,
            place=votes.place[pair],
            parents=int(votes.place.max()) + 1,
            row_class=cast.label,
            row_unit=votes.unit[cast.example + part.start],
            row_weight=votes.weight[cast.example + part.start],
        )


def _blocks(unit: IndexArray, size: int) -> Iterator[slice]:
    """Blocks of about `size` examples that end where a unit ends."""
    start = 0
    while start < unit.size:
        stop = min(start + size, unit.size)
        while stop < unit.size and unit[stop] == unit[stop - 1]:
            stop += 1
        yield slice(start, stop)
        start = stop


def _denominators(votes: _Votes) -> tuple[IndexArray, FloatArray]:
    """Units with anybody outside each class, and the sums of their squared weights."""
    whole = votes.whole[np.repeat(np.arange(len(votes.whole)), np.diff(votes.own.indptr))]
    class_, own = votes.own.indices.astype(np.int64), votes.own.data
    inside = np.bincount(class_[own >= whole * (1.0 - ROUNDING)], minlength=votes.classes)
    squares = (votes.whole**2).sum() - sums(2.0 * whole * own - own**2, class_, votes.classes)
    return len(votes.whole) - inside, np.maximum(squares, 0.0)


def _none(votes: _Votes) -> Sums:
    return Sums(*(np.zeros(votes.classes) for _ in range(6)))


def _by_parent(votes: _Votes, values: FloatArray) -> FloatArray:
    return average_by_parent(values, votes.place)


def _mean(values: FloatArray) -> FloatArray:
    given = ~np.isnan(values)
    return _quotient(np.nan_to_num(values).sum(axis=0), given.sum(axis=0).astype(np.float64))


def _quotient(part: FloatArray, whole: FloatArray) -> FloatArray:
    out = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
