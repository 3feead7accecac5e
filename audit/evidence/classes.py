"""Turns labels and predictions, whatever they are written as, into codes into the class names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from audit.evidence.check import Origin, nearest
from audit.evidence.columns import Codes, Factor, cells
from audit.evidence.errors import TableError

UNKNOWN = -2  # a value that is no class


@dataclass(frozen=True, eq=False)
class Coded:
    """Class names, and columns as codes into them.

    Attributes:
        classes: The names.
        codes: Column name -> int32 [rows], -1 where the cell is empty.
    """

    classes: tuple[str, ...]
    codes: Mapping[str, Codes]


def encode(
    columns: Mapping[str, Factor],
    origin: Origin,
    classes: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
) -> Coded:
    """Codes `label` and `predicted`.

    With neither `classes` nor `features` the names are the distinct values of both columns,
    ascending, so labels 0..K-1 keep their codes. Integers next to named classes are codes, unless
    `classes` are given whose names are those very integers.

    Args:
        columns: Column name -> its values.
        origin: Where the rows came from.
        classes: Class names a person gave.
        features: Class names a file's metadata gives (a ClassLabel of `datasets`); integers are
            codes into them.

    Raises:
        TableError: A value is no class, or a name is given twice.
    """
    _refuse_floats(columns, origin)
    values = {name: found.values.to_pylist() for name, found in columns.items()}
    every = [value for column in values.values() for value in column]
    if not all(isinstance(value, bool) for value in every):
        # 0/1 labels next to True/False predictions are one question asked in two ways
        values = {name: [_no_boolean(v) for v in column] for name, column in values.items()}
        every = [_no_boolean(value) for value in every]
    if classes is None and features is None:
        values = {name: [_whole(v) for v in column] for name, column in values.items()}
        every = [_whole(value) for value in every]
        _refuse_mixture(every, origin)
    code_of, names = _coding(every, classes, features)
    coded = {}
    for name, found in columns.items():
        codes = np.array([*(code_of(value) for value in values[name]), -1], np.int32)
        rows = codes[found.codes]
        if (codes == UNKNOWN).any():
            row = int((rows == UNKNOWN).argmax())
            origin.refuse(row, name, cells(found)[row], _not_a_class(cells(found)[row], names))
        coded[name] = rows
    return Coded(names, coded)


def counted(columns: Mapping[str, Factor], count: int) -> tuple[str, ...] | None:
    """The names "0" to count - 1 where every value is a whole number below `count`.

    A table whose rows hold `count` probabilities has as many classes, though a small test set may
    lack some of them.

    Args:
        columns: Column name -> its values.
        count: How many classes there are.

    Returns:
        The names; None where a value is no such number.
    """
    every = [_whole(value) for column in columns.values() for value in column.values.to_pylist()]
    if all(type(value) is int and 0 <= value < count for value in every):
        return tuple(map(str, range(count)))
    return None


def stored_codes(
    found: Factor, classes: int, name: str, origin: Origin, empty: int | None = None
) -> Codes:
    """Checks a column that holds class codes already, as files of ours do.

    Args:
        found: The column.
        classes: How many classes there are.
        name: The column's name.
        origin: Where the rows came from.
        empty: What an empty cell becomes; None where no cell may be empty.

    Returns:
        Int32 [rows].

    Raises:
        TableError: A cell is no code.
    """
    codes = [
        v if type(v) is int and 0 <= v < classes else UNKNOWN for v in found.values.to_pylist()
    ]
    coded = np.array([*codes, UNKNOWN if empty is None else empty], np.int32)[found.codes]
    problem = f"which is no class code: give 0 to {classes - 1}"
    problem += "" if empty is None else ", or nothing where nobody knows"
    origin.refuse_any(coded == UNKNOWN, name, cells(found), problem)
    return coded


def class_names(classes: Sequence[str]) -> tuple[str, ...]:
    """Class names as a tuple of text.

    Raises:
        TableError: A name is there twice, or there is none.
    """
    names = tuple(str(name) for name in classes)
    twice = [name for position, name in enumerate(names) if name in names[:position]]
    if twice:
        raise TableError(f"The class {twice[0]!r} is named twice: give each class its own name.")
    if not names:
        raise TableError("There are no class names: name the classes in the order of their codes.")
    return names


def _coding(
    every: Sequence[Any], classes: Sequence[str] | None, features: Sequence[str] | None
) -> tuple[Any, tuple[str, ...]]:
    given = features if classes is None else classes
    whole = all(isinstance(value, int) for value in every)
    if given is None:
        distinct = sorted(set(every)) if whole else sorted({str(value) for value in every})
        names = tuple(str(value) for value in distinct)
    else:
        names = class_names(given)
    place = {name: code for code, name in enumerate(names)}
    integers = {value for value in every if isinstance(value, int)}
    named = all(str(value) in place for value in integers)
    by_name = given is None or (classes is not None and named)

    def code_of(value: Any) -> int:
        if isinstance(value, int) and not by_name:
            return value if 0 <= value < len(names) else UNKNOWN
        return place.get(str(value), UNKNOWN)

    return code_of, names


def _no_boolean(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _refuse_floats(columns: Mapping[str, Factor], origin: Origin) -> None:
    # A float column of whole numbers has become integers before, so here some value is no code.
    for name, found in columns.items():
        if pa.types.is_floating(found.values.type):
            bad = [not value.is_integer() for value in found.values.to_pylist()]
            problem = "which is no class: give class names or codes, not scores"
            origin.refuse_any(np.array([*bad, False])[found.codes], name, cells(found), problem)


def _refuse_mixture(every: Sequence[Any], origin: Origin) -> None:
    numbers = [value for value in every if isinstance(value, int)]
    names = [value for value in every if isinstance(value, str)]
    if numbers and names:
        raise TableError(
            f"{origin.name}: some classes are numbers ({numbers[0]}) and some are names "
            f"({names[0]!r}): give the class names in the order of the numbers."
        )


def _whole(value: Any) -> Any:
    """A number that was kept as text is a number; "007" is not how a number is written."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value == str(int(value)):
        return int(value)
    return value


def _not_a_class(value: object, names: Sequence[str]) -> str:
    if isinstance(value, int):
        return f"which is neither a class name nor a code from 0 to {len(names) - 1}"
    return f"which is no class name: {nearest(str(value), names)}"
