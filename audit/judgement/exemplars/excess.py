"""How many more exemplars there are than chance makes, over everybody or inside a group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Block
from audit.judgement.answers import answer_finding, asked
from audit.judgement.exemplars.floor import (
    FEWEST_FOR_HALVES,
    SwapTest,
    halves_floor,
    swap_parent_and_pruned,
    swap_pruned_and_control,
)
from audit.judgement.exemplars.populations import Case, case
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping
from audit.judgement.inference.paired import paired_change
from audit.judgement.pairs import Answer, Design

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

UNPAIRED = (
    "not asked: no pruned model names its parent, so pruned and control cannot be swapped inside "
    "parents; add the column `parent`"
)
TOO_FEW = (
    "not asked: without controls the floor comes from halves of the parents, which takes at least "
    "{needed} parents, and there are {parents}; add controls (role `control`), or parents"
)


def excess_finding(one: Case, groups: str | None = None) -> Finding:
    """`pie_excess`, or `group_pie_excess`: an interval for new examples and a swap test.

    Args:
        one: The arm, on everybody or on the members of a group.
        groups: The group's name.
    """
    measure = "pie_excess" if groups is None else "group_pie_excess"
    question = asked(measure, one.arm, condition=one.block.condition, groups=groups)
    votes = one.votes
    if not votes.paired:
        return replace(question, outcome="not_asked", reason=UNPAIRED)
    if one.floor is None and one.arm.controlled().pruned.size:
        some = case(one.block, one.arm.controlled(), one.known, np.zeros(0, dtype=np.int64))
        return _over_controls(some or one, question)
    if one.floor is not None:
        return _over_controls(one, question)
    if votes.parents < FEWEST_FOR_HALVES:
        reason = TOO_FEW.format(needed=FEWEST_FOR_HALVES, parents=votes.parents)
        return replace(question, outcome="not_asked", parents=votes.parents, reason=reason)
    return _over_halves(one, question)


def group_excess_findings(one: Case, division: Grouping, dense_rows: IndexArray) -> list[Finding]:
    """`group_pie_excess` in every group of a column; nobody's label is needed.

    Args:
        one: The arm.
        division: The groups.
        dense_rows: Rows of the dense models.
    """
    out = []
    for code, name in enumerate(division.names):
        inside = _members(one, np.flatnonzero(division.codes == code), dense_rows)
        if inside is not None:
            out.append(excess_finding(inside, name))
    return out


def _members(one: Case, members: IndexArray, dense_rows: IndexArray) -> Case | None:
    """The same arm on some examples alone."""
    known = one.known
    weights = None if known.weights is None else known.weights[members]
    clusters = None if known.clusters is None else known.clusters[members]
    some = Design(known.labels[members], weights, clusters, known.counted[members], known.plan)
    block = Block(one.block.condition, one.block.predicted[:, members])
    return case(block, one.arm, some, dense_rows)


def _over_controls(one: Case, question: Finding) -> Finding:
    """Against the parents' own controls, for the parents that have one."""
    votes, plan = one.votes, one.known.plan
    if one.floor is None:
        raise ValueError("a parent has no control: leave it out first.")
    test = swap_pruned_and_control(votes, plan.resamples, plan.seed)
    said = _how("each parent's pruned and control model", test)
    pruned, chance = one.found.pie.astype(np.float64), one.floor.pie.astype(np.float64)
    return _answered(one, question, pruned, chance, test, said)


def _over_halves(one: Case, question: Finding) -> Finding:
    """Against disjoint halves of the parents, where there are no controls."""
    votes, plan = one.votes, one.known.plan
    pruned, chance, size = halves_floor(votes, plan.ties, plan.seed)
    test = swap_parent_and_pruned(votes, plan.resamples, plan.seed)
    how = _how("each parent and its pruned model", test)
    said = f"no controls: both shares are of halves of {size} parents; {how}"
    return _answered(one, question, pruned, chance, test, said)


def _answered(
    one: Case, question: Finding, pruned: FloatArray, chance: FloatArray, test: SwapTest, said: str
) -> Finding:
    plan = one.known.plan
    estimate = paired_change(
        (pruned - chance)[None, :],
        generalises_to="examples",
        weights=one.weights,
        clusters=one.clusters,
        level=1.0 - plan.alpha,
    )
    if estimate.change is None:
        answer = Answer(estimate, None, None, None)
    else:
        shares = [float(np.average(share, weights=one.weights)) for share in (pruned, chance)]
        tested = replace(estimate, p=test.p, p_floor=test.p_floor, parents=one.votes.parents)
        answer = Answer(tested, None, *shares)
    return answer_finding(
        question.measure,
        answer,
        one.arm,
        plan,
        condition=one.block.condition,
        groups=question.groups,
        reason=said,
    )


def _how(what: str, test: SwapTest) -> str:
    tried = f"all {test.swaps:,}" if test.enumerated else f"{test.swaps:,} random"
    return f"p is one-sided, from {tried} swaps of {what}; the interval holds for these models"
