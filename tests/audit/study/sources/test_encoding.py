from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from audit.evidence.errors import InputError
from audit.study.sources.encoding import Encoding, fit_encoding, texts


def test_numbers_are_centred_and_scaled_with_blanks_at_the_mean_and_marked():
    encoding = fit_encoding(pd.DataFrame({"x": [1.0, 3.0, np.nan]}))
    assert encoding.features == ("x", "x=missing")
    np.testing.assert_array_equal(
        encoding.apply(pd.DataFrame({"x": [1.0, 3.0, np.nan, 5.0]})),
        np.array([[-1, 0], [1, 0], [0, 1], [3, 0]], dtype=np.float32),
    )


def test_texts_become_one_feature_a_value_and_unseen_ones_none():
    encoding = fit_encoding(pd.DataFrame({"job": ["cook", " clerk", "?", None]}))
    assert encoding.features == ("job=clerk", "job=cook", "job=missing")
    np.testing.assert_array_equal(
        encoding.apply(pd.DataFrame({"job": ["clerk", "", "pilot"]})),
        np.array([[1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=np.float32),
    )


def test_a_blank_that_training_never_had_gets_the_mean():
    encoding = fit_encoding(pd.DataFrame({"x": [1.0, 3.0]}))
    assert encoding.features == ("x",)
    assert encoding.apply(pd.DataFrame({"x": [np.nan]})).tolist() == [[0.0]]


def test_constant_blank_and_boolean_columns():
    frame = pd.DataFrame({"c": [2, 2], "b": [True, False], "n": [np.nan, np.nan]})
    encoding = fit_encoding(frame)
    np.testing.assert_array_equal(
        encoding.apply(frame), np.array([[0, 1, 0, 1], [0, -1, 0, 1]], dtype=np.float32)
    )


def test_agrees_with_scikit_learn():
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": generator.normal(3, 2, 50), "job": generator.choice(["a", "b", "c"], 50)}
    )
    found = fit_encoding(frame).apply(frame)
    scaled = StandardScaler().fit_transform(frame[["x"]])
    hot = OneHotEncoder(sparse_output=False).fit_transform(frame[["job"]].astype(object))
    np.testing.assert_allclose(found, np.hstack([scaled, hot]), rtol=1e-6)
    assert found.dtype == np.float32


def test_survives_json():
    encoding = fit_encoding(pd.DataFrame({"x": [1.0, np.nan, 0.1], "job": ["a", "b", "a"]}))
    assert Encoding.from_dict(json.loads(json.dumps(encoding.to_dict()))) == encoding


def test_texts_of_a_column():
    values = pd.Series([1.0, 2.0, np.nan], name="n")
    assert texts(values).tolist() == ["1", "2", "missing"]
    assert texts(pd.Series([0.5, 2.0])).tolist() == ["0.5", "2.0"]
    assert texts(pd.Series(pd.Categorical(["a", None]))).tolist() == ["a", "missing"]
    assert texts(pd.Series([True, False])).tolist() == ["True", "False"]


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ([1.0, np.inf], "'x' is infinite in row 1"),
        ([f"name {n}" for n in range(1001)], "has 1001 distinct texts, for example 'name 0'"),
        (pd.to_datetime(["2020-01-01", "2020-01-02"]), "of type datetime64.*, neither numbers"),
        ([[1], [2]], "of type object, neither numbers nor text"),
    ],
)
def test_columns_that_are_no_features(column, problem):
    with pytest.raises(InputError, match=problem):
        fit_encoding(pd.DataFrame({"x": column}))


def test_a_table_of_another_shape_is_refused():
    encoding = fit_encoding(pd.DataFrame({"hours": [1.0, 2.0]}))
    with pytest.raises(InputError, match=r"'hours' is not in this table: did you mean 'hour'"):
        encoding.apply(pd.DataFrame({"hour": [1.0]}))
    with pytest.raises(InputError, match=r"'hours' holds something else"):
        encoding.apply(pd.DataFrame({"hours": ["much"]}))
