"""Suspected label errors by confident learning: labels held against out-of-sample probabilities.

Northcutt, Jiang & Chuang, "Confident Learning" (arXiv 1911.00068). Where the paper and the authors'
released code (cleanlab) differ, this is the code: the same examples are suspected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.judgement.inference.crossed import sums

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

SLACK = 1e-6  # a probability this far below its threshold still reaches it, as in cleanlab
NOBODY = -1  # in `Confidence.guess`: the example reaches no class's threshold
ROWS = 4096  # examples looked at together: 16 MB of float32 with a thousand classes


@dataclass(frozen=True, eq=False)
class Confidence:
    """What the probabilities say of every labelled example.

    Attributes:
        label: int64 [examples], the given labels.
        guess: int64 [examples], the class it is confidently of, `NOBODY` where there is none.
        likeliest: bool [examples], its label is the most likely class (or within `SLACK` of it).
        self_confidence: float64 [examples], probability of its own label: the lower, the more
            suspect.
        normalised_margin: float64 [examples] in [0, 1], (probability of the label − the largest of
            the others + 1) / 2: the lower, the more suspect.
        thresholds: float64 [classes], mean self-confidence of a class; NaN for an absent class.
        joint: int64 [classes, classes], the confident joint: examples of a given label (row) that
            are confidently of a class (column).
    """

    label: IndexArray
    guess: IndexArray
    likeliest: NDArray[np.bool_]
    self_confidence: FloatArray
    normalised_margin: FloatArray
    thresholds: FloatArray
    joint: IndexArray


def confidence(probabilities: ArrayLike, labels: ArrayLike) -> Confidence:
    """Thresholds, guesses and the confident joint (Northcutt et al., equations 1 and 2).

    An example is confidently of a class whose threshold it reaches; of several, of its most likely
    class. The paper takes the most likely of those reached, the released code the most likely of
    all, which is nearly always the same.

    Args:
        probabilities: float [examples, classes], of models that did not learn from these examples.
        labels: int [examples], the given labels, all of them known.

    Raises:
        ValueError: Shapes disagree.
    """
    p, label = np.asarray(probabilities), np.asarray(labels, dtype=np.int64)
    if p.ndim != 2 or label.shape != p.shape[:1]:
        raise ValueError(
            f"`probabilities` are {p.shape} and `labels` {label.shape}: give one row per label."
        )
    n, classes = p.shape
    own = p[np.arange(n), label].astype(np.float64)
    sizes = np.bincount(label, minlength=classes)
    thresholds = np.full(classes, np.nan)
    np.divide(sums(own, label, classes), sizes, out=thresholds, where=sizes > 0)
    reach = np.where(np.isnan(thresholds), np.inf, np.maximum(thresholds, 2 * SLACK)) - SLACK
    guess, margin = np.empty(n, dtype=np.int64), np.empty(n)
    for start in range(0, n, ROWS):
        part = slice(start, start + ROWS)
        guess[part] = _guesses(p[part], reach)
        margin[part] = _margins(p[part], label[part], own[part])
    sure = guess != NOBODY
    joint = np.bincount(label[sure] * classes + guess[sure], minlength=classes * classes)
    return Confidence(
        label,
        guess,
        margin >= -SLACK,
        own,
        (margin + 1.0) / 2.0,
        thresholds,
        joint.reshape(classes, classes),
    )


def by_confident_joint(found: Confidence) -> NDArray[np.bool_]:
    """Suspects everything off the diagonal of the confident joint, bool [examples].

    An example whose own label is the most likely class is never suspected.
    """
    off: NDArray[np.bool_] = (found.guess != NOBODY) & (found.guess != found.label)
    return off & ~found.likeliest


def by_self_confidence(found: Confidence) -> NDArray[np.bool_]:
    """Suspects as many as `by_confident_joint`, those of the lowest self-confidence."""
    return _lowest(found.self_confidence, int(by_confident_joint(found).sum()))


def by_normalised_margin(found: Confidence) -> NDArray[np.bool_]:
    """Suspects as many as `by_confident_joint`, those of the lowest normalised margin."""
    return _lowest(found.normalised_margin, int(by_confident_joint(found).sum()))


FILTERS: Mapping[str, Callable[[Confidence], NDArray[np.bool_]]] = {
    "confident_joint": by_confident_joint,
    "normalised_margin": by_normalised_margin,
    "self_confidence": by_self_confidence,
}


def calibrated_joint(found: Confidence) -> FloatArray:
    """Estimated joint distribution of given and true labels, [classes, classes], sums to 1.

    Every row of the confident joint is brought to the share that its label has among the examples
    (equation 3), so that examples nobody is confident about count like the others of their label. A
    class without any confident example is taken to be labelled rightly.
    """
    counts = found.joint.astype(np.float64)
    np.fill_diagonal(counts, np.maximum(counts.diagonal(), 1.0))
    size = np.bincount(found.label, minlength=len(counts))
    joint: FloatArray = counts / counts.sum(axis=1, keepdims=True) * size[:, None]
    return joint / max(found.label.size, 1)


def estimated_error_share(found: Confidence) -> float:
    """Share of the labels that are wrong by the calibrated joint, in [0, 1]."""
    joint = calibrated_joint(found)
    return float(joint.sum() - joint.trace())


def _guesses(p: NDArray[np.floating], reach: FloatArray) -> IndexArray:
    reached = p >= reach
    many = reached.sum(axis=1)
    one = np.where(many > 1, p.argmax(axis=1), reached.argmax(axis=1))
    return np.where(many > 0, one, NOBODY)


def _margins(p: NDArray[np.floating], label: IndexArray, own: FloatArray) -> FloatArray:
    others = p.copy()
    others[np.arange(len(p)), label] = -np.inf
    return np.asarray(own - others.max(axis=1, initial=0.0), dtype=np.float64)


def _lowest(score: FloatArray, count: int) -> NDArray[np.bool_]:
    """The `count` lowest scores; of equal ones the first."""
    found = np.zeros(score.shape, dtype=np.bool_)
    found[np.argsort(score, kind="stable")[:count]] = True
    return found
