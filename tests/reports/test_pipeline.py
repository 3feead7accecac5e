"""What a pipeline gets: JUnit XML read back, GitHub annotations, the job's summary."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest

from audit.judgement.findings import Findings, no_exemplars
from audit.judgement.policy.gate import gated
from reports.annotations import github_annotations, step_summary
from reports.junit import junit, write_junit
from tests.audit.judgement.policy.test_applied import answer, applied, scope

HOSTILE = 'g="<b>&amp;\n::error::%0A|`x` 🙂,: \x00\x1b'
TODAY = date(2026, 6, 1)


def chosen(today=TODAY, waivers=(), cannot_tell_too=True):
    """Over in a hostile group, within in another, and one that cannot be told at 0.9."""
    found = [
        answer("group_fpr", 0.05, groups=HOSTILE),
        answer("group_fpr", 0.0, groups="g=b"),
        answer("group_fpr", 0.02, 0.9, groups="g=b"),
    ]
    policy = {"max_group_fpr_increase": 0.02, "waivers": list(waivers)}
    where = scope(0.5, 0.9, groups=(HOSTILE, "g=b"))
    findings, document = applied(found if cannot_tell_too else found[:2], policy, where)
    return gated(Findings({}, document, tuple(findings), no_exemplars()), today=today)


def waiver(**more):
    return {
        "limit": "max_group_fpr_increase",
        "reason": "known",
        "owner": "Ada",
        "expires": "2026-12-31",
        **more,
    }


def suites(each, cannot_tell="fail"):
    return ElementTree.fromstring(junit(each, cannot_tell)).findall("testsuite")


def test_a_suite_per_verdict_a_case_per_finding_and_counts_that_add_up():
    low, high = suites(chosen())
    assert [s.get("name") for s in (low, high)] == ["magnitude at 0.5", "magnitude at 0.9"]
    assert (low.get("tests"), low.get("failures"), low.get("errors")) == ("2", "1", "0")
    assert (high.get("tests"), high.get("failures"), high.get("errors")) == ("1", "0", "1")
    for suite in (low, high):
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.get("tests"))
        for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{kind}")) == int(suite.get(count))


def test_names_that_mean_no_good_survive():
    (failure,) = suites(chosen())[0].findall("testcase/failure")
    (name,) = [
        case.get("name")
        for case in suites(chosen())[0].findall("testcase")
        if case.find("failure") is not None
    ]
    assert HOSTILE.replace("\x00", "\ufffd").replace("\x1b", "\ufffd") in name
    assert "beyond the limit of 2.00 points" in failure.get("message")


def test_not_knowing_is_an_error_or_skipped():
    (_, high) = suites(chosen(), "pass")
    assert (high.get("errors"), high.get("skipped")) == ("0", "1")
    assert "cannot tell" in high.find("testcase/skipped").get("message")


def test_what_is_accepted_is_skipped_and_fails_once_expired():
    (low, _) = suites(chosen(waivers=[waiver()]))
    (skipped,) = low.findall("testcase/skipped")
    assert "accepted by Ada until 2026-12-31: known" in skipped.get("message")
    assert low.get("failures") == "0"
    (late, _) = suites(chosen(date(2027, 1, 1), [waiver()]))
    assert "the waiver expired on 2026-12-31" in late.find("testcase/failure").get("message")


def test_the_same_findings_give_the_same_bytes(tmp_path):
    assert junit(chosen(), "fail") == junit(chosen(), "fail")
    file = write_junit(chosen(), "fail", tmp_path / "deep" / "gate.xml")
    assert file.read_bytes() == junit(chosen(), "fail")


def test_annotations_are_a_line_each_and_worst_first():
    lines = github_annotations(chosen(waivers=[waiver(sparsity=0.9)]), "fail")
    assert len(lines) == 2
    assert [line.split(" ")[0] for line in lines] == ["::error", "::notice"]
    for line in lines:
        assert "\n" not in line
        assert "\r" not in line
        head, _, data = line[2:].partition("::")
        assert re.fullmatch(r"(error|notice) title=[^,:]*", head), head
        assert data
    assert "%25" in lines[0]
    assert "%0A" in lines[0]
    assert "🙂" in lines[0]


@pytest.mark.parametrize(("cannot_tell", "level"), [("fail", "error"), ("pass", "warning")])
def test_not_knowing_annotates_as_it_gates(cannot_tell, level):
    lines = [
        line for line in github_annotations(chosen(), cannot_tell) if "magnitude at 0.9" in line
    ]
    assert [line.split(" ")[0] for line in lines] == [f"::{level}"]


def test_the_summary_is_two_tables_whose_cells_nothing_breaks():
    text = step_summary(chosen(waivers=[waiver(sparsity=0.9)]), "fail")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert bars == {4}
    assert "<b>" not in text
    assert "| magnitude at 0.9 | within | 1 |" in text


def test_all_within_says_nothing():
    each = [replace(one, findings=()) for one in chosen()]
    assert github_annotations(each, "fail") == []
    assert "what the data say" not in step_summary(each, "fail")
