"""Turns labels of any spelling into class codes, the same ones in every part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """Labels as positions in a list of classes.

    Attributes:
        classes: Class names.
        codes: int64 [N] by split.
    """

    classes: tuple[str, ...]
    codes: dict[str, IntArray]


def code_labels(
    labels: Mapping[str, pd.Series[Any]],
    declared: Sequence[str] | None = None,
    asked: Sequence[str] | None = None,
) -> Coded:
    """Codes the labels of all splits with one list of classes.

    Args:
        labels: Labels by split: class names, or integers.
        declared: Class names that the data declare (a `ClassLabel` feature, folder names);
            integers are positions in it.
        asked: Class names in the order that the models give their outputs. Integers are looked up
            among these names first, and are positions only if that fails.

    Returns:
        Classes are `asked`, else `declared`, else what is found: names sorted, or the integers
        0..K-1.

    Raises:
        InputError: A label is missing or is none of the classes, the labels are integers other
            than 0..K-1, or there are fewer than two classes.
    """
    named = {split: _names(values, split, declared) for split, values in labels.items()}
    if asked is not None:
        classes, named = _as_asked(named, labels, declared, asked)
    else:
        classes = tuple(declared) if declared is not None else _found(named, labels)
    if len(classes) < 2:
        raise InputError(
            f"All labels are {classes[0]!r}, and a classifier needs two classes: check data.label."
        )
    index = pd.Index(classes)
    codes = {
        split: np.asarray(index.get_indexer(pd.Index(names)), dtype=np.int64)
        for split, names in named.items()
    }
    for split, found in codes.items():
        for row in np.flatnonzero(found < 0)[:1]:
            name = named[split][row]
            raise InputError(
                f"Row {row} of {split} has the label {name!r}, which is no class: "
                f"{hint(str(name), classes)}"
            )
    return Coded(classes, codes)


def _names(
    values: pd.Series[Any], split: str, declared: Sequence[str] | None
) -> NDArray[np.object_]:
    """Class names, object [N]; integers where no names are declared for them."""
    for row in np.flatnonzero(values.isna().to_numpy(dtype=bool))[:1]:
        raise InputError(
            f"Row {row} of {split} has no label: leave such rows out, or name another data.label."
        )
    if not _are_integers(values):
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object)
        codes, distinct = pd.factorize(values)
        return np.array([str(value).strip() for value in distinct], dtype=object)[codes]
    integers = values.to_numpy().astype(np.int64)
    if declared is None:
        return integers.astype(object)
    for row in np.flatnonzero((integers < 0) | (integers >= len(declared)))[:1]:
        raise InputError(
            f"Row {row} of {split} has the label {integers[row]}, and the data declare "
            f"{len(declared)} classes, 0 to {len(declared) - 1}: mend or leave out such rows."
        )
    return np.array(declared, dtype=object)[integers]


def _are_integers(values: pd.Series[Any]) -> bool:
    """Whether the labels are whole numbers, also when a blank elsewhere made them floats."""
    if isinstance(values.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(values.dtype):
        return False
    if values.dtype == object:
        return pd.api.types.infer_dtype(values) == "integer"
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    return bool((values.to_numpy(dtype=np.float64) % 1 == 0).all())


def _as_asked(
    named: dict[str, NDArray[np.object_]],
    labels: Mapping[str, pd.Series[Any]],
    declared: Sequence[str] | None,
    asked: Sequence[str],
) -> tuple[tuple[str, ...], dict[str, NDArray[np.object_]]]:
    for name in declared or ():
        if name not in asked:
            raise InputError(
                f"The data have a class {name!r} that data.classes does not list: "
                f"{hint(name, asked)}"
            )
    if declared is not None or not all(_are_integers(values) for values in labels.values()):
        return tuple(asked), {split: _texts(names) for split, names in named.items()}
    found = {value for names in named.values() for value in names.tolist()}
    if {str(value) for value in found} <= set(asked):
        return tuple(asked), {split: _texts(names) for split, names in named.items()}
    _refuse_gaps(named, len(asked))
    order = np.array(asked, dtype=object)
    return tuple(asked), {split: order[names.astype(np.int64)] for split, names in named.items()}


def _found(
    named: dict[str, NDArray[np.object_]], labels: Mapping[str, pd.Series[Any]]
) -> tuple[str, ...]:
    """Classes from the labels alone; makes integers texts in place."""
    found = {value for names in named.values() for value in names.tolist()}
    if not all(_are_integers(values) for values in labels.values()):
        for split, names in named.items():
            named[split] = _texts(names)
        return tuple(sorted({str(value) for value in found}))
    _refuse_gaps(named, len(found))
    for split, names in named.items():
        named[split] = _texts(names)
    return tuple(str(code) for code in range(len(found)))


def _refuse_gaps(named: dict[str, NDArray[np.object_]], classes: int) -> None:
    for split, names in named.items():
        integers = names.astype(np.int64)
        for row in np.flatnonzero((integers < 0) | (integers >= classes))[:1]:
            raise InputError(
                f"Row {row} of {split} has the label {integers[row]}, and labels are neither class "
                f"names nor 0 to {classes - 1}: list the names under data.classes."
            )


def _texts(names: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([str(name) for name in names], dtype=object)
