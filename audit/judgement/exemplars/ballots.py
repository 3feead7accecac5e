"""Votes of populations of models on every example: modal labels and how far two votes lie apart.

Only labels that somebody voted for are held, so that memory grows with models × examples and never
with examples × classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.judgement.inference.crossed import sums

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Ties = Literal["undecided", "largest"]
Divergence = Callable[["Ballots", FloatArray, FloatArray], FloatArray]

UNDECIDED = -2  # a modal label that is a tie; -1 means elsewhere that there is no label


@dataclass(frozen=True, eq=False)
class Ballots:
    """Every vote of every voter; a row is an (example, label) that somebody voted for.

    Attributes:
        example: int64 [rows], ascending.
        label: int64 [rows], ascending inside an example.
        first: int64 [examples], the first row of each.
        row: int64 [votes], the row that each single vote fell on.
        voter: int64 [votes], who cast it.
        voters: Number of voters.
    """

    example: IndexArray
    label: IndexArray
    first: IndexArray
    row: IndexArray
    voter: IndexArray
    voters: int

    @property
    def examples(self) -> int:
        """Number of examples."""
        return self.first.size


def ballots(predicted: ArrayLike) -> Ballots:
    """Collects votes by one sort per example.

    Args:
        predicted: int [voters, examples], class codes, all of them at least 0.

    Raises:
        ValueError: Somebody did not vote (a code below 0).
    """
    votes = np.asarray(predicted)
    if votes.ndim != 2 or (votes.size and votes.min() < 0):
        raise ValueError(f"`predicted` is {votes.shape} and every code must be at least 0.")
    voters = votes.shape[0]
    wide = votes.size > 0 and int(votes.max() + 1) * voters > np.iinfo(np.int32).max
    keys = votes.T.astype(np.int64 if wide else np.int32) * voters
    keys += np.arange(voters, dtype=keys.dtype)
    keys.sort(axis=1)
    label, voter = np.divmod(keys, max(voters, 1))
    begins = np.ones(label.shape, dtype=np.bool_)
    np.not_equal(label[:, 1:], label[:, :-1], out=begins[:, 1:])
    at = np.flatnonzero(begins)
    row = np.cumsum(begins.ravel()) - 1
    return Ballots(
        example=at // max(voters, 1),
        label=label.ravel()[at].astype(np.int64),
        first=row.reshape(label.shape)[:, 0] if voters else np.zeros(0, dtype=np.int64),
        row=row,
        voter=voter.ravel().astype(np.int64),
        voters=voters,
    )


def tally(cast: Ballots, weight: ArrayLike) -> FloatArray:
    """Votes per row, where each voter's vote counts `weight` (0 leaves a voter out).

    Args:
        cast: The ballots.
        weight: [voters]; whole numbers keep ties exact.

    Returns:
        float64 [rows].
    """
    each = np.asarray(weight, dtype=np.float64)
    votes = each[cast.voter]
    some = votes != 0
    return sums(votes[some], cast.row[some], cast.label.size)


def modal(cast: Ballots, votes: FloatArray, ties: Ties = "undecided") -> IndexArray:
    """The most frequent label of every example.

    Args:
        cast: The ballots.
        votes: float64 [rows], from `tally`.
        ties: `undecided` gives `UNDECIDED` for a tie; `largest` the largest class index, as Hooker
            et al.'s released code does.

    Returns:
        int64 [examples].
    """
    if cast.examples == 0:
        return np.zeros(0, dtype=np.int64)
    most = np.maximum.reduceat(votes, cast.first)
    wins = votes == most[cast.example]
    label = np.maximum.reduceat(np.where(wins, cast.label, -1), cast.first)
    if ties == "undecided":
        label = np.where(np.add.reduceat(wins, cast.first, dtype=np.int64) > 1, UNDECIDED, label)
    return label


def exemplars(first: IndexArray, second: IndexArray) -> NDArray[np.bool_]:
    """Where two modal labels are decided and differ, bool [examples]."""
    differ: NDArray[np.bool_] = (first >= 0) & (second >= 0) & (first != second)
    return differ


def taxicab(cast: Ballots, parent: FloatArray, pruned: FloatArray) -> FloatArray:
    """L1 distance of two vote distributions, in [0, 2]: Σ_k |n_D(k)/|D| − n_P(k)/|P||.

    Args:
        cast: The ballots.
        parent: float64 [rows], votes of the parents.
        pruned: float64 [rows], votes of the pruned models.

    Returns:
        float64 [examples].
    """
    return _per_example(cast, np.abs(_share(cast, parent) - _share(cast, pruned)))


def jensen_shannon(cast: Ballots, parent: FloatArray, pruned: FloatArray) -> FloatArray:
    """Jensen–Shannon divergence of two vote distributions in nats, in [0, ln 2].

    Args:
        cast: The ballots.
        parent: float64 [rows], votes of the parents.
        pruned: float64 [rows], votes of the pruned models.

    Returns:
        float64 [examples].
    """
    p, q = _share(cast, parent), _share(cast, pruned)
    return np.maximum(_per_example(cast, (_relative(p, q) + _relative(q, p)) / 2.0), 0.0)


DIVERGENCES: Mapping[str, Divergence] = {
    "jensen_shannon": jensen_shannon,
    "taxicab": taxicab,
}


def _share(cast: Ballots, votes: FloatArray) -> FloatArray:
    total = _per_example(cast, votes)
    share: FloatArray = votes / total[cast.example]
    return share


def _per_example(cast: Ballots, values: FloatArray) -> FloatArray:
    if cast.examples == 0:
        return np.zeros(0)
    total: FloatArray = np.add.reduceat(values, cast.first)
    return total


def _relative(p: FloatArray, q: FloatArray) -> FloatArray:
    """P ln(p / mean of p and q), 0 where p is 0."""
    ratio = np.divide(2.0 * p, p + q, out=np.ones_like(p), where=p > 0)
    return p * np.log(ratio)
