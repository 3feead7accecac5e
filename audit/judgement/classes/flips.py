"""Step-down max-T over every class of every arm at once: whose signs are flipped, and the sums.

A flip must match the claim. Normalised recall shifts of a population are about new training runs,
so whole parents are flipped; everything about a single pair is about new examples, so examples are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from audit.judgement.inference.crossed import by_cell
from audit.judgement.inference.max_t import MaxT, max_t, max_t_of
from audit.judgement.pairs import Contrast, Design

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


def flip_parents(
    right: Sequence[Contrast],
    parents: Sequence[IndexArray],
    classes: int,
    asked: NDArray[np.bool_],
    known: Design,
) -> MaxT:
    """Corrects the normalised recall shifts of all arms and classes; flips parents.

    A parent's signs flip in all arms at once, so that what its children share is kept.

    Args:
        right: Per arm, what was right.
        parents: Per arm, rows of its parents in `Evidence.models`.
        classes: Number of classes.
        asked: bool [arms × classes], arm by arm; the others play no part.
        known: Labels, weights, `resamples` and `seed`.
    """
    models = max(int(rows.max()) for rows in parents) + 1
    shift = np.zeros((models, len(right), classes))
    for arm, (found, rows) in enumerate(zip(right, parents, strict=True)):
        change, total = parent_changes(found, classes, known)
        shift[rows, arm] = np.nan_to_num(change - total, nan=0.0)
    scores = np.where(asked, shift.reshape(models, -1), 0.0)
    return max_t(scores, resamples=known.plan.resamples, seed=known.plan.seed)


def flip_examples(
    right: Sequence[Contrast], classes: int, asked: NDArray[np.bool_], known: Design
) -> MaxT:
    """Corrects recall changes and shifts of single pairs, all arms together; flips examples.

    Args:
        right: Per arm, what was right.
        classes: Number of classes.
        asked: bool [2 × arms × classes]: recall of every arm, then shift of every arm.
        known: Labels, weights, clusters (flipped whole), `resamples` and `seed`.
    """
    recall, total = _unit_scores(right, classes, known)
    active = np.flatnonzero((total != 0).any(axis=1) | (np.diff(recall.indptr) > 0))
    recall, total = recall[active], total[active]
    norm = np.where(asked, np.sqrt(np.maximum(_squares(recall, total, classes), 0.0)), 0.0)
    turned = sparse.csr_array(recall.T)

    def flipped(signs: FloatArray) -> FloatArray:
        change = (turned @ signs.T).T
        shift = change - np.repeat(signs @ total, classes, axis=1)
        return np.hstack([change, shift])

    plan = known.plan
    return max_t_of(flipped, active.size, norm, resamples=plan.resamples, seed=plan.seed)


def parent_changes(found: Contrast, classes: int, known: Design) -> tuple[FloatArray, FloatArray]:
    """Each parent's change of recall [parents, classes] and of accuracy [parents, 1], or NaN."""
    weight, moved, cell = _weighted(found, known)
    recall = _quotient(by_cell(moved, cell, classes), by_cell(weight, cell, classes))
    total = _quotient(moved.sum(axis=1), weight.sum(axis=1))
    return recall, total[:, None]


def _weighted(found: Contrast, known: Design) -> tuple[FloatArray, FloatArray, IndexArray]:
    """Weights and weighted differences of the labelled examples, and their classes."""
    inside = known.labels >= 0
    d = found.difference[:, inside]
    w = 1.0 if known.weights is None else known.weights[inside]
    given = ~np.isnan(d)
    return given * w, np.where(given, d, 0.0) * w, known.labels[inside]


def _unit_scores(
    right: Sequence[Contrast], classes: int, known: Design
) -> tuple[sparse.csr_array, FloatArray]:
    """What each unit adds to each arm's recall changes (sparse) and to its change of accuracy.

    Returns:
        Sparse [units, arms × classes] and float64 [units, arms].
    """
    inside = np.flatnonzero(known.labels >= 0)
    unit = inside if known.clusters is None else known.clusters[inside]
    units = int(unit.max(initial=-1)) + 1
    parts, totals = [], np.zeros((units, len(right)))
    for arm, found in enumerate(right):
        weight, moved, cell = _weighted(found, known)
        per_class = by_cell(weight, cell, classes)
        share = np.nan_to_num(_quotient(moved, per_class[:, cell])).sum(axis=0)
        whole = np.nan_to_num(_quotient(moved, weight.sum(axis=1, keepdims=True))).sum(axis=0)
        some = np.flatnonzero(share)
        entries = (share[some], (unit[some], cell[some]))
        parts.append(sparse.csr_array(entries, shape=(units, classes)))
        np.add.at(totals[:, arm], unit, whole)
    recall = sparse.csr_array(sparse.hstack(parts))
    recall.sum_duplicates()
    recall.eliminate_zeros()
    return recall, totals


def _squares(recall: sparse.csr_array, total: FloatArray, classes: int) -> FloatArray:
    """Sums of squares over units of recall scores, and of recall less accuracy scores."""
    own = np.asarray(recall.multiply(recall).sum(axis=0)).ravel()
    every = np.repeat((total**2).sum(axis=0), classes)
    cross = np.concatenate(
        [
            recall[:, arm * classes : (arm + 1) * classes].T @ total[:, arm]
            for arm in range(total.shape[1])
        ]
    )
    return np.concatenate([own, own - 2.0 * cross + every])


def _quotient(part: FloatArray, whole: FloatArray) -> FloatArray:
    out = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=out, where=np.broadcast_to(whole > 0, out.shape))
    return out
