"""The command that renders what a run found: pages, tables, a PDF, or one finding in full."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli.embedding import EmbedOption, note, noted
from reports.cli.studies import Quiet
from reports.cli.tables import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.document import Document


class Format(StrEnum):
    """How tables are written."""

    CSV = "csv"
    PARQUET = "parquet"


def report(
    run: RunFolder,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write to; the run folder by default."),
    ] = None,
    embed: EmbedOption = None,
    tables: Annotated[
        Path | None, typer.Option("--tables", help="Write every table, whole, to this folder, too.")
    ] = None,
    table_format: Annotated[
        Format, typer.Option("--table-format", help="What --tables writes.")
    ] = Format.CSV,
    pdf: Annotated[
        Path | None,
        typer.Option("--pdf", help="Print the report to this file, too (Chromium or WeasyPrint)."),
    ] = None,
    finding: Annotated[
        str | None, typer.Option("--finding", help="Only say how this finding was made.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Render report.html and report.md again from a run's findings, and more if asked.

    Without --embed they hold what they held before: pictures that were left out stay out.

    Example: prune-audit report runs/digits-demo --tables tables --pdf report.pdf
    """
    from reports.document import read
    from reports.verify.hashes import relist

    folder = _folder(run)
    document = read(folder, embed.value if embed is not None else noted(folder) or "thumbnails")
    if finding is not None:
        _say_finding(document, finding)
        return
    made = []
    for path in _written(document, out or folder, tables, table_format, pdf):
        made.append(path)
        if not quiet:
            typer.echo(f"report: {path}")
    if out is None:
        note(folder, document.embed)
        relist(folder, made)


def _folder(run: Path) -> Path:
    from audit.evidence.errors import InputError
    from reports.unfinished import unfinished

    folder = run.parent if run.name == "findings.json" else run
    if not (folder / "findings.json").is_file():
        raise InputError(unfinished(folder))
    return folder


def _written(
    document: Document, out: Path, tables: Path | None, table_format: Format, pdf: Path | None
) -> Iterator[Path]:
    from reports.html import write_html
    from reports.markdown import write_markdown

    yield write_html(document, out / "report.html")
    yield write_markdown(document, out / "report.md")
    if tables is not None:
        from reports.tables import write_tables

        yield from write_tables(document, tables, table_format.value)
    if pdf is not None:
        from reports.pdf import write_pdf

        yield write_pdf(document, pdf)


def _say_finding(document: Document, name: str) -> None:
    from audit.evidence.errors import InputError
    from reports.tracing import text_of

    found = [f for f in document.findings.findings if f.id == name]
    if not found:
        raise InputError(
            f"No finding is named {name!r}: the last column of the report's tables has the names."
        )
    for each in found:
        typer.echo(text_of(document, each))
