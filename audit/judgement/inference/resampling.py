"""Bootstraps of group rates for whole populations at once, as matrix products over strata.

A rate of a group is a ratio of sums over strata (group × label). For one draw, the sum of a stratum
is Σ w_i p_mi: draws' weights [draws, examples] times predictions [examples, models]. Sorting the
examples by stratum makes that one matrix product over each stratum, so that all strata together
cost draws × examples × models operations, whatever the number of groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
CodeArray = NDArray[np.int64]

AT_ONCE = 4_000_000  # weights held at a time: 16 MB


@dataclass(frozen=True, eq=False)
class Strata:
    """Examples sorted by stratum, and what is summed over each.

    Attributes:
        order: int64 [kept], examples in order of their stratum; those of none are left out.
        starts: int64 [strata + 1], where each stratum begins in `order`.
        values: float32 [kept, columns], what is summed, in that order.
        weights: float64 [kept], what each example counts for.
    """

    order: CodeArray
    starts: CodeArray
    values: SingleArray
    weights: FloatArray


def strata(
    codes: CodeArray,
    n_strata: int,
    values: NDArray[np.generic],
    weights: FloatArray | None = None,
) -> Strata:
    """Sorts examples by stratum.

    Args:
        codes: int64 [examples] in [0, n_strata), -1 for an example of none.
        n_strata: Number of strata.
        values: [columns, examples], what is summed: a model's prediction, as 0 or 1.
        weights: float64 [examples]; None counts each once.
    """
    order = np.argsort(codes, kind="stable")
    order = order[np.count_nonzero(codes < 0) :]
    starts = np.searchsorted(codes[order], np.arange(n_strata + 1))
    own = np.ones(order.size) if weights is None else weights[order]
    table = np.ascontiguousarray(values[:, order].T.astype(np.float32))
    return Strata(order.astype(np.int64), starts, table, own)


def drawn_sums(known: Strata, weights: SingleArray | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums of every stratum under every draw.

    Args:
        known: The strata.
        weights: [draws, examples], how often each example was drawn, in table order; float32 is
            faster, float64 exact.

    Returns:
        Examples per stratum, float64 [draws, strata], and sums of the values, float64
        [draws, strata, columns].
    """
    drawn = weights[:, known.order] * known.weights.astype(weights.dtype)
    n_strata, columns = known.starts.size - 1, known.values.shape[1]
    size = np.zeros((len(drawn), n_strata))
    total = np.zeros((len(drawn), n_strata, columns))
    for stratum in range(n_strata):
        own = slice(known.starts[stratum], known.starts[stratum + 1])
        if own.stop > own.start:
            size[:, stratum] = drawn[:, own].sum(axis=1, dtype=np.float64)
            total[:, stratum] = drawn[:, own] @ known.values[own]
    return size, total


def example_weights(
    examples: int,
    draws: int,
    generator: np.random.Generator,
    clusters: CodeArray | None = None,
) -> Iterator[SingleArray]:
    """Bootstrap weights of examples in blocks of draws, float32 [draws in the block, examples].

    One unit fewer is drawn than there are and weights are scaled up, which makes the variance of a
    mean unbiased (Rao & Wu 1988). Clusters are drawn whole.

    Args:
        examples: Number of examples.
        draws: Number of draws.
        generator: Where they come from.
        clusters: int64 [examples], codes 0, 1, …; None makes each example its own.
    """
    units = examples if clusters is None else int(clusters.max(initial=-1)) + 1
    block = max(1, AT_ONCE // max(examples, 1))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        own = unit_weights(units, size, generator)
        yield own if clusters is None else own[:, clusters]


def unit_weights(units: int, draws: int, generator: np.random.Generator) -> SingleArray:
    """Counts of units − 1 draws with replacement, scaled to mean 1, float32 [draws, units]."""
    if units < 2:
        return np.ones((draws, units), dtype=np.float32)
    picked = generator.integers(0, units, size=(draws, units - 1), dtype=np.int64)
    picked += np.arange(draws)[:, None] * units
    counts = np.bincount(picked.ravel(), minlength=draws * units).reshape(draws, units)
    out: SingleArray = counts.astype(np.float32)
    out *= np.float32(units / (units - 1.0))
    return out
