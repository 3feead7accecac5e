"""What a notebook shows: the verdict and the sentences as text, figures with their own colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reports
from reports import show
from tests.reports import sample


@pytest.fixture(scope="module")
def displayed():
    """What IPython makes of a value that stands last in a cell: text by media type."""
    interactive = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is missing")
    formatter = interactive.InteractiveShell.instance().display_formatter
    yield lambda value: formatter.format(value)[0]
    interactive.InteractiveShell.clear_instance()


def test_a_cell_shows_the_verdict(displayed, run_folder):
    shown = displayed(show(run_folder, draw=False))
    assert set(shown) == {"text/plain", "text/html"}
    html, text = shown["text/html"], shown["text/plain"]
    assert "Largest sparsity within every limit: 0.8" in html
    assert "<th>Accuracy falls by at most 2.0 points (owner: quality board)</th>" in html
    assert "<li>over: " in html
    assert "Largest sparsity within every limit: 0.8" in text
    assert "\nover: Recall of class 8 fell by 19.3 points" in text
    assert len(text) < 10_000  # a notebook's file keeps it beside the HTML


def test_a_cell_shows_a_figure_with_its_colours_and_numbers(displayed, run_folder):
    figures = show(run_folder).figures
    assert {"accuracy-0", "losses-0", "recall-0"} <= set(figures)
    shown = displayed(figures["accuracy-0"])
    html = shown["text/html"]
    assert "--pruned: #b8420f" in html
    assert 'role="img" aria-label="Accuracy: parents stand at' in html
    assert "<svg" in html
    assert "<details><summary>Numbers of this figure</summary><table>" in html
    assert shown["text/plain"].startswith("Accuracy: parents stand at 97.9\u202f%; pruned models")
    assert displayed(figures["losses-0"])["text/plain"].startswith("Who loses: ")


def test_the_example_of_the_docs_runs(displayed):
    guide = (Path(reports.__file__).parents[1] / "docs" / "report.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.S)
    made: dict[str, object] = {}
    exec(example, made)
    assert "Recall of class 2 fell by 28.3 points" in displayed(made["shown"])["text/html"]
    assert "recall-0" in made["shown"].figures


def test_names_are_text():
    findings = sample.made(classes=sample.HOSTILE, methods=("<img src=x onerror=alert(2)>",))
    html = show(findings, draw=False)._repr_html_()
    assert "<img" not in html
    assert "<script" not in html
