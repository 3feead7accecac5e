"""The voters of one arm, parent by parent, and what their votes say of every example."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block
from audit.judgement.design import Arm
from audit.judgement.exemplars.ballots import (
    Ballots,
    Ties,
    ballots,
    exemplars,
    modal,
    tally,
    taxicab,
)
from audit.judgement.pairs import Design

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Populations:
    """Votes of an arm's parents, pruned models and controls on the examples shown to all of them.

    Attributes:
        shown: int64 [shown], positions on the example axis.
        cast: Their ballots.
        dense: float64 [parents, voters], what each voter counts for on behalf of each parent. A
            parent's replicates share its vote equally; weights are whole, so that ties are exact.
        pruned: The same for the pruned models.
        control: The same for the controls; None unless every parent has one.
        paired: Whether row m of `dense` is the parent of row m of `pruned`.
    """

    shown: IndexArray
    cast: Ballots
    dense: FloatArray
    pruned: FloatArray
    control: FloatArray | None
    paired: bool

    @property
    def parents(self) -> int:
        """Number of distinct parents."""
        return len(self.dense)

    @cached_property
    def dense_votes(self) -> FloatArray:
        """Votes of all parents, float64 [rows of the ballots]."""
        return tally(self.cast, self.dense.sum(axis=0))

    @cached_property
    def pruned_votes(self) -> FloatArray:
        """Votes of all pruned models, float64 [rows of the ballots]."""
        return tally(self.cast, self.pruned.sum(axis=0))


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Every shown example's modal labels in two populations.

    Attributes:
        first: int64 [shown], modal label of the parents, `UNDECIDED` for a tie.
        second: int64 [shown], modal label of the other population.
        score: float64 [shown], taxicab distance of the two votes.
        pie: bool [shown], both are decided and differ.
        undecided: bool [shown], one is a tie and the vote did change.
    """

    first: IndexArray
    second: IndexArray
    score: FloatArray
    pie: NDArray[np.bool_]
    undecided: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Case:
    """One arm under one condition, with everything that its findings are made of.

    Attributes:
        arm: The pruned models.
        block: The predictions.
        known: Labels, weights, clusters and plan.
        votes: The votes.
        found: Parents beside pruned models.
        floor: Parents beside controls; None unless every parent has one.
    """

    arm: Arm
    block: Block
    known: Design
    votes: Populations
    found: Exemplars
    floor: Exemplars | None

    @property
    def weights(self) -> FloatArray | None:
        """float64 [shown]; None counts each example once."""
        return None if self.known.weights is None else self.known.weights[self.votes.shown]

    @property
    def clusters(self) -> IndexArray | None:
        """int64 [shown]; None makes each example its own."""
        return None if self.known.clusters is None else self.known.clusters[self.votes.shown]

    @property
    def labels(self) -> IndexArray:
        """int64 [shown], `NO_LABEL` where nobody knows."""
        return self.known.labels[self.votes.shown]


def case(block: Block, arm: Arm, known: Design, dense_rows: IndexArray) -> Case | None:
    """Votes of one arm and what they say; None where there is nobody to compare."""
    votes = populations(block, arm, known.counted, dense_rows)
    if votes is None:
        return None
    ties = known.plan.ties
    floor = None
    if votes.control is not None:
        floor = compare(votes, tally(votes.cast, votes.control.sum(axis=0)), ties)
    return Case(arm, block, known, votes, compare(votes, votes.pruned_votes, ties), floor)


def populations(
    block: Block, arm: Arm, counted: NDArray[np.bool_], dense_rows: IndexArray
) -> Populations | None:
    """Gathers the votes of one arm; None where there is nobody to compare.

    Models without a known parent are left out where any parent is known; where none is, all dense
    models stand for the parents, unpaired.

    Args:
        block: Predictions under one condition.
        arm: The pruned models.
        counted: bool [examples], False for an example that counts for nothing.
        dense_rows: Rows of the dense models.
    """
    paired = arm.paired()
    if paired.pruned.size:
        return _paired(block, paired, counted)
    if not dense_rows.size or not arm.pruned.size:
        return None
    rows = np.concatenate([dense_rows, arm.pruned])
    shown = _shown(block, rows, counted)
    d, p = dense_rows.size, arm.pruned.size
    return Populations(
        shown=shown,
        cast=ballots(block.predicted[rows][:, shown]),
        dense=np.hstack([np.eye(d), np.zeros((d, p))]),
        pruned=np.hstack([np.zeros((p, d)), np.eye(p)]),
        control=None,
        paired=False,
    )


def compare(found: Populations, others: FloatArray, ties: Ties) -> Exemplars:
    """Modal labels of the parents beside those of another population.

    Args:
        found: The votes.
        others: float64 [rows of the ballots], votes of the other population.
        ties: How ties are decided.
    """
    votes = found.dense_votes
    first, second = modal(found.cast, votes, ties), modal(found.cast, others, ties)
    score = taxicab(found.cast, votes, others)
    tied = (first < 0) | (second < 0)
    return Exemplars(first, second, score, exemplars(first, second), tied & (score > 0))


def _paired(block: Block, arm: Arm, counted: NDArray[np.bool_]) -> Populations:
    controls = arm.controls
    has_controls = bool((controls >= 0).all())
    parts = [arm.parents, arm.pruned] + ([controls] if has_controls else [])
    rows = np.concatenate(parts)
    shown = _shown(block, rows, counted)
    owner = np.searchsorted(arm.parents, arm.parent)
    copies = np.bincount(owner, minlength=arm.parents.size)
    whole = float(lcm(*copies.tolist()))
    m, k = arm.parents.size, arm.pruned.size
    weights = np.zeros((3, m, rows.size))
    weights[0, np.arange(m), np.arange(m)] = whole
    weights[1, owner, m + np.arange(k)] = whole / copies[owner]
    if has_controls:
        weights[2, np.arange(m), m + k + np.arange(m)] = whole
    return Populations(
        shown=shown,
        cast=ballots(block.predicted[rows][:, shown]),
        dense=weights[0],
        pruned=weights[1],
        control=weights[2] if has_controls else None,
        paired=True,
    )


def _shown(block: Block, rows: IndexArray, counted: NDArray[np.bool_]) -> IndexArray:
    return np.flatnonzero((block.predicted[rows] != NOT_SHOWN).all(axis=0) & counted)
