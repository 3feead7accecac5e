"""Divides the examples in two once, so that what is found on one half is tested on the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.judgement.inference.paired import cluster_codes

Mask = NDArray[np.bool_]
CodeArray = NDArray[np.int64]


def first_half(examples: pd.DataFrame, usable: Mask, seed: int) -> Mask:
    """Who is in the half that is searched; whole clusters, as many of every class in either half.

    The order of the rows plays no part: draws go by the order of ids.

    Args:
        examples: `example`, `label`, and `cluster` where there are any.
        usable: bool [examples], who is divided at all.
        seed: Seed of the draw.

    Returns:
        bool [examples]; the other half is `usable & ~first_half`.
    """
    labels = examples["label"].to_numpy(np.int64)[usable]
    unit = _units(examples[usable])
    units = int(unit.max(initial=-1)) + 1
    stratum = _most_frequent(unit, labels, units)
    draw = np.random.default_rng(seed).permutation(units)
    order = np.lexsort((draw, stratum))
    chosen = np.zeros(units, dtype=np.bool_)
    chosen[order[::2]] = True
    out = np.zeros(len(examples), dtype=np.bool_)
    out[usable] = chosen[unit]
    return out


def _units(examples: pd.DataFrame) -> CodeArray:
    """What goes into a half whole: clusters where there are any, else examples, by name."""
    clustered = "cluster" in examples and examples["cluster"].notna().any()
    names = examples["cluster" if clustered else "example"].to_numpy()
    codes = cluster_codes(names, len(examples))
    return np.zeros(0, dtype=np.int64) if codes is None else codes


def _most_frequent(unit: CodeArray, labels: CodeArray, units: int) -> CodeArray:
    """The most frequent label of every unit; of equally frequent ones the smallest."""
    pairs, counts = np.unique(np.stack([unit, labels]), axis=1, return_counts=True)
    order = np.lexsort((-pairs[1], counts))
    out = np.zeros(units, dtype=np.int64)
    out[pairs[0][order]] = pairs[1][order]  # the last one written is the most frequent
    return out
