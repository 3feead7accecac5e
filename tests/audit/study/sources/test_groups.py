from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.evidence.errors import InputError
from audit.judgement.plan import Binned
from audit.study.sources.groups import cut_at, group_columns
from audit.study.sources.records import Records

COLUMNS = pd.DataFrame(
    {"label": [0, 1, 0], "group_sex": ["F", None, " M "], "age": [10, 60, 30], "a:b": [1, 2, 2]}
)


def columns(*groups, rows=(0, 1, 2), inputs=None, base=Path()):
    return group_columns(groups, Records(COLUMNS), np.array(rows), inputs, base)


def test_columns_lose_their_prefix_and_blanks_are_a_group():
    found = columns("group_sex", Binned(column="age", bins=(0, 30, 60)), rows=(2, 0, 1))
    assert list(found) == ["sex", "age"]
    assert found["sex"].tolist() == ["M", "F", "missing"]
    assert found["age"].tolist() == ["[30, 60)", "[0, 30)", "[60, inf)"]


def test_intervals_by_hand():
    values = pd.Series([-1, 0, 29.9, 30, 60, np.nan])
    assert cut_at(values, [0, 30, 60]).tolist() == [
        "(-inf, 0)",
        "[0, 30)",
        "[0, 30)",
        "[30, 60)",
        "[60, inf)",
        "missing",
    ]


def test_a_column_may_have_a_colon():
    assert columns("a:b")["a:b"].tolist() == ["1", "2", "2"]


def test_a_function_measures_groups(module, tmp_path):
    name = module(
        """
        def measure(inputs, columns):
            return {"bright": inputs.mean((1, 2, 3)) > 100, "old": columns["age"] > 20}
        """
    )
    images = np.array([0, 200, 0], dtype=np.uint8).reshape(3, 1, 1, 1)
    found = columns(f"{name}:measure", inputs=images, base=tmp_path)
    assert found["bright"].tolist() == ["False", "True", "False"]
    assert found["old"].tolist() == ["False", "True", "True"]


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        (["gruop_sex"], "'gruop_sex', which is not there: did you mean 'group_sex'"),
        ([Binned(column="agee", bins=(0, 1))], "'agee', which is not there: did you mean 'age'"),
        ([Binned(column="group_sex", bins=(0, 1))], "'group_sex' has bins but is not numeric"),
        (["age", Binned(column="age", bins=(0, 1))], "makes the column 'age' twice"),
    ],
)
def test_wrong_groups(groups, problem):
    with pytest.raises(InputError, match=problem):
        columns(*groups)


@pytest.mark.parametrize(
    ("returned", "problem"), [("[1]", "gives a list of groups"), ("{'x': [1]}", "gives 1 values")]
)
def test_a_function_that_gives_something_else(module, tmp_path, returned, problem):
    name = module(f"def measure(inputs, columns):\n    return {returned}\n")
    with pytest.raises(InputError, match=problem):
        columns(f"{name}:measure", base=tmp_path)


def test_no_groups_still_have_a_row_per_example():
    assert columns().shape == (3, 0)
