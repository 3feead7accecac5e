"""Writes and reads one part: what one model predicted under one condition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike
from pyarrow import parquet

from audit.evidence.blocks import Condition, FloatArray, IntArray
from audit.evidence.check import (
    ROUNDING,
    Origin,
    check_codes,
    check_confidence,
    check_loss,
    nearest,
)
from audit.evidence.classes import stored_codes
from audit.evidence.columns import cells, factor, ids, numbers, plain
from audit.evidence.conditions import folder_name, say
from audit.evidence.errors import TableError
from audit.evidence.files import write_file
from audit.evidence.schema import EVIDENCE_SCHEMA, METADATA_KEY, PREDICTION_COLUMNS, required

PREDICTIONS = "predictions"
SUFFIX = ".parquet"
METADATA: Mapping[bytes, bytes] = {METADATA_KEY: json.dumps({"schema": EVIDENCE_SCHEMA}).encode()}


@dataclass(frozen=True, eq=False)
class Part:
    """What one model predicted under one condition.

    Attributes:
        example: Arrow array of ids [rows], int64 or text; not checked yet.
        predicted: int32 [rows], class codes.
        confidence: float32 [rows] in [0, 1]; None where not recorded.
        loss: float32 [rows] in nats, NaN where there is no label; None where not recorded.
    """

    example: pa.Array
    predicted: IntArray
    confidence: FloatArray | None
    loss: FloatArray | None


def part_path(folder: Path, model: str, condition: Condition) -> Path:
    """Where an evidence folder keeps a model's predictions under a condition.

    Raises:
        TableError: The model has no name.
    """
    if not model or not condition.name:
        raise TableError(f"A part of {model!r} under {condition.name!r} needs both names.")
    name = quote(model, safe="") + SUFFIX
    return folder / PREDICTIONS / folder_name(condition) / name


def model_of(file: str) -> str | None:
    """The model whose part has this file name; None for a file that is no part."""
    return unquote(file.removesuffix(SUFFIX)) if file.endswith(SUFFIX) else None


def write_part(
    folder: Path,
    model: str,
    condition: Condition,
    example: ArrayLike,
    predicted: ArrayLike,
    confidence: ArrayLike | None = None,
    loss: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
) -> Path:
    """Writes one part, whole or not at all; the same arguments give the same bytes.

    Args:
        folder: The evidence folder.
        model: The model's name.
        condition: What the examples were shown under.
        example: Ids [rows], integers or text, each once.
        predicted: Class codes [rows], 0 or more.
        confidence: Largest class probability [rows], in [0, 1].
        loss: Cross-entropy [rows] in nats, NaN where there is no label.
        probabilities: Class probabilities [rows, classes].

    Returns:
        The file.

    Raises:
        TableError: A value is wrong; the text names its row.
        StoreError: The file cannot be written.
    """
    path = part_path(folder, model, condition)
    origin = Origin((f"Predictions of {model} under {say(condition)}",))
    codes = np.asarray(predicted)
    rows = len(codes)
    if codes.dtype.kind not in "iu":
        raise TableError(f"{origin.name} are {codes.dtype}: give class codes as integers.")
    check_codes(codes, np.iinfo(np.int32).max, "predicted", origin)
    columns: dict[str, pa.Array] = {
        "model": _same(model, rows),
        "condition": _same(condition.name, rows),
        "severity": pa.array([condition.severity] * rows, pa.float64()),
        "example": _ids(example, origin),
        "predicted": pa.array(codes.astype(np.int32)),
    }
    if confidence is not None:
        columns["confidence"] = pa.array(check_confidence(_floats(confidence), None, origin))
    if loss is not None:
        columns["loss"] = pa.array(check_loss(_floats(loss), origin))
    if probabilities is not None:
        columns["probabilities"] = _lists(probabilities, origin)
    for name, column in columns.items():
        if len(column) != rows:
            raise TableError(f"{origin.name}: {len(column)} {name} for {rows} predictions.")
    return write_table(path, pa.table(columns), METADATA)


def write_table(path: Path, table: pa.Table, metadata: Mapping[bytes, bytes]) -> Path:
    """Writes a Parquet file, whole or not at all, with this metadata and no other.

    Raises:
        StoreError: The file cannot be written.
    """
    buffer = BytesIO()
    parquet.write_table(table.replace_schema_metadata(dict(metadata)), buffer, compression="zstd")
    return write_file(path, buffer.getvalue())


def read_part(path: Path, model: str, condition: Condition, classes: int) -> Part:
    """Reads one part and checks every row of it, but for which examples they are.

    Args:
        path: The file.
        model: The model it must be of.
        condition: The condition it must be under.
        classes: How many classes there are.

    Raises:
        TableError: The file is missing or broken, of another model or condition, or a row is wrong.
    """
    table = read_table(path, required(PREDICTION_COLUMNS), _WANTED)
    origin = Origin((str(path),))
    _check_owner(table, model, condition, origin)
    codes = factor(plain(table.column("predicted")))
    sure, loss = (
        numbers(table.column(name), name, origin, np.float32)
        if name in table.column_names
        else None
        for name in ("confidence", "loss")
    )
    return Part(
        _read_ids(table.column("example"), origin),
        stored_codes(codes, classes, "predicted", origin),
        None if sure is None else check_confidence(sure, None, origin),
        None if loss is None else check_loss(loss, origin),
    )


_WANTED = (*required(PREDICTION_COLUMNS), "confidence", "loss")


def read_table(
    path: Path, needed: tuple[str, ...], wanted: tuple[str, ...] | None = None
) -> pa.Table:
    """Reads a Parquet file of an evidence folder.

    Args:
        path: The file.
        needed: Columns that it must have.
        wanted: Columns to read where they are there; None for all.

    Raises:
        TableError: The file is missing, broken, without rows, lacks a column, or was written by a
            later version.
    """
    if not path.is_file():
        raise TableError(f"{path} is not there: write it, or give the path of an evidence folder.")
    try:
        with parquet.ParquetFile(path) as file:
            names, metadata = file.schema_arrow.names, file.schema_arrow.metadata or {}
            table = file.read([name for name in names if wanted is None or name in wanted])
    except (pa.ArrowException, OSError) as error:
        cause = str(error).splitlines()[0].rstrip(".")
        raise TableError(f"{path} cannot be read ({cause}): write it again.") from error
    _check_version(path, metadata)
    for name in needed:
        if name not in names:
            raise TableError(f"{path} has no column {name!r}: add it ({nearest(name, names)}).")
    if not table.num_rows:
        raise TableError(f"{path} has no rows: write it again with some.")
    return table


def _check_version(path: Path, metadata: Mapping[bytes, bytes]) -> None:
    try:
        written = str(json.loads(metadata.get(METADATA_KEY, METADATA[METADATA_KEY]))["schema"])
        kind, version = written.rsplit("/", 1)
        ours_kind, ours = EVIDENCE_SCHEMA.rsplit("/", 1)
        known, newer = kind == ours_kind, int(version) > int(ours)
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{path} does not say which schema it follows: write it again.") from error
    if not known or newer:
        todo = "install a later prune-audit to read it" if known else "give an evidence folder"
        raise TableError(f"{path} follows {written!r} and this is {EVIDENCE_SCHEMA!r}: {todo}.")


def _check_owner(table: pa.Table, model: str, condition: Condition, origin: Origin) -> None:
    owner = {"model": model, "condition": condition.name, "severity": condition.severity}
    for name, expected in owner.items():
        if table.column(name).unique().to_pylist() == [expected]:
            continue
        cells = table.column(name).to_pylist()
        wrong = np.array([cell != expected for cell in cells], np.bool_)
        problem = f"in a file of {model!r} under {say(condition)}: put it where it belongs"
        origin.refuse_any(wrong, name, cells, problem)


def _read_ids(column: pa.ChunkedArray, origin: Origin) -> pa.Array:
    if column.type in (pa.int64(), pa.string()) and not column.null_count:
        return column.combine_chunks()
    found = ids(plain(column), origin)
    return found.values.take(pa.array(found.codes))


def _same(value: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), [value])


def _floats(values: ArrayLike) -> FloatArray:
    return np.asarray(values, np.float32)


def _ids(example: ArrayLike, origin: Origin) -> pa.Array:
    found = ids(pa.chunked_array([pa.array(np.asarray(example))]), origin)
    if len(found.values) < len(found.codes):
        repeated = pd.Series(found.codes).duplicated().to_numpy()
        problem = "which has a row already: give each example one"
        origin.refuse_any(repeated, "example", cells(found), problem)
    return found.values.take(pa.array(found.codes))


def _lists(probabilities: ArrayLike, origin: Origin) -> pa.Array:
    values = _floats(probabilities)
    if values.ndim != 2:
        raise TableError(
            f"{origin.name}: probabilities have {values.ndim} axes: give [rows, classes]."
        )
    bad = np.asarray(((values < 0.0) | ~(values <= 1.0 + ROUNDING)).any(axis=1), np.bool_)
    problem = "which are no probabilities: give 0 to 1"
    origin.refuse_any(bad, "probabilities", values, problem)
    offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, values.ravel())
