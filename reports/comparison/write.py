"""Writes everything that shows a comparison: JSON, HTML and Markdown."""

from __future__ import annotations

from pathlib import Path

from audit.judgement.comparing.comparison import COMPARISON_FILE, Comparison
from reports.comparison.html import FILE as HTML
from reports.comparison.html import write_comparison_html
from reports.comparison.markdown import FILE as MARKDOWN
from reports.comparison.markdown import write_comparison_markdown
from reports.output import write


def write_comparison(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Writes `comparison.json`, `comparison.html` and `comparison.md`, each whole or not at all.

    Raises:
        StoreError: The folder cannot be written.
    """
    into = Path(folder)
    return [
        write(into / COMPARISON_FILE, comparison.to_json()),
        write_comparison_html(comparison, into / HTML),
        write_comparison_markdown(comparison, into / MARKDOWN),
    ]
