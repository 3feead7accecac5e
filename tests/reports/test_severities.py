"""Accuracy by corruption and severity: the parents' row and the pruned models' row of each."""

from __future__ import annotations

from dataclasses import replace

from reports import read
from reports.compose import compose
from reports.page import Table
from tests.reports import sample


def table(run_folder, changed) -> Table | None:
    document = read(run_folder)
    findings = replace(document.findings, findings=changed(document.findings.findings))
    page = compose(replace(document, findings=findings))
    section = next(one for one in page.sections if one.key == "robustness")
    return next((one for one in section.tables if one.key == "severities"), None)


def accuracies(findings):
    """As if the errors under corruption were accuracies: 0.04 of the parents is 4.0 %."""
    return tuple(
        replace(f, measure="accuracy")
        if f.measure == "corruption_error" and f.severity is not None
        else f
        for f in findings
    )


def test_every_corruption_has_two_rows_with_all_severities(run_folder):
    made = table(run_folder, accuracies)
    assert made is not None
    headings = [column.heading for column in made.columns]
    severities = [f"severity {severity:g}" for severity in sample.SEVERITIES]
    assert headings == ["method", "condition", "sparsity", *severities, "n"]
    texts = [[cell.text for cell in row.cells] for row in made.rows]
    names = sorted(sample.CORRUPTIONS)
    assert [row[1] for row in texts] == [name for name in names for _ in range(2)]
    assert {row[2] for row in texts[::2]} == {"parent"}
    assert {row[-1] for row in texts} == {"931"}
    first = sample.CORRUPTIONS[0]  # the parents' is 0.02 + 0.02 · severity
    shown = next(row for row in texts if row[1] == first)
    assert shown[3:-1] == [f"{2 + 2 * s:.1f}\u202f%" for s in sample.SEVERITIES]


def test_a_severity_that_nobody_asked_about_is_undefined(run_folder):
    gone = sample.CORRUPTIONS[0], sample.SEVERITIES[0]

    def without(findings):
        kept = accuracies(findings)
        return tuple(f for f in kept if (f.condition, f.severity) != gone)

    made = table(run_folder, without)
    assert made is not None
    shown = next(row for row in made.rows if row.cells[1].text == gone[0])
    assert shown.cells[3].text == "–"


def test_without_accuracies_under_corruption_there_is_no_table(run_folder):
    assert table(run_folder, lambda findings: findings) is None
