"""How sure a metric frame's changes are: a crossed bootstrap of parents × examples, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.evidence.errors import InputError
from audit.judgement.frames.cells import RATES, Confusion, Features
from audit.judgement.groups.rates import ratio
from audit.judgement.inference.resampling import drawn_sums, example_weights, strata, unit_weights
from audit.judgement.inference.student import t_quantile

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FrameIntervals:
    """Changes by group with their intervals, each a table like `by_group`; NaN where undefined.

    Attributes:
        change: Mean over parents of pruned − parent.
        low: Lower ends.
        high: Upper ends.
        standard_error: Standard errors of `change`.
        df: Degrees of freedom of their t distribution: the fewer of parents and examples, less 1.
    """

    change: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    standard_error: pd.DataFrame
    df: int


@dataclass(frozen=True, eq=False)
class Sides:
    """The arrays behind a paired frame.

    Attributes:
        truth: [examples], labels.
        parent: [pairs, examples], predictions.
        pruned: [pairs, examples].
        positive: The positive label.
        cells: Who is in which group.
        weights: float64 [examples]; None counts each once.
    """

    truth: NDArray[np.generic]
    parent: NDArray[np.generic]
    pruned: NDArray[np.generic]
    positive: object
    cells: Features
    weights: FloatArray | None


def frame_intervals(
    sides: Sides,
    metrics: Mapping[str, object],
    *,
    draws: int,
    level: float,
    seed: int,
    parents: ArrayLike | None = None,
) -> FrameIntervals:
    """Intervals of every rate's change in every group.

    Examples and parents are drawn independently; of one parent, examples alone, and the claim is
    then about these models.

    Args:
        sides: The predictions.
        metrics: Rates by name.
        draws: Bootstrap draws.
        level: Coverage, in (0, 1).
        seed: Of the draws.
        parents: [pairs], the parent of each; pairs of one parent count once. None: all differ.

    Raises:
        InputError: A metric is a function, which only counting could draw again at this speed.
    """
    named = [name for name, metric in metrics.items() if not isinstance(metric, str)]
    if named:
        raise InputError(
            f"Intervals are of rates, and {named[0]!r} is a function: name rates, of "
            f"{', '.join(sorted(RATES))}."
        )
    shares, many = _shares(parents, len(sides.pruned))
    observed = _changes(sides, metrics, np.ones((1, sides.truth.size)))
    generator, drawn = np.random.default_rng(seed), []
    for weights in example_weights(sides.truth.size, draws, generator):
        by_parent = unit_weights(many, len(weights), generator).astype(np.float64)
        pairs = by_parent[:, shares.argmax(axis=1)] * shares.max(axis=1)
        drawn.append(_over_pairs(_changes(sides, metrics, weights), pairs))
    change = _over_pairs(observed, shares.max(axis=1)[None, :])[0]
    error = np.nanstd(np.concatenate(drawn), axis=0, ddof=1)
    error = np.where(error > 0.0, error, np.nan)
    df = (min(many, sides.truth.size) if many > 1 else sides.truth.size) - 1
    reach = float(t_quantile(0.5 + level / 2.0, df)) * error

    def table(values: FloatArray) -> pd.DataFrame:
        return pd.DataFrame(values.T, index=sides.cells.index, columns=list(metrics))

    return FrameIntervals(
        table(change), table(change - reach), table(change + reach), table(error), df
    )


def _changes(
    sides: Sides, metrics: Mapping[str, object], weights: NDArray[np.floating]
) -> FloatArray:
    """Changes under every draw, float64 [draws, metrics, pairs, cells]."""
    before = _confusion(sides, sides.parent, weights)
    after = _confusion(sides, sides.pruned, weights)
    return np.stack(
        [RATES[str(metric)](after) - RATES[str(metric)](before) for metric in metrics.values()],
        axis=1,
    )


def _confusion(
    sides: Sides, predicted: NDArray[np.generic], weights: NDArray[np.floating]
) -> Confusion:
    """Counts under every draw, [draws, models, cells]."""
    n_cells, models = len(sides.cells.index), len(predicted)
    of_class = sides.truth == sides.positive
    columns = np.concatenate([predicted == sides.positive, predicted == sides.truth])
    table = strata(sides.cells.codes * 2 + of_class, 2 * n_cells, columns, sides.weights)
    size, total = drawn_sums(table, weights)
    size = size.reshape(-1, 1, n_cells, 2)
    sums = np.moveaxis(total.reshape(-1, n_cells, 2, 2, models), (3, 4), (0, 2))
    taken, right = sums
    return Confusion(size[..., 1], size[..., 0], taken[..., 1], taken[..., 0], right.sum(axis=-1))


def _over_pairs(changes: FloatArray, pairs: FloatArray) -> FloatArray:
    """Weighted mean over the pairs in which a change is defined, [draws, metrics, cells]."""
    defined = ~np.isnan(changes)
    weight = np.broadcast_to(pairs[:, None, :, None], changes.shape)
    total = (np.where(defined, changes, 0.0) * weight).sum(axis=2)
    return ratio(total, (defined * weight).sum(axis=2))


def _shares(parents: ArrayLike | None, pairs: int) -> tuple[FloatArray, int]:
    """What each pair counts for its parent, float64 [pairs, parents], and how many parents."""
    names = np.arange(pairs) if parents is None else np.asarray(parents)
    if names.shape != (pairs,):
        raise InputError(f"`parents` is {names.shape}: give one per pair, ({pairs},).")
    _, code, size = np.unique(names, return_inverse=True, return_counts=True)
    out = np.zeros((pairs, size.size))
    out[np.arange(pairs), code] = 1.0 / size[code]
    return out, int(size.size)
