"""Conditions: their folders, their order, and the rows that name them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.check import Origin
from audit.evidence.conditions import code_conditions, condition_of, folder_name, in_order, say
from audit.evidence.errors import TableError


@pytest.mark.parametrize(
    ("condition", "name", "words"),
    [
        (CLEAN, "clean@0", "clean"),
        (Condition("fog", 3.0), "fog@3", "fog at severity 3"),
        (Condition("fog", 0.5), "fog@0.5", "fog at severity 0.5"),
        (Condition("cifar10.1", None), "cifar10.1@natural", "cifar10.1"),
        (Condition("a/b @é", None), "a%2Fb%20%40%C3%A9@natural", "a/b @é"),
    ],
)
def test_folders_by_hand(condition: Condition, name: str, words: str):
    assert folder_name(condition) == name
    assert condition_of(name) == condition
    assert say(condition) == words


@given(
    st.text(min_size=1).filter(lambda name: name.isprintable()),
    st.none() | st.floats(0, 5, exclude_min=True),
)
def test_every_condition_has_a_folder_of_its_own(name: str, severity: float | None):
    condition = Condition(name, severity)
    folder = folder_name(condition)
    assert condition_of(folder) == condition
    assert "/" not in folder


@pytest.mark.parametrize("name", ["clean", "clean@", "@0", "clean@x", "clean@0@0", ".DS_Store"])
def test_other_folders_are_refused(name: str):
    with pytest.raises(TableError, match=r"is no condition's folder: name it <condition>@"):
        condition_of(name)


def test_order():
    ordered = [
        CLEAN,
        Condition("blur", 5.0),
        Condition("fog", 0.5),
        Condition("fog", 3.0),
        Condition("fog", 10.0),
        Condition("fog", None),
    ]
    assert in_order(reversed(ordered)) == tuple(ordered)


def found(**columns: list[Any]) -> tuple[list[str], list[int]]:
    conditions, codes = code_conditions(pa.table(columns), Origin(("t.csv",)))
    return [folder_name(condition) for condition in conditions], codes.tolist()


def test_conditions_in_rows():
    x = [0, 0, 0]
    assert found(x=x) == (["clean@0"], x)
    assert found(condition=["fog", None, "fog"]) == (["clean@0", "fog@natural"], [1, 0, 1])
    assert found(condition=["", "clean", None], severity=[None, 0, None]) == (["clean@0"], x)
    assert found(condition=["fog", "fog", "a"], severity=[2, 0.5, None]) == (
        ["a@natural", "fog@0.5", "fog@2"],
        [2, 1, 0],
    )
    assert found(condition=["fog"] * 3, severity=["2", "", "2.0"]) == (
        ["fog@2", "fog@natural"],
        [0, 1, 0],
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"condition": ["a", "a"], "severity": [1, 6]},
            "row 2: 'severity' is 6.0, which is no sev",
        ),
        ({"condition": ["a"], "severity": [-1]}, "row 1: 'severity' is -1.0, which is no severity"),
        ({"severity": [0, 3]}, "row 2: 'severity' is 3.0, but the condition is clean"),
        ({"condition": ["a"], "severity": [0]}, "row 1: 'severity' is 0.0, which is no corruption"),
        ({"condition": ["a"], "severity": ["x"]}, "row 1: 'severity' is 'x', which is no number"),
    ],
)
def test_severities_that_contradict(columns: dict[str, list[Any]], message: str):
    with pytest.raises(TableError) as caught:
        found(**columns)
    assert message in str(caught.value)
