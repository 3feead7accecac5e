"""How far to prune, the bins behind calibration errors, and the practices that are ticked."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from audit.judgement.advice import advice
from audit.judgement.blalock import blalock
from audit.judgement.findings import RELIABILITY_COLUMNS, Findings, no_exemplars
from reports import read
from reports.compose import compose
from reports.html import render
from tests.reports import sample


@pytest.fixture(scope="module")
def findings() -> Findings:
    made = sample.made()
    levels = dict.fromkeys((f.method, f.sparsity) for f in made.findings if f.sparsity is not None)
    rows = [
        (*arm, "clean", 0.0, role, place, place / 15, (place + 1) / 15, 30, 0.1, 0.5, 0.4)
        for arm in levels
        for role in ("parent", "pruned", "control")
        for place in (7, 14)
    ]
    other = [(*row[:2], "fog", *row[3:]) for row in rows]
    table = pd.DataFrame([*rows, *other], columns=list(RELIABILITY_COLUMNS))
    return replace(made, reliability=table)


def section(findings, key):
    return next(s for s in compose(read(findings)).sections if s.key == key)


def test_every_sentence_leads_to_the_rows_it_rests_on(findings):
    page = compose(read(findings))
    (table,) = next(s for s in page.sections if s.key == "advice").tables
    given = advice(findings)
    assert [row.cells[1].text for row in table.rows if row.cells[1].text] == [a.text for a in given]
    links = {cell.href for row in table.rows for cell in row.cells if cell.href}
    assert links == {f"#f-{name}" for a in given for name in a.findings}
    markup = render(page)
    for link in links:
        assert f'id="{link[1:]}"' in markup
        assert f'href="{link}"' in markup


def test_nothing_to_advise_is_no_section():
    nothing = Findings({}, {}, (), no_exemplars())
    assert "advice" not in {s.key for s in compose(read(nothing)).sections}


def test_the_bins_of_clean_examples_are_printed_and_drawn(findings):
    found = section(findings, "calibration")
    table = next(t for t in found.tables if t.key == "calibration-bins")
    assert len(table.rows) == 6
    assert [cell.text for cell in table.rows[0].cells[1:4]] == ["parents", "0.47–0.53", "30"]
    (figure,) = [f for f in found.figures if f.key.startswith("reliability")]
    assert "right 40.0" in figure.alternative
    without = section(sample.made(), "calibration")
    assert not [t for t in without.tables if t.key == "calibration-bins"]


def test_practices_are_ticked(findings):
    accuracy = next(f for f in findings.findings if f.measure == "accuracy")
    ratio = replace(accuracy, id="0" * 12, measure="compression_ratio", unit="ratio", change=None)
    findings = replace(findings, findings=(*findings.findings, ratio))
    document = read(findings)
    table = next(
        t for t in section(findings, "compression").tables if t.key == "compression-practices"
    )
    ticks = blalock(findings, document.models, document.layers)
    assert [row.cells[1].text for row in table.rows] == ["yes" if t.done else "no" for t in ticks]
