"""From which sparsity on an example is an exemplar, and how many exemplars stay ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.judgement.answers import asked
from audit.judgement.exemplars.members import NOBODY
from audit.judgement.exemplars.populations import Case
from audit.judgement.findings import Finding
from audit.judgement.inference.proportions import wilson

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

STAYS = "a tie at a larger sparsity is no exemplar; the interval holds for these models"
SHARED = "the interval leaves out that examples share clusters or weights"


def onsets(arms: Sequence[Case], examples: int) -> Mapping[str, FloatArray]:
    """Per method, the sparsity from which on each example stays an exemplar; NaN if never.

    A tie is no exemplar, so that an example that is undecided at a larger sparsity has not stayed
    one. A level at which an example was not shown says nothing about it. Arms that state no
    sparsity play no part, and neither do arms of a single file.

    Args:
        arms: Every arm.
        examples: Number of examples.

    Returns:
        float64 [examples] by method.
    """
    found: dict[str, FloatArray] = {}
    for method in dict.fromkeys(one.arm.method for one in arms):
        onset, stays = np.full(examples, np.nan), np.ones(examples, dtype=np.bool_)
        for one in reversed(_ladder(arms, method)):
            pie, shown = one.found.pie, one.votes.shown
            stays[shown] &= pie
            onset[shown[stays[shown]]] = one.arm.sparsity
        found[method] = onset
    return found


def stability_findings(arms: Sequence[Case], examples: int) -> list[Finding]:
    """How many exemplars a sparsity adds for good, and what share of its exemplars stay ones.

    `pie_onset` counts the examples that become exemplars at a sparsity and are ones at every larger
    one; `pie_staying` is their share of all that are exemplars there.
    """
    first, out = onsets(arms, examples), []
    for method in first:
        ladder = _ladder(arms, method)
        if len(ladder) < 2:
            continue
        for one in ladder:
            begins = int((first[method] == one.arm.sparsity).sum())
            out.append(
                replace(
                    asked("pie_onset", one.arm, condition=one.block.condition),
                    pruned=float(begins),
                    n=int(one.votes.shown.size),
                    parents=one.votes.parents,
                    generalises_to="examples",
                    reason=STAYS,
                )
            )
        out += [_staying(one, first[method]) for one in ladder[:-1]]
    return out


def _staying(one: Case, onset: FloatArray) -> Finding:
    question = asked("pie_staying", one.arm, condition=one.block.condition)
    place = one.votes.shown[one.found.pie]
    if not place.size:
        return replace(question, outcome="not_asked", reason=NOBODY)
    stayed = onset[place] <= (one.arm.sparsity or 0.0)
    low, high = wilson(int(stayed.sum()), stayed.size, 1.0 - one.known.plan.alpha)
    shared = one.weights is not None or one.clusters is not None
    return replace(
        question,
        pruned=float(stayed.mean()),
        low=float(low),
        high=float(high),
        n=int(stayed.size),
        parents=one.votes.parents,
        generalises_to="examples",
        reason=f"{STAYS}; {SHARED}" if shared else STAYS,
    )


def _ladder(arms: Sequence[Case], method: str) -> list[Case]:
    """The arms of a method that state a sparsity, ascending."""
    own = [
        (one.arm.sparsity, one)
        for one in arms
        if one.arm.method == method and one.arm.sparsity is not None and one.arm.model is None
    ]
    return [one for _, one in sorted(own, key=lambda level: level[0])]
