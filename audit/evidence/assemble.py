"""Makes evidence out of the rows of a flat table: checked, coded and kept compactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Condition, Evidence, FloatArray
from audit.evidence.check import (
    Origin,
    check_confidence,
    check_examples,
    check_loss,
    first_repeat,
)
from audit.evidence.classes import encode
from audit.evidence.columns import Codes, Factor, as_text, cells, factor, ids, is_number, numbers
from audit.evidence.conditions import code_conditions, say
from audit.evidence.errors import TableError
from audit.evidence.per_key import Keyed
from audit.evidence.roles import complete_models
from audit.evidence.rows import by_condition
from audit.evidence.schema import (
    DEFAULT_SPLIT,
    EXAMPLE_COLUMNS,
    GROUP,
    MISSING,
    MODEL_COLUMNS,
    TRAIN,
    TRAINING_SPLITS,
)
from audit.evidence.stack import Stacked


def assemble(stacked: Stacked, classes: Sequence[str] | None) -> Evidence:
    """Makes evidence of stacked tables; `flat.read_flat` says by which rules.

    Raises:
        TableError: A row is wrong or contradicts another.
    """
    table, origin = stacked.table, stacked.origin
    model = Keyed("model", _names(table, origin), origin)
    example = Keyed("example", ids(table.column("example"), origin), origin)
    conditions, condition = code_conditions(table, origin)
    coded = encode(_answers(table, origin), origin, classes, stacked.classes)
    models = _models(table, model)
    names = pa.array(coded.classes, pa.string())
    labels = Factor(coded.codes["label"], names) if "label" in coded.codes else None
    examples = _examples(table, example, labels)
    _refuse_repeats(model.keys, example.keys, condition, conditions, origin)
    audited = ~examples["split"].isin(TRAINING_SPLITS).to_numpy()
    if not audited.any():
        raise TableError(f"{origin.name}: every row is of a training split: give test rows.")
    place = np.where(audited, np.cumsum(audited) - 1, -1).astype(np.int32)[example.keys.codes]
    columns: dict[str, NDArray[Any] | None] = {
        "model": model.keys.codes,
        "example": place,
        "predicted": coded.codes["predicted"],
        "confidence": _recorded(stacked, "confidence"),
        "loss": _recorded(stacked, "loss"),
    }
    if not audited.all():
        kept = place >= 0
        condition = condition[kept]
        columns = {name: None if c is None else c[kept] for name, c in columns.items()}
    return Evidence(
        examples=examples[audited].reset_index(drop=True),
        training=examples[examples["split"] == TRAIN].reset_index(drop=True),
        models=models,
        classes=coded.classes,
        conditions=conditions,
        load=by_condition(conditions, condition, (len(models), int(audited.sum())), **columns),
    )


def _names(table: pa.Table, origin: Origin) -> Factor:
    if "model" not in table.column_names:
        raise TableError(f"{origin.name} has no column 'model': name the model of every row.")
    return _required(as_text(factor(table.column("model"))), "model", origin)


def _answers(table: pa.Table, origin: Origin) -> dict[str, Factor]:
    answers = {"predicted": _required(factor(table.column("predicted")), "predicted", origin)}
    if "label" in table.column_names:
        answers["label"] = factor(table.column("label"))
    return answers


def _required(found: Factor, name: str, origin: Origin) -> Factor:
    problem = "which says nothing: fill it in, or leave the row out"
    origin.refuse_any(found.codes < 0, name, cells(found), problem)
    return found


def _models(table: pa.Table, model: Keyed) -> pd.DataFrame:
    origin, names = model.origin, model.keys.values.to_pylist()
    frame = pd.DataFrame({"model": np.array(names, dtype=object)})
    for name, about in MODEL_COLUMNS.items():
        if name == "model" or name not in table.column_names:
            continue
        column = table.column(name)
        if about.kind == "text":
            found = as_text(factor(column))
            frame[name] = found.names[model.settle(name, found)]
        else:
            values = pa.chunked_array([pa.array(numbers(column, name, origin))])
            frame[name] = model.column(name, values, None)
    frame.index = pd.Index(model.first_rows())
    return complete_models(frame, origin, pair="parent" not in table.column_names)


def _examples(table: pa.Table, example: Keyed, labels: Factor | None) -> pd.DataFrame:
    values = example.keys.values
    names = values.to_numpy(zero_copy_only=False)
    frame = pd.DataFrame({"example": names if is_number(values.type) else names.astype(object)})
    frame["split"] = pd.Series([DEFAULT_SPLIT] * len(frame), dtype=object)
    frame["label"] = np.int64(NO_LABEL)
    if labels is not None:
        frame["label"] = example.settle("label", labels).astype(np.int64)
    for name in table.column_names:
        if name.startswith(GROUP):
            frame[name] = example.column(name, table.column(name), MISSING)
        elif name in EXAMPLE_COLUMNS and name not in ("example", "label"):
            empty = DEFAULT_SPLIT if name == "split" else None
            frame[name] = example.column(name, table.column(name), empty)
    check_examples(frame, example.first_rows(), example.origin)
    return frame


def _recorded(stacked: Stacked, name: str) -> FloatArray | None:
    """A column of float32; rows of a table that lacks it are NaN and are not checked."""
    if name not in stacked.table.column_names:
        return None
    values = numbers(stacked.table.column(name), name, stacked.origin, np.float32)
    given = stacked.rows_with(name)
    if name == "confidence":
        return check_confidence(values, given, stacked.origin)
    return check_loss(values, stacked.origin)


def _refuse_repeats(
    model: Factor,
    example: Factor,
    condition: Codes,
    conditions: Sequence[Condition],
    origin: Origin,
) -> None:
    models, examples = len(model.values), len(example.values)
    keys = (condition.astype(np.int64) * models + model.codes) * examples + example.codes
    row = first_repeat(keys, len(conditions) * models * examples)
    if row is not None:
        origin.refuse(
            row,
            "example",
            cells(example)[row],
            f"which model {cells(model)[row]!r} has predicted before under "
            f"{say(conditions[int(condition[row])])}: keep one row of them",
        )
