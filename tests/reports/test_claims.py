"""Findings as rows: what every claim shows, in which order, and what is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.judgement.findings import Finding
from reports.claims import claims_table
from reports.intervals import WIDTH
from reports.sections.placing import placed, section_of
from reports.select import established, harm, whom, worst_first
from tests.reports import sample

ONE = Finding(
    id="one",
    measure="group_fnr",
    unit="fraction",
    method="m",
    sparsity=0.9,
    subject="a=b",
    groups="a=b",
    parent=0.02,
    pruned=0.05,
    control=0.021,
    change=0.03,
    low=0.01,
    high=0.05,
    n=61,
    parents=7,
    discordant=4,
    generalises_to="both",
    p=0.01,
    p_adjusted=0.04,
    tier="A",
    worse_direction="up",
    limit=0.02,
    limit_name="max_group_fnr_increase",
    outcome="cannot_tell",
    reason="at most 4.7 points; screen, no claim",
)


def table(*findings, **options):
    made = claims_table("t", "caption", findings, alpha=0.05, **options)
    assert made is not None
    return made


def cells(made, row=0):
    return {c.heading: cell for c, cell in zip(made.columns, made.rows[row].cells, strict=True)}


def test_every_claim_shows_what_it_takes_to_weigh_it():
    found = cells(table(ONE))
    texts = {heading.replace("\u202f", " "): cell.text for heading, cell in found.items()}
    assert texts == {
        "group": "a=b",
        "sparsity": "0.9",
        "outcome": "cannot tell",
        "pruned": "5.0\u202f%",
        "change, points": "+3.0",
        "drawn": "",
        "95 % interval, points": "+1.0 to +5.0",
        "n": "61",
        "changed": "4",
        "p, corrected": "0.040",
        "tier": "A",
        "generalises to": "both",
        "limit": "2.0",
        "parent": "2.0\u202f%",
        "control": "2.1\u202f%",
        "finding": "one",
    }
    assert found["outcome"].outcome == "cannot_tell"


def test_the_reason_is_a_note_without_what_the_tier_says_already():
    made = table(ONE)
    assert made.notes == ("at most 4.7 points",)
    assert cells(made)["outcome"].note == 1


def test_a_bar_runs_from_the_least_to_the_greatest_with_zero_and_limit():
    bar = cells(table(ONE))["drawn"].bar
    assert bar is not None
    assert (bar.zero, bar.low, bar.at, bar.high, bar.limit) == (0, 40, 120, WIDTH, 80)
    fell = replace(ONE, change=-0.03, low=-0.05, high=-0.01, worse_direction="down")
    bar = cells(table(fell))["drawn"].bar
    assert bar is not None
    assert (bar.zero, bar.low, bar.at, bar.high, bar.limit) == (WIDTH, 0, 80, 160, 120)


def test_an_interval_of_a_level_is_no_interval_of_a_change():
    level = replace(ONE, measure="recall_level", low=0.8, high=0.9, change=None, limit=None)
    found = cells(table(level))
    assert found[next(h for h in found if "interval" in h)].text == "80.0\u202f% to 90.0\u202f%"
    assert found["drawn"].bar is None
    bound = replace(
        ONE, measure="prune_potential", unit="sparsity", change=None, low=0.5, high=None
    )
    found = cells(table(bound))
    assert found[next(h for h in found if "interval" in h)].text == "at least 0.5"


def test_what_was_not_measured_has_no_column_and_what_is_undefined_a_dash():
    bare = Finding(id="b", measure="accuracy", unit="fraction", method="m", sparsity=0.5)
    found = cells(table(bare, replace(ONE, groups=None, subject=None)), row=1)
    assert found["p, corrected"].text == "–"
    assert found["n"].text == "–"
    assert "control" not in cells(table(bare))


def test_worst_first():
    def one(name, outcome, change, tier="C"):
        return replace(ONE, id=name, outcome=outcome, change=change, tier=tier)

    ordered = worst_first(
        [
            one("small", "no_limit", 0.01),
            one("within", "within", 0.02),
            one("screen", "no_limit", 0.9, "D"),
            one("unsure", "cannot_tell", 0.01),
            one("free", "no_limit", 0.5),
            one("over", "over", 0.03),
        ]
    )
    names = [f.id for f in ordered]
    assert names == ["over", "unsure", "free", "within", "small", "screen"]


def test_a_long_table_is_cut_aloud_and_never_what_a_sentence_cites():
    many = [replace(ONE, id=f"x{i:04}", change=0.1 + i / 1e4) for i in range(1800)]
    made = table(*many, rows=200, cited={"x0000"})
    assert made.truncated == "Showing 200 of 1,800, worst first; all are in findings.json."
    assert len(made.rows) == 200
    assert made.rows[0].anchor == "f-x1799"
    assert made.rows[-1].anchor == "f-x0000"
    assert table(*many[:200], rows=200).truncated is None


def test_no_findings_no_table():
    assert claims_table("t", "caption", [], alpha=0.05) is None


@pytest.mark.parametrize(
    ("values", "who"),
    [
        ({"groups": None, "subject": None}, "everybody"),
        ({"groups": None, "class_": "8"}, "class"),
        ({}, "group"),
        ({"class_": "8"}, "class in group"),
        ({"groups": None, "subject": "sex"}, "family"),
    ],
)
def test_whom_a_finding_is_about(values, who):
    assert whom(replace(ONE, **values)) == who


def test_harm_has_a_direction():
    assert harm(ONE) == 0.03
    assert harm(replace(ONE, worse_direction="down")) == -0.03
    assert harm(replace(ONE, worse_direction=None)) is None
    assert harm(replace(ONE, change=None)) is None


def test_a_harm_is_established_by_a_corrected_test_and_never_by_a_screen():
    assert established(ONE, 0.05)
    assert not established(ONE, 0.01)
    assert not established(replace(ONE, tier="D"), 0.05)
    assert not established(replace(ONE, change=-0.03), 0.05)
    assert not established(replace(ONE, p_adjusted=None), 0.05)


def test_every_finding_has_exactly_one_section():
    findings = sample.made().findings
    sections = placed(findings)
    assert sum(map(len, sections.values())) == len(findings)
    assert "other" not in sections


@pytest.mark.parametrize(
    ("values", "section"),
    [
        ({}, "subgroups"),
        ({"condition": "fog", "severity": 3.0}, "robustness"),
        ({"measure": "ece", "groups": None, "condition": "fog"}, "calibration"),
        ({"measure": "accuracy", "groups": None, "condition": "fog"}, "robustness"),
        ({"measure": "accuracy", "groups": None}, "tradeoff"),
        ({"measure": "unheard_of"}, "subgroups"),
        ({"measure": "unheard_of", "groups": None, "class_": "8"}, "classes"),
        ({"measure": "unheard_of", "groups": None}, "other"),
    ],
)
def test_a_finding_stands_where_it_is_about(values, section):
    assert section_of(replace(ONE, **values)) == section


def test_both_readers_get_their_interval_these_files_and_this_way_of_pruning():
    found = replace(ONE, examples_low=0.02, examples_high=0.04)
    shown = cells(table(found))["95 % interval for these files, points"]
    assert shown.text.replace("\u202f", " ") == "+2.0 to +4.0"
    alone = replace(found, generalises_to="examples")
    assert "95 % interval for these files, points" not in cells(table(alone))


def test_a_candidates_row_names_the_file_and_a_waived_one_who_waived_it():
    found = cells(table(replace(ONE, model="p0", waiver="waived by A until 2027-01-31: known")))
    assert found["file"].text == "p0"
    assert found["waived"].text.startswith("waived by A")
