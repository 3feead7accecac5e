"""The sections on found slices, guards and missing labels: there when asked for, and only then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.judgement.findings import Finding, Findings, finding_id
from audit.judgement.guarding.result import Guarded, GuardResult, Held, Point
from audit.judgement.plan import Guard
from reports.compose import compose
from reports.document import read
from reports.html import write_html
from reports.page import Section
from tests.reports import sample

CURVE = (
    Point(0.0, 0.0, 0.0, 0.0, 0.05, 0.0),
    Point(0.05, 0.05, 0.37, 0.3, 0.44, 0.1),
    Point(0.1, 0.1, 0.54, 0.45, 0.63, 0.2),
    Point(0.2, 0.2, 0.82, 0.75, 0.89, 0.4),
)
HELD = Held("max_accuracy_drop", 0.02, "clean", 0.0, None, None, "over", "within")
RULE = Guarded(
    method=sample.METHOD,
    sparsity=0.7,
    threshold=0.83,
    met="bound",
    validation_share=0.1,
    share=0.11,
    share_low=0.09,
    share_high=0.13,
    recovered=0.54,
    recovered_low=0.45,
    recovered_high=0.63,
    before="over",
    after="within",
    limits=(HELD,),
    curve=CURVE,
    reason="<b>read so</b>",
)
NONE = Guarded(method=sample.METHOD, sparsity=0.9, reason="there are no validation examples")


def finding(measure: str, sparsity: float | None = 0.7, **more: object) -> Finding:
    method = sample.METHOD if sparsity is not None else None
    name = finding_id(measure=measure, sparsity=sparsity, groups=str(more.get("groups")))
    known = {"method": method, "sparsity": sparsity, "tier": "D", "n": 300, "unit": "fraction"}
    return Finding(id=name, measure=measure, **{**known, **more})  # type: ignore[arg-type]


def with_more(*more: Finding, **run: object) -> Findings:
    made = sample.made()
    return replace(made, findings=(*made.findings, *more), run={**made.run, **run})


def sections(findings: Findings) -> dict[str, Section]:
    return {section.key: section for section in compose(read(findings)).sections}


def test_none_of_them_is_there_unasked() -> None:
    assert {"search", "guard", "labelling"}.isdisjoint(sections(sample.made()))


def test_a_slice_stands_with_both_halves_values() -> None:
    about = {"groups": "camera=<old> & site=2", "subject": "camera=<old> & site=2"}
    tested = finding(
        "searched_slice", change=0.04, low=0.01, high=0.07, p=0.01, p_adjusted=0.03, **about
    )
    found = finding("found_slice", change=0.09, n=310, **about)
    nothing = finding("searched_slice", 0.9, detectable=0.1, reason="of 12 slices none lost more")
    section = sections(with_more(tested, found, nothing))["search"]
    (table,) = [t for t in section.tables if t.key == "search-halves"]
    cells = [cell.text for cell in table.rows[0].cells]
    assert cells[2:] == [
        "camera=<old> & site=2",
        "+9.0",
        "310",
        "+4.0",
        "+1.0 to +7.0",
        "300",
        "0.030",
    ]
    assert any("of 12 slices none lost more" in line for line in section.lead)


def test_a_guard_stands_with_its_rule_curve_and_verdicts(tmp_path) -> None:
    result = GuardResult(Guard(), (RULE, NONE))
    asked = finding("guard_deferred", pruned=0.11, low=0.09, high=0.13)
    left = finding("guard_deferred", 0.9, outcome="not_asked", reason=NONE.reason)
    findings = with_more(asked, left, guard=result.record())
    section = sections(findings)["guard"]
    rules, curves, *_ = section.tables
    assert [cell.text for cell in rules.rows[0].cells][2:4] == [
        "confidence below 0.83",
        "10.0\u202f%",
    ]
    assert [cell.outcome for cell in rules.rows[0].cells][-2:] == ["over", "within"]
    assert len(rules.rows) == 1
    assert rules.notes == ("<b>read so</b>",)
    assert [row.cells[2].text[:5] for row in curves.rows] == ["0.0\u202f%"]
    (figure,) = section.figures
    assert "54.0\u202f% at 10 %" in figure.alternative
    assert any("no validation examples" in line for line in section.not_asked)
    page = write_html(findings, tmp_path / "page.html").read_text()
    assert "&lt;b&gt;read so&lt;/b&gt;" in page


def test_a_guard_that_hands_nothing_back_says_so() -> None:
    rule = replace(RULE, threshold=0.0, share=0.0, reason=None)
    findings = with_more(
        finding("guard_deferred", pruned=0.0),
        guard=GuardResult(Guard(to="person"), (rule,)).record(),
    )
    section = sections(findings)["guard"]
    assert section.tables[0].rows[0].cells[2].text == "nothing to hand back"
    assert "a person" in section.lead[0]


@pytest.mark.parametrize("waiting", [True, False])
def test_missing_labels_are_told_with_what_to_do(waiting: bool) -> None:
    missing = finding("unlabelled", None, pruned=0.25, n=400, reason="…")
    findings = with_more(missing)
    if not waiting:
        told = [replace(f, outcome="within") if f.limit_name else f for f in findings.findings]
        findings = replace(findings, findings=tuple(told))
    lead = " ".join(sections(findings)["labelling"].lead)
    assert "100 of 400 examples" in lead
    assert ("prune-audit label" in lead) == waiting
