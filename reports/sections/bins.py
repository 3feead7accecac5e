"""The bins behind every calibration error: how sure the models were, and how often right."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from reports.names import method_name
from reports.page import Cell, Column, Row, Table
from reports.quantities import count, number, percent
from reports.sections.context import Context
from reports.wording import say

_COLUMNS = ("method", "role", "bin", "predictions", "mean_confidence", "right")


def bins_table(context: Context) -> Table | None:
    """The bins on clean examples, at the sparsity to look at closely of every method."""
    methods = context.document.methods
    frames = [rows for method in methods if len(rows := chosen(context, method))]
    if not frames:
        return None
    return Table(
        key="calibration-bins",
        caption=say("table.bins"),
        columns=tuple(
            Column(say(f"column.{name}"), "text" if name in {"method", "role"} else "number")
            for name in _COLUMNS
        ),
        rows=tuple(_row(row) for frame in frames for row in frame.to_dict("records")),
        folded=True,
    )


def _row(row: Mapping[Hashable, Any]) -> Row:
    cells = (
        method_name(str(row["method"])),
        say(f"figure.role.{row['role']}"),
        f"{number(row['low'], 2)}–{number(row['high'], 2)}",
        count(int(row["n"])),
        percent(row["confidence"]),
        percent(row["accuracy"]),
    )
    return Row(tuple(map(Cell, cells)))


def chosen(context: Context, method: str) -> pd.DataFrame:
    """The bins of one method on clean examples, at the sparsity to look at closely."""
    rows = context.document.findings.reliability
    at = context.focus.get(method)
    if not len(rows):
        return rows
    same = rows["sparsity"].isna() if at is None else rows["sparsity"] == at
    clean = rows["condition"] == "clean"
    return rows[clean & same & (rows["method"].fillna("") == method)]
