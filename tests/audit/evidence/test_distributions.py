"""Class probabilities and embeddings: written, read one model at a time, and refused when wrong."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from audit.evidence import part_blocks
from audit.evidence.arrays import from_arrays
from audit.evidence.blocks import CLEAN, Condition, Evidence
from audit.evidence.check import Origin
from audit.evidence.distributions import as_lists, longest, rectangle
from audit.evidence.errors import TableError
from audit.evidence.flat import read_flat
from audit.evidence.folder import read_folder, write_examples, write_models
from audit.evidence.parts import part_path, write_part

FOG = Condition("fog", 2.0)
LISTS = pa.list_(pa.float32())
NATURAL = Condition("elsewhere", None)

# Two models, two examples and three classes, of which one is no label and no prediction.
ROWS = pd.DataFrame(
    {
        "model": ["d", "d", "p", "p"],
        "example": ["a", "b", "b", "a"],
        "label": [0, 1, 1, 0],
        "predicted": [0, 1, 0, 0],
        "probabilities": [[0.75, 0.25, 0.0], [0.25, 0.5, 0.25], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]],
    }
)


def test_a_flat_table_by_hand():
    evidence = read_flat(ROWS)
    assert evidence.classes == ("0", "1", "2")  # as many as there are probabilities
    dense, pruned = (evidence.probabilities(CLEAN, row) for row in (0, 1))
    assert dense is not None
    assert pruned is not None
    assert dense.dtype == np.float32
    assert dense.tolist() == [[0.75, 0.25, 0.0], [0.25, 0.5, 0.25]]
    assert pruned.tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    with pytest.raises(TableError, match=r"^There are no predictions under fog at severity 2"):
        evidence.probabilities(FOG, 0)


def test_classes_are_counted_only_where_they_are_numbers():
    names = ROWS.assign(label=["x", "y", "y", "x"], predicted=["x", "y", "x", "x"])
    with pytest.raises(TableError, match=r"row 1: 'probabilities' is \[0.75, 0.25, 0.0\], which"):
        read_flat(names)
    evidence = read_flat(names, classes=["x", "y", "z"])
    assert evidence.probabilities(CLEAN, 0) is not None
    large = ROWS.assign(label=[0, 7, 7, 0])
    with pytest.raises(TableError, match="which has not the 2 numbers that it takes"):
        read_flat(large.assign(predicted=7))


def test_what_was_not_recorded_is_none_or_not_a_number():
    some = ROWS.assign(probabilities=[None, None, [0.5, 0.5, 0.0], None])
    evidence = read_flat(some)
    assert evidence.probabilities(CLEAN, 0) is None
    np.testing.assert_array_equal(evidence.probabilities(CLEAN, 1), [[np.nan] * 3, [0.5, 0.5, 0.0]])
    assert read_flat(ROWS.assign(probabilities=None)).probabilities(CLEAN, 0) is None
    assert read_flat(ROWS.drop(columns="probabilities")).probabilities(CLEAN, 0) is None


def test_several_tables_of_which_one_has_them():
    dense = ROWS[ROWS["model"] == "d"]
    made = ROWS[ROWS["model"] == "p"].drop(columns="probabilities")
    evidence = read_flat([dense, made])
    whole = evidence.probabilities(CLEAN, 0)
    assert whole is not None
    assert whole.tolist() == [[0.75, 0.25, 0.0], [0.25, 0.5, 0.25]]
    assert evidence.probabilities(CLEAN, 1) is None


def test_every_kind_of_list_is_read(tmp_path: Path):
    table = pa.Table.from_pandas(ROWS, preserve_index=False)
    expected = read_flat(ROWS).probabilities(CLEAN, 1)
    place = table.column_names.index("probabilities")
    kinds = [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 3)]
    for number, kind in enumerate(kinds):
        column = pa.array(ROWS["probabilities"].tolist(), kind)
        path = tmp_path / f"{number}.parquet"
        parquet.write_table(
            table.set_column(place, "probabilities", column), path, row_group_size=3
        )
        np.testing.assert_array_equal(read_flat(path).probabilities(CLEAN, 1), expected)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([0.5, 0.25, 0.0], "is [0.5, 0.25, 0.0], which is no distribution: give one number from 0"),
        ([1.5, -0.5, 0.0], "is [1.5, -0.5, 0.0], which is no distribution"),
        ([0.5, None, 0.5], "is [0.5, nan, 0.5], which is no distribution"),
        ([np.inf, -np.inf, 1.0], "is [inf, -inf, 1.0], which is no distribution"),
        ([0.5, 0.5], "is [0.5, 0.5], which has not the 3 numbers that it takes"),
        ([], "is [], which has not the 3 numbers that it takes"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, cell: list[Any], message: str):
    cells = [*ROWS["probabilities"][:2], cell, ROWS["probabilities"][3]]
    with pytest.raises(TableError) as caught:
        read_flat(ROWS.assign(probabilities=cells), classes=["0", "1", "2"])
    assert str(caught.value).startswith(f"the table, row 3: 'probabilities' {message}")
    assert str(caught.value).endswith(".")

    folder = written(tmp_path, read_flat(ROWS))
    path = part_path(folder, "p", CLEAN)
    table = parquet.read_table(path).drop_columns("probabilities")
    lists = pa.array([ROWS["probabilities"][3], cell], pa.list_(pa.float32()))
    parquet.write_table(table.append_column("probabilities", lists), path)
    evidence = read_folder(folder)
    assert evidence.load(CLEAN).predicted.shape == (2, 2)  # a block needs none of them
    with pytest.raises(TableError) as caught:
        evidence.probabilities(CLEAN, 1)
    assert str(caught.value).startswith(f"{path}, row 2: 'probabilities' {message}")


def test_a_column_that_holds_no_lists(tmp_path: Path):
    with pytest.raises(TableError, match="'probabilities' holds double: give a list of numbers"):
        read_flat(ROWS.assign(probabilities=0.5))
    folder = written(tmp_path, read_flat(ROWS))
    path = part_path(folder, "p", CLEAN)
    table = parquet.read_table(path).drop_columns("probabilities")
    parquet.write_table(table.append_column("probabilities", pa.array([0.5, 0.5])), path)
    with pytest.raises(TableError, match="'probabilities' holds double: give a list of numbers"):
        read_folder(folder).probabilities(CLEAN, 1)


def written(folder: Path, evidence: Evidence) -> Path:
    """The evidence as a folder."""
    write_examples(folder, evidence.examples, evidence.classes)
    write_models(folder, evidence.models)
    for condition in evidence.conditions:
        block = evidence.load(condition)
        for row, model in enumerate(evidence.models["model"]):
            shown = block.predicted[row] >= 0
            lists = evidence.probabilities(condition, row)
            write_part(
                folder,
                model,
                condition,
                evidence.examples["example"][shown],
                block.predicted[row][shown],
                probabilities=None if lists is None else lists[shown],
            )
    return folder


def test_a_folder_reads_what_a_table_reads(tmp_path: Path):
    evidence = read_flat(ROWS)
    folder = read_folder(written(tmp_path, evidence))
    for row in (0, 1):
        expected, found = (each.probabilities(CLEAN, row) for each in (evidence, folder))
        assert found is not None
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(TableError, match=r"^There are no predictions under fog at severity 2"):
        folder.probabilities(FOG, 0)


def test_a_folder_without_them(tmp_path: Path):
    folder = written(tmp_path, read_flat(ROWS.drop(columns="probabilities")))
    assert read_folder(folder).probabilities(CLEAN, 0) is None


def test_one_model_at_a_time_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The probabilities of all models together would not fit in memory."""
    evidence = read_folder(written(tmp_path, read_flat(ROWS)))
    part_path(tmp_path, "d", CLEAN).write_bytes(b"broken")
    assert evidence.probabilities(CLEAN, 1) is not None
    asked: list[tuple[str, ...]] = []
    read = part_blocks.read_probabilities.__globals__["read_table"]

    def watched(path: Path, needed: Any, wanted: Any, **more: Any) -> Any:
        asked.append(tuple(wanted))
        return read(path, needed, wanted, **more)

    monkeypatch.setitem(part_blocks.read_probabilities.__globals__, "read_table", watched)
    evidence.probabilities(CLEAN, 1)
    assert asked == [("model", "condition", "severity", "example", "probabilities")]


def test_they_travel_to_workers(tmp_path: Path):
    flat = read_flat(ROWS)
    for evidence in (flat, read_folder(written(tmp_path, flat))):
        found = pickle.loads(pickle.dumps(evidence.probabilities))(CLEAN, 1)
        assert found.tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [[1.0, 0.0], [0.5, 0.4]],
            "row 2: 'probabilities' is [0.5, 0.4], which is no distribution",
        ),
        ([[1.0, 0.0]], "1 probabilities for 2 predictions"),
        ([1.0, 0.0], "probabilities have 1 axes: give [rows, classes]"),
    ],
)
def test_what_must_not_be_written(tmp_path: Path, given: Any, message: str):
    with pytest.raises(TableError) as caught:
        write_part(tmp_path, "m", CLEAN, ["a", "b"], [0, 1], probabilities=given)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_arrays_and_the_confidence_that_follows():
    evidence = from_arrays(
        [0, 1],
        [0, 1],
        [[0, 0]],
        parent_probabilities=[[0.75, 0.25], [0.25, 0.75]],
        pruned_probabilities=[[[1.0, 0.0], [0.5, 0.5]]],
        pruned_confidence=[0.9, 0.4],
    )
    found = evidence.probabilities(CLEAN, 1)
    assert found is not None
    assert found.tolist() == [[1.0, 0.0], [0.5, 0.5]]
    np.testing.assert_allclose(evidence.load(CLEAN).confidence, [[0.75, 0.75], [0.9, 0.4]])
    with pytest.raises(
        TableError, match=r"^dense probabilities are \(1, 1\) and predictions \(1, 2"
    ):
        from_arrays([0, 1], [0, 1], [0, 0], parent_probabilities=[[0.5, 0.5]])
    with pytest.raises(
        TableError, match=r"^dense probabilities has the shape \(2,\): give \[examp"
    ):
        from_arrays([0, 1], [0, 1], [0, 0], parent_probabilities=[0.5, 0.5])


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    keys = st.tuples(
        st.sampled_from("dpq"), st.sampled_from([CLEAN, FOG, NATURAL]), st.integers(0, 5)
    )
    chosen = draw(st.lists(keys, min_size=1, max_size=30, unique=True))
    counts = st.lists(st.integers(0, 8), min_size=3, max_size=3).filter(any)
    lists = [draw(st.none() | counts) for _ in chosen]
    return pd.DataFrame(
        {
            "model": [model for model, _, _ in chosen],
            "condition": [condition.name for _, condition, _ in chosen],
            "severity": [condition.severity for _, condition, _ in chosen],
            "example": [example for _, _, example in chosen],
            "predicted": 0,
            "split": [("test", "validation", "train")[e % 3] for _, _, e in chosen],
            "probabilities": [None if c is None else np.divide(c, sum(c)) for c in lists],
        }
    )


@settings(deadline=None, max_examples=60)
@given(tables(), st.integers(0, 4))
def test_every_list_is_found_where_its_row_says(frame: pd.DataFrame, pieces: int):
    """Against a plain loop over rows, in one table and in two."""
    if not (frame["split"] == "test").any():
        return
    cut = len(frame) * pieces // 4
    parts = [frame] if cut in (0, len(frame)) else [frame.iloc[:cut], frame.iloc[cut:]]
    evidence = read_flat(parts, classes=["0", "1", "2"])
    for each, split in ((evidence, "test"), (evidence.validation, "validation")):
        rows = frame[frame["split"] == split]
        assert (each is None) == rows.empty
        for condition in each.conditions if each else ():
            for row, model in enumerate(each.models["model"]):
                own = rows[(rows["model"] == model) & (rows["condition"] == condition.name)]
                expected = np.full((len(each.examples), 3), np.nan, np.float32)
                ids = each.examples["example"].tolist()
                for example, cell in zip(own["example"], own["probabilities"], strict=True):
                    if cell is not None:
                        expected[ids.index(example)] = cell
                found = each.probabilities(condition, row)
                if np.isnan(expected).all():
                    assert found is None
                else:
                    np.testing.assert_array_equal(found, expected)


# ---------------------------------------------------------------------- embeddings


def test_embeddings_of_a_table_and_of_a_folder(tmp_path: Path):
    rows = ROWS.assign(embedding=[[1.0, 2.0], None, None, [1.0, 2.0]])
    write_examples(
        tmp_path,
        pd.DataFrame({"example": ["a", "b"], "label": [0, 1], "embedding": [[1.0, 2.0], None]}),
        ["0", "1"],
    )
    write_models(tmp_path, pd.DataFrame({"model": ["m"]}))
    write_part(tmp_path, "m", CLEAN, ["a", "b"], [0, 1])
    for evidence in (read_flat(rows), read_folder(tmp_path)):
        known, unknown = evidence.examples["embedding"]
        assert known.dtype == np.float32
        assert known.tolist() == [1.0, 2.0]
        assert unknown is None
    assert read_flat(ROWS.assign(embedding=None)).examples["embedding"].tolist() == [None, None]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([[1, 2], [1], None, None], "row 2: 'embedding' is [1], which has not the 2 numbers"),
        ([[1, 2], [1, np.inf], None, None], "row 2: 'embedding' is [1.0, inf], which is no place"),
        ([[1, 2], [1, None], None, None], "row 2: 'embedding' is [1, None], which is no place"),
        ([[1, 2], None, None, [1, 3]], "row 4: 'embedding' is [1, 3], but another row of the"),
        ([1.0, 2.0, 2.0, 1.0], "column 'embedding' holds double: give a list of numbers per row"),
    ],
)
def test_embeddings_that_are_wrong(cells: list[Any], message: str):
    with pytest.raises(TableError) as caught:
        read_flat(ROWS.assign(embedding=pd.Series(cells, dtype=object)))
    assert message in str(caught.value)


def test_chunks_of_lists():
    column = pa.chunked_array([as_lists(np.ones((2, 3), np.float32)), pa.nulls(1, LISTS)])
    first, second = rectangle(column, "x", Origin(("t",)))
    assert first is not None
    assert first.shape == (2, 3)
    assert second is None
    assert longest(column) == 3
    assert longest(pa.chunked_array([pa.nulls(2)])) == 0
    with pytest.raises(TableError, match=r"^t, row 4: 'x' is \[1.0\], which has not the 3 numbers"):
        rectangle(pa.chunked_array([*column.chunks, pa.array([[1.0]], LISTS)]), "x", Origin(("t",)))


def test_a_long_list_is_not_written_out():
    with pytest.raises(TableError, match=r"is \[2.0, 0.0, 0.0, 0.0, 0.0, 0.0, … 9 numbers\]"):
        from_arrays(None, [0], [0], parent_probabilities=[[2.0] + [0.0] * 8])
