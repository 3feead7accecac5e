"""What a search looks at: text, numbers cut or named, vectors clustered, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.evidence.errors import InputError
from audit.judgement.plan import Binned, Search
from audit.judgement.search.features import features


def table(**columns):
    size = len(next(iter(columns.values())))
    return pd.DataFrame({"example": np.arange(size), **columns})


def test_groups_and_metadata_by_name():
    frame = table(group_sex=["F", "M"] * 4, meta_camera=["a"] * 6 + ["b"] * 2, other=[1] * 8)
    found = features(frame, Search(), 3, 0)
    assert [(f.column, f.names) for f in found] == [
        ("camera", ("camera=a",)),  # b has two examples, of three that a slice needs
        ("sex", ("sex=F", "sex=M")),
    ]
    assert found[0].codes.tolist() == [0] * 6 + [-1] * 2


def test_a_number_of_many_values_is_cut_at_its_quintiles():
    """0 … 99: the quintiles are 19.8, 39.6, 59.4 and 79.2, twenty examples to each side."""
    found = features(table(meta_age=np.arange(100.0)), Search(), 1, 0)[0]
    assert found.names == (
        "age<19.8", "age=[19.8, 39.6)", "age=[39.6, 59.4)", "age=[59.4, 79.2)", "age>=79.2",
    )  # fmt: skip
    assert np.bincount(found.codes).tolist() == [20] * 5


def test_a_number_of_few_values_names_them_and_a_missing_one_is_a_value():
    found = features(table(meta_rooms=[1.0, 2.0, np.nan, 2.0]), Search(), 1, 0)[0]
    assert found.names == ("rooms=1", "rooms=2", "rooms=missing")


def test_a_number_that_is_mostly_one_value_is_cut_around_it():
    values = np.r_[np.zeros(90), np.arange(1, 13)]
    found = features(table(meta_x=values), Search(), 5, 0)[0]
    assert sum(np.bincount(found.codes[found.codes >= 0])) == 102


def test_stated_edges():
    search = Search(columns=(Binned(column="age", bins=(30.0, 60.0)),))
    found = features(table(meta_age=[10.0, 30.0, 59.0, 60.0]), search, 1, 0)[0]
    assert found.names == ("age<30", "age=[30, 60)", "age>=60")
    assert found.codes.tolist() == [0, 1, 1, 2]


def test_a_group_and_metadata_of_one_name_are_told_apart():
    found = features(table(group_x=["a", "b"], meta_x=["c", "c"]), Search(), 1, 0)
    assert [f.column for f in found] == ["meta_x", "x"]


def test_clusters_of_vectors_follow_the_vectors():
    """Two heaps far apart are two clusters, in any order of rows; a missing one is in none."""
    vectors = [np.array([0.0, i / 10]) for i in range(5)] + [np.array([9.0, i]) for i in range(5)]
    frame = table(embedding=pd.Series([*vectors, None], dtype=object))
    search = Search(embeddings="embedding", clusters=2)
    codes = features(frame, search, 1, 0)[0].codes
    assert len(set(codes[:5].tolist())) == len(set(codes[5:10].tolist())) == 1
    assert codes[0] != codes[5]
    assert codes[10] == -1
    order = np.random.default_rng(1).permutation(11)
    again = features(frame.iloc[order].reset_index(drop=True), search, 1, 0)[0].codes
    assert again.tolist() == codes[order].tolist()


def test_fewer_distinct_vectors_than_clusters():
    frame = table(embedding=pd.Series([np.zeros(2)] * 3 + [np.ones(2)] * 3, dtype=object))
    found = features(frame, Search(embeddings="embedding", clusters=20), 1, 0)[0]
    assert len(found.names) == 2


@pytest.mark.parametrize(
    ("search", "says"),
    [
        (Search(columns=("sx",)), "did you mean 'sex'"),
        (Search(embeddings="vector"), "no such column"),
        (Search(columns=(Binned(column="sex", bins=(0.0, 1.0)),)), "not a number"),
    ],
)
def test_what_is_not_there_is_named(search, says):
    with pytest.raises(InputError, match=says):
        features(table(group_sex=["F", "M"]), search, 1, 0)
