from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.errors import InputError
from audit.study.sources.labels import code_labels


def coded(values, declared=None, asked=None):
    found = code_labels({"train": pd.Series(values)}, declared, asked)
    return found.classes, found.codes["train"].tolist()


def test_names_are_sorted_over_all_splits():
    found = code_labels({"train": pd.Series(["dog", "cat"]), "test": pd.Series([" ant", "dog"])})
    assert found.classes == ("ant", "cat", "dog")
    assert found.codes["train"].tolist() == [2, 1]
    assert found.codes["test"].tolist() == [0, 2]
    assert found.codes["test"].dtype == np.int64


@pytest.mark.parametrize(
    "values",
    [
        [2, 0, 1],
        np.array([2, 0, 1], dtype=np.uint8),
        [2.0, 0.0, 1.0],
        pd.array([2, 0, 1], dtype="Int64"),
    ],
)
def test_integers_from_zero_are_codes(values):
    assert coded(values) == (("0", "1", "2"), [2, 0, 1])


def test_declared_names_are_the_meaning_of_integers():
    assert coded([1, 0], declared=["cat", "dog"]) == (("cat", "dog"), [1, 0])
    assert coded(["dog", "dog"], declared=["cat", "dog"]) == (("cat", "dog"), [1, 1])


def test_asked_order_wins_over_declared_and_found_order():
    assert coded(["dog", "cat"], asked=["dog", "cat"]) == (("dog", "cat"), [0, 1])
    assert coded([0, 1], declared=["cat", "dog"], asked=["dog", "cat", "eel"]) == (
        ("dog", "cat", "eel"),
        [1, 0],
    )


def test_integers_are_looked_up_among_asked_names_before_they_are_positions():
    assert coded([2, 1, 3], asked=["1", "2", "3"]) == (("1", "2", "3"), [1, 0, 2])
    assert coded([1, 0], asked=["no", "yes"]) == (("no", "yes"), [1, 0])


def test_booleans_and_categories_are_names():
    assert coded([True, False]) == (("False", "True"), [1, 0])
    assert coded(pd.Categorical(["b", "a", "b"])) == (("a", "b"), [1, 0, 1])


@pytest.mark.parametrize(
    ("values", "declared", "asked", "problem"),
    [
        ([0, 1, 3], None, None, "Row 2 of train has the label 3, .*neither class names nor 0 to 2"),
        ([1, 2], None, None, "Row 1 of train has the label 2, .*nor 0 to 1"),
        ([0, -1], None, None, "Row 1 of train has the label -1"),
        ([0, 1, 2], ["a", "b"], None, "Row 2 .* label 2, and the data declare 2 classes, 0 to 1"),
        ([0, 5], None, ["a", "b"], "Row 1 .* label 5, .*neither"),
        (["cat", "dgo"], None, ["cat", "dog"], "'dgo', which is no class: did you mean 'dog'"),
        (["a", None], None, None, "Row 1 of train has no label"),
        ([0.0, np.nan], None, None, "Row 1 of train has no label"),
        (["a", "a"], None, None, "All labels are 'a', and a classifier needs two"),
        ([0, 1], ["a", "b"], ["a", "c"], "a class 'b' that data.classes does not list"),
        ([0.5, 1.0], ["a", "b"], None, "'0.5', which is no class"),
    ],
)
def test_wrong_labels(values, declared, asked, problem):
    with pytest.raises(InputError, match=problem):
        coded(values, declared, asked)


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2).filter(lambda v: len(set(v)) > 1)
)
def test_codes_spell_the_labels_again(values):
    classes, codes = coded(values)
    assert [classes[code] for code in codes] == values
    assert list(classes) == sorted(set(values))
