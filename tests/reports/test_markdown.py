"""The page in short: Markdown that stays Markdown whatever a class is called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports import write_markdown
from reports.markdown import escape
from tests.reports.test_wording import FORBIDDEN


def test_it_says_what_the_page_says(short_page):
    assert short_page.startswith("# prune-audit: digits-demo\n")
    for said in (
        "**● Largest sparsity within every limit: 0.8**",
        "| verdict | ● within | ● within | ● within | ● within | ◐ cannot tell | ▲ over |",
        "- ▲ Recall of class 8 fell by 19.3 points at sparsity 0.95",
        "## Robustness",
        "**Not asked here**",
        "prune-audit run digits-demo.yaml",
        "The 10 worst of 100 rows; report.html has more, findings.json all.",
    ):
        assert said in short_page, said


def test_it_is_short_and_promises_nothing(short_page):
    assert len(short_page.encode()) < 60_000
    assert FORBIDDEN.findall(short_page) == []


def test_the_same_findings_give_the_same_bytes(run_folder, short_page, tmp_path):
    assert write_markdown(run_folder, tmp_path / "again.md").read_text() == short_page


def test_every_row_of_a_table_has_as_many_cells_as_its_head(hostile_folder, tmp_path):
    text = write_markdown(hostile_folder, tmp_path / "r.md").read_text()
    width = None
    for line in text.splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = len(re.split(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width, line


def test_hostile_names_render_as_text(hostile_folder, tmp_path):
    text = write_markdown(hostile_folder, tmp_path / "r.md").read_text()
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;img src=x onerror=alert(2)&gt;" in html


@pytest.mark.parametrize("text", ["- x", "+ x", "1. x", "12) x", "---", "===", "-", "# x", "> x"])
def test_a_name_begins_no_block(text):
    html = MarkdownIt("commonmark").render(f"before\n\n{escape(text)}\n")
    assert re.findall(r"<(\w+)", html) == ["p", "p"]


def test_signed_numbers_read_as_they_are():
    assert escape("+0.08") == "+0.08"
    assert escape("−5.4 (n = 3)") == "−5.4 (n = 3)"


@given(st.text(max_size=40))
def test_escaped_text_comes_back_as_it_was(text):
    shown = " ".join(text.split())
    html = MarkdownIt("commonmark", {"html": True}).renderInline(f"x{escape(text)}x")
    plain = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    plain = plain.replace("&amp;", "&")
    assert "<em>" not in html
    assert plain.replace("\ufffd", "") == f"x{shown}x".replace("\x00", "").replace("\ufffd", "")
