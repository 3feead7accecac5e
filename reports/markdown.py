"""Renders the page as Markdown, short: verdict, sentences, and the worst rows of each table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.compose import compose
from reports.document import Document, read
from reports.output import target, write
from reports.page import Cell, Page, Section, Table, Verdict
from reports.quantities import count
from reports.wording import say, word_for

if TYPE_CHECKING:
    from audit.judgement.findings import Findings

FILE = "report.md"
ROWS = 10
SIGNS = {"over": "▲", "within": "●", "cannot_tell": "◐", "not_asked": "○", "no_limit": "–"}

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")
# What would begin a list, rule a line, or underline a heading; a signed number does none of it.
_BLOCK = re.compile(r"^(\d{0,9})([-+.)=])(?=[\s=-]|$)")


def write_markdown(
    source: Document | Findings | str | Path, path: str | Path | None = None
) -> Path:
    """Writes the report as Markdown, whole or not at all.

    Args:
        source: A run folder, or findings in memory.
        path: Where to write; `report.md` in the run folder by default.

    Returns:
        The path that was written.

    Raises:
        InputError: Findings in memory without a path, or a folder without findings.
        StoreError: The file cannot be written.
    """
    document = read(source)
    return write(target(document, path, FILE), render(compose(document, draw=False)))


def render(page: Page) -> str:
    """The page as Markdown: the same page gives the same bytes."""
    return "\n".join(_lines(page)).rstrip() + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, whoever wrote it: no markup, no HTML, no new line."""
    text = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    text = _BLOCK.sub(r"\1\\\2", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _lines(page: Page) -> Iterator[str]:
    yield from (f"# {escape(page.title)}", "", escape(page.audited), "")
    yield from (f"## {say('verdict.heading')}", "")
    for verdict in page.verdicts:
        yield from _verdict(verdict, len(page.verdicts) > 1)
    yield from (f"## {say('sentences.heading')}", "")
    yield from (f"- {SIGNS[s.outcome]} {escape(s.text)}" for s in page.sentences)
    yield ""
    for section in (*page.sections, page.limits):
        yield from _section(section)
    yield from (f"## {say('section.reproduce.heading')}", "", "```", page.reproduce, "```", "")
    yield from (escape(page.reproduce_note), "")


def _verdict(verdict: Verdict, named: bool) -> Iterator[str]:
    if named:
        yield from (f"### {escape(say('verdict.method', method=verdict.method))}", "")
    yield from (f"**{SIGNS[verdict.outcome]} {escape(verdict.answer)}**", "")
    if verdict.why:
        yield from (escape(verdict.why), "")
    if verdict.ladder is not None:
        yield from _table(verdict.ladder, len(verdict.ladder.rows))
    yield from (escape(verdict.explanation), "")


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {escape(section.heading)}", "")
    for sentence in section.lead:
        yield from (escape(sentence), "")
    for table in section.tables:
        if not table.folded:
            yield from _table(table, ROWS)
    if section.not_asked:
        yield from (f"**{say('not_asked.heading')}**", "")
        yield from (f"- {escape(reason)}" for reason in section.not_asked)
        yield ""
    if section.how_to_ask:
        yield from (f"{say('not_asked.ask')}: {escape(section.how_to_ask)}", "")


def _table(table: Table, rows: int) -> Iterator[str]:
    kept = [place for place, column in enumerate(table.columns) if column.kind != "bar"]
    yield from (f"*{escape(table.caption)}*", "")
    yield _row([escape(table.columns[place].heading) for place in kept])
    yield _row(["--:" if table.columns[place].kind == "number" else ":--" for place in kept])
    for row in table.rows[:rows]:
        yield _row([_cell(row.cells[place]) for place in kept])
    yield ""
    if len(table.rows) > rows:
        total = count(len(table.rows))
        yield from (say("markdown.truncated", shown=count(rows), total=total), "")
    if table.truncated:
        yield from (escape(table.truncated), "")


def _cell(cell: Cell) -> str:
    if cell.outcome is None:
        return escape(cell.text)
    word = word_for("outcome", cell.outcome)
    said = cell.text if cell.text == word else f"{cell.text} {word}"
    return f"{SIGNS[cell.outcome]} {escape(said)}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
