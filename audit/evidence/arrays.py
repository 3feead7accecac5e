"""Makes evidence of predictions in memory: of one pair of models, or of several in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from audit.evidence.blocks import Evidence
from audit.evidence.distributions import as_lists
from audit.evidence.errors import TableError
from audit.evidence.flat import read_flat
from audit.evidence.readers import reading
from audit.evidence.schema import DEFAULT_METHOD, GROUP
from audit.evidence.sources import Source

Features: TypeAlias = pd.DataFrame | pd.Series | Mapping[str, ArrayLike] | ArrayLike


def from_arrays(
    y_true: ArrayLike | None,
    parent: ArrayLike | None,
    pruned: ArrayLike | None,
    sensitive_features: Features | None = None,
    *,
    parent_confidence: ArrayLike | None = None,
    pruned_confidence: ArrayLike | None = None,
    parent_probabilities: ArrayLike | None = None,
    pruned_probabilities: ArrayLike | None = None,
    parent_value: ArrayLike | None = None,
    pruned_value: ArrayLike | None = None,
    example: ArrayLike | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    method: str = DEFAULT_METHOD,
    sparsity: float | None = None,
) -> Evidence:
    """Makes evidence of arrays that hold the same examples in the same order, shown clean.

    Where an example has several labels, `y_true` is [examples, targets] and everything of a model
    has these two axes in place of one: each (example, target) is then a row of the audit with the
    id "example|target", the group column `group_target`, and the example as its cluster. Its
    classes are "0" and "1" (or the two names), so a plan's `positive` is "1".

    Args:
        y_true: True labels [examples]: names, codes or truth values, NaN or None where one is
            missing; None where nobody knows any.
        parent: Predictions of the dense model [examples], or of several [parents, examples]; None
            where answers are no classes and `parent_value` says how good they are.
        pruned: Predictions of the pruned models, in the same shape: row i is made from parent i.
        sensitive_features: Group columns [examples]: a frame, a series, name -> values, or an
            array [examples] or [examples, columns].
        parent_confidence: Confidences of the dense models in [0, 1], in the shape of `parent`; by
            default the largest of the probabilities.
        pruned_confidence: Confidences of the pruned models in [0, 1], in the shape of `pruned`.
        parent_probabilities: Class probabilities of the dense models, in the shape of `parent` and
            one axis more, the classes.
        pruned_probabilities: Class probabilities of the pruned models, likewise.
        parent_value: How good each answer of the dense models is (Dice, an error, a
            log-likelihood), in the shape of `parent`; NaN where there is none.
        pruned_value: How good each answer of the pruned models is, likewise.
        example: Ids [examples]; by default 0, 1, 2, …
        targets: Names of the labels asked about, where each example has several; by default 0, 1,
            2, … where `y_true` has two axes.
        classes: Class names in the order of their codes; by default the distinct values.
        method: The pruning method's name.
        sparsity: Fraction removed, in [0, 1); None where unknown.

    Raises:
        TableError: Lengths differ, or a value is wrong.
    """
    names = _targets(y_true, targets)
    dense = _models("dense", names, parent, parent_confidence, parent_probabilities, parent_value)
    made = _models("pruned", names, pruned, pruned_confidence, pruned_probabilities, pruned_value)
    if len(dense) != len(made):
        raise TableError(
            f"parent has {len(dense)} models and pruned has {len(made)}: give one row of pruned "
            "for each row of parent."
        )
    rows = next(iter(dense.values())).num_rows
    shared = _shared(y_true, sensitive_features, example, names, rows)
    about: dict[str, Any] = {"method": method} | (
        {} if sparsity is None else {"sparsity": sparsity}
    )
    values: list[dict[str, Any]] = [{"model": name, "role": "dense"} for name in dense]
    values += [
        {"model": name, "role": "pruned", "parent": of} | about
        for name, of in zip(made, dense, strict=True)
    ]
    return read_flat(_sources(values, [*dense.values(), *made.values()], shared), classes=classes)


def _targets(y_true: ArrayLike | None, targets: Sequence[str] | None) -> list[str] | None:
    """The names of the labels asked about; None where there is one label per example."""
    if y_true is None or np.ndim(y_true) != 2:
        if targets is not None and y_true is not None:
            raise TableError(
                f"y_true has the shape {np.shape(y_true)} and targets names {len(targets)} labels: "
                "give [examples, targets]."
            )
        return None if targets is None else [str(name) for name in targets]
    count = np.shape(y_true)[1]
    names = [str(name) for name in (range(count) if targets is None else targets)]
    if len(names) != count:
        raise TableError(
            f"y_true has {count} columns and targets names {len(names)}: name each column."
        )
    return names


def _shared(
    y_true: ArrayLike | None,
    features: Features | None,
    example: ArrayLike | None,
    targets: list[str] | None,
    rows: int,
) -> dict[str, Any]:
    """The columns that say the same of every model's rows, under our names."""
    asked = 1 if targets is None else len(targets)
    ids = np.arange(rows // asked) if example is None else example
    shared = {"example": _column("example", ids)} | _groups(features)
    for name, column in shared.items():
        _same_length(name, len(column), rows // asked)
    if targets is not None:
        shared = {name: np.repeat(column, asked) for name, column in shared.items()}
        shared["target"] = np.tile(np.array(targets, dtype=object), rows // asked)
    if y_true is not None:
        label = np.asarray(y_true)
        shared["label"] = _column("y_true", label if targets is None else label.ravel())
        _same_length("label", len(shared["label"]), rows)
    return shared


def _sources(
    values: Sequence[dict[str, Any]], tables: Sequence[pa.Table], shared: Mapping[str, Any]
) -> list[Source]:
    count = tables[0].num_rows
    about = _table("the labels and groups", shared)
    sources = []
    for says, table in zip(values, tables, strict=True):
        _same_length(f"{says['role']} predictions", table.num_rows, count)
        for name in about.column_names:
            table = table.append_column(name, about.column(name))
        if "predicted" not in table.column_names:
            table = table.filter(pc.is_valid(table.column("value")))  # others say nothing
        sources.append(Source(table, says["model"], says))
    return sources


def _models(
    role: str,
    targets: list[str] | None,
    predicted: ArrayLike | None,
    confidence: ArrayLike | None,
    probabilities: ArrayLike | None,
    value: ArrayLike | None,
) -> dict[str, pa.Table]:
    """Model name -> a table with its predictions, in row order."""
    given = {"prediction": predicted, "confidence": confidence, "value": value}
    columns = {
        name: _rows(role if name == "prediction" else f"{role} {name}", values, targets)
        for name, values in given.items()
        if values is not None
    }
    if not {"prediction", "value"} & set(columns):
        raise TableError(f"{role} has no predictions: give them, or a value of each answer.")
    whose, first = next(iter((n, c) for n, c in columns.items() if n in ("prediction", "value")))
    lists = None
    if probabilities is not None:
        lists = _rows(f"{role} probabilities", probabilities, targets, 1)
        _same_shape(role, "probabilities", lists.shape[:2], whose, first.shape)
        columns.setdefault("confidence", lists.max(axis=-1))
    for name, array in columns.items():
        _same_shape(role, name, array.shape, whose, first.shape)
    digits = len(str(len(first) - 1))
    tables = {}
    for index in range(len(first)):
        ours = {"predicted" if n == "prediction" else n: c[index] for n, c in columns.items()}
        table = _table(role, ours)
        if lists is not None:
            table = table.append_column("probabilities", as_lists(lists[index].astype(np.float32)))
        tables[role if len(first) == 1 else f"{role}-{index:0{digits}d}"] = table
    return tables


def _table(title: str, columns: Mapping[str, Any]) -> pa.Table:
    table: pa.Table = reading(
        title, lambda: pa.Table.from_pandas(pd.DataFrame(dict(columns)), preserve_index=False)
    )
    return table


def _same_shape(
    role: str, name: str, shape: tuple[int, ...], whose: str, expected: tuple[int, ...]
) -> None:
    if shape != expected:
        one = name if name == "probabilities" else f"{name}s"
        raise TableError(f"{role} {one} are {shape} and {whose}s {expected}: give one for each.")


def _rows(
    name: str, values: ArrayLike, targets: list[str] | None, more: int = 0
) -> np.ndarray[Any, Any]:
    """What a person gave of models as [models, rows], and `more` axes; a row per target if any."""
    array = np.asarray(values)
    axes = (1 if targets is None else 2) + more
    array = array[None] if array.ndim == axes else array
    if array.ndim != axes + 1 or not array.size:
        inner = "examples" + (", targets" if targets else "") + (", classes" if more else "")
        why = "" if targets is None else f" where each example has {len(targets)} labels"
        raise TableError(
            f"{name} has the shape {np.shape(values)}{why}: give [{inner}] or [models, {inner}]."
        )
    if targets is None:
        return array
    if array.shape[2] != len(targets):
        raise TableError(
            f"{name} has {array.shape[2]} targets and there are {len(targets)}: give one for each."
        )
    return array.reshape(len(array), -1, *array.shape[3:])


def _column(name: str, values: ArrayLike) -> np.ndarray[Any, Any]:
    column = np.asarray(values)
    if column.ndim != 1:
        raise TableError(f"{name} has the shape {column.shape}: give one value per example.")
    return column


def _groups(features: Features | None) -> dict[str, Any]:
    if features is None:
        return {}
    if isinstance(features, pd.Series):
        features = features.to_frame(features.name or "sensitive_feature")
    if isinstance(features, Mapping):
        columns = {str(name): np.asarray(values) for name, values in features.items()}
    elif isinstance(features, pd.DataFrame):
        columns = {str(name): features[name].to_numpy() for name in features}
    else:
        array = np.asarray(features)
        array = array[:, None] if array.ndim == 1 else array
        columns = {f"sensitive_feature_{i}": array[:, i] for i in range(array.shape[1])}
    return {GROUP + name.removeprefix(GROUP): _column(name, c) for name, c in columns.items()}


def _same_length(name: str, length: int, count: int) -> None:
    if length != count:
        raise TableError(
            f"{name}: {length} values for {count} examples: give one per example, in one order."
        )
