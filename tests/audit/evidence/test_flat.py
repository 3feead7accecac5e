"""Flat tables: every kind of file, every default, every refusal, and a plain oracle."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, feather, parquet

from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Condition, Evidence
from audit.evidence.errors import TableError
from audit.evidence.flat import read_flat, read_pair
from audit.evidence.sources import Source

FOG = Condition("fog", 2.0)

# Two models, two examples, clean and fog.
ROWS = pd.DataFrame(
    {
        "model": ["d", "d", "p", "p", "d", "p"],
        "sparsity": [0.0, 0.0, 0.9, 0.9, 0.0, 0.9],
        "condition": ["clean", "clean", "clean", "clean", "fog", "fog"],
        "severity": [0.0, 0.0, 0.0, 0.0, 2.0, 2.0],
        "example": ["a", "b", "b", "a", "b", "a"],
        "label": ["dog", "cat", "cat", "dog", "cat", "dog"],
        "predicted": ["dog", "dog", "cat", "cat", "cat", "dog"],
        "confidence": [0.5, 0.25, 1.0, 0.75, 0.125, 0.0],
        "group_sex": ["F", None, None, "F", None, "F"],
        "group_age": [3, 4, 4, 3, 4, 3],
    }
)


def same(first: Evidence, second: Evidence) -> None:
    pd.testing.assert_frame_equal(first.examples, second.examples, check_like=True)
    pd.testing.assert_frame_equal(first.training, second.training, check_like=True)
    pd.testing.assert_frame_equal(first.models, second.models)
    assert (first.classes, first.conditions) == (second.classes, second.conditions)
    for condition in first.conditions:
        one, other = first.load(condition), second.load(condition)
        np.testing.assert_array_equal(one.predicted, other.predicted)
        for name in ("confidence", "loss"):
            assert (getattr(one, name) is None) == (getattr(other, name) is None)
            if getattr(one, name) is not None:
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_table_by_hand():
    evidence = read_flat(ROWS)
    assert evidence.classes == ("cat", "dog")
    assert evidence.conditions == (CLEAN, FOG)
    assert evidence.examples.to_dict("list") == {
        "example": ["a", "b"],
        "split": ["test", "test"],
        "label": [1, 0],
        "group_sex": ["F", "missing"],
        "group_age": [3, 4],
    }
    assert evidence.labels.tolist() == [1, 0]
    assert evidence.examples["group_age"].dtype == np.int64
    assert evidence.training.empty
    assert list(evidence.training) == list(evidence.examples)
    columns = ["model", "parent", "role", "method", "sparsity"]
    assert evidence.models[columns].to_numpy().tolist() == [
        ["d", "", "dense", "", 0.0],
        ["p", "d", "pruned", "pruned", 0.9],
    ]
    clean, fog = map(evidence.load, evidence.conditions)
    assert clean.predicted.tolist() == [[1, 1], [0, 0]]
    assert clean.predicted.dtype == np.int32
    assert clean.confidence is not None
    assert clean.confidence.tolist() == [[0.5, 0.25], [0.75, 1.0]]
    assert clean.confidence.dtype == np.float32
    assert clean.loss is None
    assert fog.predicted.tolist() == [[NOT_SHOWN, 0], [1, NOT_SHOWN]]
    assert fog.confidence is not None
    np.testing.assert_array_equal(fog.confidence, [[np.nan, 0.125], [0.0, np.nan]])
    with pytest.raises(TableError, match=r"^There are no predictions under snow: ask"):
        evidence.load(Condition("snow", None))


def written(folder: Path, kind: str, frame: pd.DataFrame) -> Path:
    path = folder / f"table{kind}"
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if kind in (".parquet", ".pq"):
        parquet.write_table(table, path)
    elif kind == ".tsv":
        frame.to_csv(path, sep="\t", index=False)
    elif kind.startswith(".csv"):
        frame.to_csv(path, index=False)
    elif kind == ".arrow":  # as `datasets` writes it
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table)
    else:
        feather.write_feather(table, str(path))
    return path


KINDS = [".parquet", ".pq", ".csv", ".csv.gz", ".tsv", ".feather", ".arrow", ".ipc"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file(tmp_path: Path, kind: str):
    expected = read_flat(ROWS)
    path = written(tmp_path, kind, ROWS)
    for source in (path, str(path), [path], Source(path)):
        same(read_flat(source), expected)


def test_tables_in_memory():
    expected = read_flat(ROWS)
    same(read_flat(pa.Table.from_pandas(ROWS)), expected)
    categorical = ROWS.astype(dict.fromkeys(("model", "label", "predicted"), "category"))
    same(read_flat(categorical), expected)
    same(read_flat(ROWS.set_index(pd.Index([5] * 6, name="example_"))), expected)
    objects = ROWS.astype(dict.fromkeys(("model", "label", "group_sex"), object))
    same(read_flat(objects), expected)


def test_the_order_of_rows_and_columns_plays_no_part():
    expected = read_flat(ROWS)
    same(read_flat(ROWS.iloc[::-1, ::-1]), expected)
    same(read_flat([ROWS.iloc[4:], ROWS.iloc[:4]]), expected)


def test_evidence_travels_to_workers():
    load = pickle.loads(pickle.dumps(read_flat(ROWS).load))
    assert load(CLEAN).predicted.tolist() == [[1, 1], [0, 0]]


def test_the_least_a_file_needs(tmp_path: Path):
    path = tmp_path / "resnet.v2.csv"
    path.write_text("example,predicted,label\n1,dog,dog\n2,cat,\n")
    evidence = read_flat(path)
    assert evidence.models["model"].tolist() == ["resnet"]
    assert evidence.models["role"].tolist() == ["dense"]
    assert evidence.conditions == (CLEAN,)
    assert evidence.examples["example"].tolist() == [1, 2]
    assert evidence.labels.tolist() == [1, NO_LABEL]
    block = evidence.load(CLEAN)
    assert block.predicted.tolist() == [[1, 0]]
    assert block.confidence is None


def test_no_labels_at_all():
    evidence = read_flat(ROWS.drop(columns="label"))
    assert evidence.labels.tolist() == [NO_LABEL, NO_LABEL]
    assert evidence.classes == ("cat", "dog")


def test_columns_under_other_names(tmp_path: Path):
    theirs = {"example": "image_id", "label": "y_true", "predicted": "y_pred", "group_sex": "sex"}
    renamed = ROWS.rename(columns=theirs).assign(example="not this one")
    same(read_flat(renamed, columns=theirs), read_flat(ROWS))
    bare = ROWS.rename(columns={"group_sex": "sex", "group_age": "age"})
    same(read_flat(bare, groups=["sex", "age"]), read_flat(ROWS))
    same(read_flat(ROWS, groups=["sex", "group_age"]), read_flat(ROWS))
    path = written(tmp_path, ".csv", bare)
    same(read_flat(path, columns={"group_sex": "sex"}, groups=["sex", "age"]), read_flat(ROWS))


def test_columns_of_somebody_elses_are_left_alone():
    theirs = ROWS.assign(address=range(6), bytes=range(6), text=["x"] * 6, path=[{}] * 6)
    same(read_flat(theirs), read_flat(ROWS))
    asked = read_flat(theirs, columns={"text": "text"})
    assert asked.examples["text"].tolist() == ["x", "x"]


def test_class_names_of_the_metadata(tmp_path: Path):
    codes = ROWS.assign(label=[1, 0, 0, 1, 0, 1], predicted=[1, 1, 0, 0, 0, 1])
    feature = {"_type": "ClassLabel", "names": ["cat", "dog", "eel"]}
    info = {"info": {"features": {"y": feature, "predicted": {"_type": "Value"}}}}
    table = pa.Table.from_pandas(codes.rename(columns={"label": "y"}), preserve_index=False)
    path = tmp_path / "t.parquet"
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), path)
    evidence = read_flat(path, columns={"label": "y"})
    assert evidence.classes == ("cat", "dog", "eel")
    assert evidence.labels.tolist() == [1, 0]
    given = read_flat(path, columns={"label": "y"}, classes=["a", "b"])
    assert given.classes == ("a", "b")
    parquet.write_table(table.replace_schema_metadata({"huggingface": "[]"}), path)
    assert read_flat(path, columns={"label": "y"}).classes == ("0", "1")


def test_what_a_csv_writes_is_what_it_means(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text(
        "model,example,label,predicted,group_region,parent\n"
        "0,007,3.0,1,NA,\n0,070,,3,NA,\n1,007,3.0,3,NA,0\n1,070,,1,NA,0\n"
    )
    evidence = read_flat(path)
    assert evidence.examples["example"].tolist() == ["007", "070"]
    assert evidence.models["model"].tolist() == ["0", "1"]
    assert evidence.models["parent"].tolist() == ["", "0"]
    assert evidence.examples["group_region"].tolist() == ["NA", "NA"]
    assert evidence.classes == ("1", "3")
    assert evidence.labels.tolist() == [1, NO_LABEL]


def test_numbers_as_model_names():
    rows = pd.DataFrame(
        {
            "model": [0, 0, 1, 1],
            "parent": [np.nan, np.nan, 0, 0],  # floats, because of the empty cells
            "sparsity": [np.nan, np.nan, 0.5, 0.5],
            "seed": [4, 4, 4, 4],
            "example": [10, 9, 9, 10],
            "predicted": [True, False, True, True],
            "label": [1, 0, 0, 1],
        }
    )
    evidence = read_flat(rows)
    assert evidence.models["model"].tolist() == ["0", "1"]
    assert evidence.models["parent"].tolist() == ["", "0"]
    assert evidence.models["seed"].tolist() == [4.0, 4.0]
    assert evidence.examples["example"].tolist() == [9, 10]
    assert evidence.load(CLEAN).predicted.tolist() == [[0, 1], [1, 1]]


def test_ids_too_large_for_a_signed_integer_are_text():
    ids = np.array([2**64 - 1, 5], np.uint64)
    evidence = read_flat(pd.DataFrame({"example": ids, "predicted": [0, 1], "model": "m"}))
    assert evidence.examples["example"].tolist() == ["18446744073709551615", "5"]
    assert evidence.load(CLEAN).predicted.tolist() == [[0, 1]]
    small = read_flat(pd.DataFrame({"example": ids[1:], "predicted": [0], "model": "m"}))
    assert small.examples["example"].dtype == np.int64


def test_frames_with_odd_column_names():
    numbered = ROWS.rename(columns={"example": 3}).assign(**{"": 1})
    same(read_flat(numbered, columns={"example": "3"}), read_flat(ROWS))
    twice = pd.concat([ROWS, ROWS["label"]], axis="columns")
    with pytest.raises(TableError, match=r"^the table cannot be read \(Duplicate column names"):
        read_flat(twice)


def test_rows_of_training_splits_are_not_audited():
    rows = ROWS.assign(split=["train" if e == "a" else None for e in ROWS["example"]])
    evidence = read_flat(rows)
    assert evidence.examples["example"].tolist() == ["b"]
    assert evidence.examples["split"].tolist() == ["test"]
    assert evidence.training["example"].tolist() == ["a"]
    assert evidence.load(CLEAN).predicted.tolist() == [[1], [0]]
    assert evidence.load(FOG).predicted.tolist() == [[0], [NOT_SHOWN]]
    with pytest.raises(TableError, match="every row is of a training split: give test rows"):
        read_flat(ROWS.assign(split="validation"))


def test_groups_keep_their_kind():
    rows = ROWS.assign(
        group_age=[3.5, None, None, 3.5, None, 3.5],
        group_old=[True, False, False, True, False, True],
        group_day=pd.to_datetime(["2020-01-02", None, None, "2020-01-02", None, "2020-01-02"]),
        cluster=[7, 8, 8, 7, 8, 7],
        weight=[1, 2, 2, 1, 2, 1],
    )
    examples = read_flat(rows).examples
    np.testing.assert_array_equal(examples["group_age"], [3.5, np.nan])
    assert examples["group_old"].tolist() == ["True", "False"]
    assert examples["group_day"].tolist()[0].startswith("2020-01-02")
    assert examples["group_day"].tolist()[1] == "missing"
    assert examples["cluster"].tolist() == [7, 8]
    assert examples["weight"].tolist() == [1, 2]


def test_one_row_may_speak_for_an_example():
    """Labels and groups may be given in the dense model's rows alone."""
    dense = ROWS["model"] == "d"
    rows = ROWS.assign(label=ROWS["label"].where(dense), group_sex=ROWS["group_sex"].where(dense))
    same(read_flat(rows), read_flat(ROWS))


# ---------------------------------------------------------------------- several files


def files(tmp_path: Path, names: tuple[str, str]) -> tuple[Path, Path]:
    paths = []
    for name, model in zip(names, ("d", "p"), strict=True):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        rows = ROWS[ROWS["model"] == model].drop(columns=["model", "sparsity"])
        rows.to_csv(path, index=False)
        paths.append(path)
    return paths[0], paths[1]


def test_a_pair_of_files(tmp_path: Path):
    dense, pruned = files(tmp_path, ("dense.csv", "pruned.csv"))
    evidence = read_pair(dense, pruned)
    assert evidence.models[["model", "parent", "role"]].to_numpy().tolist() == [
        ["dense", "", "dense"],
        ["pruned", "dense", "pruned"],
    ]
    assert evidence.load(CLEAN).predicted.tolist() == [[1, 1], [0, 0]]
    same(read_pair([dense], [str(pruned)]), evidence)


def test_files_of_the_same_name_are_told_apart(tmp_path: Path):
    evidence = read_pair(*files(tmp_path, ("x/predictions.csv", "y/predictions.csv")))
    names = [(tmp_path / where / "predictions").as_posix() for where in "xy"]
    assert evidence.models["model"].tolist() == names
    assert evidence.models["parent"].tolist() == ["", names[0]]


def test_pairs_of_files_in_order(tmp_path: Path):
    dense, pruned = files(tmp_path, ("d0.csv", "p0.csv"))
    more = [tmp_path / name for name in ("d1.csv", "p1.csv")]
    more[0].write_text(dense.read_text())
    more[1].write_text(pruned.read_text())
    paired = read_pair([dense, more[0]], [more[1], pruned])
    assert dict(zip(paired.models["model"], paired.models["parent"], strict=True)) == {
        "d0": "",
        "d1": "",
        "p0": "d1",
        "p1": "d0",
    }
    one = read_pair([dense], [pruned, more[1]])
    assert one.models["parent"].tolist() == ["", "d0", "d0"]
    unknown = read_pair([dense, more[0]], pruned)
    assert unknown.models["parent"].tolist() == ["", "", ""]


def test_a_pair_of_files_that_name_their_models(tmp_path: Path):
    rows = ROWS.drop(columns="sparsity")
    dense = written(tmp_path, ".csv", rows[rows["model"] == "d"])
    pruned = written(tmp_path, ".parquet", rows[rows["model"] == "p"])
    models = read_pair(dense, pruned).models
    assert models["model"].tolist() == ["d", "p"]
    assert models["parent"].tolist() == ["", "d"]


def test_files_of_different_types(tmp_path: Path):
    """Ids are numbers in one file and text in the other; only one file has confidences."""
    dense, pruned = tmp_path / "dense.csv", tmp_path / "pruned.parquet"
    dense.write_text("example,label,predicted,confidence\n1,0,0,0.5\n2,1,1,0.5\n")
    frame = pd.DataFrame({"example": ["2", "1"], "predicted": [0.0, 1.0], "group_x": [1.5, None]})
    frame.to_parquet(pruned)
    evidence = read_pair(dense, pruned)
    assert evidence.examples["example"].tolist() == ["1", "2"]
    assert evidence.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(evidence.examples["group_x"], [np.nan, 1.5])
    block = evidence.load(CLEAN)
    assert block.predicted.tolist() == [[0, 1], [1, 0]]
    np.testing.assert_array_equal(block.confidence, [[0.5, 0.5], [np.nan, np.nan]])


def test_a_source_fills_what_its_table_lacks():
    rows = ROWS[ROWS["model"] == "d"].drop(columns=["model", "sparsity"])
    source = Source(rows, "mine", {"model": "x", "sparsity": 0.5, "confidence": 0.9})
    evidence = read_flat([source])
    assert evidence.models.loc[0, ["model", "sparsity", "role"]].tolist() == ["x", 0.5, "pruned"]
    block = evidence.load(CLEAN)
    assert block.confidence is not None
    assert block.confidence.tolist() == [[0.5, 0.25]]


# ---------------------------------------------------------------------- refusals


def cell(row: int, **values: Any) -> pd.DataFrame:
    """ROWS with other values in one row, counted from 1."""
    rows = ROWS.copy()
    for column, value in values.items():
        rows[column] = rows[column].astype(object)
        rows.loc[row - 1, column] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            cell(4, example="b", label="cat", group_sex=None, group_age=4),
            "row 4: 'example' is 'b', which model 'p' has predicted before under clean: keep one",
        ),
        (
            cell(6, example="b", model="d", sparsity=0.0, label="cat", group_sex=None, group_age=4),
            "row 6: 'example' is 'b', which model 'd' has predicted before under fog at severity 2",
        ),
        (
            cell(4, label="cat"),
            "row 4: 'label' is 'cat', but 'dog' in the table, row 1 for the same example 'a'",
        ),
        (cell(4, group_sex="M"), "row 4: 'group_sex' is 'M', but 'F' in the table, row 1 for"),
        (cell(3, group_age=5), "row 3: 'group_age' is 5, but 4 in the table, row 2 for the same"),
        (cell(2, sparsity=0.5), "row 2: 'sparsity' is 0.5, but 0.0 in the table, row 1 for the"),
        (cell(5, confidence=np.nan), "row 5: 'confidence' is nan, which is no probability: give 0"),
        (cell(5, confidence=1.5), "row 5: 'confidence' is 1.5, which is no probability"),
        (cell(5, confidence=-0.1), "row 5: 'confidence' is -0.1"),
        (cell(2, predicted=None), "row 2: 'predicted' is None, which says nothing"),
        (cell(2, predicted=""), "row 2: 'predicted' is None, which says nothing"),
        (cell(2, example=None), "row 2: 'example' is None, which is no id"),
        (cell(2, model=None), "row 2: 'model' is None, which says nothing"),
        (cell(5, severity=9.0), "row 5: 'severity' is 9.0, which is no severity"),
        (ROWS.assign(role="densee"), "row 1: 'role' is 'densee', which is no role: give one of"),
        (ROWS.assign(parent="x"), "row 1: 'parent' is 'x', which is no model here"),
        (ROWS.assign(sparsity=1.0), "row 1: 'sparsity' is 1.0, which is no fraction removed"),
        (ROWS.assign(loss=[0, 1, 2, np.inf, 0, 0]), "row 4: 'loss' is inf, which is no cross"),
        (
            ROWS.assign(weight=[1, -2, -2, 1, -2, 1]),
            "row 2: 'weight' is -2, for example 'b': give finite",
        ),
        (
            ROWS.assign(cluster=["x", None, None, "x", None, "x"]),
            "row 2: 'cluster' is None, for example 'b': say whose it is",
        ),
        (ROWS.iloc[:0], "the table has no rows: give one per model and example"),
        (ROWS.drop(columns="model"), "the table has no column 'model': name the model of every"),
        (
            ROWS.rename(columns={"example": "exmaple"}),
            "the table has no column 'example', and rows are matched by it, never by order: "
            "say which column it is (example=…; the nearest is 'exmaple').",
        ),
        (ROWS.drop(columns="predicted"), "the table has no column 'predicted': say which column"),
        (ROWS.assign(example=[1.5, 2, 2, 1.5, 2, 1.5]), "row 1: 'example' is 1.5, which is no id"),
        (ROWS.assign(predicted=[[1]] * 6), "column 'predicted' holds list<"),
        (cell(1, label=3), "cannot be read ("),
    ],
)
def test_what_is_wrong_is_named(rows: pd.DataFrame, message: str):
    with pytest.raises(TableError) as caught:
        read_flat(rows)
    assert message in str(caught.value)
    assert str(caught.value).startswith("the table")
    assert str(caught.value).endswith(".")


def test_the_row_is_named_as_its_owner_knows_it(tmp_path: Path):
    dense, pruned = files(tmp_path, ("dense.csv", "pruned.csv"))
    text = pruned.read_text().replace("0.75", "oops").replace("confidence", "sure")
    pruned.write_text(text)
    dense.write_text(dense.read_text().replace("confidence", "sure"))
    with pytest.raises(TableError) as caught:
        read_pair(dense, pruned, columns={"confidence": "sure"})
    assert str(caught.value) == (
        f"{pruned}, row 2: 'sure' is 'oops', which is no number: give one, or leave it empty."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"exampel": "a"}}, "columns names 'exampel', which is none of ours; the near"),
        ({"columns": {"example": "imageid"}}, "has no column 'imageid': there is 'condition'"),
        ({"columns": {"label": "lable"}}, "has no column 'lable': the nearest is 'label'."),
        ({"groups": ["sexx"]}, "has no group column 'sexx': the nearest is "),
        ({"classes": ["cat", "eel"]}, "row 1: 'predicted' is 'dog', which is no class name"),
        ({"classes": ["cat", "dog", "cat"]}, "The class 'cat' is named twice"),
    ],
)
def test_options_that_name_nothing(options: dict[str, Any], message: str):
    with pytest.raises(TableError) as caught:
        read_flat(ROWS, **options)
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(TableError, match=r"absent\.csv is not there: give the path"):
        read_flat(tmp_path / "absent.csv")
    with pytest.raises(TableError, match=r"is a folder, not a table: give the path"):
        read_flat(tmp_path)
    with pytest.raises(TableError, match=r"^There is no table to read: give at least one\.$"):
        read_flat([])
    odd = tmp_path / "t.xlsx"
    odd.write_text("x")
    with pytest.raises(TableError, match=r"is of no kind that can be read: give one of \.parquet"):
        read_flat(odd)
    for kind in (".parquet", ".feather", ".arrow"):
        path = written(tmp_path, kind, ROWS)
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(TableError, match=rf"table\{kind} cannot be read \(.*\): check that"):
            read_flat(path)
    for name, data in {
        "empty": b"",
        "ragged": b"example,predicted\n1,2\n1,2,3\n",
        "binary": b"example,predicted\n\xff\xfe,1\n",
    }.items():
        path = tmp_path / f"{name}.csv"
        path.write_bytes(data)
        with pytest.raises(TableError, match=rf"{name}\.csv cannot be read \("):
            read_flat(path)
    header = tmp_path / "header.csv"
    header.write_text("example,predicted\n")
    with pytest.raises(TableError, match=r"header\.csv has no rows"):
        read_flat(header)


# ---------------------------------------------------------------------- against a plain loop


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    keys = st.tuples(
        st.sampled_from(["d", "p", "q"]),
        st.sampled_from([("clean", 0.0), ("fog", 1.0), ("fog", 2.5), ("natural", None)]),
        st.integers(0, 6),
    )
    chosen = draw(st.lists(keys, min_size=1, max_size=40, unique=True))
    classes = draw(st.sampled_from([["a", "b", "c"], [0, 1, 2], [5, -3, 10]]))
    answers = [draw(st.sampled_from(classes)) for _ in chosen]
    labels = {e: draw(st.sampled_from([*classes, None])) for e in range(7)}
    sexes = {e: draw(st.sampled_from(["F", "M", None])) for e in range(7)}
    return pd.DataFrame(
        {
            "model": [model for model, _, _ in chosen],
            "condition": [name for _, (name, _), _ in chosen],
            "severity": [severity for _, (_, severity), _ in chosen],
            "example": [example for _, _, example in chosen],
            "predicted": answers,
            "label": pd.Series([labels[e] for _, _, e in chosen], dtype=object),
            "group_sex": pd.Series([sexes[e] for _, _, e in chosen], dtype=object),
            "confidence": [draw(st.floats(0, 1, width=32)) for _ in chosen],
        }
    )


@settings(deadline=None, max_examples=30)
@given(tables(), st.integers(0, 3))
def test_against_a_plain_loop(frame: pd.DataFrame, pieces: int):
    whole = read_flat(frame)
    names = [str(name) for name in whole.classes]
    models, ids = whole.models["model"].tolist(), whole.examples["example"].tolist()
    assert models == sorted(set(frame["model"]))
    assert ids == sorted(set(frame["example"]))
    filled = 0
    for condition in whole.conditions:
        block = whole.load(condition)
        assert block.confidence is not None
        filled += int((block.predicted != NOT_SHOWN).sum())
        for row in frame.to_dict("records"):
            severity = None if pd.isna(row["severity"]) else row["severity"]
            if Condition(row["condition"], severity) == condition:
                at = models.index(row["model"]), ids.index(row["example"])
                assert names[block.predicted[at]] == str(row["predicted"])
                assert block.confidence[at] == np.float32(row["confidence"])
    assert filled == len(frame)
    for row in frame.to_dict("records"):
        about = whole.examples.iloc[ids.index(row["example"])]
        label = None if about["label"] == NO_LABEL else names[about["label"]]
        assert label == (None if pd.isna(row["label"]) else str(row["label"]))
        assert about["group_sex"] == ("missing" if pd.isna(row["group_sex"]) else row["group_sex"])
    cut = len(frame) * pieces // 4
    if 0 < cut < len(frame):
        shuffled = frame.sample(frac=1, random_state=0)
        same(read_flat([shuffled.iloc[:cut], shuffled.iloc[cut:]]), whole)


def test_csv_and_memory_agree_on_odd_cells(tmp_path: Path):
    path = tmp_path / "t.csv"
    csv.write_csv(pa.Table.from_pandas(ROWS, preserve_index=False), path)
    same(read_flat(path), read_flat(ROWS))
