"""The one file that would ship: judged beside the population that it was chosen from.

It is asked everything that the population is asked, as a pair with its own parent and control. Its
questions are corrected apart, as screens: they would change what the population's families reject,
and the population may have chosen it. Only limits make claims of it, at alpha divided by the number
of files it was chosen from on these examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Block, Condition, Evidence, FloatArray
from audit.evidence.errors import InputError
from audit.judgement.design import UNKNOWN, Arm, dense
from audit.judgement.findings import Finding
from audit.judgement.inference.families import Family
from audit.judgement.measures import MEASURES
from audit.judgement.own_measures import OwnMeasure
from audit.judgement.plan import Plan
from audit.judgement.policy.applied import One

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class View:
    """Who is audited, and which rows of every block that takes.

    Attributes:
        evidence: The evidence about these rows.
        arms: The pruned models; indices are rows of `evidence.models`.
        rows: int64, rows of the whole evidence; None for all of them.
        own: Measures of the user's own.
    """

    evidence: Evidence
    arms: tuple[Arm, ...]
    rows: Rows | None = None
    own: tuple[OwnMeasure, ...] = ()

    def of(self, block: Block) -> Block:
        """The view's rows of a block."""
        return block if self.rows is None else narrowed(block, self.rows)


@dataclass(frozen=True, eq=False)
class Candidate:
    """The file that would ship.

    Attributes:
        view: It, its parent and its control.
        one: Its name, method and sparsity, and out of how many it was chosen.
    """

    view: View
    one: One


def candidate(evidence: Evidence, arms: Sequence[Arm], plan: Plan) -> Candidate | None:
    """Finds the file that the plan names; None where it names none.

    Raises:
        InputError: No pruned model has that name.
    """
    if plan.candidate is None:
        return None
    name = plan.candidate.model
    found = [
        (arm, place)
        for arm in arms
        for place, row in enumerate(arm.pruned)
        if str(evidence.models["model"].iloc[row]) == name
    ]
    if not found:
        raise InputError(_unknown(name, evidence, arms))
    arm, place = found[0]
    rows, alone = _alone(evidence, arm, place, name)
    of = plan.candidate.of or len(arm.pruned)
    one = One(name, (arm.method or None, arm.sparsity), of)
    return Candidate(View(of_rows(evidence, rows), (alone,), rows), one)


def candidate_families(families: Iterable[Family]) -> list[Family]:
    """The same questions as screens under names of their own; see the top of this file."""
    return [
        Family(
            f"candidate_{family.name}",
            "A" if family.tier == "A" else "D",
            [replace(f, p_adjusted=None) for f in family.findings if _asked_of_one(f)],
        )
        for family in families
    ]


def candidate_note(one: One, alpha: float) -> str:
    """What a reader must know of the choice."""
    if one.of == 1:
        return f"The candidate {one.model} was not chosen by these examples."
    return (
        f"The candidate {one.model} was chosen out of {one.of} by these examples: its bounds are "
        f"at {100 * alpha:g} % / {one.of}, and its values look better than they are, as those of "
        "the best of several do."
    )


def narrowed(block: Block, rows: Rows) -> Block:
    """Some rows of a block."""
    every = {f.name: getattr(block, f.name) for f in fields(block)}
    some: dict[str, Any] = {
        name: array[rows] for name, array in every.items() if isinstance(array, np.ndarray)
    }
    return replace(block, **some)


def _asked_of_one(finding: Finding) -> bool:
    # How far a method goes is no question about one file.
    known = MEASURES.get(finding.measure)
    return finding.model is not None and not (known is not None and known.spans)


def _alone(evidence: Evidence, arm: Arm, place: int, name: str) -> tuple[Rows, Arm]:
    """The rows of one file, its parent and its control, and the arm that they are."""
    row, parent, control = (int(x[place]) for x in (arm.pruned, arm.parent, arm.control))
    beside = [parent] if parent != UNKNOWN else dense(evidence.models).tolist()
    if control != UNKNOWN:
        beside.append(control)
    one = np.zeros(1, dtype=np.int64)
    alone = replace(
        arm,
        pruned=one,
        parent=one + (1 if parent != UNKNOWN else UNKNOWN),
        control=one + (len(beside) if control != UNKNOWN else UNKNOWN),
        model=name,
    )
    return np.asarray([row, *beside], dtype=np.int64), alone


def of_rows(evidence: Evidence, rows: Rows) -> Evidence:
    """The evidence about some of its models, in the order of `rows`."""

    def load(condition: Condition) -> Block:
        return narrowed(evidence.load(condition), rows)

    def probabilities(condition: Condition, row: int) -> FloatArray | None:
        return evidence.probabilities(condition, int(rows[row]))

    held_out = evidence.validation
    return replace(
        evidence,
        models=evidence.models.iloc[rows].reset_index(drop=True),
        load=load,
        probabilities=probabilities,
        validation=None if held_out is None else of_rows(held_out, rows),
    )


def _unknown(name: str, evidence: Evidence, arms: Sequence[Arm]) -> str:
    if name in set(evidence.models["model"].astype(str)):
        return f"The candidate {name!r} is no pruned model: name the pruned file that would ship."
    names = [str(evidence.models["model"].iloc[row]) for arm in arms for row in arm.pruned]
    near = get_close_matches(name, names, n=1, cutoff=0.0)
    hint = f"did you mean {near[0]!r}?" if near else "there is no pruned model."
    return f"No pruned model is called {name!r}, as the candidate is: {hint}"
