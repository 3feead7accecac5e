from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings, Limit, SplitNames
from audit.study.sources.choose import Chosen, choose, splits_in_use
from audit.study.sources.ids import example_ids
from audit.study.sources.records import Records


def settings(**values):
    return DataSettings(source="datasets", path="x", **values)


SEVERAL = {"train": None, "val": None, "test": None}


def test_named_splits():
    assert splits_in_use(settings(), SEVERAL) == {"train": "train", "test": "test"}
    named = settings(splits=SplitNames(validation="val"))
    assert splits_in_use(named, SEVERAL)["validation"] == "val"
    assert splits_in_use(named, SEVERAL, trained=False) == {"test": "test"}
    audited = settings(splits=SplitNames(train=None, test="val"))
    assert splits_in_use(audited, SEVERAL) == {"test": "val"}


def test_a_single_split_serves_all_parts_unless_nothing_is_trained():
    assert splits_in_use(settings(), {"all": None}) == {"train": "all", "test": "all"}
    audited = settings(splits=SplitNames(train=None))
    assert splits_in_use(audited, {"all": None}) == {"test": "all"}
    holdout = settings(splits=SplitNames(test="holdout"))
    assert splits_in_use(holdout, {"shifted": None}, trained=False) == {"test": "shifted"}


@pytest.mark.parametrize(
    ("splits", "there", "problem"),
    [
        (SplitNames(test="tset"), SEVERAL, "splits.test asks for 'tset', .*did you mean 'test'"),
        (SplitNames(validation="dev"), SEVERAL, "'dev', which is not there: there are 'train'"),
        (SplitNames(test="holdout"), {"all": None}, "'holdout', and the source has one split, 'a"),
        (SplitNames(validation="dev"), {"all": None}, "'dev', and the source has one split"),
    ],
)
def test_a_split_that_is_not_there(splits, there, problem):
    with pytest.raises(InputError, match=problem):
        splits_in_use(settings(splits=splits), there)


def test_one_split_is_cut_in_three_without_overlap():
    codes = {"all": np.arange(100) % 2}
    chosen, notes = choose(settings(), {"train": "all", "test": "all"}, codes, 0.1)
    sizes = {part: len(one.rows) for part, one in chosen.items()}
    assert sizes == {"train": 72, "test": 20, "validation": 8}
    assert sorted(np.concatenate([one.rows for one in chosen.values()])) == list(range(100))
    assert notes == (
        "The source has one split: 20 % of it, stratified by class, is the test part.",
    )


def test_a_named_validation_split_is_not_cut():
    codes = {"train": np.arange(10) % 2, "val": np.arange(4) % 2, "test": np.arange(6) % 2}
    used = {"train": "train", "validation": "val", "test": "test"}
    chosen, notes = choose(settings(), used, codes, 0.1)
    assert chosen["train"].rows.tolist() == list(range(10))
    assert chosen["validation"].split == "val"
    assert notes == ()


def test_limits_say_what_they_drew():
    codes = {"train": np.arange(100) % 2, "test": np.arange(50) % 2}
    chosen, notes = choose(
        settings(limit=Limit(train=10, test=500)), {"train": "train", "test": "test"}, codes, 0.0
    )
    assert np.bincount(codes["train"][chosen["train"].rows]).tolist() == [5, 5]
    assert len(chosen["test"].rows) == 50
    assert notes == ("The train part is a stratified sample of 10 of 100 examples (data.limit).",)


def test_an_empty_part_is_refused():
    codes = {"train": np.arange(4) % 2, "test": np.arange(0)}
    with pytest.raises(
        InputError, match=r"The test part \(from the split 'test'\) has no examples"
    ):
        choose(settings(), {"train": "train", "test": "test"}, codes, 0.0)


def ids_of(train, test, column=None, ids=(None, None)):
    splits = {
        "train": Records(pd.DataFrame(train), ids=ids[0]),
        "test": Records(pd.DataFrame(test), ids=ids[1]),
    }
    chosen = {name: Chosen(name, np.arange(len(one))) for name, one in splits.items()}
    return example_ids(chosen, splits, column)


def test_rows_are_numbered_from_the_test_split_on():
    found = ids_of({"label": [0, 1, 0]}, {"label": [0, 1]})
    assert found["test"].tolist() == [0, 1]
    assert found["train"].tolist() == [2, 3, 4]
    assert found["train"].dtype == np.int64


def test_an_id_column_keeps_its_type():
    found = ids_of({"id": [7, 8]}, {"id": [5]}, "id")
    assert found["train"].tolist() == [7, 8]
    mixed = ids_of({"id": [7, 8]}, {"id": ["a"]}, "id")
    assert mixed["train"].tolist() == ["7", "8"]
    assert mixed["test"].dtype.kind == "U"


@pytest.mark.parametrize(
    ("train", "test", "column", "problem"),
    [
        ([7, 7], [5], "id", "The id 7 names two examples .train."),
        ([7, 8], [8], "id", "The id 8 names two examples .train and test."),
        (["a", None], ["b"], "id", "Row 1 has no id"),
        ([1], [2], "ident", "data.id asks for the column 'ident'"),
    ],
)
def test_ids_that_are_no_names(train, test, column, problem):
    with pytest.raises(InputError, match=problem):
        ids_of({"id": train}, {"id": test}, column)


def test_one_example_for_two_uses_is_refused():
    with pytest.raises(ValueError, match=r"one split is named for two uses"):
        SplitNames(train="test")
