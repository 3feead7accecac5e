"""Makes evidence out of the rows of a flat table: checked, coded and kept compactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Condition, Evidence, FloatArray
from audit.evidence.check import Mask, Origin, check_examples, check_quantity, first_repeat
from audit.evidence.classes import Coded, counted, encode
from audit.evidence.columns import Codes, Factor, as_text, cells, factor, ids, is_number, numbers
from audit.evidence.conditions import code_conditions, say
from audit.evidence.distributions import check_distributions, embeddings, longest, rectangle
from audit.evidence.errors import TableError
from audit.evidence.outside import check_outside
from audit.evidence.per_key import Keyed
from audit.evidence.roles import complete_models
from audit.evidence.rows import RowLists, by_condition
from audit.evidence.schema import (
    ABOUT,
    DEFAULT_SPLIT,
    EXAMPLE_COLUMNS,
    MISSING,
    MODEL_COLUMNS,
    QUANTITIES,
    TARGET,
    TRAIN,
    TRAINING_SPLITS,
    VALIDATION,
)
from audit.evidence.stack import Stacked
from audit.evidence.targets import one_question_per_row, refuse_many, two_classes


def assemble(stacked: Stacked, classes: Sequence[str] | None) -> Evidence:
    """Makes evidence of stacked tables; `flat.read_flat` says by which rules.

    Raises:
        TableError: A row is wrong or contradicts another.
    """
    stacked = one_question_per_row(stacked)
    table, origin = stacked.table, stacked.origin
    model = Keyed("model", _names(table, origin), origin)
    example = Keyed("example", ids(table.column("example"), origin), origin)
    conditions, condition = code_conditions(table, origin)
    coded = _coded(stacked, classes)
    labels = Factor(coded.codes["label"], pa.array(coded.classes, pa.string()))
    examples = _examples(table, example, labels if "label" in table.column_names else None)
    check_outside(examples, example, conditions, condition)
    _refuse_repeats(model.keys, example.keys, condition, conditions, origin)
    lists = _lists(stacked, len(coded.classes))
    rows = _Rows(
        examples,
        _models(table, model),
        coded.classes,
        conditions,
        condition,
        model.keys.codes,
        example.keys.codes,
        coded.codes["predicted"],
        {name: _recorded(stacked, name) for name in QUANTITIES if name in table.column_names},
        lists,
    )
    _refuse_nothing(rows, origin)
    audited = ~examples["split"].isin(TRAINING_SPLITS).to_numpy()
    if not audited.any():
        raise TableError(f"{origin.name}: every row is of a training split: give test rows.")
    held_out = examples["split"].eq(VALIDATION).to_numpy()
    validation = _evidence(rows, held_out) if held_out.any() else None
    return replace(_evidence(rows, audited), validation=validation)


@dataclass(frozen=True, eq=False)
class _Chunks:
    """Class probabilities: where each chunk begins, int64 [chunks], and float32 [rows, classes]."""

    starts: NDArray[np.int64]
    chunks: tuple[FloatArray | None, ...]


@dataclass(frozen=True, eq=False)
class _Rows:
    """What the rows of a table say, in its order.

    Attributes:
        examples: Every example, of whatever split.
        models: Every model.
        classes: Class names.
        conditions: The conditions, in order.
        condition: int32 [rows], each row's condition.
        model: int32 [rows], the model's index.
        example: int32 [rows], the example's index.
        predicted: int32 [rows], class codes.
        quantities: Name -> float32 [rows].
        lists: Class probabilities; None where there are none.
    """

    examples: pd.DataFrame
    models: pd.DataFrame
    classes: tuple[str, ...]
    conditions: tuple[Condition, ...]
    condition: Codes
    model: Codes
    example: Codes
    predicted: Codes
    quantities: Mapping[str, FloatArray]
    lists: _Chunks | None


def _evidence(rows: _Rows, kept: Mask) -> Evidence:
    """The evidence on some of the examples, bool [examples]."""
    place = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)[rows.example]
    numbers = None if kept.all() else np.flatnonzero(place >= 0)
    load, order = by_condition(
        rows.conditions,
        _taken(rows.condition, numbers),
        (len(rows.models), int(kept.sum())),
        _taken(rows.model, numbers),
        _taken(place, numbers),
        _taken(rows.predicted, numbers),
        {
            name: values if numbers is None else values[numbers]
            for name, values in rows.quantities.items()
        },
    )
    training = rows.examples[rows.examples["split"] == TRAIN]
    evidence = Evidence(
        examples=rows.examples[kept].reset_index(drop=True),
        training=training.reset_index(drop=True),
        models=rows.models,
        classes=rows.classes,
        conditions=load.conditions,
        load=load,
    )
    if rows.lists is None:
        return evidence
    numbers = np.arange(len(place)) if numbers is None else numbers
    numbers = numbers if order is None else numbers[order]
    lists = RowLists(load, numbers, rows.lists.starts, rows.lists.chunks)
    return replace(evidence, probabilities=lists)


def _taken(codes: Codes, rows: NDArray[np.int64] | None) -> Codes:
    return codes if rows is None else codes[rows]


def _refuse_nothing(rows: _Rows, origin: Origin) -> None:
    """Refuses a row with neither a class nor a value."""
    if "value" in rows.quantities:
        nothing = (rows.predicted < 0) & np.isnan(rows.quantities["value"])
        problem = "which says nothing: give it, or a predicted class, or leave the row out"
        origin.refuse_any(nothing, "value", rows.quantities["value"], problem)


def _names(table: pa.Table, origin: Origin) -> Factor:
    if "model" not in table.column_names:
        raise TableError(f"{origin.name} has no column 'model': name the model of every row.")
    return _required(as_text(factor(table.column("model"))), "model", origin)


def _coded(stacked: Stacked, classes: Sequence[str] | None) -> Coded:
    """Labels and predictions as codes; all -1 for a column that is not there."""
    table, origin = stacked.table, stacked.origin
    answers = {
        name: factor(table.column(name))
        for name in ("predicted", "label")
        if name in table.column_names
    }
    if "predicted" in answers and "value" not in table.column_names:
        _required(answers["predicted"], "predicted", origin)
    features = stacked.classes
    if classes is None and features is None:
        if TARGET in table.column_names:
            features = two_classes(answers)
        elif "probabilities" in table.column_names:
            features = counted(answers, longest(table.column("probabilities")))
    coded = encode(answers, origin, classes, features)
    if TARGET in table.column_names:
        refuse_many(coded.classes, origin)
    absent = np.full(table.num_rows, NOT_SHOWN, np.int32)
    return Coded(coded.classes, {"predicted": absent, "label": absent, **coded.codes})


def _lists(stacked: Stacked, classes: int) -> _Chunks | None:
    """Class probabilities, every row checked."""
    name = "probabilities"
    if name not in stacked.table.column_names:
        return None
    column = stacked.table.column(name)
    if pa.types.is_null(column.type):
        return None
    chunks = rectangle(column, name, stacked.origin, classes)
    starts = np.cumsum([0, *(len(chunk) for chunk in column.chunks)])[:-1]
    for start, values in zip(starts.tolist(), chunks, strict=True):
        if values is not None:
            check_distributions(values, start, name, stacked.origin)
    return _Chunks(starts.astype(np.int64), chunks)


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
        if name.startswith(ABOUT):
            frame[name] = example.column(name, table.column(name), MISSING)
        elif name == "embedding":
            frame[name] = embeddings(table.column(name), example.keys, example.origin)
        elif name in EXAMPLE_COLUMNS and name not in ("example", "label"):
            empty = DEFAULT_SPLIT if name == "split" else None
            frame[name] = example.column(name, table.column(name), empty)
    check_examples(frame, example.first_rows(), example.origin)
    return frame


def _recorded(stacked: Stacked, name: str) -> FloatArray:
    """A column of float32; rows of a table that lacks it are NaN and are not checked."""
    values = numbers(stacked.table.column(name), name, stacked.origin, np.float32)
    given = stacked.rows_with(name) if name == "confidence" else None
    return check_quantity(name, values, given, stacked.origin)


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
