"""Who reviewed what: rates, agreement and the record's state, and what is hidden for sharing."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from reports.dossier import Sharing
from reports.dossier.impact import Impact
from reports.dossier.overlap import Overlap
from reports.dossier.reviewed import review
from reports.dossier.subject import open_subject
from reports.dossier.supplies import Holdings
from reports.page import Section, Table
from tests.reports.sample import run_folder
from tests.reports.test_review_section import reviewed

KEY = bytes(32)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return reviewed(run_folder(tmp_path / "run", pictures=False))


def section(run: Path, **sharing: object) -> Section:
    subject = open_subject(run, Sharing(**sharing))  # type: ignore[arg-type]
    nothing = Overlap({}, (), "not asked"), Impact((), reason="not asked")
    return review(Holdings(subject, (), *nothing, (), 0, {}, signed=False), KEY)


def table(found: Section, key: str) -> Table:
    return next(each for each in found.tables if each.key == key)


def text(found: Section) -> str:
    return " ".join(found.lead)


def with_chain(run: Path, name: str, rows: int, digest: str) -> None:
    path = run / "review" / f"{name}.parquet"
    known = pq.read_table(path)
    about = json.loads((known.schema.metadata or {}).get(b"prune_audit", b"{}"))
    about["chain"] = {"rows": rows, "sha256": digest}
    pq.write_table(known.replace_schema_metadata({"prune_audit": json.dumps(about)}), path)


def test_rates_agreement_and_reviewers_are_in_the_dossier(run):
    found = section(run)
    assert "2 reviewers saw 40 of 40 items of the queue: 20 exemplars and 20 decoys" in text(found)
    first = [cell.text for cell in table(found, "review-rates").rows[0].cells]
    assert first[0] == "the label is wrong"
    assert first[1].startswith("80.0")
    assert "(" in first[1]
    agreed = {row.cells[0].text: row for row in table(found, "review-agreement").rows}
    assert agreed["is the label right?"].cells[5].text == "1.00"
    assert [row.cells[0].text for row in table(found, "review-table").rows] == ["r0", "r1"]
    assert "Labels that are wrong by the majority of the reviewers: 19." in text(found)
    assert str(run) not in text(found)


def test_the_state_of_the_record_is_said_and_two_states_are_noticed(run):
    assert "do not say from which state" in text(section(run))
    with_chain(run, "answers", 236, "ab" * 32)
    with_chain(run, "queue", 236, "ab" * 32)
    said = text(section(run))
    assert "a record of 236 rows in which each row is hashed with the one before it" in said
    assert f"the last hash is {'ab' * 32}." in said
    assert "not of one moment" not in said
    with_chain(run, "queue", 230, "cd" * 32)
    assert "had 230 rows, so that the two tables are not of one moment" in text(section(run))


def test_what_rests_on_few_items_is_left_out_when_shared(run):
    found = section(run, aggregate_only=True, minimum_cell=21)
    assert "20 exemplars" not in text(found)
    assert "too few items were reviewed" in text(found)
    assert "wrong by the majority" not in text(found)  # 19 of them
    assert "review-rates" not in {each.key for each in found.tables}
    assert {row.cells[2].text for row in table(found, "review-agreement").rows} == {"40"}
    assert "6 results are left out" in text(found)
    assert not {"r0", "r1"} & {row.cells[0].text for row in table(found, "review-table").rows}


def test_bare_counts_of_a_review_by_score_are_not_shared(run, tmp_path):
    other = reviewed(run_folder(tmp_path / "other", pictures=False), order="score")
    assert "16 of 20" in text(section(other))
    shared = section(other, aggregate_only=True)
    assert "16 of 20" not in text(shared)
    assert "review-rates" not in {each.key for each in shared.tables}


def test_the_answers_of_one_quiet_reviewer_cannot_be_worked_out_from_the_total(run):
    path = run / "review" / "answers.parquet"
    frame = pq.read_table(path).to_pandas()
    quiet = frame.tail(3).assign(reviewer="r2")
    quiet.merge(frame, how="outer").to_parquet(path, index=False)
    rows = table(section(run, aggregate_only=True), "review-table").rows
    shown = [row.cells[2].text for row in rows]
    assert sorted(shown) == ["118", "hidden", "hidden"]
