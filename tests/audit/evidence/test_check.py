"""Rows are named as their owners know them, and repeats and firsts are found as a loop would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.check import Origin, first_repeat, first_rows, nearest
from audit.evidence.errors import TableError


def test_rows_are_counted_from_one_in_their_own_table():
    origin = Origin(("a.csv", "b.csv", "c.csv"), (0, 2, 5), {"example": "id"})
    names = [origin.row(index) for index in (0, 1, 2, 4, 5, 99)]
    assert names == [
        "a.csv, row 1",
        "a.csv, row 2",
        "b.csv, row 1",
        "b.csv, row 3",
        "c.csv, row 1",
        "c.csv, row 95",
    ]
    assert origin.name == "a.csv and b.csv and c.csv"
    with pytest.raises(TableError, match=r"^b\.csv, row 2: 'id' is 7, which is odd\.$"):
        origin.refuse(3, "example", np.int64(7), "which is odd")


def test_nearest():
    assert nearest("exampel", ["example", "label"]) == "the nearest is 'example'"
    assert nearest("zzz", ["b", "a"]) == "there is 'a', 'b'"
    assert nearest("zzz", []) == "there is nothing"
    many = nearest("zzz", [f"column {n:02}" for n in range(30)])
    assert many.endswith("'column 19', …")


@given(st.lists(st.integers(0, 30), max_size=12), st.sampled_from([31, 2**60]))
def test_the_first_repeat(keys: list[int], bound: int):
    expected = next((i for i, key in enumerate(keys) if key in keys[:i]), None)
    assert first_repeat(np.array(keys, np.int64), bound) == expected


@given(st.lists(st.tuples(st.integers(-1, 5), st.booleans()), max_size=12))
def test_the_first_row_of_each_code(rows: list[tuple[int, bool]]):
    codes = np.array([code for code, _ in rows], np.int32)
    usable = np.array([use for _, use in rows], bool)
    every = [next((i for i, (c, _) in enumerate(rows) if c == k), -1) for k in range(6)]
    some = [next((i for i, (c, u) in enumerate(rows) if c == k and u), -1) for k in range(6)]
    assert first_rows(codes, 6).tolist() == every
    assert first_rows(codes, 6, usable).tolist() == some
