"""The exemplars one by one: taken for what before and after, and from which sparsity on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Evidence
from audit.judgement.exemplars.ballots import jensen_shannon
from audit.judgement.exemplars.populations import Case, Exemplars
from audit.judgement.exemplars.soft import Soft, Sureness
from audit.judgement.exemplars.stability import onsets
from audit.judgement.findings import EXEMPLAR_COLUMNS

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

KINDS = ("harmed", "mended", "moved", "undecided")
COLUMNS = (
    *EXEMPLAR_COLUMNS,
    "jensen_shannon",
    "onset",
    "probability_score",
    "confidence",
    "margin",
    "suspected",
)


def kinds(found: Exemplars, labels: IndexArray) -> NDArray[np.object_]:
    """What became of every example: one of `KINDS`; None for no exemplar or an unknown label.

    Args:
        found: The modal labels.
        labels: int64 [shown], true labels, `NO_LABEL` where nobody knows.
    """
    known = labels != NO_LABEL
    kind = np.full(labels.shape, None, dtype=object)
    kind[found.pie & known] = "moved"
    kind[found.pie & known & (found.first == labels)] = "harmed"
    kind[found.pie & known & (found.second == labels)] = "mended"
    kind[found.undecided] = "undecided"
    return kind


def exemplar_rows(arms: Sequence[tuple[Case, Soft]], evidence: Evidence) -> pd.DataFrame:
    """One row per exemplar and arm, by method, sparsity, falling score, example.

    Columns are `EXEMPLAR_COLUMNS`, then `jensen_shannon` (nats) and `onset`: the smallest audited
    sparsity from which on the example is an exemplar at every larger one, null where it is not one
    at the largest. `probability_score` is the L1 distance in [0, 2] of the mean probabilities of
    parents and pruned models; `confidence` and `margin` are the parents' means, and `suspected`
    says whether its label is a suspected error: null where no probabilities are recorded, or nobody
    can say. An arm that states no sparsity is null in `sparsity`, and plays no part in `onset`.
    Labels are class names; a tied modal label is null, and so is the kind of an exemplar whose true
    label nobody knows.
    """
    first = onsets([one for one, _ in arms], len(evidence.examples))
    frames = [_rows(one, extra, evidence, first[one.arm.method]) for one, extra in arms]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    every = pd.concat(frames, ignore_index=True)
    order = ["method", "sparsity", "score", "example"]
    return every.sort_values(
        order, ascending=[True, True, False, True], kind="stable", ignore_index=True
    )


def _rows(one: Case, extra: Soft, evidence: Evidence, onset: FloatArray) -> pd.DataFrame:
    here = np.flatnonzero(one.found.pie | one.found.undecided)
    place = one.votes.shown[here]
    votes, found = one.votes, one.found
    spread = jensen_shannon(votes.cast, votes.dense_votes, votes.pruned_votes)
    labels = evidence.labels[votes.shown]
    return pd.DataFrame(
        {
            "example": evidence.examples["example"].to_numpy()[place],
            "method": one.arm.method or None,
            "sparsity": np.nan if one.arm.sparsity is None else one.arm.sparsity,
            "label": _names(labels[here], evidence.classes),
            "parent_label": _names(found.first[here], evidence.classes),
            "pruned_label": _names(found.second[here], evidence.classes),
            "kind": kinds(found, labels)[here],
            "score": found.score[here],
            "jensen_shannon": spread[here],
            "onset": np.where(found.pie[here], onset[place], np.nan),
            "probability_score": np.nan if extra.score is None else extra.score[here],
            "confidence": _mean(extra.confidence, here),
            "margin": _mean(extra.margin, here),
            "suspected": _suspected(extra, here),
        }
    )


def _mean(sure: Sureness | None, here: IndexArray) -> FloatArray:
    """The parents' mean, NaN where one of them has none."""
    if sure is None:
        return np.full(here.size, np.nan)
    mean: FloatArray = sure.parent[:, here].mean(axis=0)
    return mean


def _suspected(extra: Soft, here: IndexArray) -> pd.arrays.BooleanArray:
    if extra.suspected is None or extra.judged is None:
        nobody = np.ones(here.size, dtype=np.bool_)
        return pd.arrays.BooleanArray(np.zeros(here.size, dtype=np.bool_), nobody)
    return pd.arrays.BooleanArray(extra.suspected[here], ~extra.judged[here])


def _names(codes: IndexArray, classes: Sequence[str]) -> NDArray[np.object_]:
    names = np.array([*classes, None], dtype=object)
    named: NDArray[np.object_] = names[np.where(codes >= 0, codes, len(classes))]
    return named
