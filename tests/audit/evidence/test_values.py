"""Answers that are no classes, and energies: one number per prediction, in tables and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.evidence.arrays import from_arrays
from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Evidence
from audit.evidence.errors import TableError
from audit.evidence.flat import read_flat
from audit.evidence.folder import read_folder, write_examples, write_models
from audit.evidence.parts import part_path, write_part

# Dice of two models on two scans; one was not segmented by the pruned model.
ROWS = pd.DataFrame(
    {
        "model": ["d", "d", "p"],
        "example": ["a", "b", "b"],
        "dice": [0.75, 0.5, 0.25],
        "energy": [-1.5, 2.0, 0.0],
    }
)
NAMED = {"value": "dice"}


def written(folder: Path) -> Path:
    write_examples(folder, pd.DataFrame({"example": ["a", "b"], "label": None}), [])
    write_models(folder, pd.DataFrame({"model": ["d", "p"]}))
    write_part(folder, "d", CLEAN, ["b", "a"], None, value=[0.5, 0.75], energy=[2.0, -1.5])
    write_part(folder, "p", CLEAN, ["b"], None, value=[0.25], energy=[0.0])
    return folder


def check(evidence: Evidence) -> None:
    assert evidence.classes == ()
    assert evidence.labels.tolist() == [NO_LABEL] * 2
    block = evidence.load(CLEAN)
    assert block.predicted.tolist() == [[NOT_SHOWN] * 2] * 2
    assert block.value is not None
    assert block.energy is not None
    assert block.value.dtype == block.energy.dtype == np.float32
    np.testing.assert_array_equal(block.value, [[0.75, 0.5], [np.nan, 0.25]])
    np.testing.assert_array_equal(block.energy, [[-1.5, 2.0], [np.nan, 0.0]])
    assert block.confidence is None
    assert evidence.probabilities(CLEAN, 0) is None


def test_a_table_and_a_folder_without_classes(tmp_path: Path):
    check(read_flat(ROWS, columns=NAMED))
    check(read_flat(ROWS.iloc[::-1], columns=NAMED))
    check(read_folder(written(tmp_path)))


def test_arrays_without_classes():
    evidence = from_arrays(None, None, None, parent_value=[0.5, np.nan], pruned_value=[[0.25, 1]])
    assert evidence.classes == ()
    block = evidence.load(CLEAN)
    assert block.predicted.tolist() == [[NOT_SHOWN] * 2] * 2
    np.testing.assert_array_equal(block.value, [[0.5, np.nan], [0.25, 1.0]])


def test_values_beside_classes():
    rows = ROWS.assign(predicted=["x", "y", None], label=["x", "x", "x"])
    evidence = read_flat(rows, columns=NAMED)
    assert evidence.classes == ("x", "y")
    block = evidence.load(CLEAN)
    assert block.predicted.tolist() == [[0, 1], [NOT_SHOWN, NOT_SHOWN]]
    assert block.value is not None
    assert block.value[1, 1] == 0.25
    both = from_arrays(["x", "y"], ["x", "x"], ["y", "y"], parent_value=[1, 2], pruned_value=[3, 4])
    assert both.load(CLEAN).predicted.tolist() == [[0, 0], [1, 1]]
    assert both.load(CLEAN).value.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dice": [0.5, np.inf, 0.5]}, "row 2: 'dice' is inf, which no mean can be taken of: give"),
        ({"dice": [0.5, 1e300, 0.5]}, "row 2: 'dice' is inf, which no mean can be taken of"),
        ({"dice": [0.5, None, 0.5]}, "row 2: 'dice' is nan, which says nothing: give it, or a pre"),
        ({"dice": ["a", "b", "c"]}, "row 1: 'dice' is 'a', which is no number: give one, or leave"),
        ({"dice": [[1.0]] * 3}, "column 'value' holds list<"),
        ({"energy": [-np.inf, 0, 0]}, "row 1: 'energy' is -inf, which no mean can be taken of"),
        (
            {"example": ["a", "b", "a"], "model": "d"},
            "row 3: 'example' is 'a', which model 'd' has",
        ),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str):
    with pytest.raises(TableError) as caught:
        read_flat(ROWS.assign(**change), columns=NAMED)
    assert message in str(caught.value)
    assert str(caught.value).startswith("the table")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"predicted": None}, "say nothing: give predicted classes, or a value of each"),
        ({"predicted": None, "value": [0.5, np.inf]}, "row 2: 'value' is inf, which no mean can"),
        ({"predicted": None, "value": [0.5]}, "2 example for 1 predictions"),
        ({"value": [0.5]}, "1 value for 2 predictions"),
        ({"energy": [np.inf, 0.0]}, "row 1: 'energy' is inf, which no mean can"),
    ],
)
def test_what_must_not_be_written(tmp_path: Path, arguments: dict[str, Any], message: str):
    fine = {"example": ["a", "b"], "predicted": [0, 1]}
    with pytest.raises(TableError) as caught:
        write_part(tmp_path, "m", CLEAN, **(fine | arguments))
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_labels_without_classes(tmp_path: Path):
    with pytest.raises(TableError, match=r"row 2: 'label' is 0, and there are no classes: name"):
        write_examples(tmp_path, pd.DataFrame({"example": [1, 2], "label": [-1, 0]}), [])


def test_a_part_without_either(tmp_path: Path):
    folder = written(tmp_path)
    write_part(folder, "p", CLEAN, ["b"], [0])  # there are no classes
    with pytest.raises(TableError, match=r"row 1: 'predicted' is 0, which is no class code"):
        read_folder(folder).load(CLEAN)
    part_path(folder, "p", CLEAN).unlink()
    with pytest.raises(TableError, match="model 'p' has no part under clean"):
        read_folder(folder)


def test_neither_classes_nor_values():
    with pytest.raises(
        TableError, match=r"has no column 'predicted': .* or which holds the quality"
    ):
        read_flat(ROWS)
    with pytest.raises(TableError, match=r"^dense has no predictions: give them, or a value of ea"):
        from_arrays(None, None, [0, 1])
    with pytest.raises(TableError, match=r"^pruned values are \(1, 1\) and predictions \(1, 2\)"):
        from_arrays([0, 1], [0, 1], [0, 1], pruned_value=[0.5])
