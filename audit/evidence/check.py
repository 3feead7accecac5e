"""Says which row, column and value of a table is wrong, in the table's own words."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import FloatArray
from audit.evidence.errors import TableError

# float32 softmax can come out a hair above 1; more than that is no probability.
ROUNDING = 1e-6

Mask = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Origin:
    """Where rows came from, so that a message can name a row as its owner knows it.

    Attributes:
        tables: Names of the tables whose rows follow each other.
        starts: Index of each table's first row, ascending from 0.
        columns: Our column name -> theirs, where they differ.
    """

    tables: tuple[str, ...]
    starts: tuple[int, ...] = (0,)
    columns: Mapping[str, str] = field(default_factory=dict)

    def row(self, index: int) -> str:
        """Names a row: the table's name and the row's number in it, from 1."""
        table = bisect_right(self.starts, index) - 1
        return f"{self.tables[table]}, row {index - self.starts[table] + 1}"

    def column(self, name: str) -> str:
        """The column's name in the table."""
        return repr(self.columns.get(name, name))

    @property
    def name(self) -> str:
        """Names the tables."""
        return " and ".join(self.tables)

    def refuse(self, index: int, column: str, value: object, problem: str) -> NoReturn:
        """Raises the TableError about one cell; `problem` ends the sentence, without its stop."""
        plain = value.item() if isinstance(value, np.generic) else value
        raise TableError(f"{self.row(index)}: {self.column(column)} is {plain!r}, {problem}.")

    def refuse_any(self, bad: Mask, column: str, values: Sequence[Any] | Any, problem: str) -> None:
        """Raises the TableError about the first row that is bad, if one is."""
        if bad.any():
            index = int(bad.argmax())
            self.refuse(index, column, values[index], problem)


def check_confidence(values: FloatArray, given: Mask | None, origin: Origin) -> FloatArray:
    """Refuses a confidence that is missing or outside [0, 1]; returns it with rounding cut off.

    Args:
        values: float32 [rows].
        given: bool [rows], rows of tables that have the column; None for all.
        origin: Where the rows came from.
    """
    bad = ~((values >= 0.0) & (values <= 1.0 + ROUNDING))
    problem = "which is no probability: give 0 to 1 in every row, or leave the column out"
    origin.refuse_any(bad if given is None else bad & given, "confidence", values, problem)
    return np.minimum(values, np.float32(1.0))


def check_loss(values: FloatArray, origin: Origin) -> FloatArray:
    """Refuses a loss that is infinite or negative; NaN says that there is no label to compare to.

    Args:
        values: float32 [rows], nats.
        origin: Where the rows came from.
    """
    bad = (values < 0.0) | np.isinf(values)
    problem = "which is no cross-entropy: give finite nats, 0 or more"
    origin.refuse_any(bad, "loss", values, problem)
    return values


def check_finite(values: FloatArray, column: str, origin: Origin) -> FloatArray:
    """Refuses an infinite number; NaN says that there is none.

    Args:
        values: float32 [rows].
        column: The column's name.
        origin: Where the rows came from.
    """
    problem = "which no mean can be taken of: give finite numbers, or leave it empty"
    origin.refuse_any(np.isinf(values), column, values, problem)
    return values


def check_quantity(
    column: str, values: FloatArray, given: Mask | None, origin: Origin
) -> FloatArray:
    """Checks one of `schema.QUANTITIES`, float32 [rows], by its own rule."""
    if column == "confidence":
        return check_confidence(values, given, origin)
    if column == "loss":
        return check_loss(values, origin)
    return check_finite(values, column, origin)


def check_examples(
    examples: pd.DataFrame, rows: Sequence[int] | NDArray[np.int64], origin: Origin
) -> None:
    """Refuses a weight that is missing, negative or infinite, and a missing cluster.

    Args:
        examples: One row per example.
        rows: For each the row of `origin` that stands for it.
        origin: Where the rows came from.
    """
    if "weight" in examples:
        weight = examples["weight"].to_numpy()
        fine = np.array([isinstance(w, int | float | np.number) for w in weight], np.bool_)
        fine[fine] = np.isfinite(weight[fine].astype(float)) & (weight[fine].astype(float) >= 0.0)
        _refuse_example(~fine, examples, "weight", "give finite numbers, 0 or more", rows, origin)
    if "cluster" in examples:
        unknown = examples["cluster"].isna().to_numpy()
        _refuse_example(unknown, examples, "cluster", "say whose it is", rows, origin)


def check_codes(codes: Codes, classes: int, column: str, origin: Origin) -> None:
    """Refuses a class code outside 0 .. classes - 1."""
    bad = (codes < 0) | (codes >= classes)
    problem = f"which is no class code: give 0 to {classes - 1}"
    origin.refuse_any(bad, column, codes, problem)


def _refuse_example(
    bad: Mask,
    examples: pd.DataFrame,
    column: str,
    problem: str,
    rows: Sequence[int] | NDArray[np.int64],
    origin: Origin,
) -> None:
    if bad.any():
        place = int(bad.argmax())
        value, whose = examples[column].iloc[place], examples["example"].iloc[place]
        origin.refuse(int(rows[place]), column, value, f"for example {whose!r}: {problem}")


def first_repeat(keys: Codes, bound: int) -> int | None:
    """Index of the first key that was there before; None if all differ.

    Args:
        keys: int64 [rows], each in [0, bound).
        bound: One more than the largest key possible.
    """
    # A mask over all possible keys is several times faster than hashing, but needs their room.
    if bound <= 8 * len(keys) + 1024:
        seen = np.zeros(bound, np.bool_)
        seen[keys] = True
        if int(seen.sum()) == len(keys):
            return None
    order = np.argsort(keys, kind="stable")
    repeated = order[1:][keys[order[1:]] == keys[order[:-1]]]
    return int(repeated.min()) if len(repeated) else None


def first_rows(codes: Codes, count: int, usable: Mask | None = None) -> NDArray[np.int64]:
    """For each of `count` codes the first row that has it, -1 where none does.

    Args:
        codes: int [rows], -1 for rows to skip.
        count: One more than the largest code possible.
        usable: bool [rows]; others are skipped.
    """
    keep = codes >= 0 if usable is None else usable & (codes >= 0)
    rows = np.flatnonzero(keep)[::-1]
    first = np.full(count, -1, np.int64)
    first[codes[rows]] = rows  # of several the last assigned stays: the first row
    return first


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause that offers what was probably meant: the nearest name, or else all there are."""
    names = [str(each) for each in known]
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    if close:
        return f"the nearest is {close[0]!r}"
    listed = ", ".join(map(repr, sorted(names)[:20]))
    return f"there is {listed}{', …' if len(names) > 20 else ''}" if names else "there is nothing"
