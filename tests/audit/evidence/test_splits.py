"""Validation examples have evidence of their own; others are of no class at all."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.evidence import part_blocks
from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Condition
from audit.evidence.errors import TableError
from audit.evidence.flat import read_flat
from audit.evidence.folder import read_folder, write_examples, write_models
from audit.evidence.parts import write_part

FOG = Condition("fog", 2.0)
SVHN = Condition("svhn", None)

EXAMPLES = pd.DataFrame(
    {
        "example": ["t1", "t2", "v1", "v2", "r1"],
        "split": ["test", "test", "validation", "validation", "train"],
        "label": [0, 1, 1, 0, 1],
        "group_sex": ["F", "M", "M", "F", "F"],
        "weight": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
)
# (model, condition) -> what it predicts for whom
ANSWERS: dict[tuple[str, Condition], dict[str, int]] = {
    ("d", CLEAN): {"v2": 0, "t1": 0, "v1": 1, "t2": 1, "r1": 1},
    ("p", CLEAN): {"t2": 0, "t1": 1, "v1": 0},
    ("d", FOG): {"t1": 1, "t2": 1, "v1": 1},
    ("p", FOG): {"t1": 0, "t2": 0},
}


def flat(answers: Any = ANSWERS, examples: pd.DataFrame = EXAMPLES) -> pd.DataFrame:
    rows = [
        {
            "model": model,
            "parent": None if model == "d" else "d",
            "condition": condition.name,
            "severity": condition.severity,
            "example": example,
            "predicted": predicted,
            "confidence": 0.5 + predicted / 4,
        }
        for (model, condition), shown in answers.items()
        for example, predicted in shown.items()
    ]
    return pd.DataFrame(rows).merge(examples, on="example")


def folder(path: Path, answers: Any = ANSWERS, examples: pd.DataFrame = EXAMPLES) -> Path:
    write_examples(path, examples, ["0", "1"])
    write_models(path, pd.DataFrame({"model": ["d", "p"], "parent": [None, "d"]}))
    for (model, condition), shown in answers.items():
        predicted = np.array(list(shown.values()))
        write_part(path, model, condition, list(shown), predicted, 0.5 + predicted / 4)
    return path


def test_validation_by_hand(tmp_path: Path):
    for evidence in (read_flat(flat()), read_folder(folder(tmp_path))):
        validation = evidence.validation
        assert validation is not None
        assert evidence.examples["example"].tolist() == ["t1", "t2"]
        assert validation.examples["example"].tolist() == ["v1", "v2"]
        assert validation.labels.tolist() == [1, 0]
        assert validation.examples["weight"].tolist() == [3.0, 4.0]
        assert list(validation.examples) == list(evidence.examples)
        assert validation.conditions == (CLEAN, FOG)
        assert validation.load(CLEAN).predicted.tolist() == [[1, 0], [0, NOT_SHOWN]]
        block = validation.load(FOG)
        assert block.predicted.tolist() == [[1, NOT_SHOWN], [NOT_SHOWN, NOT_SHOWN]]
        np.testing.assert_array_equal(block.confidence, [[0.75, np.nan], [np.nan, np.nan]])
        assert evidence.load(FOG).predicted.tolist() == [[1, 1], [0, 0]]
        assert validation.validation is None
        assert validation.models is evidence.models
        assert validation.classes == evidence.classes
        assert validation.training["example"].tolist() == ["r1"]
        assert pickle.loads(pickle.dumps(validation.load))(CLEAN).predicted.tolist() == [
            [1, 0],
            [0, NOT_SHOWN],
        ]


def test_probabilities_of_either_split(tmp_path: Path):
    """A part holds both, and a training example, in an order of its own."""
    sure = {"v1": 0.875, "r1": 0.125, "t2": 0.75, "t1": 0.5, "v2": 0.25}
    write_examples(tmp_path, EXAMPLES, ["0", "1"])
    write_models(tmp_path, pd.DataFrame({"model": ["m"]}))
    lists = np.array([[1 - p, p] for p in sure.values()])
    write_part(tmp_path, "m", CLEAN, list(sure), np.zeros(5, int), probabilities=lists)
    rows = pd.DataFrame({"model": "m", "example": list(sure), "predicted": 0})
    table = rows.assign(probabilities=lists.tolist()).merge(EXAMPLES, on="example")
    for evidence in (read_folder(tmp_path), read_flat(table)):
        assert evidence.validation is not None
        found = evidence.probabilities(CLEAN, 0)
        held_out = evidence.validation.probabilities(CLEAN, 0)
        assert found is not None
        assert held_out is not None
        assert found[:, 1].tolist() == [0.5, 0.75]
        assert held_out[:, 1].tolist() == [0.875, 0.25]
        apart = pickle.loads(pickle.dumps(evidence.validation.probabilities))(CLEAN, 0)
        assert apart.tolist() == held_out.tolist()


def test_no_validation(tmp_path: Path):
    """No such examples, and such examples that no model was shown."""
    none = EXAMPLES.assign(split="test")
    unshown = {
        key: {e: p for e, p in shown.items() if e[0] != "v"} for key, shown in ANSWERS.items()
    }
    assert read_flat(flat(examples=none)).validation is None
    assert read_folder(folder(tmp_path / "none", examples=none)).validation is None
    assert read_flat(flat(unshown)).validation is None
    assert read_folder(folder(tmp_path / "unshown", unshown)).validation is None


def test_a_model_that_was_shown_none(tmp_path: Path):
    """The first model has no validation rows; the second has."""
    answers = {**ANSWERS, ("d", CLEAN): {"t1": 0, "t2": 1}, ("d", FOG): {"t1": 1, "t2": 1}}
    for evidence in (read_flat(flat(answers)), read_folder(folder(tmp_path, answers))):
        assert evidence.validation is not None
        assert evidence.validation.conditions == (CLEAN,)
        assert evidence.validation.load(CLEAN).predicted[0].tolist()[0] == NOT_SHOWN
        assert evidence.validation.load(CLEAN).predicted[1].tolist()[0] == 0
        with pytest.raises(TableError, match="There are no predictions under fog"):
            evidence.validation.load(FOG)


def test_opening_a_folder_does_not_read_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    read = part_blocks.read_table

    def watched(path: Path, *more: Any) -> Any:
        opened.append(f"{path.parent.name}/{path.name}")
        return read(path, *more)

    monkeypatch.setattr(part_blocks, "read_table", watched)
    read_folder(folder(tmp_path))
    assert opened == ["clean@0/d.parquet", "fog@2/d.parquet"]
    opened.clear()
    read_folder(folder(tmp_path / "tests", examples=EXAMPLES.assign(split="test")))
    assert opened == []


# ---------------------------------------------------------------------- out of distribution

OUT = pd.DataFrame(
    {"example": ["o1", "t1", "t2"], "split": ["ood", "test", "test"], "label": [None, 0, 1]}
)
SHOWN: dict[tuple[str, Condition], dict[str, int]] = {
    ("d", CLEAN): {"t1": 0, "t2": 1},
    ("p", CLEAN): {"t1": 1, "t2": 1},
    ("d", SVHN): {"o1": 1},
    ("p", SVHN): {"o1": 0},
}


def test_inputs_of_no_class_stay_on_the_axis(tmp_path: Path):
    for evidence in (read_flat(flat(SHOWN, OUT)), read_folder(folder(tmp_path, SHOWN, OUT))):
        assert evidence.examples["split"].tolist() == ["ood", "test", "test"]
        assert evidence.labels.tolist() == [NO_LABEL, 0, 1]
        assert evidence.conditions == (CLEAN, SVHN)
        assert evidence.load(CLEAN).predicted.tolist() == [[NOT_SHOWN, 0, 1], [NOT_SHOWN, 1, 1]]
        assert evidence.load(SVHN).predicted[:, 0].tolist() == [1, 0]


def test_inputs_of_no_class_have_no_label(tmp_path: Path):
    labelled = OUT.assign(label=[1, 0, 1])
    message = r"'label' is 1, for example 'o1' of the split 'ood', which belongs to no class: leave"
    with pytest.raises(TableError, match=message):
        read_flat(flat(SHOWN, labelled))
    with pytest.raises(TableError, match=message):
        write_examples(tmp_path, labelled, ["0", "1"])


@pytest.mark.parametrize("condition", [CLEAN, FOG])
def test_inputs_of_no_class_are_no_clean_ones(tmp_path: Path, condition: Condition):
    answers = {**SHOWN, ("d", condition): {"t1": 0, "o1": 0}, ("p", condition): {"t1": 0}}
    said = (
        r"'example' is 'o1', which is of the split 'ood' and shown as (clean|fog at severity 2): "
    )
    with pytest.raises(TableError, match=said):
        read_flat(flat(answers, OUT))
    evidence = read_folder(folder(tmp_path, answers, OUT))
    with pytest.raises(TableError, match=said):
        evidence.load(condition)


# ---------------------------------------------------------------------- metadata


def test_metadata_is_read_as_groups_are(tmp_path: Path):
    examples = EXAMPLES.assign(
        meta_camera=["x", None, "y", "y", "x"], meta_age=[30.5, np.nan, 2.0, 4.0, 5.0]
    )
    for evidence in (
        read_flat(flat(examples=examples)),
        read_folder(folder(tmp_path, examples=examples)),
    ):
        assert evidence.examples["meta_camera"].tolist() == ["x", "missing"]
        np.testing.assert_array_equal(evidence.examples["meta_age"], [30.5, np.nan])
        assert evidence.training["meta_camera"].tolist() == ["x"]
    named = flat(examples=examples).rename(columns={"meta_camera": "camera"})
    renamed = read_flat(named, columns={"meta_camera": "camera"})
    assert renamed.examples["meta_camera"].tolist() == ["x", "missing"]
