"""Makes evidence of predictions in memory: of one pair of models, or of several in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from audit.evidence.blocks import Evidence
from audit.evidence.errors import TableError
from audit.evidence.flat import read_flat
from audit.evidence.schema import DEFAULT_METHOD, GROUP
from audit.evidence.sources import Source

Features: TypeAlias = pd.DataFrame | pd.Series | Mapping[str, ArrayLike] | ArrayLike


def from_arrays(
    y_true: ArrayLike | None,
    parent: ArrayLike,
    pruned: ArrayLike,
    sensitive_features: Features | None = None,
    *,
    parent_confidence: ArrayLike | None = None,
    pruned_confidence: ArrayLike | None = None,
    example: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    method: str = DEFAULT_METHOD,
    sparsity: float | None = None,
) -> Evidence:
    """Makes evidence of arrays that hold the same examples in the same order, shown clean.

    Args:
        y_true: True labels [examples]: names, codes or truth values; None where nobody knows.
        parent: Predictions of the dense model [examples], or of several [parents, examples].
        pruned: Predictions of the pruned models, in the same shape: row i is made from parent i.
        sensitive_features: Group columns [examples]: a frame, a series, name -> values, or an
            array [examples] or [examples, columns].
        parent_confidence: Confidences of the dense models in [0, 1], in the shape of `parent`.
        pruned_confidence: Confidences of the pruned models in [0, 1], in the shape of `pruned`.
        example: Ids [examples]; by default 0, 1, 2, …
        classes: Class names in the order of their codes; by default the distinct values.
        method: The pruning method's name.
        sparsity: Fraction removed, in [0, 1); None where unknown.

    Raises:
        TableError: Lengths differ, or a value is wrong.
    """
    dense = _models("dense", parent, parent_confidence)
    made = _models("pruned", pruned, pruned_confidence)
    if len(dense) != len(made):
        raise TableError(
            f"parent has {len(dense)} models and pruned has {len(made)}: give one row of pruned "
            "for each row of parent."
        )
    ids = np.arange(len(next(iter(dense.values())))) if example is None else example
    shared = {"example": _column("example", ids)} | _groups(sensitive_features)
    if y_true is not None:
        shared["label"] = _column("y_true", y_true)
    about: dict[str, Any] = {"method": method} | (
        {} if sparsity is None else {"sparsity": sparsity}
    )
    values: list[dict[str, Any]] = [{"model": name, "role": "dense"} for name in dense]
    values += [
        {"model": name, "role": "pruned", "parent": of} | about
        for name, of in zip(made, dense, strict=True)
    ]
    return read_flat(_sources(values, [*dense.values(), *made.values()], shared), classes=classes)


def _sources(
    values: Sequence[dict[str, Any]], frames: Sequence[pd.DataFrame], shared: Mapping[str, Any]
) -> list[Source]:
    count = len(frames[0])
    for name, column in shared.items():
        _same_length(name, len(column), count)
    sources = []
    for says, frame in zip(values, frames, strict=True):
        _same_length(f"{says['role']} predictions", len(frame), count)
        whole = frame.assign(**shared)
        sources.append(Source(whole, says["model"], says))
    return sources


def _models(role: str, predicted: ArrayLike, confidence: ArrayLike | None) -> dict[str, Any]:
    """Model name -> a frame with its predictions, in row order."""
    rows = _rows(role, predicted)
    sure = None if confidence is None else _rows(f"{role} confidence", confidence)
    if sure is not None and sure.shape != rows.shape:
        raise TableError(
            f"{role} confidences are {sure.shape} and predictions {rows.shape}: give one for each."
        )
    digits = len(str(len(rows) - 1))
    frames = {}
    for index, row in enumerate(rows):
        name = role if len(rows) == 1 else f"{role}-{index:0{digits}d}"
        frames[name] = pd.DataFrame({"predicted": row})
        if sure is not None:
            frames[name]["confidence"] = sure[index]
    return frames


def _rows(name: str, values: ArrayLike) -> np.ndarray[Any, Any]:
    rows = np.atleast_2d(np.asarray(values))
    if rows.ndim != 2 or not rows.size:
        raise TableError(
            f"{name} has the shape {np.shape(values)}: give [examples] or [models, examples]."
        )
    return rows


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
