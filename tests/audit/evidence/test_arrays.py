"""Predictions in memory: one pair of arrays, or several in rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.evidence.arrays import from_arrays
from audit.evidence.blocks import CLEAN, NO_LABEL
from audit.evidence.errors import TableError

TRUE = ["a", "b", "a"]
DENSE = ["a", "b", "b"]
PRUNED = ["a", "a", "b"]


def test_a_pair_by_hand():
    evidence = from_arrays(TRUE, DENSE, PRUNED, method="snip", sparsity=0.5)
    assert evidence.classes == ("a", "b")
    assert evidence.conditions == (CLEAN,)
    assert evidence.examples["example"].tolist() == [0, 1, 2]
    assert evidence.labels.tolist() == [0, 1, 0]
    columns = ["model", "parent", "role", "method", "sparsity"]
    dense, pruned = evidence.models[columns].to_dict("records")
    assert list(dense.values())[:4] == ["dense", "", "dense", ""]
    assert np.isnan(dense["sparsity"])
    assert list(pruned.values()) == ["pruned", "dense", "pruned", "snip", 0.5]
    block = evidence.load(CLEAN)
    assert block.predicted.tolist() == [[0, 1, 1], [0, 0, 1]]
    assert block.confidence is None


def test_several_pairs_are_rows():
    dense = np.array([[0, 1], [1, 1], [0, 0]])
    evidence = from_arrays([0, 1], dense, 1 - dense, pruned_confidence=np.full((3, 2), 0.5))
    assert dict(zip(evidence.models["model"], evidence.models["parent"], strict=True)) == {
        "dense-0": "",
        "dense-1": "",
        "dense-2": "",
        "pruned-0": "dense-0",
        "pruned-1": "dense-1",
        "pruned-2": "dense-2",
    }
    block = evidence.load(CLEAN)
    assert block.predicted.tolist() == [*dense.tolist(), *(1 - dense).tolist()]
    np.testing.assert_array_equal(block.confidence, [[np.nan] * 2] * 3 + [[0.5] * 2] * 3)
    names = from_arrays(None, [[0]] * 11, [[1]] * 11).models["model"].tolist()
    assert names[:2] == ["dense-00", "dense-01"]
    assert names[-1] == "pruned-10"


@pytest.mark.parametrize(
    ("features", "columns"),
    [
        ({"sex": ["F", "M", None]}, {"group_sex": ["F", "M", "missing"]}),
        ({"group_sex": ["F", "M", "F"]}, {"group_sex": ["F", "M", "F"]}),
        (
            pd.DataFrame({"sex": list("FMF"), "age": [1, 2, 3]}, index=[7, 8, 9]),
            {"group_sex": ["F", "M", "F"], "group_age": [1, 2, 3]},
        ),
        (pd.Series(["F", "M", "F"], name="sex"), {"group_sex": ["F", "M", "F"]}),
        (pd.Series(["F", "M", "F"]), {"group_sensitive_feature": ["F", "M", "F"]}),
        (["F", "M", "F"], {"group_sensitive_feature_0": ["F", "M", "F"]}),
        (
            np.array([["F", "x"], ["M", "y"], ["F", "x"]]),
            {
                "group_sensitive_feature_0": ["F", "M", "F"],
                "group_sensitive_feature_1": ["x", "y", "x"],
            },
        ),
    ],
)
def test_sensitive_features(features: Any, columns: dict[str, list[Any]]):
    examples = from_arrays(TRUE, DENSE, PRUNED, features).examples
    assert {n: examples[n].tolist() for n in examples if n.startswith("group_")} == columns


def test_labels_that_nobody_knows_and_ids_of_ones_own():
    evidence = from_arrays(None, DENSE, PRUNED, example=["z", "x", "y"])
    assert evidence.labels.tolist() == [NO_LABEL] * 3
    assert evidence.examples["example"].tolist() == ["x", "y", "z"]
    assert evidence.load(CLEAN).predicted.tolist() == [[1, 1, 0], [0, 1, 0]]
    named = from_arrays(pd.Series([1, 0], index=[5, 4]), [0, 0], [1, 1], classes=["no", "yes"])
    assert named.classes == ("no", "yes")
    assert named.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TRUE, DENSE, PRUNED[:2]), "pruned predictions: 2 values for 3 examples: give one"),
        ((TRUE[:2], DENSE, PRUNED), "label: 2 values for 3 examples"),
        ((TRUE, DENSE, PRUNED, {"sex": ["F"]}), "group_sex: 1 values for 3 examples"),
        ((TRUE, [DENSE], [PRUNED, PRUNED]), "parent has 1 models and pruned has 2: give one row"),
        ((TRUE, [[DENSE]], PRUNED), "dense has the shape (1, 1, 3): give [examples] or [models"),
        ((TRUE, [], []), "dense has the shape (0,)"),
        (
            ([TRUE], DENSE, PRUNED),
            "dense has the shape (3,) where each example has 3 labels: give [examples, targets] or",
        ),
        (([[TRUE]], DENSE, PRUNED), "y_true has the shape (1, 1, 3): give one value per example"),
        ((TRUE, DENSE, ["a", "a", None]), "pruned, row 3: 'predicted' is None, which says nothing"),
    ],
)
def test_what_is_wrong_is_named(arguments: tuple[Any, ...], message: str):
    with pytest.raises(TableError) as caught:
        from_arrays(*arguments)
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")


def test_confidences_that_are_wrong():
    with pytest.raises(TableError, match=r"dense, row 2: 'confidence' is 2.0, which is no"):
        from_arrays(TRUE, DENSE, PRUNED, parent_confidence=[0.5, 2, 0.5])
    with pytest.raises(
        TableError, match=r"^pruned confidences are \(1, 2\) and predictions \(1, 3"
    ):
        from_arrays(TRUE, DENSE, PRUNED, pruned_confidence=[0.5, 0.5])
