"""Asks whether the slices that fared worst on one half of the examples do so on the other.

The peers look for slices on the examples that they report (SliceLine, Sagadeeva & Boehm, SIGMOD
2021; Slice Finder, Chung et al., arXiv 1807.06068; Domino, Eyuboglu et al., arXiv 2203.14960), so
that the worst of many looks worse than it is. Here both halves' values stand side by side, and the
p comes from the half that played no part in the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Block, Evidence
from audit.judgement.answers import answer_finding, asked, not_asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping
from audit.judgement.groups.excess_gap import excess_gaps
from audit.judgement.inference.crossed import PSEUDO
from audit.judgement.inference.estimate import detectable_change
from audit.judgement.inference.families import Family, holm
from audit.judgement.pairs import Answer, Contrast, Design, contrast, correct, design, pairs
from audit.judgement.plan import Plan, Search
from audit.judgement.search.features import Feature, features
from audit.judgement.search.halves import first_half
from audit.judgement.search.slices import Found, Half, Slice, worst_slices

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]

SEARCH = "search"
MEASURES = ("searched_slice", "found_slice")
NOTHING_TO_SEARCH = "there is nothing to search in: add columns `group_…` or `meta_…`"
NO_LABELS = "nobody knows the labels: add a column `label`"
NO_PARENT = "no pruned model names its parent: add the column `parent`"
CHOSEN = "on the half on which it was found, chosen for being the worst: more than it is elsewhere"
TENTH = 0.1  # of the tested half: the slice whose detectable size is told


def search_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Slices that lose more accuracy than everybody: a screen, where the plan asks for one.

    Args:
        block: Predictions on clean examples.
        evidence: Labels, `group_*`, `meta_*` and embeddings.
        arms: The pruned models.
        plan: `search`, `minimum_n`, `seed`.

    Returns:
        One family, tier D: per slice `searched_slice` on the half that tests and `found_slice` on
        the half that found it; corrected by Holm over every slice tested.

    Raises:
        InputError: The search names a column that is not there.
    """
    if plan.search is None:
        return []
    known = design(evidence, plan)
    usable = known.counted & (known.labels != NO_LABEL)
    columns = features(evidence.examples, plan.search, 2 * plan.minimum_n, plan.seed)
    why = None if columns else NOTHING_TO_SEARCH
    if why or not usable.any():
        why = why or NO_LABELS
        return [Family(SEARCH, "D", [f for arm in arms for f in not_asked(MEASURES, why, arm)])]
    first = first_half(evidence.examples, usable, plan.seed)
    findings: list[Finding] = []
    for arm in arms:
        found = pairs(block, arm, known)
        if found is None:
            findings += not_asked(MEASURES, NO_PARENT, arm)
            continue
        right = contrast(found, correct(known.labels))
        findings += _of_arm(arm, right, columns, first, plan.search)
    return [Family(SEARCH, "D", _corrected(findings))]


def _of_arm(
    arm: Arm, right: Contrast, columns: Sequence[Feature], first: Mask, search: Search
) -> list[Finding]:
    half = _half(right, first)
    found = worst_slices(columns, half, search.depth, search.tested)
    if not found.worst:
        return [_nothing(arm, half, found, search, right.design.plan)]
    out = []
    for each in found.worst:
        there = _answer(right, half.searched, each)
        here = _answer(right, half.tested, each)
        out += _both(arm, each, there, here, right.design.plan)
    return out


def _half(right: Contrast, first: Mask) -> Half:
    """Who is searched and who is tested, of those that this arm was shown."""
    known, lost = right.design, -right.difference
    given = ~np.isnan(lost)
    shown = given.any(axis=0)
    mean = np.where(given, lost, 0.0).sum(axis=0) / np.maximum(given.sum(axis=0), 1)
    labelled = shown & known.counted & (known.labels != NO_LABEL)
    searched = labelled & first
    weight = np.where(searched, 1.0 if known.weights is None else known.weights, 0.0)
    everybody = float((weight * mean).sum() / max(weight.sum(), 1e-300))
    return Half(
        searched=searched,
        tested=labelled & ~first,
        loss=mean - everybody,
        weights=known.weights,
        clusters=known.clusters,
        least=known.plan.minimum_n,
    )


def _answer(right: Contrast, among: Mask, each: Slice) -> Answer:
    """The excess gap of a slice among some of the examples."""
    inside = each.inside[among].astype(np.int64)
    division = Grouping((each.name,), ("the others", each.name), inside)
    return excess_gaps(_only(right, among), division)[1]


def _only(right: Contrast, among: Mask) -> Contrast:
    known = right.design
    fewer = Design(
        labels=known.labels[among],
        weights=None if known.weights is None else known.weights[among],
        clusters=None if known.clusters is None else known.clusters[among],
        counted=known.counted[among],
        plan=known.plan,
    )
    control = None if right.control is None else right.control[:, among]
    return Contrast(right.parent[:, among], right.pruned[:, among], control, fewer)


def _both(arm: Arm, each: Slice, there: Answer, here: Answer, plan: Plan) -> list[Finding]:
    """The same slice on the half that tests it, and on the half that found it."""
    lost = 100.0 * (there.estimate.change or 0.0)
    said = (
        f"found on one half of the examples, where it lost {lost:.2f} points more than everybody "
        f"(n = {there.estimate.n:,}), tested on the other"
    )
    tested = answer_finding("searched_slice", here, arm, plan, groups=each.name, reason=said)
    chosen = replace(
        asked("found_slice", arm, groups=each.name),
        parent=there.parent,
        pruned=there.pruned,
        control=there.control,
        change=there.estimate.change,
        n=there.estimate.n,
        parents=there.estimate.parents,
        discordant=there.estimate.discordant,
        reason=CHOSEN,
    )
    return [tested, chosen]


def _nothing(arm: Arm, half: Half, found: Found, search: Search, plan: Plan) -> Finding:
    """No slice stood out; what one of a tenth of the examples would have had to lose."""
    searched, tested = int(half.searched.sum()), int(half.tested.sum())
    size = max(round(TENTH * tested), plan.minimum_n)
    spread = (float((half.loss[half.searched] ** 2).sum()) + PSEUDO) / max(searched + PSEUDO, 1)
    level = plan.alpha / search.tested
    detectable = detectable_change(float(np.sqrt(spread / size)), max(size - 1, 1), level)
    said = (
        f"of {found.looked_at:,} slices none lost more than everybody beyond chance on the half "
        f"that was searched ({searched:,} examples), so none was tested on the other: one of "
        f"{size:,} examples would show there if it lost {100.0 * detectable:.1f} points more"
    )
    return replace(
        asked("searched_slice", arm), n=tested, detectable=min(detectable, 1.0), reason=said
    )


def _corrected(findings: Sequence[Finding]) -> list[Finding]:
    """Holm over every slice that was tested, whatever the method and sparsity."""
    p = [finding.p for finding in findings if finding.p is not None]
    adjusted = iter(holm(p).tolist())
    return [
        finding if finding.p is None else replace(finding, p_adjusted=next(adjusted))
        for finding in findings
    ]
