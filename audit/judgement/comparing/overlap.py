"""Whether the same examples changed on both sides: common exemplars, beside what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from audit.evidence.blocks import CLEAN, Block, Evidence
from audit.judgement.comparing.runs import Level, Side
from audit.judgement.comparing.shared import Shared
from audit.judgement.design import dense
from audit.judgement.exemplars.populations import case
from audit.judgement.pairs import design

UNDECIDED = "undecided"
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """The exemplars (PIEs) of two arms, on the examples that both sides have.

    Attributes:
        method_before: The first arm's method.
        method_after: The second's.
        sparsity_before: Its sparsity.
        sparsity_after: The second's.
        before: Exemplars of the first arm.
        after: Exemplars of the second.
        shared: Exemplars of both.
        jaccard: shared / (before + after − shared); None where there are none at all.
        examples: Examples that could have been; None where the sides' are not known to be the same.
        expected: Exemplars that two draws of these sizes would share if every example were as
            likely (hypergeometric mean).
        p: One-sided p of so many by such draws. Hard examples change in any two trainings, so a
            small p is no sign that pruning chose them: read `churned` beside it.
        churned: Exemplars of the second arm that are exemplars of the first side's controls too:
            what extra training without pruning shares with it. None without controls.
        churn: Exemplars of those controls.
        churn_jaccard: Their Jaccard index with the second arm's exemplars.
    """

    method_before: str
    method_after: str
    sparsity_before: float | None
    sparsity_after: float | None
    before: int
    after: int
    shared: int
    jaccard: float | None
    examples: int | None
    expected: float | None = None
    p: float | None = None
    churned: int | None = None
    churn: int | None = None
    churn_jaccard: float | None = None


def overlaps(
    before: Side, after: Side, matches: Sequence[tuple[Level, Level]], both: Shared | None
) -> tuple[Overlap, ...]:
    """Counts the exemplars that matched arms have in common.

    Args:
        before: The first side.
        after: The second side.
        matches: Arms that answer to each other.
        both: The shared examples; None where a side holds findings only, and then ids are compared
            as they are.
    """
    kept = _shared_ids(before, both)
    floors = _floors(before, matches)
    out = []
    for one, other in matches:
        first, second = _of(before, one, kept), _of(after, other, kept)
        out.append(
            _overlap((one, other), first, second, both, _ids_of(before, floors.get(one), kept))
        )
    return tuple(out)


def _overlap(
    levels: tuple[Level, Level],
    first: set[str],
    second: set[str],
    both: Shared | None,
    floor: set[str] | None,
) -> Overlap:
    n = both.n if both is not None else None
    common = len(first & second)
    expected = p = None
    if n:
        expected = len(first) * len(second) / n
        p = float(stats.hypergeom.sf(common - 1, n, len(first), len(second)))
    return Overlap(
        method_before=levels[0][0],
        method_after=levels[1][0],
        sparsity_before=levels[0][1],
        sparsity_after=levels[1][1],
        before=len(first),
        after=len(second),
        shared=common,
        jaccard=_jaccard(first, second),
        examples=n,
        expected=expected,
        p=p,
        churned=None if floor is None else len(floor & second),
        churn=None if floor is None else len(floor),
        churn_jaccard=None if floor is None else _jaccard(floor, second),
    )


def _jaccard(one: set[str], other: set[str]) -> float | None:
    return len(one & other) / len(one | other) if one | other else None


def _of(side: Side, level: Level, kept: set[str] | None) -> set[str]:
    table = side.run.findings.exemplars
    if table.empty:
        return set()
    method = table["method"].fillna("").astype(str)
    sparsity = pd.to_numeric(table["sparsity"]).to_numpy(np.float64, na_value=np.nan)
    at = np.isnan(sparsity) if level[1] is None else np.isclose(sparsity, level[1])
    own = table[(method == level[0]).to_numpy() & at & (table["kind"] != UNDECIDED).to_numpy()]
    names = set(own["example"].astype(str))
    return names if kept is None else names & kept


def _shared_ids(side: Side, both: Shared | None) -> set[str] | None:
    if both is None or side.run.evidence is None:
        return None
    return set(side.run.evidence.examples["example"].iloc[both.before].astype(str))


def _ids_of(side: Side, found: BoolArray | None, kept: set[str] | None) -> set[str] | None:
    if found is None or side.run.evidence is None:
        return None
    names = set(side.run.evidence.examples["example"][found].astype(str))
    return names if kept is None else names & kept


def _floors(side: Side, matches: Sequence[tuple[Level, Level]]) -> dict[Level, BoolArray]:
    """By arm, bool [examples], which are exemplars of the parents beside their controls."""
    evidence = side.run.evidence
    if evidence is None or CLEAN not in evidence.conditions:
        return {}
    block, out = evidence.load(CLEAN), {}
    for level in dict.fromkeys(one for one, _ in matches):
        found = _floor(side, level, evidence, block)
        if found is not None:
            out[level] = found
    return out


def _floor(side: Side, level: Level, evidence: Evidence, block: Block) -> BoolArray | None:
    arm = side.arm(level)
    if arm is None:
        return None
    found = case(block, arm, design(evidence, side.run.plan), dense(evidence.models))
    if found is None or found.floor is None:
        return None
    changed = np.zeros(len(evidence.examples), dtype=np.bool_)
    changed[found.votes.shown[found.floor.pie]] = True
    return changed
