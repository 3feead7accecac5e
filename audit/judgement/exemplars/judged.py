"""Exemplars as findings: how many, how many chance makes, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import Block, Evidence
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm, dense
from audit.judgement.exemplars.floor import (
    FEWEST_FOR_HALVES,
    SwapTest,
    halves_floor,
    swap_parent_and_pruned,
    swap_pruned_and_control,
)
from audit.judgement.exemplars.members import accuracy_findings, over_representation
from audit.judgement.exemplars.populations import Case, Exemplars, Populations, case
from audit.judgement.exemplars.table import KINDS, exemplar_rows, kinds
from audit.judgement.families import Family
from audit.judgement.findings import Finding
from audit.judgement.inference import paired_change
from audit.judgement.pairs import Answer, design
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]

COUNTS = "exemplars"
MEMBERS = "exemplar_membership"
UNPAIRED = (
    "not asked: no pruned model names its parent, so pruned and control cannot be swapped inside "
    "parents; add the column `parent`"
)
TOO_FEW = (
    "not asked: without controls the floor comes from halves of the parents, which takes at least "
    "{needed} parents, and there are {parents}; add controls (role `control`), or parents"
)
NO_PARENTS = "not asked: there is no dense model to compare with"


def exemplar_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> tuple[list[Family], pd.DataFrame]:
    """Pruning identified exemplars of every arm (Hooker et al., arXiv 1911.05248).

    Args:
        block: Predictions under one condition; examples that a model of the arm was not shown are
            left out of that arm.
        evidence: Labels, class names, group columns, models.
        arms: The pruned models.
        plan: `ties`, `resamples`, `seed`, `minimum_n`, groups.

    Returns:
        The families `exemplars` (counts, kinds, excess over chance; tier B) and
        `exemplar_membership` (over-represented classes and groups; tier C), and the exemplars
        themselves, as `table.exemplar_rows` describes.
    """
    known, dense_rows = design(evidence, plan), dense(evidence.models)
    counts: list[Finding] = []
    excess: list[Finding] = []
    described: list[Finding] = []
    tested: list[Finding] = []
    cases: list[Case] = []
    for arm in arms:
        one = case(block, arm, known, dense_rows)
        if one is None:
            nobody = asked("pie_count", arm, condition=block.condition)
            counts.append(replace(nobody, outcome="not_asked", reason=NO_PARENTS))
            continue
        counts += _count_findings(one)
        excess.append(_excess(one))
        described += accuracy_findings(one, dense_rows)
        tested += over_representation(one, evidence)
        cases.append(one)
    counts += [*_in_sequence(excess), *described]
    families = [Family(COUNTS, "B", counts), Family(MEMBERS, "C", tested)]
    return families, exemplar_rows(cases, evidence)


def _in_sequence(excess: Sequence[Finding]) -> list[Finding]:
    """Corrects by a fixed sequence: from the largest sparsity down; between methods Bonferroni.

    Models that state no sparsity come last.

    The order is fixed before the run, so that the levels of one method cost nothing. Holm would let
    them: seven parents cannot go below 1 / 128, and six levels would make .047 of that.
    """
    methods = {f.method for f in excess if f.p is not None}
    worst = dict.fromkeys(methods, 0.0)
    adjusted: dict[str, float] = {}
    for finding in sorted(excess, key=lambda f: (f.sparsity is None, -(f.sparsity or 0.0))):
        if finding.p is not None:
            worst[finding.method] = max(worst[finding.method], finding.p)
            adjusted[finding.id] = min(1.0, worst[finding.method] * len(methods))
    return [replace(finding, p_adjusted=adjusted.get(finding.id)) for finding in excess]


def _count_findings(one: Case) -> list[Finding]:
    """`pie_count` and one count per kind, with the same counts of the controls beside them."""
    here = _by_kind(one.found, one.labels)
    there = None if one.floor is None else _by_kind(one.floor, one.labels)
    shown = one.votes.shown.size
    return [
        replace(
            asked(measure, one.arm, condition=one.block.condition),
            pruned=here[measure],
            control=None if there is None else there[measure],
            n=shown,
            parents=one.votes.parents,
            generalises_to="examples",
            outcome="no_limit" if shown else "not_asked",
            reason=_read(one.votes),
        )
        for measure in ("pie_count", *(f"pie_{kind}" for kind in KINDS))
    ]


def _by_kind(found: Exemplars, labels: NDArray[np.int64]) -> dict[str, float]:
    kind = kinds(found, labels)
    counts = {f"pie_{name}": float((kind == name).sum()) for name in KINDS}
    return counts | {"pie_count": float(found.pie.sum())}


def _read(votes: Populations) -> str | None:
    """How the counts are to be read."""
    said = []
    if votes.parents % 2 == 0:
        said.append(f"{votes.parents} parents, an even number: ties are more frequent")
    if not votes.paired:
        said.append("no pruned model names its parent: all dense models stand for the parents")
    return "; ".join(said) or None


def _excess(one: Case) -> Finding:
    """`pie_excess`: exemplars beyond chance, with an interval for new examples and a swap test."""
    question = asked("pie_excess", one.arm, condition=one.block.condition)
    votes = one.votes
    if not votes.paired:
        return replace(question, outcome="not_asked", reason=UNPAIRED)
    if one.floor is None and one.arm.controlled().pruned.size:
        some = case(one.block, one.arm.controlled(), one.known, np.zeros(0, dtype=np.int64))
        return _over_controls(some or one)
    if one.floor is not None:
        return _over_controls(one)
    if votes.parents < FEWEST_FOR_HALVES:
        reason = TOO_FEW.format(needed=FEWEST_FOR_HALVES, parents=votes.parents)
        return replace(question, outcome="not_asked", parents=votes.parents, reason=reason)
    return _over_halves(one)


def _over_controls(one: Case) -> Finding:
    """Against the parents' own controls, for the parents that have one."""
    votes, plan = one.votes, one.known.plan
    if one.floor is None:
        raise ValueError("a parent has no control: leave it out first.")
    test = swap_pruned_and_control(votes, plan.resamples, plan.seed)
    said = _how("each parent's pruned and control model", test)
    pruned, chance = one.found.pie.astype(np.float64), one.floor.pie.astype(np.float64)
    return _excess_finding(one, pruned, chance, test, said)


def _over_halves(one: Case) -> Finding:
    """Against disjoint halves of the parents, where there are no controls."""
    votes, plan = one.votes, one.known.plan
    pruned, chance, size = halves_floor(votes, plan.ties, plan.seed)
    test = swap_parent_and_pruned(votes, plan.resamples, plan.seed)
    how = _how("each parent and its pruned model", test)
    return _excess_finding(
        one,
        pruned,
        chance,
        test,
        f"no controls: both shares are of halves of {size} parents; {how}",
    )


def _excess_finding(
    one: Case, pruned: FloatArray, chance: FloatArray, test: SwapTest, said: str
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
    condition = one.block.condition
    return answer_finding("pie_excess", answer, one.arm, plan, condition=condition, reason=said)


def _how(what: str, test: SwapTest) -> str:
    tried = f"all {test.swaps:,}" if test.enumerated else f"{test.swaps:,} random"
    return f"p is one-sided, from {tried} swaps of {what}; the interval holds for these models"
