"""Writes and reads the evidence folder: examples, models, and a part per model and condition."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Condition, Evidence
from audit.evidence.check import Mask, Origin, check_examples
from audit.evidence.classes import class_names, encode, stored_codes
from audit.evidence.columns import Factor, as_text, cells, factor, ids, is_number, plain
from audit.evidence.conditions import condition_of, folder_name, in_order, say
from audit.evidence.distributions import embeddings, is_list
from audit.evidence.errors import TableError
from audit.evidence.outside import outside, refuse_labels
from audit.evidence.part_blocks import PartBlocks
from audit.evidence.parts import PREDICTIONS, model_of
from audit.evidence.roles import complete_models
from audit.evidence.schema import (
    ABOUT,
    DEFAULT_SPLIT,
    EVIDENCE_SCHEMA,
    EXAMPLE_COLUMNS,
    METADATA_KEY,
    MISSING,
    MODEL_COLUMNS,
    TRAIN,
    TRAINING_SPLITS,
    VALIDATION,
    required,
)
from audit.evidence.tables import METADATA, read_table, write_table

EXAMPLES = "examples.parquet"
MODELS = "models.parquet"


def write_examples(folder: Path, frame: pd.DataFrame, classes: Sequence[str]) -> Path:
    """Writes `examples.parquet`, whole or not at all.

    Args:
        folder: The evidence folder.
        frame: `example`, and optionally `split` (default `test`), `label` (codes or class names;
            empty or `NO_LABEL` where there is none) and the other `schema.EXAMPLE_COLUMNS`,
            `group_*` and `meta_*`. Rows of the splits train and validation are not audited.
        classes: Class names in the order of their codes; none where answers are no classes and
            every prediction is a `value`.

    Returns:
        The file.

    Raises:
        TableError: A row is wrong.
        StoreError: The file cannot be written.
    """
    names, origin = class_names(classes) if len(classes) else (), Origin(("The examples",))
    table = _from_frame(frame, origin)
    if "example" not in table.column_names:
        raise TableError("The examples have no column 'example': give each an id.")
    if "split" not in table.column_names:
        table = table.append_column("split", pa.array([DEFAULT_SPLIT] * len(frame)))
    labels = pa.nulls(len(frame), pa.int64())
    if "label" in table.column_names:
        labels = _label_codes(table.column("label"), names, origin)
        table = table.drop_columns("label")
    table = table.append_column("label", labels)
    _examples(table, names, origin)  # what cannot be read must not be written
    about = json.dumps({"schema": EVIDENCE_SCHEMA, "classes": list(names)}).encode()
    return write_table(folder / EXAMPLES, table, {METADATA_KEY: about})


def write_models(folder: Path, frame: pd.DataFrame) -> Path:
    """Writes `models.parquet`, whole or not at all.

    Args:
        folder: The evidence folder.
        frame: One row per model, `model` and any other `schema.MODEL_COLUMNS`; what it leaves open
            is filled in as `roles.complete_models` says.

    Returns:
        The file.

    Raises:
        TableError: A row is wrong.
        StoreError: The file cannot be written.
    """
    models = complete_models(frame.reset_index(drop=True), Origin(("The models",)))
    types = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64()}
    columns = {}
    for name, column in MODEL_COLUMNS.items():
        values: Any = models[name]
        empty = values.eq("") if column.kind == "text" else values.isna()
        values = pa.array(values, types["text" if column.kind == "text" else "number"])
        values = pc.if_else(pa.array(empty), None, values)
        columns[name] = values.cast(types[column.kind])
    return write_table(folder / MODELS, pa.table(columns), METADATA)


def read_folder(path: str | os.PathLike[str]) -> Evidence:
    """Opens an evidence folder; predictions are read one condition at a time, when asked for.

    Args:
        path: The folder, with `examples.parquet`, `models.parquet` and `predictions/`.

    Returns:
        Evidence whose models and examples are in the order of the files.

    Raises:
        TableError: A file is missing or broken, a row is wrong, a model has no part under a
            condition that others have, or a part is of a model that is not listed.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise TableError(f"{folder} is no folder: give the path of an evidence folder.")
    origin = Origin((str(folder / EXAMPLES),))
    table = read_table(folder / EXAMPLES, required(EXAMPLE_COLUMNS))
    classes = _classes(table, folder / EXAMPLES)
    examples = _examples(table, classes, origin)
    models = _models(folder / MODELS)
    conditions = _conditions(folder, models["model"].tolist())
    parts = PartBlocks(
        folder,
        conditions,
        tuple(models["model"]),
        len(classes),
        pa.array(examples["example"]),
        _axis(~examples["split"].isin(TRAINING_SPLITS).to_numpy()),
        outside(examples),
    )
    whole = Evidence(
        examples=examples,
        training=examples[examples["split"] == TRAIN].reset_index(drop=True),
        models=models,
        classes=classes,
        conditions=conditions,
        load=parts,
    )
    held_out = replace(parts, axis=_axis(examples["split"].eq(VALIDATION).to_numpy()))
    shown = _shown(held_out)
    validation = _on(whole, replace(held_out, conditions=shown)) if shown else None
    return replace(_on(whole, parts), validation=validation)


def _axis(kept: Mask) -> NDArray[np.int64]:
    return np.where(kept, np.cumsum(kept) - 1, -1)


def _on(whole: Evidence, parts: PartBlocks) -> Evidence:
    """The evidence on the examples that these parts lay out."""
    return replace(
        whole,
        examples=whole.examples[parts.axis >= 0].reset_index(drop=True),
        conditions=parts.conditions,
        load=parts,
        probabilities=parts.probabilities,
    )


def _shown(parts: PartBlocks) -> tuple[Condition, ...]:
    """The conditions under which the examples are shown.

    They are those of the first model that is shown any under the first condition, which is clean:
    to look into every part of a large folder would take minutes, and for nothing.
    """
    if not (parts.axis >= 0).any():
        return ()
    first, *others = parts.conditions
    for row in range(len(parts.models)):
        if parts.shows(first, row):
            return (first, *(each for each in others if parts.shows(each, row)))
    return ()


def _from_frame(frame: pd.DataFrame, origin: Origin) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    except pa.ArrowException as error:
        cause = str(error).splitlines()[0].rstrip(".")
        raise TableError(
            f"{origin.name} cannot be written ({cause}): give every column one type."
        ) from error


def _label_codes(column: pa.ChunkedArray, classes: tuple[str, ...], origin: Origin) -> pa.Array:
    found = factor(plain(column))
    if is_number(found.values.type):  # NO_LABEL is how evidence in memory says "none"
        found = factor(pc.if_else(pc.equal(plain(column), NO_LABEL), None, plain(column)))
    if not classes:
        problem = "and there are no classes: name them, or leave it empty"
        origin.refuse_any(found.codes >= 0, "label", cells(found), problem)
        return pa.nulls(len(column), pa.int64())
    codes = encode({"label": found}, origin, features=classes).codes["label"]
    return pa.array(codes, pa.int64(), mask=codes < 0)


def _classes(table: pa.Table, path: Path) -> tuple[str, ...]:
    about = json.loads((table.schema.metadata or {}).get(METADATA_KEY, b"{}"))
    if "classes" not in about:
        raise TableError(
            f"{path} does not name the classes: write it with write_examples, which does."
        )
    return class_names(about["classes"]) if about["classes"] else ()


def _examples(table: pa.Table, classes: tuple[str, ...], origin: Origin) -> pd.DataFrame:
    """The example table as a judge sees it, each row checked."""
    found = ids(plain(table.column("example")), origin)
    names = found.values.to_numpy(zero_copy_only=False)[found.codes]
    frame = pd.DataFrame(
        {"example": names if is_number(found.values.type) else names.astype(object)}
    )
    split = as_text(factor(plain(table.column("split"))))
    problem = "which is no split: give train, validation, test or the name of a data set"
    origin.refuse_any(split.codes < 0, "split", cells(split), problem)
    frame["split"] = pd.Series(split.names[split.codes], dtype=object)
    label = factor(plain(table.column("label")))
    frame["label"] = stored_codes(label, len(classes), "label", origin, NO_LABEL).astype(np.int64)
    _refuse_twice(frame, origin)
    for name in table.column_names:
        if name not in frame:
            empty = MISSING if name.startswith(ABOUT) else None
            frame[name] = _values(name, table.column(name), empty, origin)
    check_examples(frame, range(len(frame)), origin)
    refuse_labels(frame, range(len(frame)), origin)
    return frame


def _refuse_twice(frame: pd.DataFrame, origin: Origin) -> None:
    twice = frame["example"].duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        whose = frame["example"].iloc[row]
        before = int(frame["example"].eq(whose).to_numpy().argmax())
        labels = frame["label"].iloc[[before, row]].tolist()
        problem = f"which {origin.row(before)} has already"
        if labels[0] != labels[1]:
            problem += f", with label {labels[0]} instead of {labels[1]}"
        origin.refuse(row, "example", whose, f"{problem}: keep one row per example")


def _values(name: str, column: pa.ChunkedArray, empty: str | None, origin: Origin) -> Any:
    kind = column.type
    if name == "embedding" and (is_list(kind) or pa.types.is_null(kind)):
        every = Factor(np.arange(len(column), dtype=np.int32), pa.array(range(len(column))))
        return embeddings(column, every, origin)
    if is_number(kind):
        return plain(column).to_pandas()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        return pd.Series(column.to_pylist(), dtype=object)
    found = as_text(factor(plain(column)))
    return pd.Series(found.named(empty)[found.codes], dtype=object)


def _models(path: Path) -> pd.DataFrame:
    table = read_table(path, required(MODEL_COLUMNS))
    return complete_models(table.to_pandas(ignore_metadata=True), Origin((str(path),)))


def _conditions(folder: Path, models: list[str]) -> tuple[Condition, ...]:
    """The conditions there are; every model has a part under each, and no other model has."""
    root = folder / PREDICTIONS
    if not root.is_dir():
        raise TableError(f"{root} is not there: write predictions before reading them.")
    found = in_order(condition_of(each.name) for each in root.iterdir() if each.is_dir())
    if not found:
        raise TableError(f"{root} is empty: write predictions before reading them.")
    for condition in found:
        there = {model_of(name) for name in os.listdir(root / folder_name(condition))} - {None}
        for model in models:
            if model not in there:
                raise TableError(
                    f"{folder}: model {model!r} has no part under {say(condition)}, which others "
                    f"have: predict it, or take the model out of {MODELS}."
                )
        for model in sorted(str(name) for name in there - set(models)):
            raise TableError(
                f"{folder}: there is a part of {model!r} under {say(condition)}, a model that "
                f"{MODELS} does not list: add it there, or remove the part."
            )
    return found
