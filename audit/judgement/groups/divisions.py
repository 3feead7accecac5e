"""Who is asked about: group columns, numeric columns cut at stated edges, and their crossings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.judgement.plan import Binned, Plan

PREFIX = "group_"
MISSING = "missing"
CodeArray = NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """One way of dividing the examples: by a column, or by several crossed.

    Attributes:
        columns: Column names without their prefix, sorted.
        names: Group names, `column=value & column=value`; only groups with somebody in them.
        codes: int64 [examples], index into `names`; every example has a group.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    codes: CodeArray

    @property
    def label(self) -> str:
        """The columns as one phrase, for questions about all of its groups at once."""
        return " & ".join(self.columns)

    @property
    def sizes(self) -> CodeArray:
        """Examples per group, int64 [groups]."""
        return np.bincount(self.codes, minlength=len(self.names))


def groupings(examples: pd.DataFrame, plan: Plan) -> tuple[Grouping, ...]:
    """Every division that the plan asks for: single columns first, then crossings, by name.

    Args:
        examples: The example table, with columns `group_*`.
        plan: `groups` (None takes every `group_*` that is no control feature), `intersections`.

    Raises:
        InputError: A group column is not there or is a control feature too, or a column to be
            binned is not numeric.
    """
    singles = sorted((single(examples, wanted) for wanted in _wanted(examples, plan)), key=_label)
    crossings = [
        cross(parts)
        for depth in range(2, plan.intersections + 1)
        for parts in combinations(singles, depth)
    ]
    return (*singles, *crossings)


def cross(parts: Sequence[Grouping]) -> Grouping:
    """The groups that several divisions make together; empty crossings are left out."""
    parts = sorted(parts, key=_label)
    shape = tuple(len(part.names) for part in parts)
    flat = np.ravel_multi_index(tuple(part.codes for part in parts), shape)
    present, codes = np.unique(flat, return_inverse=True)
    places = np.unravel_index(present, shape)
    names = tuple(
        " & ".join(part.names[place] for part, place in zip(parts, row, strict=True))
        for row in zip(*places, strict=True)
    )
    return Grouping(tuple(part.label for part in parts), names, codes.astype(np.int64))


def canonical_group(text: str) -> str:
    """A group's name as findings write it: columns sorted, no prefix, `a=1 & b=2`."""
    parts = re.split(r"\s*&\s*(?=[^&=<>]+(?:=|<|>=))", text.strip())  # a value may hold an `&`
    return " & ".join(sorted(part.removeprefix(PREFIX) for part in parts))


def _label(grouping: Grouping) -> str:
    return grouping.label


def _wanted(examples: pd.DataFrame, plan: Plan) -> list[str | Binned]:
    controls = {_bare(wanted) for wanted in plan.control_features}
    if plan.groups is None:
        every = [name for name in examples.columns if name.startswith(PREFIX)]
        return [name for name in every if _bare(name) not in controls]
    by_name = {_bare(wanted): wanted for wanted in plan.groups}
    both = sorted(controls & set(by_name))
    if both:
        raise InputError(
            f"{both[0]!r} is named as a group and as a control feature: groups are compared within "
            "the levels of control features, so name it as one of both."
        )
    if len(by_name) < len(plan.groups):
        raise InputError(
            f"`groups` names a column twice ({', '.join(map(_bare, plan.groups))}): name each once."
        )
    return list(by_name.values())


def _bare(wanted: str | Binned) -> str:
    column = wanted.column if isinstance(wanted, Binned) else wanted
    return column.removeprefix(PREFIX)


def single(examples: pd.DataFrame, wanted: str | Binned) -> Grouping:
    """The groups of one column.

    Raises:
        InputError: It is not there, or is to be binned and not numeric.
    """
    name = _bare(wanted)
    if PREFIX + name not in examples.columns:
        raise InputError(_no_such_column(name, examples))
    values = examples[PREFIX + name]
    if isinstance(wanted, Binned):
        return _binned(name, values, wanted.bins)
    text = values.astype(object).where(values.notna(), MISSING).astype(str)
    present, codes = np.unique(text.to_numpy(dtype=object), return_inverse=True)
    names = tuple(f"{name}={value}" for value in present)
    return Grouping((name,), names, codes.astype(np.int64))


def _no_such_column(name: str, examples: pd.DataFrame) -> str:
    there = [c.removeprefix(PREFIX) for c in examples.columns if c.startswith(PREFIX)]
    if not there:
        return f"There is no group column {name!r}, nor any other: add a column `{PREFIX}{name}`."
    near = get_close_matches(name, there, n=1, cutoff=0.0)[0]
    return (
        f"There is no group column {name!r}: did you mean {near!r}? There are {', '.join(there)}."
    )


def _binned(name: str, values: pd.Series, bins: tuple[float, ...]) -> Grouping:
    """Half-open bins, so that an edge belongs to the bin that it begins."""
    missing = (values.isna() | (values.astype(str) == MISSING)).to_numpy()
    numbers = pd.to_numeric(values.where(~missing), errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(np.isnan(numbers) & ~missing)
    if wrong.size:
        raise InputError(
            f"Group column {name!r} holds {values.iloc[wrong[0]]!r} in row {wrong[0]}, which is "
            "not a number: leave out its bins, or clean the column."
        )
    inner = [f"{name}=[{low:g}, {high:g})" for low, high in pairwise(bins)]
    every = [f"{name}<{bins[0]:g}", *inner, f"{name}>={bins[-1]:g}", f"{name}={MISSING}"]
    places = np.where(missing, len(every) - 1, np.searchsorted(bins, numbers, side="right"))
    present, codes = np.unique(places, return_inverse=True)
    return Grouping((name,), tuple(every[place] for place in present), codes.astype(np.int64))
