"""Writes and reads one part: what one model predicted under one condition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike

from audit.evidence.blocks import NOT_SHOWN, Condition, FloatArray, IntArray
from audit.evidence.check import Origin, check_codes, check_quantity
from audit.evidence.classes import stored_codes
from audit.evidence.columns import cells, factor, ids, numbers, plain
from audit.evidence.conditions import folder_name, say
from audit.evidence.distributions import check_distributions, is_list, lists, rectangle
from audit.evidence.errors import TableError
from audit.evidence.schema import PREDICTION_COLUMNS, QUANTITIES, required
from audit.evidence.tables import METADATA, read_table, write_table

PREDICTIONS = "predictions"
SUFFIX = ".parquet"


@dataclass(frozen=True, eq=False)
class Part:
    """What one model predicted under one condition.

    Attributes:
        example: Arrow array of ids [rows], int64 or text; not checked yet.
        predicted: int32 [rows], class codes; `NOT_SHOWN` where the answer is no class.
        confidence: float32 [rows] in [0, 1]; None where not recorded.
        loss: float32 [rows] in nats, NaN where there is no label; None where not recorded.
        energy: float32 [rows]; None where not recorded.
        value: float32 [rows], NaN where there is none; None where not recorded.
    """

    example: pa.Array
    predicted: IntArray
    confidence: FloatArray | None
    loss: FloatArray | None
    energy: FloatArray | None = None
    value: FloatArray | None = None


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
    predicted: ArrayLike | None,
    confidence: ArrayLike | None = None,
    loss: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    energy: ArrayLike | None = None,
    value: ArrayLike | None = None,
) -> Path:
    """Writes one part, whole or not at all; the same arguments give the same bytes.

    Args:
        folder: The evidence folder.
        model: The model's name.
        condition: What the examples were shown under.
        example: Ids [rows], integers or text, each once.
        predicted: Class codes [rows], 0 or more; None where `value` takes their place.
        confidence: Largest class probability [rows], in [0, 1].
        loss: Cross-entropy [rows] in nats, NaN where there is no label.
        probabilities: Class probabilities [rows, classes], each in [0, 1], together 1.
        energy: Minus the log-sum-exp of the logits [rows].
        value: How good each answer is, where no class says it [rows]: Dice, an error, a
            log-likelihood; NaN where there is none.

    Returns:
        The file.

    Raises:
        TableError: A value is wrong; the text names its row.
        StoreError: The file cannot be written.
    """
    path = part_path(folder, model, condition)
    origin = Origin((f"Predictions of {model} under {say(condition)}",))
    if predicted is None and value is None:
        raise TableError(f"{origin.name} say nothing: give predicted classes, or a value of each.")
    rows = len(np.asarray(value if predicted is None else predicted))
    columns: dict[str, pa.Array] = {
        "model": _same(model, rows),
        "condition": _same(condition.name, rows),
        "severity": pa.array([condition.severity] * rows, pa.float64()),
        "example": _ids(example, origin),
    }
    if predicted is not None:
        columns["predicted"] = _codes(predicted, origin)
    given = {"confidence": confidence, "loss": loss, "energy": energy, "value": value}
    for name, numbers_ in given.items():
        if numbers_ is not None:
            columns[name] = pa.array(check_quantity(name, _floats(numbers_), None, origin))
    if probabilities is not None:
        columns["probabilities"] = lists(probabilities, "probabilities", origin)
    for name, column in columns.items():
        if len(column) != rows:
            raise TableError(f"{origin.name}: {len(column)} {name} for {rows} predictions.")
    return write_table(path, pa.table(columns), METADATA)


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
    table = read_table(path, required(PREDICTION_COLUMNS), _WANTED, instead=_INSTEAD)
    origin = Origin((str(path),))
    check_owner(table, model, condition, origin)
    if "predicted" in table.column_names:
        codes = factor(plain(table.column("predicted")))
        predicted = stored_codes(codes, classes, "predicted", origin)
    else:
        predicted = np.full(table.num_rows, NOT_SHOWN, np.int32)
    quantities = {
        name: check_quantity(
            name, numbers(table.column(name), name, origin, np.float32), None, origin
        )
        for name in QUANTITIES
        if name in table.column_names
    }
    example = read_ids(table.column("example"), origin)
    return Part(example, predicted, **{name: quantities.get(name) for name in QUANTITIES})


def read_probabilities(
    path: Path, model: str, condition: Condition, classes: int
) -> tuple[pa.Array, FloatArray] | None:
    """Reads the class probabilities of one part, and checks every row of them.

    Args:
        path: The file.
        model: The model it must be of.
        condition: The condition it must be under.
        classes: How many classes there are.

    Returns:
        The ids, as `Part.example`, and float32 [rows, classes]; None where none were recorded.

    Raises:
        TableError: The file is missing or broken, of another model or condition, or a row is no
            distribution over the classes.
    """
    name = "probabilities"
    needed = ("model", "condition", "severity", "example")
    table = read_table(path, needed, (*needed, name))
    origin = Origin((str(path),))
    check_owner(table, model, condition, origin)
    if name not in table.column_names:
        return None
    column = table.column(name).combine_chunks()
    if pa.types.is_null(column.type):
        return None
    if not is_list(column.type):
        raise TableError(f"{path}: {name!r} holds {column.type}: give a list of numbers per row.")
    values = rectangle(pa.chunked_array([column]), name, origin, classes)[0]
    if values is None:
        return None
    check_distributions(values, 0, name, origin)
    return read_ids(table.column("example"), origin), values


_WANTED = (*required(PREDICTION_COLUMNS), *QUANTITIES)
_INSTEAD = {"predicted": "value"}  # where an answer is no class, its quality takes its place


def check_owner(table: pa.Table, model: str, condition: Condition, origin: Origin) -> None:
    """Refuses a row of a part that is of another model or condition than its file says."""
    owner = {"model": model, "condition": condition.name, "severity": condition.severity}
    for name, expected in owner.items():
        if table.column(name).unique().to_pylist() == [expected]:
            continue
        cells = table.column(name).to_pylist()
        wrong = np.array([cell != expected for cell in cells], np.bool_)
        problem = f"in a file of {model!r} under {say(condition)}: put it where it belongs"
        origin.refuse_any(wrong, name, cells, problem)


def read_ids(column: pa.ChunkedArray, origin: Origin) -> pa.Array:
    """The examples' ids of a part, int64 or text [rows].

    Raises:
        TableError: One is missing, or is no id.
    """
    if column.type in (pa.int64(), pa.string()) and not column.null_count:
        return column.combine_chunks()
    found = ids(plain(column), origin)
    return found.values.take(pa.array(found.codes))


def _codes(predicted: ArrayLike, origin: Origin) -> pa.Array:
    codes = np.asarray(predicted)
    if codes.dtype.kind not in "iu":
        raise TableError(f"{origin.name} are {codes.dtype}: give class codes as integers.")
    check_codes(codes, np.iinfo(np.int32).max, "predicted", origin)
    return pa.array(codes.astype(np.int32))


def _same(value: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), [value])


def _floats(values: ArrayLike) -> FloatArray:
    with np.errstate(over="ignore"):  # too large is infinite, and refused as such
        return np.asarray(values, np.float32)


def _ids(example: ArrayLike, origin: Origin) -> pa.Array:
    found = ids(pa.chunked_array([pa.array(np.asarray(example))]), origin)
    if len(found.values) < len(found.codes):
        repeated = pd.Series(found.codes).duplicated().to_numpy()
        problem = "which has a row already: give each example one"
        origin.refuse_any(repeated, "example", cells(found), problem)
    return found.values.take(pa.array(found.codes))
