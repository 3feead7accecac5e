"""Compares audits: what moved between them, what was done otherwise, and which may be ranked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.evidence.blocks import CLEAN
from audit.evidence.errors import InputError
from audit.judgement.blalock import Tick
from audit.judgement.comparing.asked import ask
from audit.judgement.comparing.congruence import Check, checks, congruent, pair_name
from audit.judgement.comparing.from_findings import ask_findings
from audit.judgement.comparing.moves import Move, corrected
from audit.judgement.comparing.order import Ranking, ranked
from audit.judgement.comparing.overlap import Overlap, overlaps
from audit.judgement.comparing.recipes import RecipeDifference, recipe_differences
from audit.judgement.comparing.runs import Level, Run, Side, matched, read_run, sides
from audit.judgement.comparing.shared import Shared, shared
from audit.judgement.comparing.summary import SideSummary, enough_pairs, summary

SCHEMA = "prune-audit/comparison/1"
COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two sides beside each other.

    Attributes:
        before: Index of the first side.
        after: Index of the second.
        matches: Arms that answer to each other.
        shared: The examples that both have; None where a side holds findings only.
        checks: What agrees and what does not.
        congruent: Whether the two may be ranked.
        comparable: Whether differences between them mean anything: both are about the same data.
        parents: How the parents of each pair of arms were matched, in words, each once.
        moves: What moved.
        overlaps: Exemplars in common.
        notes: What a reader must know, in sentences.
    """

    before: int
    after: int
    matches: tuple[tuple[Level, Level], ...]
    shared: Shared | None
    checks: tuple[Check, ...]
    congruent: bool
    comparable: bool
    parents: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything that a comparison found.

    Attributes:
        alpha: Level of tests; intervals cover 1 − alpha.
        sides: What was compared, in the order given.
        pairs: Each side but the first beside an earlier one: the first that has its examples.
        recipes: What was done otherwise.
        rankings: Congruent sides in order; empty where none are.
        pairs_practice: Whether enough pairs of data set and architecture were audited.
    """

    alpha: float
    sides: tuple[SideSummary, ...]
    pairs: tuple[Pair, ...]
    recipes: tuple[RecipeDifference, ...]
    rankings: tuple[Ranking, ...]
    pairs_practice: Tick

    def document(self) -> dict[str, Any]:
        """What `comparison.json` holds, as plain values."""
        from audit.judgement.comparing.document import as_document

        return as_document(self)

    def to_json(self) -> str:
        """`comparison.json`: the same runs give the same bytes, and NaN is never in them."""
        text = json.dumps(self.document(), indent=1, ensure_ascii=False, allow_nan=False)
        return text + "\n"


def compare_runs(folders: Sequence[str | Path], arms: Sequence[str] = ()) -> Comparison:
    """Compares run folders, or arms of one.

    Where two runs have predictions on the same examples (the same ids with the same labels), what
    moved is a difference of differences example by example: (pruned − parent) on the second side
    less (pruned − parent) on the first, on clean examples over everybody, every class and every
    group, and over everybody under each condition that both were shown. Where one of them holds
    findings only, their findings are compared question by question, as if independent. Runs of
    other data are laid side by side.

    Args:
        folders: Run folders; one is enough where `arms` names two of its arms.
        arms: Arms as `method@sparsity`: several of one run, or one for each run.

    Raises:
        InputError: There is one run only, a folder is no run, an arm is not there, or no two runs
            have an arm in common.
        TableError: Evidence cannot be read.
    """
    runs: dict[Path, Run] = {}
    for folder in map(Path, folders):
        runs.setdefault(folder, read_run(folder))
    every = sides([runs[Path(folder)] for folder in folders], arms)
    pairs = _pairs(every)
    if not any(pair.matches for pair in pairs):
        raise InputError(_nothing_in_common(every))
    return Comparison(
        alpha=every[0].run.plan.alpha,
        sides=tuple(map(summary, every)),
        pairs=tuple(pairs),
        recipes=recipe_differences(every),
        rankings=_rankings(every, pairs),
        pairs_practice=enough_pairs({pair_name(side) for side in every}),
    )


def _pairs(every: Sequence[Side]) -> list[Pair]:
    """Each side beside the first earlier one that it can be compared with, else the first."""
    out = []
    for j in range(1, len(every)):
        found = None
        for i in range(j):
            framed = _frame(every, i, j)
            if framed.comparable and framed.matches:
                found = _answered(every, framed)
                break
        out.append(found or _frame(every, 0, j))
    return out


def _frame(every: Sequence[Side], i: int, j: int) -> Pair:
    """Two sides with what they share, before anything is asked of them."""
    one, other = every[i], every[j]
    both = None
    if one.run.evidence is not None and other.run.evidence is not None:
        both = shared(one.run.evidence, other.run.evidence)
    found = checks(one, other, both)
    return Pair(
        before=i,
        after=j,
        matches=tuple(matched(one, other)),
        shared=both,
        checks=found,
        congruent=congruent(found),
        comparable=both.n > 0 if both is not None else _perhaps_same(found),
    )


def _perhaps_same(found: Sequence[Check]) -> bool:
    """Whether nothing of what is recorded says that two runs are about other data."""
    known = {check.facet: check.agrees for check in found}
    return all(known[facet] is not False for facet in ("examples", "classes", "data"))


def _answered(every: Sequence[Side], pair: Pair) -> Pair:
    """The pair with everything asked."""
    one, other = every[pair.before], every[pair.after]
    notes: list[str] = []
    parents: tuple[str, ...] = ()
    moves: list[Move] = []
    if pair.shared is not None:
        asked = ask(one, other, pair.matches, pair.shared)
        moves += asked.moves
        notes += asked.notes
        parents = tuple(dict.fromkeys(each.said for each in asked.parents))
    moves += ask_findings(one, other, pair.matches, beside_predictions=pair.shared is not None)
    return Pair(
        before=pair.before,
        after=pair.after,
        matches=pair.matches,
        shared=pair.shared,
        checks=pair.checks,
        congruent=pair.congruent,
        comparable=pair.comparable,
        parents=parents,
        moves=corrected(moves, one.run.plan),
        overlaps=overlaps(one, other, pair.matches, pair.shared),
        notes=tuple(notes),
    )


def _rankings(every: Sequence[Side], pairs: Sequence[Pair]) -> tuple[Ranking, ...]:
    """One ranking for each set of sides that are congruent with the same earlier side."""
    known = {(pair.before, pair.after): pair for pair in pairs}

    def deciding(i: int, j: int) -> Move | None:
        pair = known.get((i, j))
        moves = pair.moves if pair else _clean_moves(every, i, j)
        asked = [m for m in moves if m.family == "accuracy" and m.difference is not None]
        return max(asked, key=lambda m: m.sparsity_after or 0.0, default=None)

    groups: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.congruent and pair.moves:
            groups.setdefault(pair.before, [pair.before]).append(pair.after)
    return tuple(ranked(every, members, deciding) for members in groups.values())


def _clean_moves(every: Sequence[Side], i: int, j: int) -> Sequence[Move]:
    framed = _frame(every, i, j)
    if framed.shared is None:
        return ()
    return ask(every[i], every[j], framed.matches, framed.shared, only=(CLEAN,)).moves


def _nothing_in_common(every: Sequence[Side]) -> str:
    told = []
    for side in every:
        names = [method if s is None else f"{method}@{s:g}" for method, s in side.levels]
        told.append(f"{side.name} has {', '.join(names) or 'none'}")
    return (
        f"No two of these have an arm in common ({'; '.join(told)}): "
        "name one of each with --arms method@sparsity."
    )
