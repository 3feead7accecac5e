"""Names conditions as folders, puts them in order, and finds them in the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.check import Origin
from audit.evidence.columns import Codes, as_text, factor, numbers
from audit.evidence.errors import TableError
from audit.evidence.schema import MOST_SEVERE

NATURAL = "natural"
FOLDER = re.compile(r"(?P<name>[^@]+)@(?P<severity>natural|[0-9.e+-]+)")


def folder_name(condition: Condition) -> str:
    """The name of a condition's folder: `<quoted name>@<severity or "natural">`."""
    return f"{quote(condition.name, safe='')}@{_severity(condition.severity)}"


def condition_of(folder: str) -> Condition:
    """The condition that a folder's name says.

    Raises:
        TableError: It is no condition's name.
    """
    found = FOLDER.fullmatch(folder)
    try:
        if found is not None:
            severity = found["severity"]
            return Condition(
                unquote(found["name"]), None if severity == NATURAL else float(severity)
            )
    except ValueError:
        pass
    raise TableError(
        f"predictions/{folder} is no condition's folder: name it <condition>@<severity>."
    )


def in_order(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Clean first, then by name and severity, a natural shift after the severities of its name."""

    def key(condition: Condition) -> tuple[bool, str, bool, float]:
        severity = condition.severity
        return condition != CLEAN, condition.name, severity is None, severity or 0.0

    return tuple(sorted(conditions, key=key))


def say(condition: Condition) -> str:
    """A condition in words: `clean`, `fog at severity 3`, or the name of a natural shift."""
    if condition.severity is None or condition == CLEAN:
        return condition.name
    return f"{condition.name} at severity {_severity(condition.severity)}"


def code_conditions(table: pa.Table, origin: Origin) -> tuple[tuple[Condition, ...], Codes]:
    """Finds the conditions of a flat table.

    Args:
        table: `condition` (clean where empty or absent) and `severity` (where empty or absent: 0
            for clean, and otherwise a natural shift).
        origin: Where the rows came from.

    Returns:
        The conditions in order, and the index of each row's condition, int32 [rows].

    Raises:
        TableError: A severity that is out of range or contradicts the condition.
    """
    names, codes = [CLEAN.name], np.zeros(table.num_rows, np.int32)
    if "condition" in table.column_names:
        found = as_text(factor(table.column("condition")))
        names = [*found.values.to_pylist(), CLEAN.name]  # empty cells have code -1, the last
        codes = np.where(found.codes < 0, len(names) - 1, found.codes).astype(np.int32)
    clean = np.array([name == CLEAN.name for name in names])[codes]
    severity = _severities(table, clean, origin)
    levels, level_values = pd.factorize(severity)  # NaN, a natural shift, has code -1
    pairs, pair_values = pd.factorize(codes.astype(np.int64) * (len(level_values) + 1) + levels + 1)
    found_conditions = []
    for pair in pair_values.tolist():
        name, level = divmod(pair, len(level_values) + 1)
        value = float(level_values[level - 1]) if level else None
        found_conditions.append(Condition(names[name], value))
    conditions = in_order(set(found_conditions))
    place = np.array([conditions.index(condition) for condition in found_conditions], np.int32)
    return conditions, place[pairs]


def _severities(table: pa.Table, clean: NDArray[np.bool_], origin: Origin) -> NDArray[np.float64]:
    severity = np.full(table.num_rows, np.nan)
    if "severity" in table.column_names:
        severity = numbers(table.column("severity"), "severity", origin)
    severity = np.where(clean & np.isnan(severity), 0.0, severity)
    wrong = ~(np.isnan(severity) | ((severity >= 0.0) & (severity <= MOST_SEVERE)))
    problem = f"which is no severity: give 0 to {MOST_SEVERE:g}, or nothing for a natural shift"
    origin.refuse_any(wrong, "severity", severity, problem)
    problem = "but the condition is clean: name the corruption, or give 0"
    origin.refuse_any(clean & (severity != 0.0), "severity", severity, problem)
    problem = "which is no corruption at all: call the condition clean"
    origin.refuse_any(~clean & (severity == 0.0), "severity", severity, problem)
    return severity


def _severity(severity: float | None) -> str:
    if severity is None:
        return NATURAL
    return str(int(severity)) if float(severity).is_integer() else repr(float(severity))
