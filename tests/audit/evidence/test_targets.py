"""Several labels of one example: each question becomes an example, in a table and in arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.evidence.arrays import from_arrays
from audit.evidence.blocks import CLEAN, NO_LABEL
from audit.evidence.errors import TableError
from audit.evidence.flat import read_flat

# Two scans, asked about two findings; nobody knows whether the second shows an effusion.
ROWS = pd.DataFrame(
    {
        "model": ["d"] * 4 + ["p"] * 4,
        "parent": [None] * 4 + ["d"] * 4,
        "example": [7, 7, 8, 8] * 2,
        "target": ["mass", "effusion"] * 4,
        "label": [1, 0, 0, None] * 2,
        "predicted": [1, 0, 0, 1, 0, 0, 0, 1],
        "group_sex": ["F", "F", "M", "M"] * 2,
    }
)


def test_a_table_by_hand():
    evidence = read_flat(ROWS)
    assert evidence.classes == ("0", "1")
    assert evidence.examples.to_dict("list") == {
        "example": ["7|effusion", "7|mass", "8|effusion", "8|mass"],
        "split": ["test"] * 4,
        "label": [0, 1, NO_LABEL, 0],
        "group_sex": ["F", "F", "M", "M"],
        "cluster": [7, 7, 8, 8],
        "group_target": ["effusion", "mass", "effusion", "mass"],
    }
    assert evidence.load(CLEAN).predicted.tolist() == [[0, 1, 1, 0], [0, 0, 1, 0]]


def test_the_order_of_rows_plays_no_part():
    expected, found = read_flat(ROWS), read_flat(ROWS.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(found.examples, expected.examples, check_like=True)
    np.testing.assert_array_equal(found.load(CLEAN).predicted, expected.load(CLEAN).predicted)


def test_whom_examples_belong_to_may_be_said():
    evidence = read_flat(ROWS.assign(cluster="patient 1"))
    assert evidence.examples["cluster"].tolist() == ["patient 1"] * 4


def test_one_label_alone_still_has_two_classes():
    never = read_flat(ROWS.assign(label=0, predicted=0))
    assert never.classes == ("0", "1")
    truth = read_flat(ROWS.assign(label=True, predicted=True))
    assert truth.classes == ("False", "True")
    assert truth.labels.tolist() == [1] * 4
    names = read_flat(ROWS.assign(label="absent", predicted=["present", "absent"] * 4))
    assert names.classes == ("absent", "present")
    assert read_flat(ROWS, classes=["no", "yes"]).classes == ("no", "yes")


def test_a_column_that_somebody_calls_target_is_a_label_where_they_say_so():
    rows = ROWS.drop_duplicates(["model", "example"]).drop(columns="label")
    evidence = read_flat(rows.assign(target=[0, 1, 0, 1]), columns={"label": "target"})
    assert evidence.labels.tolist() == [0, 1]
    assert "group_target" not in evidence.examples


def test_a_plan_may_name_it_as_a_group():
    evidence = read_flat(ROWS, groups=["target", "sex"])
    assert evidence.examples["group_target"].tolist() == ["effusion", "mass"] * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"target": ["mass", None] * 4},
            "row 2: 'target' is None, which asks about no label: name",
        ),
        (
            {"predicted": range(8)},
            "asks about one label per row ('target'), so label and predicted",
        ),
        ({"group_target": "x"}, "has 'target' and another 'group_target': rename one of them"),
        (
            {"target": "mass", "label": 0},
            "row 2: 'example' is '7|mass', which model 'd' has predicted before under clean",
        ),
        (
            {"label": [1, 0, 0, None, 0, 0, 0, None]},
            "row 5: 'label' is '0', but '1' in the table, row 1 for the same example '7|mass'",
        ),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str):
    with pytest.raises(TableError) as caught:
        read_flat(ROWS.assign(**change))
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")


def test_arrays_say_what_a_table_says():
    y_true = np.array([[1, 0], [0, np.nan]])
    dense, pruned = np.array([[1, 0], [0, 1]]), np.array([[0, 0], [0, 1]])
    named = {"targets": ["mass", "effusion"], "example": [7, 8]}
    expected = read_flat(ROWS)
    for found in (
        from_arrays(y_true, dense, pruned, {"sex": ["F", "M"]}, **named),
        from_arrays(y_true, dense[None], pruned[None], {"sex": ["F", "M"]}, **named),
    ):
        pd.testing.assert_frame_equal(found.examples, expected.examples, check_like=True)
        np.testing.assert_array_equal(found.load(CLEAN).predicted, expected.load(CLEAN).predicted)
        assert found.classes == expected.classes
    numbered = from_arrays(y_true, dense, pruned)
    assert numbered.examples["group_target"].tolist() == ["0", "1"] * 2
    unlabelled = from_arrays(None, dense, pruned, targets=["mass", "effusion"])
    assert unlabelled.labels.tolist() == [NO_LABEL] * 4


def test_arrays_with_confidences_and_probabilities_of_each_target():
    y_true = [[1, 0], [0, 1]]
    sure = np.array([[0.9, 0.8], [0.7, 0.6]])
    both = np.stack([1 - sure, sure], axis=-1)
    evidence = from_arrays(
        y_true, y_true, y_true, parent_confidence=sure, parent_probabilities=both, targets="ab"
    )
    block, lists = evidence.load(CLEAN), evidence.probabilities(CLEAN, 0)
    np.testing.assert_allclose(block.confidence[0], [0.9, 0.8, 0.7, 0.6], rtol=1e-6)
    assert lists is not None
    np.testing.assert_allclose(lists[:, 1], [0.9, 0.8, 0.7, 0.6], rtol=1e-6)


@pytest.mark.parametrize(
    ("y_true", "parent", "options", "message"),
    [
        ([[1, 0]], [[1, 0]], {"targets": ["a"]}, "y_true has 2 columns and targets names 1: name"),
        (
            [1, 0],
            [1, 0],
            {"targets": ["a"]},
            "y_true has the shape (2,) and targets names 1 labels",
        ),
        ([[1, 0]], [[1, 0, 1]], {}, "dense has 3 targets and there are 2: give one for each"),
        (
            [[1, 0]],
            [1, 0],
            {},
            "dense has the shape (2,) where each example has 2 labels: give [ex",
        ),
    ],
)
def test_arrays_that_do_not_fit(y_true: Any, parent: Any, options: Any, message: str):
    with pytest.raises(TableError) as caught:
        from_arrays(y_true, parent, parent, **options)
    assert message in str(caught.value)
