"""Corrupted copies of tables and texts on the command line, and their first rows as a preview."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reports.cli.progress import watcher

if TYPE_CHECKING:
    from rich.table import Table

    from audit.study.writing import Written
    from audit.study.writing.rows import Rows, RowsWanted

TERMINAL = "-"
_FIRST, _MOST_COLUMNS = 3, 8


def corrupt_rows(wanted: RowsWanted, out: Path | None, preview: Path | None, quiet: bool) -> None:
    """Prints the first rows before and after, or writes the copy, or both.

    Raises:
        InputError: The request or the table is at fault.
        StoreError: The copy cannot be written.
    """
    from audit.study.writing.row_files import write_rows
    from audit.study.writing.rows import read_rows

    if preview is not None:
        _refuse_file(preview)
        _print(_sheet(read_rows(wanted)))
    if out is None:
        return
    with watcher(quiet) as watch:
        written = write_rows(wanted, out, watch)
    if not quiet:
        _tell(written, wanted)


def refuse_others(asked: str, **options: object) -> None:
    """Refuses options that would do nothing.

    Args:
        asked: What is made instead of what they are for.
        **options: By name; None or False where one was not given.

    Raises:
        InputError: One was.
    """
    from audit.evidence.errors import InputError

    for option, given in options.items():
        if given is not None and given is not False:
            name = option.replace("_", "-")
            raise InputError(f"--{name} has no use for {asked}: leave it out.")


def _refuse_file(preview: Path) -> None:
    from audit.evidence.errors import InputError

    if str(preview) != TERMINAL:
        raise InputError(
            f"Rows are shown in the terminal and not drawn in {preview}: write --preview -."
        )


def _sheet(rows: Rows) -> Table:
    """The first rows as they are, then under each corruption at the largest severity asked for."""
    from rich.table import Table
    from rich.text import Text

    from audit.study.writing.layouts import Unit

    shown = [name for name in rows.frame.columns if rows.kind != "text" or name == rows.target]
    more = len(shown) - _MOST_COLUMNS
    severity = rows.wanted.severities[-1]
    caption = f"severity {severity:g}" + (f"; {more} more columns not shown" if more > 0 else "")
    sheet, shown = Table(caption=caption), shown[:_MOST_COLUMNS]
    sheet.add_column("corruption", no_wrap=True)
    for heading in ("row", *map(str, shown)):
        sheet.add_column(heading)
    before = rows.frame.iloc[:_FIRST]
    for row in range(len(before)):
        cells = [Text(_said(before[name].iloc[row])) for name in shown]
        sheet.add_row("" if row else "as they are", str(row), *cells)
    for name in rows.names:
        sheet.add_section()
        after = rows.changed(Unit(name, severity), _FIRST)
        for row in range(len(before)):
            cells = [
                _marked(_said(before[one].iloc[row]), _said(after[one].iloc[row])) for one in shown
            ]
            sheet.add_row("" if row else name, str(row), *cells)
    return sheet


def _said(value: Any) -> str:
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _marked(before: str, after: str) -> Any:
    from rich.text import Text

    return Text(after, style="" if before == after else "bold")


def _print(sheet: Table) -> None:
    from rich.console import Console

    Console().print(sheet)


def _tell(written: Written, wanted: RowsWanted) -> None:
    for name, why in written.not_made.items():
        typer.echo(f"left out of {wanted.which}: {name}, because {why}")
    for note in written.notes:
        typer.echo(f"note: {note}")
    there = f", {written.there:,} were there already" if written.there else ""
    units = "1 unit" if written.made == 1 else f"{written.made:,} units"
    typer.echo(f"made: {units} (corruption × severity) of {written.images:,} rows{there}")
    typer.echo(f"written: {written.folder}")
