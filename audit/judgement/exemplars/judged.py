"""Exemplars as findings: how many, how many chance makes, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Block, Evidence
from audit.judgement.answers import asked
from audit.judgement.design import Arm, dense
from audit.judgement.exemplars.excess import excess_finding, group_excess_findings
from audit.judgement.exemplars.members import accuracy_findings, over_representation
from audit.judgement.exemplars.populations import Case, Exemplars, Populations, case
from audit.judgement.exemplars.soft import Soft, soft
from audit.judgement.exemplars.stability import stability_findings
from audit.judgement.exemplars.sureness import sureness_findings
from audit.judgement.exemplars.suspects import suspect_findings
from audit.judgement.exemplars.table import KINDS, exemplar_rows, kinds
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import groupings
from audit.judgement.inference.families import Family
from audit.judgement.labels.suspicion import Suspicion
from audit.judgement.pairs import design
from audit.judgement.plan import Plan

IndexArray = NDArray[np.int64]

COUNTS = "exemplars"
MEMBERS = "exemplar_membership"
GROUPS = "exemplar_groups"
NO_PARENTS = "not asked: there is no dense model to compare with"
NOBODY = "no example was shown to every model of this arm: add their predictions"
NEED_LABELS = ("pie_harmed", "pie_mended", "pie_moved")
NO_LABELS = "nobody knows the labels: add a column `label`"


def exemplar_families(
    block: Block,
    evidence: Evidence,
    arms: Sequence[Arm],
    plan: Plan,
    suspects: Suspicion | None = None,
) -> tuple[list[Family], pd.DataFrame]:
    """Pruning identified exemplars of every arm (Hooker et al., arXiv 1911.05248).

    Args:
        block: Predictions under one condition; examples that a model of the arm was not shown are
            left out of that arm.
        evidence: Labels, class names, group columns, models, and probabilities where `suspects` is
            given.
        arms: The pruned models.
        plan: `ties`, `resamples`, `seed`, `minimum_n`, groups.
        suspects: What the dense population thinks of the labels; None where it has recorded no
            probabilities, which leaves out what is made of them.

    Returns:
        The families `exemplars` (counts, kinds, excess over chance; tier B), `exemplar_membership`
        (over-represented classes and groups; tier C) and `exemplar_groups` (excess inside groups;
        tier D), and the exemplars themselves, as `table.exemplar_rows` describes.
    """
    known, dense_rows = design(evidence, plan), dense(evidence.models)
    counts: list[Finding] = []
    excess: list[Finding] = []
    described: list[Finding] = []
    tested: list[Finding] = []
    screen: list[Finding] = []
    cases: list[tuple[Case, Soft]] = []
    for arm in arms:
        one = case(block, arm, known, dense_rows)
        if one is None:
            nobody = asked("pie_count", arm, condition=block.condition)
            counts.append(replace(nobody, outcome="not_asked", reason=NO_PARENTS))
            continue
        extra = soft(one, evidence, dense_rows, suspects)
        counts += _count_findings(one)
        excess.append(excess_finding(one))
        described += accuracy_findings(one, dense_rows)
        described += [*sureness_findings(one, extra), *suspect_findings(one, extra)]
        tested += over_representation(one, evidence)
        screen += _in_groups(one, evidence, dense_rows)
        cases.append((one, extra))
    described += stability_findings([one for one, _ in cases], len(evidence.examples))
    counts += [*_in_sequence(excess), *described]
    families = [Family(COUNTS, "B", counts), Family(MEMBERS, "C", tested)]
    return [*families, Family(GROUPS, "D", screen)], exemplar_rows(cases, evidence)


def _in_groups(one: Case, evidence: Evidence, dense_rows: IndexArray) -> list[Finding]:
    """The excess inside every group of every single column."""
    divisions = groupings(evidence.examples, one.known.plan)
    return [
        finding
        for division in divisions
        if len(division.columns) == 1
        for finding in group_excess_findings(one, division, dense_rows)
    ]


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
    """`pie_count` and one count per kind, with the same counts of the controls beside them.

    What became of an exemplar takes its label; without any, those counts are not asked.
    """
    here = _by_kind(one.found, one.labels)
    there = None if one.floor is None else _by_kind(one.floor, one.labels)
    labelled = int((one.labels != NO_LABEL).sum())
    out = []
    for measure in ("pie_count", *(f"pie_{kind}" for kind in KINDS)):
        question = asked(measure, one.arm, condition=one.block.condition)
        n = labelled if measure in NEED_LABELS else one.votes.shown.size
        if n == 0:
            why = NO_LABELS if one.votes.shown.size else NOBODY
            out.append(replace(question, n=0, outcome="not_asked", reason=why))
            continue
        out.append(
            replace(
                question,
                pruned=here[measure],
                control=None if there is None else there[measure],
                n=n,
                parents=one.votes.parents,
                generalises_to="examples",
                reason=_read(one.votes),
            )
        )
    return out


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
