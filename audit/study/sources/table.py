"""Reads a CSV or Parquet table whose columns are features, label, groups and id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.places import existing
from audit.study.sources.encoding import BLANKS
from audit.study.sources.records import Holdings, Records

SUFFIXES = (".csv", ".parquet", ".tsv")


def read_table(settings: DataSettings, base: Path, scratch: Path) -> Holdings:
    """One file as one split, or a folder's files as splits named by their stems.

    Raises:
        InputError: Nothing is there, a file cannot be read, or a feature column is missing.
    """
    del scratch
    path = existing(str(settings.path), base)
    files = [path]
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
        if not files:
            raise InputError(f"{path} holds no {', '.join(SUFFIXES)} files: mend data.path.")
    return Holdings(
        {file.stem: table_records(_as_written(file, settings), settings) for file in files},
        settings.label,
    )


def _as_written(file: Path, settings: DataSettings) -> pd.DataFrame:
    """A table, its column of texts as it is written: `NA`, `?` and nothing are texts, no blanks."""
    frame, column = read_frame(file, settings.arguments), settings.input
    if settings.kind == "text" and file.suffix.lower() != ".parquet" and column in frame:
        exact = {"usecols": [column], "dtype": str, "na_filter": False, "na_values": None}
        frame[column] = read_frame(file, {**settings.arguments, **exact})[column]
    return frame


def read_frame(path: Path, arguments: dict[str, Any]) -> pd.DataFrame:
    """A table; `?` and empty texts are blanks, and blanks around values are dropped.

    Args:
        path: A CSV, TSV or Parquet file.
        arguments: Keyword arguments of `pandas.read_csv`.

    Raises:
        InputError: It cannot be read, or arguments are given for Parquet.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path} is no table by its suffix: {hint(suffix, SUFFIXES)}")
    if suffix == ".parquet" and arguments:
        raise InputError(f"data.arguments are for CSV files, and {path} is Parquet: take them out.")
    options = {"skipinitialspace": True, "na_values": list(BLANKS), **arguments}
    if suffix == ".tsv":
        options = {"sep": "\t", **options}
    try:
        found: Any = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path, **options)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be read ({reason}): mend the file.") from error
    if not isinstance(found, pd.DataFrame):
        raise InputError(
            f"data.arguments {arguments} give {path} in pieces: take chunksize and iterator out."
        )
    return found


def table_records(frame: pd.DataFrame, settings: DataSettings) -> Records:
    """A frame as records whose features are `data.input`, or every column but label and id.

    Raises:
        InputError: A feature column is missing, or is the label.
    """
    frame = frame.reset_index(drop=True).rename(columns=str)
    if settings.input is None:
        taken = (settings.label, settings.id)
        names = (str(name) for name in frame.columns)
        return Records(frame, features=tuple(name for name in names if name not in taken))
    wanted = (settings.input,) if isinstance(settings.input, str) else settings.input
    records = Records(frame, features=wanted)
    for name in wanted:
        records.column(name, "input")
    return records
