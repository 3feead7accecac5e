"""Labels and predictions, however they are written, become codes into the class names."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from audit.evidence.check import Origin
from audit.evidence.classes import class_names, encode
from audit.evidence.columns import factor
from audit.evidence.errors import TableError


def coded(label: list[Any], predicted: list[Any], **names: Any) -> tuple[Any, ...]:
    columns = {
        "label": factor(pa.chunked_array([pa.array(label)])),
        "predicted": factor(pa.chunked_array([pa.array(predicted)])),
    }
    result = encode(columns, Origin(("t.csv",)), **names)
    codes = result.codes
    return result.classes, codes["label"].tolist(), codes["predicted"].tolist()


NAMED = {"classes": ["cat", "dog"]}
FEATURES = {"features": ["cat", "dog"]}


@pytest.mark.parametrize(
    ("label", "predicted", "names", "expected"),
    [
        # names: ascending, of both columns together
        (["dog", "cat"], ["cat", "eel"], {}, (("cat", "dog", "eel"), [1, 0], [0, 2])),
        # 0..K-1 keep their codes
        ([2, 0], [1, 0], {}, (("0", "1", "2"), [2, 0], [1, 0])),
        # other integers are names
        ([3, 7], [7, 10], {}, (("3", "7", "10"), [0, 1], [1, 2])),
        ([-1, 1], [1, 1], {}, (("-1", "1"), [0, 1], [1, 1])),
        # an empty label is none, and makes its column one of floats in pandas
        ([0, None], [1, 0], {}, (("0", "1"), [0, -1], [1, 0])),
        ([0.0, float("nan")], [1, 0], {}, (("0", "1"), [0, -1], [1, 0])),
        (["3", "10"], [10, 3], {}, (("3", "10"), [0, 1], [1, 0])),
        (["-1", "10"], ["2", None], {}, (("-1", "2", "10"), [0, 2], [1, -1])),
        (["007"], ["07"], {"classes": ["07", "7", "007"]}, (("07", "7", "007"), [2], [0])),
        # truth values
        ([True, False], [False, False], {}, (("False", "True"), [1, 0], [0, 0])),
        ([1, 0], [False, True], {}, (("0", "1"), [1, 0], [0, 1])),
        ([True, False], [False, False], NAMED, (("cat", "dog"), [1, 0], [0, 0])),
        # names that are given: by name, or by code
        (["dog", "dog"], ["cat", "dog"], NAMED, (("cat", "dog"), [1, 1], [0, 1])),
        ([1, 1], [0, 1], NAMED, (("cat", "dog"), [1, 1], [0, 1])),
        (["dog", "dog"], [0, 1], NAMED, (("cat", "dog"), [1, 1], [0, 1])),
        ([1, 0], [1, 1], {"classes": ["1", "0"]}, (("1", "0"), [0, 1], [0, 0])),
        # a ClassLabel's integers are codes even where its names are integers
        ([1, 0], [1, 1], {"features": ["1", "0"]}, (("1", "0"), [1, 0], [1, 1])),
        (["dog", "cat"], [0, 1], FEATURES, (("cat", "dog"), [1, 0], [0, 1])),
        ([1, 0], [1, 1], NAMED | {"features": ["a", "b"]}, (("cat", "dog"), [1, 0], [1, 1])),
    ],
)
def test_codes_by_hand(label: Any, predicted: Any, names: Any, expected: Any):
    assert coded(label, predicted, **names) == expected


@pytest.mark.parametrize(
    ("label", "predicted", "names", "message"),
    [
        (
            [0, 1],
            [0, 2],
            NAMED,
            "row 2: 'predicted' is 2, which is neither a class name nor a code",
        ),
        ([0, -1], [0, 1], NAMED, "row 2: 'label' is -1, which is neither a class name nor a code"),
        ([0, 1], [0, 2], FEATURES, "row 2: 'predicted' is 2, which is neither"),
        (
            ["cat", "doog"],
            ["cat", "cat"],
            NAMED,
            "row 2: 'label' is 'doog', which is no class name: the nearest is 'dog'",
        ),
        (["zzz"], ["cat"], NAMED, "is 'zzz', which is no class name: there is 'cat', 'dog'"),
        ([0, 1], [0.5, 1.0], {}, "row 1: 'predicted' is 0.5, which is no class: give class names"),
        ([0, 1], [1.0, float("inf")], {}, "row 2: 'predicted' is inf, which is no class"),
        ([7, 7], ["007", "007"], {}, "some classes are numbers (7) and some are names ('007'):"),
        ([0, 1], ["cat", "dog"], {}, "some classes are numbers (0) and some are names ('cat'):"),
    ],
)
def test_what_is_no_class(label: Any, predicted: Any, names: Any, message: str):
    with pytest.raises(TableError) as caught:
        coded(label, predicted, **names)
    assert message in str(caught.value)
    assert str(caught.value).startswith("t.csv")
    assert str(caught.value).endswith(".")


def test_class_names_are_distinct():
    assert class_names(["b", "a"]) == ("b", "a")
    with pytest.raises(TableError, match=r"^The class 'a' is named twice: give each"):
        class_names(["a", "b", "a"])
    with pytest.raises(TableError, match=r"^There are no class names"):
        class_names([])
