"""Whether two arms prune the very same parents: then a comparison is paired over them too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import Block, Evidence
from audit.judgement.comparing.shared import Shared
from audit.judgement.design import Arm

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SameParents:
    """The parents that two arms have in common.

    Attributes:
        before: int64 [pairs], places among `arm.parents` of the first side.
        after: int64 [pairs], places of the same parents on the second side.
        identical: Whether each pair gave the same prediction on every shared clean example.
        said: What a reader must know: how parents were matched, or that they were not.
    """

    before: IndexArray
    after: IndexArray
    identical: bool
    said: str

    @property
    def paired(self) -> bool:
        """Whether the comparison is paired over parents."""
        return self.before.size > 0


def same_parents(
    runs: tuple[Evidence, Evidence], arms: tuple[Arm, Arm], clean: tuple[Block, Block], both: Shared
) -> SameParents:
    """Matches the parents of two arms.

    Two parents are the same where their addresses in the store are, or where name, seed and every
    prediction on the shared clean examples are. Unless all parents of one arm are matched, the two
    populations are taken to be independent.

    Args:
        runs: The evidence of the two sides.
        arms: An arm of each.
        clean: The clean predictions of each.
        both: The shared examples.
    """
    one, other = (arm.paired().parents for arm in arms)
    alike = _alike(runs, (one, other), clean, both)
    addresses = [_column(run.models, "address", rows) for run, rows in _each(runs, one, other)]
    names = [_column(run.models, "model", rows) for run, rows in _each(runs, one, other)]
    seeds = [_column(run.models, "seed", rows) for run, rows in _each(runs, one, other)]
    pairs: list[tuple[int, int]] = []
    for i in range(one.size):
        for j in range(other.size):
            same = addresses[0][i] and addresses[0][i] == addresses[1][j]
            known = names[0][i] == names[1][j] and seeds[0][i] == seeds[1][j]
            if same or (known and alike[i, j]):
                pairs.append((i, j))
                break
    if not pairs or len(pairs) < min(one.size, other.size):
        return SameParents(_indices([]), _indices([]), False, _apart(pairs, one, other))
    first, second = _indices([i for i, _ in pairs]), _indices([j for _, j in pairs])
    left = max(one.size, other.size) - len(pairs)
    said = f"the same {len(pairs)} parents on both sides" if len(pairs) > 1 else "the same parent"
    if left:
        said += f"; {left} that only one side has are left out"
    return SameParents(first, second, bool(alike[first, second].all()), said)


def _alike(
    runs: tuple[Evidence, Evidence],
    rows: tuple[IndexArray, IndexArray],
    clean: tuple[Block, Block],
    both: Shared,
) -> NDArray[np.bool_]:
    """Whether two parents predicted every shared clean example alike, bool [parents, parents]."""
    first = clean[0].predicted[rows[0]][:, both.before]
    second = _in_codes_of(runs, clean[1].predicted[rows[1]][:, both.after])
    found = np.zeros((len(first), len(second)), dtype=np.bool_)
    for i, row in enumerate(first):
        found[i] = (second == row).all(axis=1) if both.n else False
    return found


def _in_codes_of(
    runs: tuple[Evidence, Evidence], predicted: NDArray[np.int32]
) -> NDArray[np.integer]:
    """Predictions of the second run in the class codes of the first."""
    if runs[0].classes == runs[1].classes:
        return predicted
    code = {name: place for place, name in enumerate(runs[0].classes)}
    known = [code.get(name, len(code) + i) for i, name in enumerate(runs[1].classes)]
    return np.array([*known, -1], dtype=np.int64)[predicted]  # NOT_SHOWN is -1: the last


def _each(
    runs: tuple[Evidence, Evidence], one: IndexArray, other: IndexArray
) -> list[tuple[Evidence, IndexArray]]:
    return [(runs[0], one), (runs[1], other)]


def _column(models: pd.DataFrame, name: str, rows: IndexArray) -> list[str]:
    if name not in models:
        return [""] * rows.size
    return ["" if pd.isna(value) else str(value) for value in models[name].iloc[rows]]


def _indices(values: list[int]) -> IndexArray:
    return np.asarray(values, dtype=np.int64)


def _apart(pairs: list[tuple[int, int]], one: IndexArray, other: IndexArray) -> str:
    if not one.size or not other.size:
        return "a side's pruned models name no parent"
    some = f", though {len(pairs)} are the same" if pairs else ""
    return (
        f"{one.size} parents beside {other.size} others{some}: taken to be independent, "
        "so that what each varies adds up"
    )
