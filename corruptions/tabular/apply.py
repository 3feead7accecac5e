"""Corrupt the rows of a table: the one call that everything else goes through."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..draws import stream
from ..images import Ids, check_ids, check_seed, check_severity
from ..spelling import unknown
from .catalog import TABLE_CORRUPTIONS, TableCorruption, find_table
from .cells import of_column
from .constants import SIZES
from .custom import run_custom_table
from .profile import Profile, Reference, measure

LABEL = "label"


def corrupt_table(
    frame: pd.DataFrame,
    name: str | Callable[..., Any],
    severity: float,
    *,
    seed: int = 0,
    ids: Iterable[int] | Iterable[str] | None = None,
    reference: pd.DataFrame | Reference | None = None,
    columns: Sequence[Hashable] | None = None,
    label: Hashable | None = LABEL,
) -> pd.DataFrame:
    """The same rows, changed by one corruption at one severity.

    A row's result depends on its values, the reference, the corruption, the severity, the seed, its
    id and its columns' names, and on nothing else: not on the other rows, their order, the order of
    the columns or the batch size. The label column is never touched. Draws do not depend on the
    severity, so that higher severities change what lower ones change, and more.

    Args:
        frame: Rows; any index. Numbers (integers stay integers), booleans, texts, categories and
            their nullable types; other columns stay, but for `missing_values`.
        name: A name from `TABLE_CORRUPTIONS`, one of its functions, or a function of one's own,
            called as function(frame, severity, seed=seed, ids=ids) with the columns that may be
            changed, and held to the same promises.
        severity: 0 (the identity), or 1 to 5; between whole numbers the constants are interpolated.
        seed: Which draws to take.
        ids: One for each row, integers or strings, unique; 0 to N−1 by default, whatever the index.
        reference: The rows that spreads, ranges and marginals are taken from, or what `measure`
            found in them: the training rows. None takes the frame itself; then rows depend on it.
        columns: The columns to change where they are of a kind that the corruption changes; all but
            the label by default.
        label: The column that is never touched; None where every column is an input.

    Returns:
        A new table with the same index and columns in the same order and of the same types, but
        that integers and booleans become nullable where values may go missing.

    Raises:
        TypeError: No table; a severity, seed or id of another type.
        ValueError: Unknown name (the nearest is offered), severity out of range, ids not unique,
            columns that are not there, there twice or not in the reference, the label among them,
            or no column of a kind that the corruption changes.
    """
    known = _named(name)
    check_frame(frame)
    level, seed = check_severity(severity), check_seed(seed)
    identities = check_ids(ids, len(frame), "rows")
    wanted = _wanted(frame, columns, label)
    if known is None:
        return _custom(name, frame, wanted, level, seed, identities)
    row = find_table(known)
    result = frame.copy()
    if not level or not len(frame):
        return result
    if not isinstance(reference, Reference):
        reference = measure(frame if reference is None else check_frame(reference))
    draws = stream(seed, known, 0.0, identities)
    constants = SIZES.constants(known, level)
    profiles = {column: reference.of(frame[column]) for column in wanted}
    for column in _fit(profiles, known, row):
        own = of_column(draws, column)
        result[column] = row.function(frame[column], profiles[column], own, *constants)
    return result


def check_frame(frame: object) -> pd.DataFrame:
    """The frame itself.

    Raises:
        TypeError: It is none.
        ValueError: Two of its columns have one name.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"a table must be a pandas.DataFrame, not {type(frame).__name__}: make one of it first."
        )
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"the column {twice!r} is there twice: give each a name of its own.")
    return frame


def _named(name: object) -> str | None:
    """The name of one of our functions; None for somebody else's."""
    if isinstance(name, str):
        find_table(name)
        return name
    return next((known for known, row in TABLE_CORRUPTIONS.items() if row.function is name), None)


def _custom(
    function: Any, frame: pd.DataFrame, wanted: list[Hashable], level: float, seed: int, ids: Ids
) -> pd.DataFrame:
    """The rows with what somebody else's function makes of the columns that may be changed."""
    if not callable(function):
        raise TypeError(f"a corruption is a name or a function, not {function!r}.")
    result = frame.copy()
    if len(frame):
        changed = run_custom_table(function, frame[wanted], level, seed, ids)
        for column in wanted:
            result[column] = changed[column]
    return result


def _wanted(
    frame: pd.DataFrame, columns: Sequence[Hashable] | None, label: Hashable | None
) -> list[Hashable]:
    """The columns that may be changed."""
    if label not in (None, LABEL) and label not in frame:
        raise unknown("label column", label, map(str, frame.columns))
    if isinstance(columns, str):
        raise TypeError(f"columns must be a list of names, not {columns!r}: write [{columns!r}].")
    if columns is None:
        return [one for one in frame.columns if one != label]
    for one in columns:
        if one == label:
            raise ValueError(f"{label!r} is the label, which is never changed: take it out.")
        if one not in frame:
            raise unknown("column", one, map(str, frame.columns))
    return list(columns)


def _fit(profiles: Mapping[Hashable, Profile], name: str, row: TableCorruption) -> list[Hashable]:
    """The columns of a kind that the corruption changes, as the reference has them."""
    fit = [column for column, profile in profiles.items() if profile.kind in row.kinds]
    if not fit:
        raise ValueError(
            f"{name} changes columns of kind {' or '.join(row.kinds)}, and none is: "
            "choose another corruption or other columns."
        )
    return fit
