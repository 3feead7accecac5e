"""Every table of a report as a file, whole: CSV for a spreadsheet, Parquet for a program."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from audit.evidence.files import write_file
from audit.judgement.findings import RECORD_KEYS
from reports.compose import compose
from reports.document import Document, read
from reports.page import Page, Table
from reports.sections.placing import placed

if TYPE_CHECKING:
    from audit.judgement.findings import Findings

Format = Literal["csv", "parquet"]

# A spreadsheet takes text that begins so for a formula, and runs it.
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+\-]?\d")


def write_tables(
    source: Document | Findings | str | Path, folder: str | Path, kind: Format = "csv"
) -> list[Path]:
    """Writes findings by section, exemplars, bins, models and the page's own tables.

    Numbers are as in `findings.json`, not rounded; the page's own tables hold text as the page
    shows it. In CSV, text that a spreadsheet would run as a formula gets a leading apostrophe.

    Args:
        source: A run folder, or findings in memory.
        folder: Where to write; made if it is not there.
        kind: `csv` or `parquet`.

    Returns:
        The paths that were written, sorted.

    Raises:
        StoreError: A file cannot be written.
    """
    document = read(source)
    target = Path(folder)
    return sorted(
        write_file(target / f"{name}.{kind}", _bytes(frame, kind))
        for name, frame in _frames(document, compose(document, draw=False))
    )


def _frames(document: Document, page: Page) -> Iterator[tuple[str, pd.DataFrame]]:
    every = (*document.asked, *document.not_asked, *document.candidate)
    for key, found in placed(every).items():
        records = [f.record() for f in found]
        yield f"findings-{key}", pd.DataFrame(records, columns=list(RECORD_KEYS))
    beside = {
        "exemplars": document.findings.exemplars,
        "reliability": document.findings.reliability,
        "models": document.models,
        "layers": document.layers,
    }
    yield from ((name, frame) for name, frame in beside.items() if len(frame))
    yield from ((f"table-{table.key}", _shown(table)) for table in _tables(page))


def _tables(page: Page) -> Iterator[Table]:
    yield from (verdict.ladder for verdict in page.verdicts if verdict.ladder is not None)
    for section in (*page.sections, page.limits, page.evidence):
        yield from (table for table in section.tables if not table.claims)
    yield page.provenance


def _shown(table: Table) -> pd.DataFrame:
    columns = [column.heading for column in table.columns]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    return pd.DataFrame(rows, columns=columns)


def _bytes(frame: pd.DataFrame, kind: Format) -> bytes:
    if kind == "parquet":
        out = io.BytesIO()
        frame.to_parquet(out, index=False)
        return out.getvalue()
    harmless = frame.map(_harmless).rename(columns=_harmless)
    return bytes(harmless.to_csv(index=False, lineterminator="\n").encode("utf-8"))


def _harmless(value: object) -> object:
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.match(value):
        return f"'{value}"
    return value
