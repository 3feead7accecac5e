"""What a person asks to be done to a table, to its columns or its one column of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

import corruptions
from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.places import existing
from audit.study.sources.table import SUFFIXES, read_frame
from audit.study.writing.layouts import Unit
from audit.study.writing.what import SEVERITIES
from corruptions.tabular import Reference, measure

RowKind = Literal["tabular", "text"]
_ROWS: Mapping[RowKind, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "tabular": (corruptions.TABLE_SETS, corruptions.TABLE_CORRUPTIONS),
    "text": (corruptions.TEXT_SETS, corruptions.TEXT_CORRUPTIONS),
}


@dataclass(frozen=True)
class RowsWanted:
    """What a person asks for.

    Attributes:
        source: A CSV, TSV or Parquet file.
        which: A set's name.
        corruptions: Names that are taken instead of a set.
        severities: From 1 to 5, increasing.
        seed: Of the draws, which depend on it and on each row's id.
        column: The column of texts; `text` by default.
        label: The column that no corruption of tables changes; `label` by default.
        id: A column that stays too, and that draws depend on in place of the rows' numbers.
        reference: A table that spreads, ranges and marginals are of: the training rows.
        here: The folder that relative paths start from.
    """

    source: str
    which: str = "tabular"
    corruptions: tuple[str, ...] = ()
    severities: tuple[float, ...] = SEVERITIES
    seed: int = 0
    column: str | None = None
    label: str | None = None
    id: str | None = None
    reference: str | None = None
    here: Path = field(default_factory=Path.cwd)


def row_kind(which: str | None, names: tuple[str, ...]) -> RowKind | None:
    """Whether a set or names change tables or texts; None where they change images.

    Raises:
        InputError: Names change different things.
    """
    found = {_kind(name, 1) for name in names} if names else {_kind(which, 0)}
    if len(found) > 1:
        raise InputError(
            f"The corruptions {', '.join(names)} change data of different kinds: ask for those of "
            "images, of tables and of texts in copies of their own."
        )
    return found.pop()


def _kind(name: str | None, place: int) -> RowKind | None:
    return next((kind for kind, known in _ROWS.items() if name in known[place]), None)


@dataclass(frozen=True, eq=False)
class Rows:
    """A table that was read, and what is done to it.

    Attributes:
        wanted: What was asked for.
        kind: What is changed.
        path: The file.
        frame: Its rows.
        target: The column of texts, or the label, which stays.
        ids: One for each row: texts, as in evidence, so that a study draws alike.
        reference: Of tables: spreads, ranges and marginals.
        names: The corruptions.
        not_made: Those of the set that these columns have nothing for, and why.
    """

    wanted: RowsWanted
    kind: RowKind
    path: Path
    frame: pd.DataFrame
    target: str
    ids: tuple[str, ...]
    reference: Reference | None
    names: tuple[str, ...]
    not_made: Mapping[str, str]

    def changed(self, unit: Unit, count: int | None = None) -> pd.DataFrame:
        """The rows, or the first of them, under one corruption at one severity.

        Raises:
            InputError: The corruption refuses them.
        """
        some, ids = self.frame.iloc[:count], self.ids[:count]
        try:
            if self.kind == "text":
                texts = corruptions.corrupt_text(
                    some[self.target].tolist(),
                    unit.corruption,
                    unit.severity,
                    seed=self.wanted.seed,
                    ids=ids,
                )
                return some.assign(**{self.target: pd.Series(texts, some.index, dtype=object)})
            return corruptions.corrupt_table(
                some,
                unit.corruption,
                unit.severity,
                seed=self.wanted.seed,
                ids=ids,
                reference=self.reference,
                columns=[one for one in some.columns if one not in (self.target, self.wanted.id)],
                label=self.target,
            )
        except (TypeError, ValueError) as error:
            raise InputError(f"{unit}: {error}") from error


def read_rows(wanted: RowsWanted) -> Rows:
    """Reads the table, and finds what can be made of it.

    Raises:
        InputError: The request or the table is at fault.
    """
    kind = row_kind(wanted.which, wanted.corruptions)
    if kind is None:
        raise InputError(f"{wanted.which} changes images: choose the set tabular or text.")
    _check(wanted, kind)
    path = _file(wanted.source, wanted.here)
    if kind == "text":
        frame, target = _written(path), wanted.column or "text"
        _check_texts(frame, target, path)
        names = wanted.corruptions or corruptions.TEXT_SETS[wanted.which]
        return Rows(wanted, kind, path, frame, target, _ids(frame, wanted), None, names, {})
    frame, target = read_frame(path, {}), wanted.label or "label"
    if target not in frame:
        raise InputError(
            f"{path} has no column {target!r}, and labels must stay as they are: name theirs with "
            f"--label ({', '.join(map(str, frame.columns))})."
        )
    reference = measure(_reference(wanted, frame, target))
    ids, fitting = _ids(frame, wanted), _fitting(wanted, frame, target)
    return Rows(wanted, kind, path, frame, target, ids, reference, *fitting)


def _check(wanted: RowsWanted, kind: RowKind) -> None:
    for name in wanted.corruptions:
        if wanted.corruptions.count(name) > 1:
            raise InputError(f"the corruption {name} is asked for twice: name it once.")
    for severity in wanted.severities:
        if not 1 <= severity <= 5:
            raise InputError(f"severity {severity:g} does not exist: give 1 to 5.")
    for given, option, needs in (
        (wanted.column, "--column", "text"),
        (wanted.label, "--label", "tabular"),
        (wanted.reference, "--reference", "tabular"),
    ):
        if given is not None and kind != needs:
            other = "columns of tables" if needs == "tabular" else "one column of texts"
            raise InputError(f"{option} is for corruptions of {other}: leave it out.")


def _file(source: str, here: Path) -> Path:
    path = existing(source, here)
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        raise InputError(
            f"{path} is no table: corruptions of tables and texts read one file that ends in "
            f"{', '.join(SUFFIXES)}."
        )
    return path


def _reference(wanted: RowsWanted, frame: pd.DataFrame, label: str) -> pd.DataFrame:
    if wanted.reference is None:
        return frame
    path = _file(wanted.reference, wanted.here)
    found = read_frame(path, {})
    for name in frame.columns:
        if name not in found and name not in (label, wanted.id):
            raise InputError(
                f"--reference {path} has no column {name!r}: give the training rows, with the same "
                "columns."
            )
    return found


def _written(path: Path) -> pd.DataFrame:
    """A table with every cell as it is written, so that columns beside the texts stay."""
    if path.suffix.lower() == ".parquet":
        return read_frame(path, {})
    return read_frame(
        path, {"dtype": str, "na_filter": False, "na_values": None, "skipinitialspace": False}
    )


def _check_texts(frame: pd.DataFrame, column: str, path: Path) -> None:
    if column not in frame:
        raise InputError(
            f"{path} has no column {column!r}: {hint(column, map(str, frame.columns))} Name the "
            "texts' with --column."
        )
    for row, one in enumerate(frame[column]):
        if not isinstance(one, str):
            raise InputError(f"{column!r} holds {one!r} in row {row}, no text: give texts alone.")


def _ids(frame: pd.DataFrame, wanted: RowsWanted) -> tuple[str, ...]:
    if wanted.id is None:
        return tuple(map(str, range(len(frame))))
    if wanted.id not in frame:
        raise InputError(
            f"--id asks for the column {wanted.id!r}, which is not there: "
            f"{hint(wanted.id, map(str, frame.columns))}"
        )
    ids = tuple(frame[wanted.id].astype(str))
    if len(set(ids)) < len(ids):
        raise InputError(f"--id {wanted.id} names rows twice: name a column that tells them apart.")
    return ids


def _fitting(
    wanted: RowsWanted, frame: pd.DataFrame, label: str
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The corruptions that have a column to change, and of a set those that have none."""
    stay = (label, wanted.id)
    kinds = {one.kind for name, one in measure(frame).columns.items() if name not in stay}
    rows = corruptions.TABLE_CORRUPTIONS
    asked = wanted.corruptions or corruptions.TABLE_SETS[wanted.which]
    lacking = {
        name: f"it changes columns of kind {' or '.join(rows[name].kinds)}, and there is none"
        for name in asked
        if not kinds & set(rows[name].kinds)
    }
    for name, why in lacking.items() if wanted.corruptions else ():
        raise InputError(f"{name} cannot be made here, because {why}: take it out.")
    names = tuple(name for name in asked if name not in lacking)
    if not names:
        raise InputError(f"Nothing of the set {wanted.which} can be made: there is no column.")
    return names, lacking
