"""Opens tables that people have (Parquet, CSV, Arrow, data frames) under our column names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from audit.evidence.check import nearest
from audit.evidence.columns import is_scalar, plain
from audit.evidence.distributions import is_list
from audit.evidence.errors import TableError
from audit.evidence.readers import Table, reader, reading
from audit.evidence.schema import ABOUT, FLAT_COLUMNS, GROUP, NAMED_COLUMNS


@dataclass(frozen=True, eq=False)
class Source:
    """One table, and what holds for all of its rows.

    Attributes:
        table: A path (.parquet, .csv, .tsv, .feather, .arrow, the texts also compressed) or a table
            in memory.
        name: What messages call it; a file's name where it is not given.
        values: Our column name -> the value of every row; fills columns that the table lacks.
    """

    table: Table
    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What messages call it."""
        if self.name or isinstance(self.table, pd.DataFrame | pa.Table):
            return self.name or "the table"
        return str(self.table)

    @property
    def stem(self) -> str | None:
        """The file's name without its suffixes; None for a table in memory."""
        if isinstance(self.table, pd.DataFrame | pa.Table):
            return None
        name = Path(self.table).name
        return name.split(".")[0] or name


@dataclass(frozen=True, eq=False)
class Opened:
    """A source's rows.

    Attributes:
        title: What messages call it.
        table: The columns we use, under our names, each in the one type of its kind.
        columns: Our column name -> theirs, where they differ.
        classes: Class names in the file's metadata; None where there are none.
    """

    title: str
    table: pa.Table
    columns: Mapping[str, str]
    classes: tuple[str, ...] | None


def open_source(
    source: Source, columns: Mapping[str, str] | None, groups: Sequence[str] | None
) -> Opened:
    """Reads the columns of a table that we use.

    Args:
        source: The table.
        columns: Our column name -> theirs, where they differ.
        groups: Columns to be groups besides those that begin with `group_`.

    Raises:
        TableError: The table is not there, cannot be read, has no rows, or lacks a column.
    """
    read, names, metadata = reader(source.table)
    chosen = _choose(names, columns or {}, groups or (), source.title)
    table = reading(source.title, lambda: read(chosen))
    if table.num_rows == 0:
        raise TableError(f"{source.title} has no rows: give one per model and example.")
    table = pa.table({ours: table.column(theirs) for ours, theirs in chosen.items()})
    for name, value in source.values.items():
        if name not in table.column_names:
            table = table.append_column(name, _constant(value, table.num_rows))
    return Opened(
        source.title,
        pa.table({name: _plain(table, name, source.title) for name in table.column_names}),
        {ours: theirs for ours, theirs in chosen.items() if ours != theirs},
        _class_label(metadata, chosen),
    )


def has_column(source: Source, name: str, columns: Mapping[str, str] | None) -> bool:
    """Tells whether a table has our column, under our name or the one it is mapped to.

    Raises:
        TableError: The table is not there or cannot be read.
    """
    return (columns or {}).get(name, name) in reader(source.table)[1]


def _choose(
    names: Sequence[str], columns: Mapping[str, str], groups: Sequence[str], title: str
) -> dict[str, str]:
    """Our column name -> theirs, for every column that we read."""
    for ours, theirs in columns.items():
        if ours not in NAMED_COLUMNS and not ours.startswith(ABOUT):
            raise TableError(
                f"columns names {ours!r}, which is none of ours; {nearest(ours, NAMED_COLUMNS)}."
            )
        if theirs not in names:
            raise TableError(f"{title} has no column {theirs!r}: {nearest(theirs, names)}.")
    # A label that somebody calls `target` is a label, and not also what we call so.
    renamed = {theirs for ours, theirs in columns.items() if ours != theirs} - set(_NEEDED)
    chosen = {
        name: name
        for name in names
        if (name in FLAT_COLUMNS or name.startswith(ABOUT)) and name not in renamed
    }
    for group in groups:
        ours = group if group.startswith(GROUP) else GROUP + group
        found = [name for name in (columns.get(ours), ours, group) if name in names]
        if not found:
            close = nearest(group, [name.removeprefix(GROUP) for name in names])
            raise TableError(f"{title} has no group column {group!r}: {close}.")
        chosen[ours] = str(found[0])
    chosen |= columns
    if "example" not in chosen:
        raise TableError(
            f"{title} has no column 'example', and rows are matched by it, never by order: "
            f"say which column it is (example=…; {nearest('example', names)})."
        )
    if "predicted" not in chosen and "value" not in chosen:
        raise TableError(
            f"{title} has no column 'predicted': say which column it is "
            f"(predicted=…; {nearest('predicted', names)}), or which holds the quality of an "
            "answer that is no class (value=…)."
        )
    return chosen


_NEEDED = ("model", "example", "label", "predicted")


def _constant(value: object, rows: int) -> pa.Array:
    zeros = pa.array(np.zeros(rows, np.int32))
    return pa.DictionaryArray.from_arrays(zeros, pa.array([value]))


def _plain(table: pa.Table, name: str, title: str) -> pa.ChunkedArray:
    column = table.column(name)
    if name in FLAT_COLUMNS and FLAT_COLUMNS[name].kind == "list":
        if not is_list(column.type) and not pa.types.is_null(column.type):
            raise TableError(
                f"{title}: column {name!r} holds {column.type}: give a list of numbers per row, or "
                "leave the column out."
            )
        return column
    if not is_scalar(column.type) and name != "thumbnail":
        raise TableError(
            f"{title}: column {name!r} holds {column.type}: give single values, one per row."
        )
    return plain(column) if name != "thumbnail" else column


def _class_label(
    metadata: Mapping[bytes, bytes], chosen: Mapping[str, str]
) -> tuple[str, ...] | None:
    """Class names of a `datasets` ClassLabel feature, of the label before the prediction."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return None
    for ours in ("label", "predicted"):
        feature = features.get(chosen.get(ours))
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
            return tuple(str(name) for name in feature.get("names", ())) or None
    return None
