"""Verdicts: every limit against every sparsity, and nothing green by absence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.judgement.findings import Findings, no_exemplars
from reports.document import read
from reports.overview import judged, overviews
from reports.verdict import largest_within, verdicts
from tests.reports import sample

LIMIT = {
    "name": "max_accuracy_drop",
    "limit": 0.02,
    "groups": None,
    "class": None,
    "condition": "clean",
    "severity": None,
    "sparsity": None,
    "method": None,
    "owner": None,
}


def verdict(sparsity, outcome, **counts):
    zero = {"within": 0, "over": 0, "cannot_tell": 0, "not_asked": 0}
    return {"method": "m", "sparsity": sparsity, "outcome": outcome, **zero, **counts}


def test_no_limits_is_no_pass():
    document = read(sample.made(limits=False))
    (only,) = verdicts(document)
    assert only.outcome == "no_limit"
    assert only.ladder is None
    assert "No limits were stated" in only.answer
    assert {row.judged.outcome for row in overviews(document.findings)} == {"no_limit"}


def test_limits_without_a_verdict_cannot_tell():
    policy = {"limits": [LIMIT], "verdicts": [], "largest_within": []}
    assert judged(policy, "m", 0.5).outcome == "cannot_tell"
    assert largest_within(policy, "m")[1] == "cannot_tell"


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ({"within": 3}, "within"),
        ({"within": 3, "over": 1}, "over"),
        ({"within": 3, "cannot_tell": 1}, "cannot_tell"),
        ({"within": 3, "not_asked": 1}, "cannot_tell"),
        ({"over": 1, "cannot_tell": 4}, "over"),
    ],
)
def test_an_outcome_never_reads_better_than_its_counts(counts, outcome):
    policy = {"limits": [LIMIT], "verdicts": [verdict(0.5, "within", **counts)]}
    assert judged(policy, "m", 0.5).outcome == outcome


def test_a_worse_outcome_than_the_counts_stands():
    policy = {"limits": [LIMIT], "verdicts": [verdict(0.5, "over", within=3)]}
    assert judged(policy, "m", 0.5).outcome == "over"


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([verdict(0.5, "over", over=1), verdict(0.9, "over", over=1)], "over"),
        ([verdict(0.5, "cannot_tell", cannot_tell=1), verdict(0.9, "over", over=1)], "cannot_tell"),
        ([verdict(0.5, "within", within=1), verdict(None, "over", over=1)], "over"),
    ],
)
def test_none_within_is_told_from_cannot_tell(found, outcome):
    policy = {"limits": [LIMIT], "verdicts": found, "largest_within": [{"method": "m"}]}
    assert largest_within(policy, "m")[1] == outcome


def test_the_ladder_has_every_limit_at_every_sparsity():
    (only,) = verdicts(read(sample.made()))
    assert only.answer == "Largest sparsity within every limit: 0.8"
    assert only.ladder is not None
    assert [c.heading for c in only.ladder.columns] == [
        "limit", "0.3", "0.5", "0.7", "0.8", "0.9", "0.95", "any sparsity",
    ]  # fmt: skip
    titles = [row.cells[0].text for row in only.ladder.rows]
    assert titles[0] == "verdict"
    assert titles[1] == "Accuracy falls by at most 2.0 points (owner: quality board)"
    assert titles[-1] == "limits by outcome"
    verdict_row = [cell.outcome for cell in only.ladder.rows[0].cells[1:]]
    assert verdict_row == [*["within"] * 4, "cannot_tell", "over", "within"]
    recall = only.ladder.rows[2].cells
    assert (recall[6].text, recall[6].outcome) == ("−19.3", "over")
    assert recall[6].href is not None


def test_a_cell_shows_the_worst_answer_that_the_limit_covers():
    findings = sample.made()
    found = [f for f in findings.findings if f.measure == "recall" and f.sparsity == 0.3]
    bad = replace(found[0], outcome="cannot_tell", change=0.5)
    changed = tuple(bad if f is found[0] else f for f in findings.findings)
    document = read(Findings(findings.run, findings.policy, changed, no_exemplars()))
    ladder = verdicts(document)[0].ladder
    assert ladder is not None
    cell = ladder.rows[2].cells[1]
    assert (cell.outcome, cell.href) == ("cannot_tell", f"#f-{bad.id}")


def test_a_limit_that_nothing_answers_is_not_asked_in_its_cell():
    findings = sample.made()
    kept = tuple(f for f in findings.findings if f.measure != "group_accuracy")
    document = read(Findings(findings.run, findings.policy, kept, no_exemplars()))
    ladder = verdicts(document)[0].ladder
    assert ladder is not None
    row = next(row for row in ladder.rows if row.cells[0].text.startswith("Accuracy of a group"))
    assert [cell.outcome for cell in row.cells[1:7]] == ["not_asked"] * 6


def test_no_pruned_model_cannot_tell():
    (only,) = verdicts(read(Findings({}, {}, (), no_exemplars())))
    assert only.outcome == "cannot_tell"


def test_a_method_without_a_name_is_judged_too():
    findings = sample.made()
    nameless = tuple(replace(f, method=None) for f in findings.findings)
    policy = {
        key: [{**entry, "method": None} for entry in entries]
        for key, entries in findings.policy.items()
    }
    document = read(Findings(findings.run, policy, nameless, no_exemplars()))
    assert [row.judged.outcome for row in overviews(document.findings)][-1] == "over"
    assert verdicts(document)[0].answer == "Largest sparsity within every limit: 0.8"


def test_a_limit_of_one_sparsity_leaves_the_others_blank():
    findings = sample.made()
    limit = {**findings.policy["limits"][0], "sparsity": 0.5}
    policy = {**findings.policy, "limits": [limit]}
    document = read(replace(findings, policy=policy))
    ladder = verdicts(document)[0].ladder
    assert ladder is not None
    assert [cell.outcome for cell in ladder.rows[1].cells[1:4]] == [None, "within", None]
