"""Exports say what was recorded; a bundle's answers come back once, whole or not at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from audit.evidence.errors import InputError
from reports.review import (
    Records,
    Reviewer,
    add_reviewer,
    authenticate,
    close_study,
    create_study,
    default_questions,
    export_answers,
    export_queue,
    export_review,
    import_answers,
    latest_answers,
    progress,
    read_export,
    record,
    source_of,
    study_of,
    verify_chain,
    withdraw,
)
from reports.review.importing import FORMAT, study_key
from tests.reports.review.queue import ITEMS, made_items, made_settings

Add = Callable[[str], Reviewer]
GIVEN = {"label_right": "agree", "hard_because": ["abstract", "atypical"], "quality": 2}


@pytest.fixture
def answered(records: Records, reviewer: Add) -> Records:
    ada = reviewer("Ada")
    record(records, ada, "item-1", {**GIVEN, "note": "=1+1"}, seconds=1.5)
    record(records, ada, "item-2", {"label_right": "cannot tell"})
    withdraw(records, ada)
    return records


@pytest.mark.parametrize("name", ["answers.parquet", "answers.json"])
def test_an_export_is_read_back_as_it_was(answered: Records, tmp_path: Path, name: str) -> None:
    path = export_answers(answered, tmp_path / "new" / name)
    assert path == tmp_path / "new" / name
    rows = read_export(path)
    assert rows == [vars(each) for each in latest_answers(answered)]
    assert {row["question"]: row["value"] for row in rows} == {**GIVEN, "note": "=1+1"}
    every = read_export(export_answers(answered, path, every=True))
    assert [row["withdraws"] for row in every] == [None] * 5 + [5]


def test_csv_is_for_spreadsheets(answered: Records, tmp_path: Path) -> None:
    with open(export_answers(answered, tmp_path / "a.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["question"]: row["value"] for row in rows} == {
        "label_right": "agree",
        "hard_because": "abstract | atypical",
        "quality": "2",
        "note": "'=1+1",
    }
    assert {row["withdraws"] for row in rows} == {""}


def test_the_queue_says_how_each_item_was_drawn(records: Records, tmp_path: Path) -> None:
    for name in ("q.parquet", "q.json"):
        rows = read_export(export_queue(records, tmp_path / name))
        assert len(rows) == ITEMS
        found = next(row for row in rows if row["item"] == "item-3")
        assert (found["kind"], found["probability"], found["example"]) == ("pie", 0.5, 3)
        assert found["stratum"] == {"class": "cat"}
    text = export_queue(records, tmp_path / "q.csv").read_text(encoding="utf-8")
    assert text.startswith("item,example,content_sha256,kind,stratum,probability")


def test_the_report_finds_both_in_the_run_folder(answered: Records, tmp_path: Path) -> None:
    folder = export_review(answered, tmp_path)
    written = sorted(each.name for each in folder.iterdir())
    assert written == ["answers.parquet", "queue.parquet", "record.parquet"]


def test_what_cannot_be_exported_or_read(answered: Records, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.xlsx ends on no known format: give .csv"):
        export_answers(answered, tmp_path / "a.xlsx")
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    for name in ("bad.parquet", "gone.parquet", "gone.json"):
        with pytest.raises(InputError, match="cannot be read as an export of a review"):
            read_export(tmp_path / name)


def entry(records: Records, item: str, **answers: Any) -> dict[str, Any]:
    return {
        "item": item,
        "content_sha256": source_of(records, item).content_sha256,
        "first": None,
        "answers": {"label_right": "agree", **answers},
        "at": "2026-01-02T03:04:05.678Z",
        "seconds": 4.5,
        "predictions_were_shown": True,
    }


def sent(
    records: Records, path: Path, *entries: dict[str, Any], reviewer: str = "Ada", **changes: Any
) -> Path:
    content = {"study": study_key(study_of(records)), "reviewer": reviewer, "answers": entries}
    text = json.dumps({**content, **changes})
    digest = sha256(text.encode()).hexdigest()
    outer = {"format": FORMAT, "version": 1, "content": text, "sha256": digest}
    path.write_text(json.dumps(outer), encoding="utf-8")
    return path


def test_answers_come_back_once(records: Records, reviewer: Add, tmp_path: Path) -> None:
    ada = reviewer("Ada")
    path = sent(records, tmp_path / "answers.json", entry(records, "item-1", quality=3))
    assert vars(import_answers(records, path)) == {"reviewer": "Ada", "items": 1, "known": 0}
    rows = latest_answers(records)
    assert {row.question: row.value for row in rows} == {"label_right": "agree", "quality": 3}
    assert {(row.at, row.seconds, row.predictions_were_shown) for row in rows} == {
        ("2026-01-02T03:04:05.678000+00:00", 4.5, True)
    }
    assert vars(import_answers(records, path)) == {"reviewer": "Ada", "items": 0, "known": 1}
    assert latest_answers(records) == rows
    more = sent(
        records, path, entry(records, "item-1", quality=3), entry(records, "item-2", note=None)
    )
    assert vars(import_answers(records, more)) == {"reviewer": "Ada", "items": 1, "known": 1}
    assert progress(records, ada).done == 2
    assert verify_chain(records) == ()


def test_a_first_answer_says_that_the_label_was_hidden(empty: Records, tmp_path: Path) -> None:
    create_study(
        empty, made_items(3), name="x", questions=default_questions(label_hidden=True),
        settings=made_settings(label_hidden=True),
    )  # fmt: skip
    add_reviewer(empty, "Ada")
    first = {"answers": {"own_label": "dog"}, "at": "2026-01-02T03:04:00Z", "seconds": 2}
    import_answers(
        empty, sent(empty, tmp_path / "a.json", {**entry(empty, "item-1"), "first": first})
    )
    assert {row.question: row.label_was_hidden for row in latest_answers(empty)} == {
        "own_label": True,
        "label_right": False,
    }


def test_a_file_is_taken_whole_or_not_at_all(
    records: Records, reviewer: Add, tmp_path: Path
) -> None:
    reviewer("Ada")
    good, path = entry(records, "item-1"), tmp_path / "answers.json"
    cases = {
        "answers 'item-99', not in this study": [good, {**good, "item": "item-99"}],
        "'item-2' with other content": [good, {**good, "item": "item-2"}],
        "give one of agree": [good, entry(records, "item-2", label_right="maybe")],
        "'item-2' is broken": [good, {**entry(records, "item-2"), "at": "yesterday"}],
        "'item-3' is broken": [good, {**entry(records, "item-3"), "answers": 7}],
    }
    for said, entries in cases.items():
        with pytest.raises(InputError, match=said):
            import_answers(records, sent(records, path, *entries))
    with pytest.raises(InputError, match="is of 'Eve', who does not review here"):
        import_answers(records, sent(records, path, good, reviewer="Eve"))
    with pytest.raises(InputError, match="answers another study: this one is 'digits'"):
        import_answers(records, sent(records, path, good, study="0" * 64))
    close_study(records)
    with pytest.raises(InputError, match="review is closed"):
        import_answers(records, sent(records, path, good))
    assert latest_answers(records) == []


def test_a_damaged_file_is_refused(records: Records, reviewer: Add, tmp_path: Path) -> None:
    reviewer("Ada")
    path = sent(records, tmp_path / "answers.json", entry(records, "item-1"))
    outer = json.loads(path.read_text())
    path.write_text(json.dumps({**outer, "content": outer["content"].replace("agree", "wrong")}))
    with pytest.raises(InputError, match="was damaged or changed on its way"):
        import_answers(records, path)
    path.write_text(json.dumps({**outer, "version": 2}))
    with pytest.raises(InputError, match="of a newer prune-audit"):
        import_answers(records, path)
    for text in ("", "[]", "{}", '{"format": "x"}', "[" * 100_000, '{"format": "' + FORMAT + '"}'):
        path.write_text(text)
        with pytest.raises(InputError, match=r"is no answers.json of a review bundle"):
            import_answers(records, path)
    with pytest.raises(InputError, match=r"is no answers.json"):
        import_answers(records, tmp_path / "gone.json")


def test_a_person_may_answer_here_and_there(
    records: Records, reviewer: Add, tmp_path: Path
) -> None:
    ada = reviewer("Ada")
    record(records, ada, "item-1", {"label_right": "wrong", "right_label": "cat"})
    import_answers(records, sent(records, tmp_path / "a.json", entry(records, "item-1")))
    assert [row.value for row in latest_answers(records)] == ["agree"]


def test_nobody_else_is_let_in_by_an_import(records: Records, tmp_path: Path) -> None:
    token = add_reviewer(records, "Ada")
    import_answers(records, sent(records, tmp_path / "a.json", entry(records, "item-1")))
    assert authenticate(records, token) is not None
