"""Renders a comparison as Markdown, short: the order, what moved most, and the worst rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from audit.judgement.comparing.comparison import Comparison
from reports.comparison.compose import compose
from reports.comparison.page import ComparisonPage
from reports.markdown import SIGNS, escape
from reports.output import write
from reports.page import Cell, Table
from reports.quantities import count
from reports.wording import say

FILE = "comparison.md"
ROWS = 10
WHOLE = ("grid", "recipes-table", "practices-table")


def write_comparison_markdown(comparison: Comparison, path: str | Path) -> Path:
    """Writes the comparison as Markdown, whole or not at all, and returns its path.

    Args:
        comparison: What to show.
        path: The file, or the folder to put `comparison.md` in.

    Raises:
        StoreError: The file cannot be written.
    """
    given = Path(path)
    return write(given / FILE if given.is_dir() else given, render(compose(comparison)))


def render(page: ComparisonPage) -> str:
    """The page as Markdown: the same page gives the same bytes."""
    return "\n".join(_lines(page)).rstrip() + "\n"


def _lines(page: ComparisonPage) -> Iterator[str]:
    yield from (f"# {escape(page.title)}", "", escape(page.compared), "")
    yield from (f"## {say('comparison.section.rank.heading')}", "")
    for answer in page.answers:
        yield from (f"**{SIGNS[answer.outcome]} {escape(answer.text)}**", "")
        for sentence in answer.why:
            yield from (escape(sentence), "")
        if answer.table is not None:
            yield from _table(answer.table, len(answer.table.rows))
    yield from (f"## {say('comparison.section.moved.heading')}", "")
    yield from (f"- {SIGNS[s.outcome]} {escape(s.text)}" for s in page.sentences)
    yield ""
    for section in page.sections:
        yield from (f"## {escape(section.heading)}", "")
        for sentence in section.lead:
            yield from (escape(sentence), "")
        for table in section.tables:
            if not table.folded:
                yield from _table(table, len(table.rows) if table.key in WHOLE else ROWS)


def _table(table: Table, rows: int) -> Iterator[str]:
    kept = [place for place, column in enumerate(table.columns) if column.kind != "bar"]
    yield from (f"*{escape(table.caption)}*", "")
    yield _row([escape(table.columns[place].heading) for place in kept])
    yield _row(["--:" if table.columns[place].kind == "number" else ":--" for place in kept])
    for row in table.rows[:rows]:
        yield _row([_cell(row.cells[place]) for place in kept])
    yield ""
    if len(table.rows) > rows:
        shown, total = count(rows), count(len(table.rows))
        yield from (say("comparison.markdown_cut", shown=shown, total=total), "")


def _cell(cell: Cell) -> str:
    return (
        escape(cell.text) if cell.outcome is None else f"{SIGNS[cell.outcome]} {escape(cell.text)}"
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
