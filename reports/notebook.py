"""Findings in a notebook: the verdict, the sentences that matter, the first table, and figures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.compose import compose
from reports.document import Document, read
from reports.offline import asset, environment
from reports.page import Cell, Figure, Page, Sentence, Table
from reports.wording import say, word_for

if TYPE_CHECKING:
    from audit.judgement.findings import Findings

_VARIABLES = re.compile(r":root \{\s*(.*?)\n\s*--serif", re.S)


@dataclass(frozen=True, repr=False)
class Drawing:
    """One figure, which a notebook shows with its heading, caption, alternative and numbers."""

    figure: Figure

    def __repr__(self) -> str:
        """What stands in a terminal, and beside the drawing in the notebook's file."""
        heading, told = self.figure.heading, self.figure.alternative
        return told if told.startswith(heading) else f"{heading}: {told}"

    def _repr_html_(self) -> str:
        figure = self.figure
        # A notebook has none of the page's style sheet: its colours come with the drawing.
        style = f"{_colours()} background: var(--paper); color: var(--ink)"
        caption = Markup("<figcaption><b>{}</b> {}</figcaption>").format(
            figure.heading, figure.caption
        )
        drawing = Markup('<div role="img" aria-label="{}">{}</div>').format(
            figure.alternative, Markup(figure.svg)
        )
        numbers = ""
        if figure.data is not None:
            numbers = Markup("<details><summary>{}</summary>{}</details>").format(
                say("figure.data.open"), _table(figure.data)
            )
        return str(
            Markup('<figure style="{}">{}{}{}</figure>').format(style, caption, drawing, numbers)
        )


@dataclass(frozen=True, repr=False)
class Shown:
    """What a notebook shows of an audit; `figures` are for cells of their own."""

    page: Page

    @property
    def figures(self) -> dict[str, Drawing]:
        """Every figure of the report by its key."""
        every = (figure for section in self.page.sections for figure in section.figures)
        return {figure.key: Drawing(figure) for figure in every}

    def __repr__(self) -> str:
        """The same without tables: what a terminal shows."""
        page = self.page
        lines = [f"{page.name}: {page.audited}"]
        lines += [f"{verdict.answer} {verdict.why}".rstrip() for verdict in page.verdicts]
        return "\n".join([*lines, *map(_sentence, page.sentences)])

    def _repr_html_(self) -> str:
        page = self.page
        parts = [Markup("<h3>{}</h3><p>{}</p>").format(page.name, page.audited)]
        for verdict in page.verdicts:
            parts.append(Markup("<p><b>{}</b> {}</p>").format(verdict.answer, verdict.why))
            parts += [] if verdict.ladder is None else [_table(verdict.ladder)]
        said = (Markup("<li>{}</li>").format(_sentence(s)) for s in page.sentences)
        parts.append(Markup("<ul>{}</ul>").format(Markup("").join(said)))
        return str(Markup("\n").join(parts))


def show(source: Document | Findings | str | Path, *, draw: bool = True) -> Shown:
    """An audit as a notebook shows it: `show(findings)`, or `show("runs/digits-demo").figures`.

    Args:
        source: A run folder, or findings in memory.
        draw: Whether to draw the figures, which takes most of the time.

    Raises:
        InputError: There is no such run folder, or there are no findings in it.
    """
    return Shown(compose(read(source), draw=draw))


def _sentence(said: Sentence) -> str:
    return say("notebook.sentence", word=word_for("outcome", said.outcome), text=said.text)


def _table(table: Table) -> Markup:
    head = Markup("").join(Markup("<th>{}</th>").format(c.heading) for c in table.columns)
    rows = (
        Markup("<tr>{}</tr>").format(Markup("").join(map(_cell, range(len(row.cells)), row.cells)))
        for row in table.rows
    )
    return Markup("<table><caption>{}</caption><tr>{}</tr>{}</table>").format(
        table.caption, head, Markup("").join(rows)
    )


def _cell(place: int, cell: Cell) -> Markup:
    word = "" if cell.outcome is None else word_for("outcome", cell.outcome)
    text = cell.text if word in {"", cell.text} else say("notebook.cell", text=cell.text, word=word)
    return Markup("<th>{}</th>" if place == 0 else "<td>{}</td>").format(text)


def _colours() -> str:
    """The light scheme's colours as one style attribute."""
    found = _VARIABLES.search(asset(environment(), "report.css"))
    return " ".join(found[1].split()) if found else ""
