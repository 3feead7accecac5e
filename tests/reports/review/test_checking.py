"""A changed answer is named by file, row and person, whichever copy it was changed in."""

from __future__ import annotations

import json
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reports.review import authenticate, close_study, record, withdraw
from reports.review.checking import check_review
from reports.review.export import export_review
from reports.review.reviewers import add_reviewer
from reports.verify.reviews import check_answers
from tests.reports.review.desk import made, started


@pytest.fixture
def run(tmp_path):
    """A run folder with a review of two answers, one changed and one taken back before."""
    records = started(tmp_path / "review.db", made(3))
    ada = authenticate(records, add_reviewer(records, "Ada"))
    record(records, ada, "i0", {"label_right": "agree", "quality": 3}, seconds=1.25)
    record(records, ada, "i0", {"label_right": "cannot tell", "quality": None})
    record(records, ada, "i1", {"label_right": "agree"})
    withdraw(records, ada)
    record(records, ada, "i2", {"label_right": "wrong", "note": "“odd” 🙂"})
    close_study(records)
    export_review(records, tmp_path)
    records.close()
    return tmp_path


def rewritten(run, name, change):
    """Write a table of `review/` anew, its rows changed by a function."""
    path = run / "review" / name
    table = pq.read_table(path)
    rows = change(table.to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def changed(column, value, row=0):
    def change(rows):
        rows[row] = {**rows[row], column: value}
        return rows

    return change


def in_database(run, statement):
    with sqlite3.connect(run / "review.db") as database:
        for name in ("update", "delete"):
            database.execute(f"DROP TRIGGER review_answers_kept_{name}")
        database.execute(statement)


def test_what_was_recorded_is_verified_and_nothing_is_written(run):
    before = sorted(each.name for each in run.rglob("*"))
    found = check_review(run)
    assert (found.rows, found.problems, found.unknown) == (8, (), ())
    assert sorted(each.name for each in run.rglob("*")) == before
    (check,) = check_answers(run)
    assert check.answer == "verified"
    assert "8 recorded answers" in check.said


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "answers.parquet",
            changed("value", json.dumps("agree")),
            "answers.parquet, row 3 (Ada on item i0, question label_right): value is 'agree', and "
            "was recorded as 'cannot tell'.",
        ),
        ("answers.parquet", changed("reviewer", "Eve"), "reviewer is 'Eve', and was recorded as"),
        ("answers.parquet", lambda rows: rows[1:], "answers.parquet lacks row 3 (Ada on item i0"),
        ("answers.parquet", changed("sequence", 5), "which nobody gave, or took back"),
        ("record.parquet", changed("value", '"wrong"'), "record.parquet: Row 1 was changed after"),
        ("record.parquet", lambda rows: rows[:-1], "record.parquet ends at row 7, and says"),
        ("record.parquet", lambda rows: rows[:2] + rows[3:], "comes after row 2: rows are missing"),
        ("queue.parquet", changed("kind", "pie"), "has item 'i0' otherwise than it was drawn"),
        ("queue.parquet", lambda rows: rows[1:], "otherwise than it was drawn"),
    ],
)
def test_a_change_of_a_file_is_named(run, name, change, said):
    if name == "queue.parquet":  # in an order of its own
        rewritten(run, name, lambda rows: sorted(rows, key=lambda row: row["item"]))
        assert check_review(run).problems == ()
    rewritten(run, name, change)
    problems = check_review(run).problems
    assert any(said in each for each in problems), problems
    (check,) = check_answers(run)
    assert (check.answer, check.problems) == ("differs", problems)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE review_answers SET value = '1' WHERE sequence = 2",
            "review.db: Row 2 was changed",
        ),
        ("DELETE FROM review_answers WHERE sequence = 8", "but 8 rows were acknowledged"),
        ("UPDATE review_answers SET hash = 'x' WHERE sequence = 8", "part at row 8"),
    ],
)
def test_a_change_of_the_database_is_named(run, statement, said):
    in_database(run, statement)
    assert any(said in each for each in check_review(run).problems)


def test_without_a_copy_of_the_record_nobody_can_tell(run, tmp_path_factory):
    (run / "review.db").unlink()
    assert check_review(run).problems == ()
    (run / "review" / "record.parquet").unlink()
    (check,) = check_answers(run)
    assert check.answer == "cannot_tell"
    assert "record.parquet is not there" in check.problems[0]
    assert check_answers(tmp_path_factory.mktemp("empty")) == []


def test_a_damaged_file_is_a_problem_and_no_crash(run):
    for name in ("answers.parquet", "record.parquet"):
        (run / "review" / name).write_bytes(b"nothing")
    (run / "review.db").write_bytes(b"nothing")
    problems = check_review(run).problems
    for name in ("record.parquet", "review.db"):
        assert any(each.startswith(f"{name} is corrupt") for each in problems), problems
