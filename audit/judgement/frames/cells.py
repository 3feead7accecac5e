"""Counts behind a metric frame: who is in which cell, and how many of them each model takes.

For a rate, all of a cell that matters is how many examples it has of either label, and how many of
them a model takes for the positive class. Over all models that is one product of a 0/1 matrix
[models, examples] with the memberships [examples, cells × label].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.judgement.groups.rates import ratio

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

EXACT = 2**24  # counts up to here are exact in single precision


@dataclass(frozen=True, eq=False)
class Confusion:
    """What models do in cells, float64, models by cells on the last two axes.

    Attributes:
        positives: Examples of the positive class.
        negatives: Examples of any other.
        hits: Positives taken for the class.
        false: Negatives taken for it.
        right: Examples given their own label.
    """

    positives: FloatArray
    negatives: FloatArray
    hits: FloatArray
    false: FloatArray
    right: FloatArray

    @property
    def n(self) -> FloatArray:
        """Examples."""
        return self.positives + self.negatives

    def merged(self, cells: CodeArray, n_cells: int) -> Confusion:
        """The counts of coarser cells: `cells` says into which each one goes."""
        into = np.zeros((cells.size, n_cells))
        into[np.arange(cells.size), cells] = 1.0
        return Confusion(**{name: value @ into for name, value in vars(self).items()})


RATES: Mapping[str, Callable[[Confusion], FloatArray]] = {
    "accuracy": lambda c: ratio(c.right, c.n),
    "count": lambda c: np.broadcast_to(c.n, c.right.shape).astype(np.float64),
    "false_negative_rate": lambda c: ratio(c.positives - c.hits, c.positives),
    "false_positive_rate": lambda c: ratio(c.false, c.negatives),
    "precision": lambda c: ratio(c.hits, c.hits + c.false),
    "selection_rate": lambda c: ratio(c.hits + c.false, c.n),
    "true_negative_rate": lambda c: ratio(c.negatives - c.false, c.negatives),
    "true_positive_rate": lambda c: ratio(c.hits, c.positives),
}


@dataclass(frozen=True, eq=False)
class Features:
    """Columns that divide the examples, crossed with each other.

    Attributes:
        names: Column names.
        index: The levels of the crossing, every combination, in order.
        codes: int64 [examples], places in `index`.
    """

    names: tuple[str, ...]
    index: pd.Index
    codes: CodeArray


def features(given: Any, kind: str, examples: int) -> list[tuple[str, pd.Index, CodeArray]]:
    """Named columns as sorted levels and codes.

    Args:
        given: A Series, array, list, DataFrame, dict of columns, or list of Series; None is none.
        kind: What unnamed columns are called, with their number.
        examples: How many there must be.

    Raises:
        InputError: A column has another length.
    """
    out = []
    for place, (name, column) in enumerate(_columns(given)):
        values = np.asarray(column)
        if values.shape != (examples,):
            raise InputError(
                f"A {kind.replace('_', ' ')} has shape {values.shape} and there are {examples} "
                "examples: give one value per example."
            )
        codes, levels = pd.factorize(values, sort=True, use_na_sentinel=False)
        label = f"{kind}_{place}" if name is None else str(name)
        out.append((label, pd.Index(levels), codes.astype(np.int64)))
    return out


def crossed(parts: Sequence[tuple[str, pd.Index, CodeArray]]) -> Features:
    """All combinations of the levels, first column slowest, as Fairlearn lists them."""
    names = tuple(name for name, _, _ in parts)
    shape = tuple(len(levels) for _, levels, _ in parts)
    codes = np.ravel_multi_index(tuple(codes for _, _, codes in parts), shape)
    index: pd.Index
    if len(parts) == 1:
        index = parts[0][1].rename(names[0])
    else:
        index = pd.MultiIndex.from_product([levels for _, levels, _ in parts], names=names)
    return Features(names, index, codes.astype(np.int64))


def confusion(
    truth: NDArray[np.generic],
    predicted: NDArray[np.generic],
    positive: Any,
    codes: CodeArray,
    n_cells: int,
    weights: FloatArray | None,
) -> Confusion:
    """Counts of every model in every cell, [models, cells].

    Args:
        truth: [examples], labels.
        predicted: [models, examples], predictions.
        positive: The positive label.
        codes: int64 [examples], cells.
        n_cells: Number of cells.
        weights: float64 [examples]; None counts each once.
    """
    examples = truth.size
    single = weights is None and examples < EXACT
    kind = np.float32 if single else np.float64
    of_class = truth == positive
    member = np.zeros((examples, 2 * n_cells), dtype=kind)
    member[np.arange(examples), 2 * codes + of_class] = 1.0 if weights is None else weights
    size = member.sum(axis=0, dtype=np.float64).reshape(n_cells, 2)
    taken = (predicted == positive).astype(kind) @ member
    taken = taken.astype(np.float64).reshape(-1, n_cells, 2)
    right = ((predicted == truth).astype(kind) @ member).astype(np.float64)
    return Confusion(
        size[None, :, 1],
        size[None, :, 0],
        taken[..., 1],
        taken[..., 0],
        right.reshape(-1, n_cells, 2).sum(axis=-1),
    )


def _columns(given: Any) -> list[tuple[str | None, Any]]:
    if given is None:
        return []
    if isinstance(given, pd.Series):
        return [(None if given.name is None else str(given.name), given)]
    if isinstance(given, pd.DataFrame):
        return [(str(name), given[name]) for name in given.columns]
    if isinstance(given, Mapping):
        return [(str(name), column) for name, column in given.items()]
    if isinstance(given, (list, tuple)) and given and isinstance(given[0], pd.Series):
        return [pair for column in given for pair in _columns(column)]
    table = np.asarray(given)
    return (
        [(None, table)] if table.ndim == 1 else [(None, table[:, i]) for i in range(table.shape[1])]
    )
