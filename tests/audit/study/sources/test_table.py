from __future__ import annotations

import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.judgement.plan import Binned
from audit.study.data_settings import DataSettings, SplitNames, Undersample
from audit.study.sources import load_source


def load(path, **values):
    return load_source(
        DataSettings(source="table", path=path.name, **{"label": "income", **values}), path.parent
    )


@pytest.fixture
def csv(people, tmp_path):
    people.to_csv(tmp_path / "people.csv", index=False)
    return tmp_path / "people.csv"


def test_a_csv_is_cut_encoded_and_grouped(csv):
    source = load(csv, groups=("sex", Binned(column="age", bins=(0, 30, 60))))
    assert source.kind == "table"
    assert source.classes == ("high", "low")
    assert source.encoding.features == (
        *("hours", "hours=missing", "job=clerk", "job=cook", "job=missing"),
        *("age", "sex=F", "sex=M"),
    )
    assert source.train.inputs.dtype == np.float32
    assert {name: len(part) for name, part in source.parts.items()} == {
        "train": 29,
        "validation": 3,
        "test": 8,
    }
    assert set(source.test.groups["sex"]) <= {"F", "M"}
    assert set(source.train.groups["age"]) == {"[0, 30)", "[30, 60)", "[60, inf)"}
    np.testing.assert_array_equal(source.test.groups["sex"] == "F", source.test.ids % 2 == 0)


def test_encoding_is_fitted_on_training_rows_alone(csv):
    source = load(csv, input=("age",), validation_fraction=0.0)
    ages = source.train.ids * 2
    np.testing.assert_allclose(
        source.test.inputs[:, 0], (source.test.ids * 2 - ages.mean()) / ages.std(), rtol=1e-6
    )


def test_parquet_and_csv_agree(csv, people):
    people.to_parquet(csv.with_suffix(".parquet"))
    first, second = load(csv), load(csv.with_suffix(".parquet"))
    np.testing.assert_array_equal(first.train.inputs, second.train.inputs)
    assert first.encoding == second.encoding


def test_a_folder_of_files_is_splits(people, tmp_path):
    (tmp_path / "set").mkdir()
    people.iloc[:30].to_csv(tmp_path / "set" / "train.csv", index=False)
    people.iloc[30:].to_csv(tmp_path / "set" / "test.tsv", index=False, sep="\t")
    source = load(tmp_path / "set")
    assert len(source.test) == 10
    assert source.test.labels.tolist() == (people["income"].iloc[30:] == "low").tolist()


def test_an_id_column_and_reading_options(people, tmp_path):
    people.assign(key=[f"p{n}" for n in range(40)]).to_csv(tmp_path / "p.csv", index=False, sep=";")
    source = load(tmp_path / "p.csv", id="key", arguments={"sep": ";"})
    assert source.test.ids[0].startswith("p")
    assert not any(name.startswith("key") for name in source.encoding.features)


def test_a_group_with_one_member_is_a_group(people, tmp_path):
    people.loc[0, "sex"] = "X"
    people.to_csv(tmp_path / "p.csv", index=False)
    source = load(tmp_path / "p.csv", groups=("sex",))
    every = np.concatenate([part.groups["sex"] for part in source.parts.values()])
    assert (every == "X").sum() == 1


def test_a_rare_group_by_a_column_that_is_no_group(csv):
    plain = load(csv)
    source = load(csv, undersample=Undersample(where={"sex": "F"}, keep=0.2))
    women = (plain.train.ids % 2 == 0).sum()
    assert (source.train.ids % 2 == 0).sum() == round(0.2 * women)
    np.testing.assert_array_equal(source.test.ids, plain.test.ids)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"label": "incom"}, "data.label asks for the column 'incom', .*did you mean 'income'"),
        ({"input": ("age", "jb")}, "data.input asks for the column 'jb', .*did you mean 'job'"),
        ({"groups": ("sec",)}, "data.groups asks for the column 'sec', .*did you mean 'sex'"),
        ({"groups": ("sex", "sex")}, "makes the column 'sex' twice"),
        ({"classes": ("hi", "low")}, "label 'high', which is no class"),
        ({"arguments": {"sepp": ";"}}, "cannot be read .*sepp"),
        ({"splits": SplitNames(train=None)}, "there is no training part: name one"),
        (
            {
                "splits": SplitNames(train=None),
                "undersample": Undersample(where={"sex": "F"}, keep=0.5),
            },
            "undersample has no use where nothing is trained",
        ),
        (
            {"undersample": Undersample(where={"sex": "F", "age": 2}, keep=0.5)},
            "asks for age=2 & sex=F, which no training example has",
        ),
    ],
)
def test_wrong_settings(csv, people, values, problem):
    with pytest.raises(InputError, match=problem):
        load(csv, **values)


def test_files_that_are_no_tables(tmp_path, people):
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(InputError, match=r"no table by its suffix"):
        load(tmp_path / "x.txt")
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(InputError, match=r"x.csv cannot be read"):
        load(tmp_path / "x.csv")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(InputError, match=r"x.parquet cannot be read"):
        load(tmp_path / "x.parquet")
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none holds no .csv, .parquet, .tsv files"):
        load(tmp_path / "none")
    people.to_parquet(tmp_path / "y.parquet")
    with pytest.raises(InputError, match=r"are for CSV files, and .*y.parquet is Parquet"):
        load(tmp_path / "y.parquet", arguments={"sep": ","})


def test_an_empty_split(people, tmp_path):
    (tmp_path / "set").mkdir()
    people.to_csv(tmp_path / "set" / "train.csv", index=False)
    people.iloc[:0].to_csv(tmp_path / "set" / "test.csv", index=False)
    with pytest.raises(InputError, match=r"The test part .* has no examples"):
        load(tmp_path / "set")


def test_adult(real_data):
    path = real_data / "adult" / "adult.parquet"
    source = load(path, label="class", groups=("sex", "race", Binned(column="age", bins=(17, 40))))
    assert source.classes == ("<=50K", ">50K")
    assert sum(map(len, source.parts.values())) == 48_842
    assert set(source.test.groups["sex"]) == {"Female", "Male"}
    assert set(source.test.groups["age"]) == {"[17, 40)", "[40, inf)"}
    assert "workclass=missing" in source.encoding.features
    assert np.isfinite(source.test.inputs).all()
    assert abs(source.train.inputs[:, 0].mean()) < 1e-3
    assert "class" not in source.encoding.features
