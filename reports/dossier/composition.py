"""Who is in the data: how many examples of each class in each group, split by split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.evidence.schema import GROUP, MISSING, TRAINING_SPLITS
from reports.dossier.subject import Subject
from reports.dossier.suppression import Counts, Hidden, suppress, suppress_all

NO_LABEL_NAME = "no label"
EVERYBODY = "everybody"


@dataclass(frozen=True, eq=False)
class Composition:
    """Counts of one split by class and by the values of one group column.

    Attributes:
        split: The split.
        column: The group column, or `EVERYBODY` where classes alone are counted.
        classes: Names of the rows.
        values: Names of the columns.
        counts: [classes, values].
        hidden: What is not shown; None where everything is.
    """

    split: str
    column: str
    classes: tuple[str, ...]
    values: tuple[str, ...]
    counts: Counts
    hidden: Hidden | None

    @property
    def total(self) -> int:
        """Examples in the split."""
        return int(self.counts.sum())

    def cell(self, row: int, column: int) -> int | None:
        """A count, or None where it is hidden."""
        shown = self.hidden is None or not self.hidden.cells[row, column]
        return int(self.counts[row, column]) if shown else None

    def row_total(self, row: int) -> int | None:
        """Examples of a class, or None where hidden."""
        shown = self.hidden is None or not self.hidden.rows[row]
        return int(self.counts[row].sum()) if shown else None

    def column_total(self, column: int) -> int | None:
        """Examples of a group, or None where hidden."""
        shown = self.hidden is None or not self.hidden.columns[column]
        return int(self.counts[:, column].sum()) if shown else None

    def shown_total(self) -> int | None:
        """Examples in the split, or None where so few that their number is hidden."""
        return self.total if self.hidden is None or not self.hidden.total else None

    @property
    def empty(self) -> list[tuple[str, str]]:
        """(class, group) pairs that nobody is in, shown ones only."""
        return [
            (self.classes[r], self.values[c])
            for r, c in np.argwhere(self.counts == 0)
            if self.cell(int(r), int(c)) is not None and self.values[c] != MISSING
        ]


def compositions(subject: Subject) -> list[Composition]:
    """One table per split and group column; per split alone where there are no groups."""
    if subject.examples.empty:
        return []
    found = []
    for split in _splits(subject.examples["split"]):
        found += _of_split(subject, split)
    return found


def _splits(column: pd.Series) -> list[str]:
    """Splits that were audited first, then those that models were made with."""
    names = sorted(map(str, column.unique()))
    return sorted(names, key=lambda name: (name in TRAINING_SPLITS, name))


def _of_split(subject: Subject, split: str) -> list[Composition]:
    frame = subject.examples[subject.examples["split"] == split]
    if subject.sharing.aggregate_only and frame["label"].notna().any():
        # Rates count labelled examples alone: beside both sizes their difference would be known.
        frame = frame[frame["label"].notna()]
    rows, classes = _class_codes(subject, frame)
    tables = []
    for column in subject.group_columns:
        cells, values = _group_codes(frame[f"{GROUP}{column}"])
        counts = np.zeros((len(classes), len(values)), dtype=np.int64)
        np.add.at(counts, (rows, cells), 1)
        tables.append((column, values, counts))
    if not tables:
        counts = np.bincount(rows, minlength=len(classes))[:, None].astype(np.int64)
        tables.append((EVERYBODY, (EVERYBODY,), counts))
    hiddens = _hidden(subject, [counts for _, _, counts in tables])
    return [
        Composition(split, column, classes, values, counts, hidden)
        for (column, values, counts), hidden in zip(tables, hiddens, strict=True)
    ]


def _hidden(subject: Subject, tables: Sequence[Counts]) -> list[Hidden | None]:
    if not subject.sharing.aggregate_only:
        return [None] * len(tables)
    k = subject.sharing.minimum_cell
    if len(tables) == 1 and tables[0].shape[1] == 1:  # a column beside itself adds nothing
        split_off = np.hstack([tables[0], np.zeros_like(tables[0])])
        found = suppress(split_off, k)
        return [Hidden(found.rows[:, None], found.rows, found.columns[:1], found.total)]
    return list(suppress_all(tables, k))


def _class_codes(subject: Subject, frame: pd.DataFrame) -> tuple[Counts, tuple[str, ...]]:
    names = list(subject.document.classes)
    numbers = pd.to_numeric(frame["label"], errors="coerce").fillna(-1)
    codes: Counts = numbers.to_numpy(dtype=np.int64)
    if (codes < 0).any() or not names:
        names.append(NO_LABEL_NAME)
        codes = np.where(codes < 0, np.int64(len(names) - 1), codes)
    return codes.astype(np.int64), tuple(names)


def _group_codes(
    column: pd.Series,
) -> tuple[Counts, tuple[str, ...]]:
    """Codes of values in their order, those that nobody knows last."""
    text = column.astype(object).where(column.notna(), MISSING).astype(str)
    values = sorted(set(text), key=lambda value: (value == MISSING, value))
    places = {value: place for place, value in enumerate(values)}
    codes: Counts = np.asarray(text.map(places).to_list(), dtype=np.int64)
    return codes, tuple(values)
