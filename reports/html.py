"""Renders the page as one HTML file that needs no network, no server and no script to be read."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reports.compose import compose
from reports.document import Document, read
from reports.output import target, write
from reports.page import Page
from reports.wording import say, say_count, word_for

if TYPE_CHECKING:
    from audit.judgement.findings import Findings

FILE = "report.html"
_BACKTICKS = re.compile(r"`([^`]+)`")
_LAST = ("method", "limits", "provenance", "reproduce", "glossary")


def write_html(source: Document | Findings | str | Path, path: str | Path | None = None) -> Path:
    """Writes the report as one HTML file, whole or not at all.

    Args:
        source: A run folder, or findings in memory (then there is no gallery).
        path: Where to write; `report.html` in the run folder by default.

    Returns:
        The path that was written.

    Raises:
        InputError: Findings in memory without a path, or a folder without findings.
        StoreError: The file cannot be written.
    """
    document = read(source)
    return write(target(document, path, FILE), render(compose(document)))


def render(page: Page) -> str:
    """The page as HTML: the same page gives the same bytes."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(say=say, say_count=say_count, word_for=word_for)
    environment.filters["code"] = _code
    # Only our own drawings go in unescaped, and they were serialised as XML.
    environment.filters["markup"] = Markup
    style, script = _asset(environment, "report.css"), _asset(environment, "report.js")
    words = _words(page)
    html = environment.get_template("report.html.j2").render(
        page=page,
        contents=_contents(page),
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        words=Markup(words),
    )
    return html.lstrip()


def _code(text: str) -> Markup:
    """Escaped text in which what stands between backticks is set as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))


def _asset(environment: Environment, name: str) -> str:
    if environment.loader is None:
        return ""
    return environment.loader.get_source(environment, name)[0]


def _policy(style: str, script: str) -> str:
    """A content security policy under which nothing is loaded and only this script runs."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _contents(page: Page) -> list[tuple[str, str]]:
    entries = [("verdict", say("verdict.heading")), ("sentences", say("sentences.heading"))]
    entries += [(section.key, section.heading) for section in page.sections]
    return entries + [(key, say(f"section.{key}.heading")) for key in _LAST]


def _words(page: Page) -> str:
    """What the script says, as JSON that cannot end the element it stands in."""
    galleries = [section.gallery for section in page.sections if section.gallery is not None]
    words = {
        "filter": say("table.filter"),
        "outcome": say("table.filter_outcome"),
        "anyOutcome": say("table.any_outcome"),
        "rowsShown": say("table.rows_shown", shown="{shown}", total="{total}"),
        "kind": say("exemplars.filter_kind"),
        "sparsity": say("exemplars.filter_sparsity"),
        "find": say("exemplars.filter_text"),
        "any": say("exemplars.any"),
        "cardsShown": say("exemplars.shown", shown="{shown}", total="{total}"),
        "kinds": [kind for gallery in galleries for kind in gallery.kinds],
        "sparsities": [level for gallery in galleries for level in gallery.sparsities],
    }
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
