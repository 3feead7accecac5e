"""What moved between two sides, example by example, on what both were shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, Block, Condition, Evidence
from audit.judgement.comparing.cells import Case, Name, Question, answers
from audit.judgement.comparing.moves import Move
from audit.judgement.comparing.parents import SameParents, same_parents
from audit.judgement.comparing.runs import Level, Side
from audit.judgement.comparing.shared import Shared, shared_groupings
from audit.judgement.groups.divisions import Grouping
from audit.judgement.pairs import Contrast, Design, contrast, correct, design, pairs
from audit.judgement.shifts.kinds import Kind, kind_of

IndexArray = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)

ASKED_UNDER = ("corruption", "natural", "attack")  # labelled inputs that are not the clean ones


@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked of two sides on shared examples, before correction.

    Attributes:
        moves: The questions.
        parents: Per pair of arms, how their parents were matched.
        notes: What a reader must know, in sentences.
    """

    moves: tuple[Move, ...]
    parents: tuple[SameParents, ...]
    notes: tuple[str, ...]


def ask(
    before: Side,
    after: Side,
    matches: Sequence[tuple[Level, Level]],
    both: Shared,
    *,
    only: Sequence[Condition] | None = None,
) -> Asked:
    """Asks of every pair of arms how much more pruning changed on the second side.

    Accuracy over everybody, every class and every group on clean examples, and over everybody under
    each other condition. Blocks are read one condition at a time.

    Args:
        before: The first side; its plan sets level and smallest denominator.
        after: The second side.
        matches: Arms that answer to each other.
        both: The shared examples.
        only: Conditions to ask about; None takes all.

    Raises:
        TableError: A condition cannot be read.
    """
    one, other = _evidence(before), _evidence(after)
    designs = design(one, before.run.plan), design(other, after.run.plan)
    wanted = one.conditions if only is None else only
    shown = sorted({*one.conditions} & {*other.conditions} & {*wanted}, key=_clean_first)
    divided, notes = shared_groupings((one, other), (before.run.plan, after.run.plan), both)
    cases, moves = list[Case](), list[Move]()
    for condition in shown:
        blocks = _blocks(one, other, condition)
        if not cases:
            cases = _cases(before, after, matches, both, blocks, designs)
        for case in cases:
            moves += _moves(case, blocks, (one, other), designs, both, divided)
    return Asked(
        moves=tuple(moves),
        parents=tuple(case.parents for case in cases),
        notes=(*notes, *_alone(before, after), *_alone(after, before)),
    )


def _alone(side: Side, other: Side) -> list[str]:
    """What only one side was shown, in a sentence."""
    known = _evidence(other).conditions
    alone = [c for c in _evidence(side).conditions if c not in known]
    told = ", ".join(dict.fromkeys(c.name for c in alone))
    return [f"Only {side.name} was shown {told}."] if alone else []


def _clean_first(condition: Condition) -> tuple[bool, str, float]:
    severity = condition.severity
    return condition != CLEAN, condition.name, -1.0 if severity is None else severity


def _evidence(side: Side) -> Evidence:
    if side.run.evidence is None:
        raise ValueError(f"{side.name} holds findings only: compare those.")
    return side.run.evidence


def _blocks(one: Evidence, other: Evidence, condition: Condition) -> tuple[Block, Block]:
    first = one.load(condition)
    return first, first if other is one else other.load(condition)


def _cases(
    before: Side,
    after: Side,
    matches: Sequence[tuple[Level, Level]],
    both: Shared,
    blocks: tuple[Block, Block],
    designs: tuple[Design, Design],
) -> list[Case]:
    weights = _first((designs[0].weights, designs[1].weights), both)
    clusters = _first((designs[0].clusters, designs[1].clusters), both)
    out = []
    for one, other in matches:
        arms = before.arm(one), after.arm(other)
        if arms[0] is None or arms[1] is None:
            continue
        two = arms[0].paired(), arms[1].paired()
        if len(two[0].pruned) and len(two[1].pruned):
            runs = _evidence(before), _evidence(after)
            known = same_parents(runs, two, blocks, both)
            out.append(Case((one, other), two, known, weights, clusters, before.run.plan))
    return out


def _first(
    stated: tuple[NDArray[Number] | None, NDArray[Number] | None], both: Shared
) -> NDArray[Number] | None:
    """Weights or clusters of the shared examples: the first side's, else the second's."""
    for values, places in zip(stated, (both.before, both.after), strict=True):
        if values is not None:
            return values[places]
    return None


def _moves(
    case: Case,
    blocks: tuple[Block, Block],
    runs: tuple[Evidence, Evidence],
    designs: tuple[Design, Design],
    both: Shared,
    divided: Sequence[tuple[Grouping, IndexArray]],
) -> Iterator[Move]:
    kind = kind_of(blocks[0], runs[0])
    if kind != "clean" and kind not in ASKED_UNDER:
        return
    triples = zip(blocks, case.arms, designs, strict=True)
    found = [pairs(block, arm, known) for block, arm, known in triples]
    if found[0] is None or found[1] is None:
        return
    one = _on_shared(contrast(found[0], correct(designs[0].labels)), both.before)
    other = _on_shared(contrast(found[1], correct(designs[1].labels)), both.after)
    if case.parents.paired:
        one, other = _rows(one, case.parents.before), _rows(other, case.parents.after)
    for question in _questions(kind, blocks[0].condition, runs[0], both, divided):
        yield from answers(case, one, other, question)


def _questions(
    kind: Kind,
    condition: Condition,
    run: Evidence,
    both: Shared,
    divided: Sequence[tuple[Grouping, IndexArray]],
) -> Iterator[Question]:
    """Everybody; on clean examples also every class and every group."""
    everybody = np.zeros(both.n, dtype=np.int64)
    family = "accuracy" if kind == "clean" else "shifts"
    yield Question("accuracy", family, condition, everybody, lambda _: (None, None))
    if kind != "clean":
        return
    labels = run.labels[both.before]
    yield Question("recall", "classes", condition, labels, lambda i: (run.classes[i], None))
    for grouping, codes in divided:
        family = "groups" if len(grouping.columns) == 1 else "intersections"
        yield Question("group_accuracy", family, condition, codes, _named(grouping))


def _named(grouping: Grouping) -> Callable[[int], Name]:
    return lambda i: (None, grouping.names[i])


def _on_shared(found: Contrast, places: IndexArray) -> Contrast:
    return replace(
        found,
        parent=found.parent[:, places],
        pruned=found.pruned[:, places],
        control=None if found.control is None else found.control[:, places],
    )


def _rows(found: Contrast, parents: IndexArray) -> Contrast:
    whole = found.control is not None and len(found.control) == len(found.parent)
    return replace(
        found,
        parent=found.parent[parents],
        pruned=found.pruned[parents],
        control=found.control[parents] if found.control is not None and whole else found.control,
    )
