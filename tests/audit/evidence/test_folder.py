"""The evidence folder: what is written is read, and what is wrong is named."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from audit.evidence import parts
from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Condition
from audit.evidence.errors import TableError
from audit.evidence.folder import read_folder, write_examples, write_models
from audit.evidence.parts import part_path, read_part, write_part
from audit.evidence.schema import EVIDENCE_SCHEMA, EXAMPLE_COLUMNS, MODEL_COLUMNS

FOG = Condition("fog", 3.0)
OTHER = Condition("a/b", None)
CLASSES = ("cat", "dog", "eel")
IDS = ["x", "a", "t1", "m", "n"]


def examples() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "example": IDS,
            "split": ["test", "test", "train", "test", "natural:a/b"],
            "label": ["dog", "cat", "cat", None, "eel"],
            "group_sex": ["F", None, "F", "M", ""],
            "group_age": [30.5, None, 2.0, 4.0, 5.0],
            "group_old": [True, False, True, True, False],
            "weight": [1.0, 2.0, 1.0, 0.0, 1.0],
            "cluster": [1, 1, 2, 2, 2],
            "thumbnail": [b"png", None, None, b"p2", None],
        }
    )


def models() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": ["dense/0", "pruned"],
            "parent": [None, "dense/0"],
            "sparsity": [None, 0.9],
            "seed": [3, 3],
            "parameters": [100, 10],
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_examples(tmp_path, examples(), CLASSES)
    write_models(tmp_path, models())
    write_part(tmp_path, "dense/0", CLEAN, ["m", "x", "a"], [2, 1, 0], [0.5, 0.25, 1.0])
    write_part(tmp_path, "pruned", CLEAN, ["x", "t1"], [0, 2], loss=[0.5, np.nan])
    for model in ("dense/0", "pruned"):
        write_part(tmp_path, model, FOG, ["x", "a", "m"], [0, 1, 2])
        write_part(tmp_path, model, OTHER, ["n"], [2])
    return tmp_path


def test_what_is_written_is_read(folder: Path):
    evidence = read_folder(folder)
    assert evidence.classes == CLASSES
    assert evidence.conditions == (CLEAN, OTHER, FOG)
    assert evidence.models["model"].tolist() == ["dense/0", "pruned"]
    assert evidence.models["role"].tolist() == ["dense", "pruned"]
    assert evidence.models["parameters"].tolist() == [100.0, 10.0]
    assert evidence.examples["example"].tolist() == ["x", "a", "m", "n"]
    assert evidence.labels.tolist() == [1, 0, NO_LABEL, 2]
    assert evidence.examples["group_sex"].tolist() == ["F", "missing", "M", "missing"]
    assert evidence.examples["group_old"].tolist() == ["True", "False", "True", "False"]
    np.testing.assert_array_equal(evidence.examples["group_age"], [30.5, np.nan, 4.0, 5.0])
    assert evidence.examples["thumbnail"].tolist() == [b"png", None, b"p2", None]
    assert evidence.training["example"].tolist() == ["t1"]
    assert list(evidence.training) == list(evidence.examples)


def test_a_block_by_hand(folder: Path):
    block = read_folder(folder).load(CLEAN)
    none = NOT_SHOWN
    assert block.condition == CLEAN
    assert block.predicted.dtype == np.int32
    assert block.predicted.tolist() == [[1, 0, 2, none], [0, none, none, none]]
    assert block.confidence is not None
    assert block.confidence.dtype == np.float32
    nan = np.nan
    np.testing.assert_array_equal(block.confidence, [[0.25, 1.0, 0.5, nan], [nan] * 4])
    assert block.loss is not None
    np.testing.assert_array_equal(block.loss, [[nan] * 4, [0.5, nan, nan, nan]])


def test_a_block_without_confidence_and_loss(folder: Path):
    block = read_folder(folder).load(OTHER)
    assert block.confidence is None
    assert block.loss is None
    assert block.predicted.tolist() == [[-1, -1, -1, 2]] * 2


def test_a_condition_reads_only_its_own_parts(folder: Path, monkeypatch: pytest.MonkeyPatch):
    evidence = read_folder(folder)
    for path in part_path(folder, "pruned", FOG).parent.iterdir():
        path.write_bytes(b"broken")
    assert evidence.load(CLEAN).predicted.shape == (2, 4)
    with pytest.raises(TableError, match=r"fog@3/dense%2F0\.parquet cannot be read"):
        evidence.load(FOG)


def test_evidence_travels_to_workers(folder: Path):
    load = pickle.loads(pickle.dumps(read_folder(folder).load))
    assert load(OTHER).predicted.tolist() == [[-1, -1, -1, 2]] * 2


def test_the_files_say_what_they_are(folder: Path):
    assert (
        part_path(folder, "dense/0", OTHER)
        == folder / "predictions/a%2Fb@natural/dense%2F0.parquet"
    )
    schema = parquet.read_schema(folder / "examples.parquet")
    assert json.loads(schema.metadata[b"prune_audit"]) == {
        "schema": "prune-audit/evidence/1",
        "classes": list(CLASSES),
    }
    assert schema.field("label").type == pa.int64()
    part = parquet.read_table(part_path(folder, "dense/0", OTHER))
    assert json.loads(part.schema.metadata[b"prune_audit"]) == {"schema": EVIDENCE_SCHEMA}
    assert part.to_pylist() == [
        {"model": "dense/0", "condition": "a/b", "severity": None, "example": "n", "predicted": 2}
    ]
    table = parquet.read_table(folder / "models.parquet")
    assert table.column_names == list(MODEL_COLUMNS)
    assert table.schema.field("macs").type == pa.int64()
    assert table.column("parent").to_pylist() == [None, "dense/0"]
    assert {name for name, column in EXAMPLE_COLUMNS.items() if column.required} == {
        "example",
        "split",
        "label",
    }


def test_the_same_part_is_the_same_bytes(tmp_path: Path):
    first, second = (
        write_part(tmp_path / where, "m", FOG, [3, 1], [0, 1], [0.5, 1], [0.1, 2], [[1, 0], [0, 1]])
        for where in "ab"
    )
    assert first.read_bytes() == second.read_bytes()
    columns = parquet.read_table(first).to_pydict()
    assert columns["probabilities"] == [[1.0, 0.0], [0.0, 1.0]]
    assert columns["example"] == [3, 1]
    assert parquet.read_schema(first).field("confidence").type == pa.float32()


def test_whole_numbers_as_ids(tmp_path: Path):
    frame = pd.DataFrame({"example": [7, 3, 5], "label": [0, 1, NO_LABEL]})
    write_examples(tmp_path, frame, ["a", "b"])
    write_models(tmp_path, pd.DataFrame({"model": ["m"]}))
    write_part(tmp_path, "m", CLEAN, np.array([5, 7], np.int32), np.array([1, 0]))
    evidence = read_folder(tmp_path)
    assert evidence.examples["example"].tolist() == [7, 3, 5]
    assert evidence.examples["split"].tolist() == ["test"] * 3
    assert evidence.labels.tolist() == [0, 1, NO_LABEL]
    assert evidence.load(CLEAN).predicted.tolist() == [[0, -1, 1]]


def test_files_that_other_tools_wrote(folder: Path):
    """Categories, small integers, an index that is a column: what they mean is what counts."""
    before = read_folder(folder)
    for file in ("examples.parquet", "models.parquet", PART):
        table = parquet.read_table(folder / file)
        texts = [f.name for f in table.schema if pa.types.is_string(f.type)]
        frame = table.to_pandas().astype(dict.fromkeys(texts, "category"))
        if file == "models.parquet":
            frame = frame.set_index("model")
        other = pa.Table.from_pandas(frame)
        kept = {**other.schema.metadata, **table.schema.metadata}
        parquet.write_table(other.replace_schema_metadata(kept), folder / file)
    after = read_folder(folder)
    pd.testing.assert_frame_equal(after.examples, before.examples)
    pd.testing.assert_frame_equal(after.models, before.models)
    np.testing.assert_array_equal(after.load(CLEAN).predicted, before.load(CLEAN).predicted)


def rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    table = change(parquet.read_table(path))
    parquet.write_table(table, path)


def put(name: str, values: list[Any]) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(
        table.column_names.index(name), name, pa.array(values, table.schema.field(name).type)
    )


PART = "predictions/clean@0/dense%2F0.parquet"


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (PART, put("example", ["m", "x", "m"]), "row 3: 'example' is 'm', which has a row already"),
        (
            PART,
            put("example", ["m", "x", "q"]),
            "row 3: 'example' is 'q', which is not in examples",
        ),
        (
            PART,
            put("predicted", [2, 3, 0]),
            "row 2: 'predicted' is 3, which is no class code: give 0 to 2",
        ),
        (PART, put("predicted", [2, -1, 0]), "row 2: 'predicted' is -1, which is no class code"),
        (
            PART,
            put("predicted", [2, None, 0]),
            "row 2: 'predicted' is None, which is no class code",
        ),
        (PART, put("confidence", [1, 2, 0]), "row 2: 'confidence' is 2.0, which is no probability"),
        (PART, put("confidence", [1, np.nan, 0]), "row 2: 'confidence' is nan, which is no prob"),
        (PART, put("confidence", [1, 1, None]), "row 3: 'confidence' is nan, which is no probab"),
        (
            PART,
            put("model", ["dense/0", "x", "x"]),
            "row 2: 'model' is 'x', in a file of 'dense/0' under clean",
        ),
        (
            PART,
            put("condition", ["fog"] * 3),
            "row 1: 'condition' is 'fog', in a file of 'dense/0'",
        ),
        (PART, put("severity", [0, 1, None]), "row 2: 'severity' is 1.0, in a file of 'dense/0'"),
        (PART, lambda t: t.drop_columns("predicted"), "has no column 'predicted': add it"),
        (
            PART,
            lambda t: t.rename_columns(
                ["model", "condition", "severity", "exmple", "predicted", "confidence"]
            ),
            "has no column 'example': add it (the nearest is 'exmple')",
        ),
        (PART, lambda t: t.drop_columns("severity"), "has no column 'severity': add it"),
        (PART, lambda t: t.slice(0, 0), "has no rows"),
        (
            PART,
            lambda t: t.replace_schema_metadata(
                {"prune_audit": '{"schema": "prune-audit/evidence/2"}'}
            ),
            "follows 'prune-audit/evidence/2' and this is 'prune-audit/evidence/1': install",
        ),
        (
            "predictions/clean@0/pruned.parquet",
            put("loss", [0.5, np.inf]),
            "row 2: 'loss' is inf, which is no cross-entropy",
        ),
        (
            "examples.parquet",
            put("label", [1, 0, 0, None, 3]),
            "row 5: 'label' is 3, which is no class code: give 0 to 2",
        ),
        (
            "examples.parquet",
            put("label", [1, 0, -1, None, 2]),
            "row 3: 'label' is -1, which is no class code",
        ),
        (
            "examples.parquet",
            put("example", ["x", "a", "t1", "x", "n"]),
            "row 4: 'example' is 'x', which",
        ),
        (
            "examples.parquet",
            put("example", ["x", "a", "t1", "x", "n"]),
            "row 1 has already, with label 1 instead of -1: keep one row per example",
        ),
        (
            "examples.parquet",
            put("example", ["x", None, "t1", "m", "n"]),
            "row 2: 'example' is None, which is no id",
        ),
        (
            "examples.parquet",
            put("split", ["test", None, "t", "t", "t"]),
            "row 2: 'split' is None, which is no split",
        ),
        (
            "examples.parquet",
            put("weight", [1, -1, 1, 1, 1]),
            "row 2: 'weight' is -1.0, for example 'a': give finite numbers",
        ),
        (
            "examples.parquet",
            put("weight", [1, 1, 1, None, 1]),
            "row 4: 'weight' is nan, for example 'm'",
        ),
        (
            "examples.parquet",
            put("cluster", [1, 1, None, 2, 2]),
            "row 3: 'cluster' is nan, for example 't1': say whose",
        ),
        (
            "examples.parquet",
            lambda t: t.replace_schema_metadata(
                {"prune_audit": '{"schema": "prune-audit/evidence/1"}'}
            ),
            "does not name the classes",
        ),
        (
            "examples.parquet",
            lambda t: t.replace_schema_metadata(
                {"prune_audit": '{"schema": "prune-audit/evidence/9", "classes": ["a"]}'}
            ),
            "install a later prune-audit",
        ),
        (
            "examples.parquet",
            lambda t: t.replace_schema_metadata({"prune_audit": '{"schema": "somebody/else/1"}'}),
            "give an evidence folder",
        ),
        (
            "examples.parquet",
            lambda t: t.replace_schema_metadata({"prune_audit": "{}"}),
            "does not say which schema it follows",
        ),
        (
            "examples.parquet",
            lambda t: t.drop_columns("split"),
            "examples.parquet has no column 'split'",
        ),
        (
            "models.parquet",
            put("role", ["dense", "prunde"]),
            "row 2: 'role' is 'prunde', which is no role",
        ),
        (
            "models.parquet",
            put("parent", [None, "dense-1"]),
            "row 2: 'parent' is 'dense-1', which is no model here",
        ),
        (
            "models.parquet",
            lambda t: t.slice(0, 1),
            "there is a part of 'pruned' under clean, a model that models.parquet does not list",
        ),
        ("models.parquet", lambda t: t.slice(0, 0), "models.parquet has no rows"),
    ],
)
def test_what_is_wrong_is_named(
    folder: Path, file: str, change: Callable[[pa.Table], pa.Table], message: str
):
    rewrite(folder / file, change)
    with pytest.raises(TableError) as caught:
        read_folder(folder).load(CLEAN)
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)
    assert str(caught.value).endswith(".")


def test_what_is_missing_is_named(folder: Path):
    part = part_path(folder, "pruned", FOG)
    held = part.read_bytes()
    part.unlink()
    with pytest.raises(
        TableError, match=r"model 'pruned' has no part under fog at severity 3, whi"
    ):
        read_folder(folder)
    part.write_bytes(held[: len(held) // 2])
    evidence = read_folder(folder)
    with pytest.raises(TableError, match=r"pruned\.parquet cannot be read \(.*\): write it again"):
        evidence.load(FOG)
    part.unlink()
    with pytest.raises(TableError, match=r"pruned\.parquet is not there"):
        evidence.load(FOG)
    with pytest.raises(TableError, match=r"^There are no predictions under snow at severity 1"):
        evidence.load(Condition("snow", 1.0))
    for name in ("models.parquet", "examples.parquet"):
        (folder / name).unlink()
        with pytest.raises(TableError, match=rf"{name} is not there"):
            read_folder(folder)


def test_a_folder_without_predictions(folder: Path, tmp_path: Path):
    with pytest.raises(TableError, match=r"nowhere is no folder: give the path of an evidence"):
        read_folder(tmp_path / "nowhere")
    (folder / "predictions" / "odd").mkdir()
    with pytest.raises(TableError, match=r"predictions/odd is no condition's folder"):
        read_folder(folder)
    (folder / "predictions").rename(folder / "elsewhere")
    with pytest.raises(TableError, match=r"predictions is not there: write predictions before"):
        read_folder(folder)
    (folder / "predictions").mkdir()
    with pytest.raises(TableError, match=r"predictions is empty"):
        read_folder(folder)


def test_scratch_of_a_killed_process_is_no_part(folder: Path):
    path = part_path(folder, "pruned", CLEAN)
    (path.parent / f"{path.name}.scratch-00000000-1-0123abcd").write_bytes(b"half")
    assert read_folder(folder).load(CLEAN).predicted.shape == (2, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"predicted": [0, -1]}, "row 2: 'predicted' is -1, which is no class code"),
        ({"predicted": [0.5, 1.0]}, "are float64: give class codes as integers"),
        ({"confidence": [0.5, np.nan]}, "row 2: 'confidence' is nan, which is no probability"),
        ({"confidence": [1.5, 0.5]}, "row 1: 'confidence' is 1.5, which is no probability"),
        ({"confidence": [0.5]}, "1 confidence for 2 predictions"),
        ({"loss": [0.5, np.inf]}, "row 2: 'loss' is inf, which is no cross-entropy"),
        ({"loss": [-0.5, 0.0]}, "row 1: 'loss' is -0.5, which is no cross-entropy"),
        ({"example": ["a"]}, "1 example for 2 predictions"),
        ({"example": ["a", "a"]}, "row 2: 'example' is 'a', which has a row already"),
        ({"probabilities": [[1, 0], [2, 0]]}, "row 2: 'probabilities' is "),
        ({"probabilities": [1, 0]}, "probabilities have 1 axes: give [rows, classes]"),
        ({"model": ""}, "A part of '' under 'fog' needs both names"),
    ],
)
def test_what_must_not_be_written(tmp_path: Path, arguments: dict[str, Any], message: str):
    fine = {"model": "m", "condition": FOG, "example": ["a", "b"], "predicted": [0, 1]}
    with pytest.raises(TableError) as caught:
        write_part(tmp_path, **(fine | arguments))
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_hair_above_one_is_rounding(tmp_path: Path):
    path = write_part(tmp_path, "m", CLEAN, [1], [0], np.array([1.0000001], np.float32))
    confidence = read_part(path, "m", CLEAN, 1).confidence
    assert confidence is not None
    assert confidence.tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"label": ["dog", "cat", "cow", None, "eel"]},
            "row 3: 'label' is 'cow', which is no class",
        ),
        (
            {"label": [0, 1, 2, 3, 0]},
            "row 4: 'label' is 3, which is neither a class name nor a code",
        ),
        ({"label": [0, 1, 2, -2, 0]}, "row 4: 'label' is -2, which is neither"),
        (
            {"example": ["x", "a", "x", "m", "n"]},
            "row 3: 'example' is 'x', which The examples, row",
        ),
        ({"group_odd": [1, "a", None, (), 2]}, "cannot be written ("),
        ({"weight": [1, 2, np.inf, 1, 1]}, "row 3: 'weight' is inf, for example 't1'"),
    ],
)
def test_examples_that_must_not_be_written(tmp_path: Path, change: dict[str, Any], message: str):
    with pytest.raises(TableError) as caught:
        write_examples(tmp_path, examples().assign(**change), CLASSES)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_models_that_must_not_be_written(tmp_path: Path):
    with pytest.raises(TableError, match=r"The models, row 1: 'parent' is 'd', which is no model"):
        write_models(tmp_path, pd.DataFrame({"model": ["p"], "parent": ["d"]}))
    with pytest.raises(TableError, match="have no column 'example'"):
        write_examples(tmp_path, pd.DataFrame({"label": [0]}), ["a"])
    assert parts.PREDICTIONS == "predictions"


def test_validation_examples_are_neither_audited_nor_counted(folder: Path) -> None:
    table = examples().assign(split=["test", "validation", "train", "test", "natural:a/b"])
    write_examples(folder, table, CLASSES)
    evidence = read_folder(folder)
    assert evidence.examples["example"].tolist() == ["x", "m", "n"]
    assert evidence.training["example"].tolist() == ["t1"]
