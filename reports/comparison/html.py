"""Renders a comparison as one HTML file that needs no network and no script to be read."""

from __future__ import annotations

import json
from pathlib import Path

from markupsafe import Markup

from audit.judgement.comparing.comparison import Comparison
from reports.comparison.compose import compose
from reports.comparison.page import ComparisonPage
from reports.offline import asset, content_policy, environment
from reports.output import write
from reports.wording import say

FILE = "comparison.html"


def write_comparison_html(comparison: Comparison, path: str | Path) -> Path:
    """Writes the comparison as one HTML file, whole or not at all, and returns its path.

    Args:
        comparison: What to show.
        path: The file, or the folder to put `comparison.html` in.

    Raises:
        StoreError: The file cannot be written.
    """
    given = Path(path)
    return write(given / FILE if given.is_dir() else given, render(compose(comparison)))


def render(page: ComparisonPage) -> str:
    """The page as HTML: the same page gives the same bytes."""
    templates = environment()
    style, script = asset(templates, "report.css"), asset(templates, "report.js")
    html = templates.get_template("comparison.html.j2").render(
        page=page,
        contents=_contents(page),
        policy=content_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        words=Markup(_words()),
    )
    return html.lstrip()


def _contents(page: ComparisonPage) -> list[tuple[str, str]]:
    entries = [("verdict", say("comparison.section.rank.heading"))]
    entries += [("sentences", say("comparison.section.moved.heading"))]
    entries += [(section.key, section.heading) for section in page.sections]
    return [*entries, ("method", say("section.method.heading"))]


def _words() -> str:
    """What the script says of tables, as JSON that cannot end the element it stands in."""
    words = {
        "filter": say("table.filter"),
        "outcome": say("table.filter_outcome"),
        "anyOutcome": say("table.any_outcome"),
        "rowsShown": say("table.rows_shown", shown="{shown}", total="{total}"),
    }
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
