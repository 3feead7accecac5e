"""Corrupted copies of tables and texts on disk: what is written, gone on with, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import corruptions
from audit.evidence.errors import InputError
from audit.study.progress import Silent
from audit.study.writing import Written
from audit.study.writing.row_files import write_rows
from audit.study.writing.rows import RowsWanted, row_kind
from tests.audit.study.writing.made import tree


def people(rows: int = 40) -> pd.DataFrame:
    """Numbers, a text column of few values, ids and labels."""
    draws = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "who": [f"p{at}" for at in range(rows)],
            "age": draws.integers(18, 80, rows),
            "hours": draws.normal(38, 8, rows).round(3),
            "trade": draws.choice(["law", "farm", "shop"], rows),
            "label": draws.choice(["low", "high"], rows),
        }
    )


SAID = [f"The book number {at} was charming, they say." for at in range(12)]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a table, as CSV and Parquet, and a table of texts."""
    people().to_csv(tmp_path / "p.csv", index=False)
    people().to_parquet(tmp_path / "p.parquet", index=False)
    people(200).to_csv(tmp_path / "train.csv", index=False)
    texts = pd.DataFrame({"text": SAID, "code": ["01", "NA", ""] * 4, "label": ["x", "y"] * 6})
    texts.to_csv(tmp_path / "t.csv", index=False)
    texts.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    return tmp_path


def write(here: Path, source: str, out: str = "copy", **more: Any) -> Written:
    wanted = RowsWanted(source, **{"severities": (1.0, 5.0), "here": here} | more)
    return write_rows(wanted, here / out, Silent())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_are_written_as_they_came(here: Path, suffix: str) -> None:
    """What `corrupt_table` makes by the training rows, the label and the ids as they were."""
    written = write(here, f"p.{suffix}", id="who", reference="train.csv")
    assert (written.made, written.there, written.images) == (12, 0, 40)
    names = corruptions.TABLE_CORRUPTIONS
    assert sorted(tree(here / "copy")) == sorted(
        ["corruption.json", *(f"{name}/{s}.{suffix}" for name in names for s in (1, 5))]
    )
    for name in names:
        path = here / "copy" / name / f"5.{suffix}"
        made = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
        wanted = corruptions.corrupt_table(
            people(),
            name,
            5,
            ids=people()["who"],
            reference=people(200),
            columns=["age", "hours", "trade"],
        )
        pd.testing.assert_frame_equal(
            made.astype(object).where(made.notna(), None),
            wanted.astype(object).where(wanted.notna(), None),
            check_dtype=False,
        )
        assert made["label"].tolist() == people()["label"].tolist()


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_texts_are_written_and_other_columns_stay(here: Path, suffix: str) -> None:
    write(here, f"t.{suffix}", which="text")
    for name in corruptions.TEXT_CORRUPTIONS:
        made = pd.read_csv(
            here / "copy" / name / f"5.{suffix}",
            sep="," if suffix == "csv" else "\t",
            dtype=str,
            na_filter=False,
        )
        ids = [str(at) for at in range(12)]
        assert made["text"].tolist() == corruptions.corrupt_text(SAID, name, 5, ids=ids)
        assert made["code"].tolist() == ["01", "NA", ""] * 4


def test_a_copy_goes_on_where_it_was_stopped(here: Path) -> None:
    write(here, "p.csv")
    whole = tree(here / "copy")
    (here / "copy" / "unit_error" / "5.csv").unlink()
    kept = (here / "copy" / "unit_error" / "1.csv").stat().st_mtime_ns
    again = write(here, "p.csv")
    assert (again.made, again.there) == (1, 11)
    assert tree(here / "copy") == whole
    assert (here / "copy" / "unit_error" / "1.csv").stat().st_mtime_ns == kept


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"seed": 1}, "was made with seed 0, and this asks for seed 1"),
        ({"severities": (1.0,)}, "severities"),
        ({"id": "who"}, "was made with id unset, and this asks for id who"),
        ({"label": "trade"}, "label label, and this asks for label trade"),
        ({"reference": "train.csv"}, "reference unset, and this asks for the reference"),
        ({"source": "p.parquet"}, "layout csv, and this asks for layout parquet"),
    ],
)
def test_a_copy_made_otherwise_is_left_alone(
    here: Path, change: dict[str, Any], complaint: str
) -> None:
    write(here, "p.csv")
    before = tree(here / "copy")
    with pytest.raises(InputError, match=complaint):
        write(here, **{"source": "p.csv"} | change)
    assert tree(here / "copy") == before


def test_other_rows_are_noticed(here: Path) -> None:
    write(here, "p.csv", reference="train.csv")
    people(199).to_csv(here / "train.csv", index=False)
    with pytest.raises(
        InputError, match=r"was made with the reference .*and this asks for the ref"
    ):
        write(here, "p.csv", reference="train.csv")


def test_a_set_leaves_out_what_no_column_is_for(here: Path) -> None:
    people()[["age", "label"]].to_csv(here / "n.csv", index=False)
    written = write(here, "n.csv")
    assert list(written.not_made) == ["category_swap"]
    record = json.loads((here / "copy" / "corruption.json").read_text())
    assert "category_swap" not in record["corruptions"]
    with pytest.raises(InputError, match="category_swap cannot be made here, because it changes"):
        write(here, "n.csv", "other", corruptions=("category_swap",))


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({"source": "x.csv"}, "There is no file or folder .*x.csv"),
        ({"source": "."}, "is no table: corruptions of tables and texts read one file"),
        ({"source": "broken.csv"}, "broken.csv cannot be read"),
        ({"source": "t.csv", "label": "lab"}, "has no column 'lab', and labels must stay.*--label"),
        ({"source": "p.csv", "id": "wo"}, "--id asks for the column 'wo'.*'who'"),
        ({"source": "p.csv", "id": "trade"}, "--id trade names rows twice"),
        ({"source": "p.csv", "reference": "t.csv"}, "t.csv has no column 'who'"),
        ({"source": "p.csv", "severities": (6.0,)}, "severity 6 does not exist"),
        ({"source": "p.csv", "corruptions": ("unit_error",) * 2}, "unit_error is asked for twice"),
        ({"source": "p.csv", "column": "trade"}, "--column is for corruptions of one column of te"),
        ({"source": "p.csv", "which": "text"}, "has no column 'text'.*--column"),
        (
            {"source": "p.parquet", "which": "text", "column": "age"},
            r"'age' holds \d+ in row 0, no",
        ),
        ({"source": "t.csv", "which": "text", "label": "label"}, "--label is for corruptions of"),
        ({"source": "p.csv", "which": "imagenet-c"}, "changes images: choose the set tabular"),
        ({"source": "p.csv", "corruptions": ("unit_error", "casing")}, "of different kinds"),
        ({"source": "p.csv", "corruptions": ("unit_error", "fog")}, "of different kinds"),
    ],
)
def test_requests_that_are_refused(here: Path, wanted: dict[str, Any], complaint: str) -> None:
    (here / "broken.csv").write_text('a,b\n1,"2\n3,4,5,6\n')
    with pytest.raises(InputError, match=complaint):
        write(here, **wanted)
    assert not (here / "copy").exists()


def test_a_full_folder_is_not_written_into(here: Path) -> None:
    with pytest.raises(InputError, match=r"is not empty and has no corruption\.json"):
        write(here, "p.csv", ".")


def test_what_names_change() -> None:
    assert row_kind("tabular", ()) == row_kind(None, ("unit_error",)) == "tabular"
    assert row_kind("text", ()) == row_kind(None, ("casing", "word_drop")) == "text"
    assert row_kind("imagenet-c", ()) is row_kind(None, ()) is row_kind(None, ("fog",)) is None
