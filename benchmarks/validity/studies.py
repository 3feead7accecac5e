"""Whole studies as tables, null or with a planted harm, small enough to judge hundreds of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, Block, Evidence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

CHURN = 0.2  # share of examples on which a retrained model decides anew


@dataclass(frozen=True)
class Design:
    """The size of a study.

    Attributes:
        parents: Parents, each with a control and a pruned model per sparsity.
        examples: Test examples.
        classes: Classes.
        groups: Groups of the one group column.
        sparsities: Sparsities.
    """

    parents: int = 7
    examples: int = 600
    classes: int = 5
    groups: int = 4
    sparsities: tuple[float, ...] = (0.5, 0.8)


def study(
    design: Design, rng: np.random.Generator, harm: Sequence[FloatArray] | None = None
) -> Evidence:
    """One study: parents, controls and pruned models, all as likely to be right unless harmed.

    A retrained model decides anew on `CHURN` of the examples, with the chance of being right that
    its parent had; so without harm, nothing changes in expectation, for anybody.

    Args:
        design: Sizes.
        rng: Where it comes from.
        harm: Per sparsity, float64 [examples], the probability by which an answer that would be
            right is made wrong.
    """
    n, classes, m = design.examples, design.classes, design.parents
    labels = np.arange(n) % classes
    groups = np.arange(n) // classes % design.groups
    able = np.clip(rng.beta(4.0, 0.6, n)[None, :] + 0.02 * rng.standard_normal((m, 1)), 0.02, 1.0)
    confused = (labels + rng.integers(1, classes, (m, n))) % classes

    def answer(right: NDArray[np.bool_]) -> IntArray:
        return np.where(right, labels, confused).astype(np.int32)

    dense = rng.random((m, n)) < able

    def retrained(lost: FloatArray | float) -> NDArray[np.bool_]:
        anew = np.where(rng.random((m, n)) < CHURN, rng.random((m, n)) < able, dense)
        return np.asarray(anew & (rng.random((m, n)) >= lost))

    harms: Sequence[FloatArray | float] = harm or [0.0] * len(design.sparsities)
    rows = [answer(dense), answer(retrained(0.0)), *(answer(retrained(lost)) for lost in harms)]
    predicted = np.concatenate(rows)
    sure = np.clip(able + 0.05 * rng.standard_normal((m, n)), 0.3, 0.999)
    confidence = np.tile(sure, (len(rows), 1)).astype(np.float32)
    block = Block(CLEAN, predicted, confidence)
    examples = pd.DataFrame(
        {
            "example": np.arange(n),
            "label": labels,
            "split": "test",
            "group_site": np.array([f"s{g}" for g in range(design.groups)], dtype=object)[groups],
        }
    )
    names = tuple(f"c{c}" for c in range(classes))
    return Evidence(
        examples, examples.iloc[:0], _models(design), names, (CLEAN,), lambda _condition: block
    )


def _models(design: Design) -> pd.DataFrame:
    arms: list[tuple[str, float | None]] = [("dense", None), ("control", 0.0)]
    arms += [("pruned", sparsity) for sparsity in design.sparsities]
    return pd.DataFrame(
        [
            {
                "model": f"{role}-{'' if sparsity is None else f'{sparsity:g}-'}{seed}",
                "parent": "" if role == "dense" else f"dense-{seed}",
                "role": role,
                "method": "magnitude" if role == "pruned" else "",
                "sparsity": np.nan if sparsity is None else sparsity,
                "seed": seed,
            }
            for role, sparsity in arms
            for seed in range(design.parents)
        ]
    )
