"""A population of models made of plain arrays, as the judgement sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.evidence.blocks import CLEAN, Block, Condition, Evidence
from audit.judgement.design import Arm, arms


@dataclass(frozen=True, eq=False)
class Study:
    """One condition's block, the evidence around it, and its arms."""

    block: Block
    evidence: Evidence
    arms: tuple[Arm, ...]


def make_study(
    labels: Sequence[int],
    dense: Any,
    pruned: Mapping[float, Any],
    control: Any = None,
    *,
    classes: Sequence[str] | None = None,
    columns: Mapping[str, Any] | None = None,
    named_parents: bool = True,
    parent_of: Sequence[int] | None = None,
    condition: Condition = CLEAN,
) -> Study:
    """Rows of `pruned[sparsity]` are children of `parent_of[row]`, by default of the same row."""
    label = np.asarray(labels, dtype=np.int64)
    rows: list[dict[str, Any]] = []
    votes: list[np.ndarray] = []

    def add(role: str, predictions: Any, sparsity: float | None, method: str | None) -> None:
        for i, row in enumerate(np.atleast_2d(np.asarray(predictions))):
            owner = i if parent_of is None or role != "pruned" else parent_of[i]
            parent = f"dense-{owner}" if role != "dense" and named_parents else None
            name = f"{role}-{i}" if sparsity is None else f"{role}-{sparsity}-{i}"
            rows.append(
                {
                    "model": name,
                    "parent": parent,
                    "role": role,
                    "method": method,
                    "sparsity": sparsity,
                    "seed": i,
                }
            )
            votes.append(np.asarray(row))

    add("dense", dense, None, None)
    for sparsity, predictions in pruned.items():
        add("pruned", predictions, sparsity, "magnitude")
    if control is not None:
        add("control", control, 0.0, None)
    examples = pd.DataFrame(
        {"example": np.arange(label.size), "label": label, "split": "test", **(columns or {})}
    )
    models = pd.DataFrame(rows)
    block = Block(condition, np.asarray(votes, dtype=np.int32).reshape(len(rows), label.size))
    top = int(max(label.max(initial=0), block.predicted.max(initial=0))) + 1
    names = tuple(classes) if classes else tuple(f"class-{c}" for c in range(top))
    evidence = Evidence(
        examples, examples.iloc[:0], models, names, (condition,), lambda _condition: block
    )
    return Study(block, evidence, arms(models))


@pytest.fixture
def study() -> Callable[..., Study]:
    """The factory of studies."""
    return make_study
