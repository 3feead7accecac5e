"""Tables under corruption and under other mixes of groups, from a config to the evidence."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml

from audit.evidence.address import canonical
from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.errors import ConfigError, InputError, JobError
from audit.evidence.folder import read_folder
from audit.study.config_file import load_config
from audit.study.mixed import drawn
from audit.study.prepare import Arrays
from audit.study.recipes import Data, Shown
from audit.study.run import run
from audit.study.table_shifts import corrupt_rows, table_of
from corruptions import TABLE_CORRUPTIONS

if TYPE_CHECKING:
    from audit.evidence.blocks import Evidence
    from audit.study.config import Config
    from audit.study.run import Result

CONFIG = """
name: rows
data: {source: table, path: people.csv, id: who, groups: [town, owner]}
model: {architecture: mlp, arguments: {hidden: [16, 16]}}
population:
  seeds: 1
  controls: false
  training: {epochs: 8, optimizer: adam, lr: 0.01, batch_size: 32}
  methods: [{saliency: magnitude}]
  sparsities: [0.5]
shifts:
  corruptions: tabular
  severities: [1, 3, 5]
  reweight:
    more of the north: {town: {north: 0.5, south: 0.5}}
    owners: {owner: {true: 1}}
execute: {backend: in_process}
"""


def people(rows: int = 900) -> pd.DataFrame:
    """Income follows age, hours and trade; some hours are unknown."""
    draws = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "who": [f"p{at}" for at in range(rows)],
            "age": draws.integers(18, 80, rows),
            "hours": np.where(draws.random(rows) < 0.1, np.nan, draws.normal(38.5, 8, rows)),
            "children": draws.integers(0, 4, rows),
            "owner": draws.random(rows) < 0.4,
            "trade": draws.choice(["law", "farm", "shop"], rows),
            "town": draws.choice(["north", "south"], rows, p=[0.2, 0.8]),
        }
    )
    frame.loc[::37, "trade"] = None
    score = (
        (frame["age"] - 49) / 18
        + (frame["hours"].fillna(38.5) - 38.5) / 8
        + 2.0 * (frame["trade"] == "law")
        + 1.0 * frame["owner"]
    )
    return frame.assign(label=np.where(score + draws.normal(0, 0.3, rows) > 1, "high", "low"))


def configured(folder: Path, **sections: Any) -> Config:
    people().to_csv(folder / "people.csv", index=False)
    path = folder / "rows.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(CONFIG) | sections))
    return load_config(path).model_copy(update={"store": str(folder / "runs")})


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("rows")
    result = run(configured(folder), base=folder, until="predictions")
    assert result.missing == ()
    return folder, result


@pytest.fixture(scope="module")
def arrays(shown: tuple[Path, Result]) -> Arrays:
    study = shown[1].study
    return Arrays(study.store.folder(study.data))


@pytest.fixture(scope="module")
def evidence(shown: tuple[Path, Result]) -> Evidence:
    return read_folder(shown[1].folder / "evidence")


def accuracy(evidence: Evidence, condition: Condition) -> float:
    """Of the parent."""
    predicted = evidence.load(condition).predicted[0]
    there = predicted >= 0
    return float((predicted[there] == evidence.labels[there]).mean())


def table_rows(arrays: Arrays) -> np.ndarray:
    return np.array(arrays.inputs("test"))


def under(arrays: Arrays, name: str, severity: float, base: Path = Path(), **more: Any) -> Any:
    condition = Shown(name, Data("table", ""), name, severity, **more)
    return corrupt_rows(table_rows(arrays), arrays.ids("test"), condition, arrays, base)


def test_accuracy_falls_with_severity(evidence: Evidence) -> None:
    """Every corruption costs accuracy at 5, and more than at 1."""
    clean = accuracy(evidence, CLEAN)
    assert clean > 0.85
    for name in TABLE_CORRUPTIONS:
        low, _, high = (accuracy(evidence, Condition(name, s)) for s in (1.0, 3.0, 5.0))
        assert high < clean - 0.02, name
        assert high < low, name


def test_groups_labels_and_examples_are_those_of_the_clean_rows(evidence: Evidence) -> None:
    clean = evidence.load(CLEAN).predicted >= 0
    for name in TABLE_CORRUPTIONS:
        block = evidence.load(Condition(name, 3.0))
        np.testing.assert_array_equal(block.predicted >= 0, clean)
    frame = people().set_index("who")
    own = evidence.examples[clean[0]].set_index("example")
    assert own["group_town"].tolist() == frame["town"].loc[own.index].tolist()
    assert own["group_owner"].tolist() == frame["owner"].loc[own.index].astype(str).tolist()


def test_notes_say_what_was_shown(shown: tuple[Path, Result]) -> None:
    described = json.loads((shown[1].folder / "evidence" / "study.json").read_text())
    assert described["preset"] is None
    notes = " ".join(described["notes"])
    assert "by the training part's spreads, ranges and marginals" in notes
    assert "more of the north: " in notes
    assert "town is north 50 %, south 50 %" in notes


# --- decoding -----------------------------------------------------------------------------------


def test_features_decode_to_the_columns_they_were_made_of(arrays: Arrays, tmp_path: Path) -> None:
    """What is not changed stays bit by bit, so a function sees the table and changes nothing."""
    table = table_of(arrays)
    assert table.types == {"age": "Int64", "hours": None, "children": "Int64", "owner": "boolean"}
    (tmp_path / "rows_look.py").write_text(
        "seen = []\n"
        "def look(frame, severity, *, seed, ids):\n"
        "    seen.append(frame)\n"
        "    return frame\n"
    )
    same = under(arrays, "rows_look:look", 3, tmp_path)
    np.testing.assert_array_equal(same, table_rows(arrays))
    found = max(sys.modules["rows_look"].seen, key=len)
    frame = people().set_index("who").loc[arrays.ids("test")].reset_index(drop=True)
    for column in ("age", "children", "owner"):
        assert found[column].tolist() == frame[column].tolist()
    for column in ("trade", "town"):
        blank = frame[column].isna()
        assert found[column].isna().tolist() == blank.tolist()
        assert found[column][~blank].tolist() == frame[column][~blank].tolist()
    np.testing.assert_allclose(found["hours"], frame["hours"], rtol=1e-6)


def test_only_the_features_of_changed_cells_move(arrays: Arrays) -> None:
    """By the encoding: age, hours and its mark, children, owner, then the categories."""
    before = table_rows(arrays)
    after = under(arrays, "unit_error", 3)
    moved = before != after
    assert moved[:, [0, 1, 3]].any(axis=0).all()
    assert not moved[:, [2, *range(4, before.shape[1])]].any()
    encoding = table_of(arrays).encoding.columns[0]
    ages = encoding.mean + encoding.spread * np.stack([before[:, 0], after[:, 0]]).astype(float)
    np.testing.assert_allclose(ages[1][moved[:, 0]], 10 * ages[0][moved[:, 0]], rtol=1e-5)


def test_missing_cells_are_encoded_as_training_has_them(arrays: Arrays) -> None:
    """Hours had blanks in training, which are marked; ages had none and get the mean, 0."""
    before, after = table_rows(arrays), under(arrays, "missing_values", 5)
    features = table_of(arrays).encoding.features
    mark, trade = features.index("hours=missing"), features.index("trade=missing")
    assert after[:, mark].mean() == pytest.approx(0.55, abs=0.1)
    assert after[:, trade].mean() == pytest.approx(0.5, abs=0.1)
    assert (after[before[:, 0] != after[:, 0], 0] == 0).all()


def test_the_scale_is_that_of_the_training_part(arrays: Arrays) -> None:
    """Severity 5 adds noise of one spread: the quartiles of the training ages, over 1.349."""
    frame = people().set_index("who").loc[arrays.ids("train")]
    q1, q3 = np.percentile(frame["age"], [25, 75])
    assert table_of(arrays).reference.columns["age"].spread == pytest.approx((q3 - q1) / 1.34898)


@pytest.mark.parametrize("name", sorted(TABLE_CORRUPTIONS))
def test_rows_do_not_depend_on_the_batch(arrays: Arrays, name: str) -> None:
    """Nor on what its spreads, ranges and marginals are: those of the training part count."""
    condition = Shown(name, Data("table", ""), name, 5.0)
    rows, ids = table_rows(arrays), arrays.ids("test")
    whole = corrupt_rows(rows, ids, condition, arrays, Path())
    part = corrupt_rows(rows[50:70], ids[50:70], condition, arrays, Path())
    np.testing.assert_array_equal(part, whole[50:70])
    other = Shown(name, Data("table", ""), name, 5.0, seed=1)
    again = corrupt_rows(rows, ids, other, arrays, Path())
    assert (again != whole).any() == (name != "saturation")


def test_ready_arrays_are_columns_of_numbers(tmp_path: Path) -> None:
    """A blank becomes the training part's mean: these features have no other way to say it."""
    (tmp_path / "rows_mine.py").write_text(
        "import numpy as np\n"
        "def rows():\n"
        "    draws = np.random.default_rng(0)\n"
        "    x = draws.normal(5, 2, (300, 3)).astype(np.float32)\n"
        "    x[:, 2] = x[:, 2] > 5\n"
        "    return x, (x[:, 0] > 5).astype(int)\n"
    )
    config = configured(
        tmp_path,
        data={"source": "rows_mine:rows"},
        shifts={"corruptions": ["missing_values", "category_swap"], "severities": [5]},
    )
    result = run(config, base=tmp_path, until="predictions")
    assert result.missing == ()
    arrays = Arrays(result.study.store.folder(result.study.data))
    before, after = table_rows(arrays), under(arrays, "missing_values", 5)
    means = np.array(arrays.inputs("train")).mean(axis=0)
    for column in range(2):
        moved = before[:, column] != after[:, column]
        assert moved.mean() == pytest.approx(0.5, abs=0.2)
        np.testing.assert_allclose(after[moved, column], means[column], rtol=1e-5)
    swapped = under(arrays, "category_swap", 5)
    assert (swapped[:, :2] == before[:, :2]).all()
    assert set(swapped[:, 2]) == {0, 1}
    assert (swapped[:, 2] != before[:, 2]).any()


def test_a_corruption_that_these_columns_have_nothing_for(tmp_path: Path) -> None:
    people().drop(columns=["trade", "town", "owner"]).to_csv(tmp_path / "n.csv", index=False)
    config = configured(
        tmp_path,
        data={"source": "table", "path": "n.csv", "id": "who"},
        shifts={"corruptions": ["category_swap"], "severities": [5]},
    )
    missing = " ".join(run(config, base=tmp_path, until="predictions").missing)
    assert "category_swap at severity 5: category_swap changes columns of kind" in missing


# --- what fits what ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (["contrast"], "contrast changes pixels, and these data are table rows"),
        ("imagenet-c", "imagenet-c changes pixels, and these data are table rows.*numeric_noise"),
        (["unit_error", "word_drop"], "word_drop changes texts, and these data are table rows"),
        ("text", "text changes texts, and these data are table rows"),
        ("tabula", "unknown set 'tabula': the nearest is 'tabular'"),
        (["unit_eror"], "unknown corruption 'unit_eror': the nearest is 'unit_error'"),
    ],
)
def test_what_does_not_fit_rows(tmp_path: Path, asked: Any, complaint: str) -> None:
    config = configured(tmp_path, shifts={"corruptions": asked})
    with pytest.raises(ConfigError, match=complaint):
        run(config, base=tmp_path, until="predictions")


@pytest.mark.parametrize("asked", ["tabular", ["unit_error"]])
def test_what_does_not_fit_images(tmp_path: Path, asked: Any) -> None:
    data = {"source": "digits", "limit": {"train": 40, "validation": 20, "test": 20}}
    config = configured(tmp_path, data=data, model={}, shifts={"corruptions": asked})
    with pytest.raises(
        ConfigError, match=r"changes columns of tables, and these data are images: .*imagenet-c"
    ):
        run(config, base=tmp_path, until="predictions")


# --- mixes ---------------------------------------------------------------------------------------


def test_a_mix_shows_the_stated_shares(evidence: Evidence) -> None:
    for name, column, shares in (
        ("more of the north", "group_town", {"north": 0.5, "south": 0.5}),
        ("owners", "group_owner", {"True": 1.0}),
    ):
        block = evidence.load(Condition(name, None))
        frame = evidence.examples[(block.predicted >= 0).all(axis=0)]
        assert frame[column].value_counts(normalize=True).to_dict() == shares
        assert set(frame["split"]) == {f"natural:{name}"}
        assert frame["example"].str.startswith(f"{name}/").all()


def test_a_mix_answers_as_the_same_examples_do_clean(evidence: Evidence) -> None:
    """Who is shown changes, and nobody is changed."""
    clean = evidence.load(CLEAN).predicted
    place = {name: at for at, name in enumerate(evidence.examples["example"])}
    mixed = evidence.load(Condition("owners", None)).predicted
    rows = np.flatnonzero((mixed >= 0).all(axis=0))
    own = [place[evidence.examples["example"][at].removeprefix("owners/")] for at in rows]
    np.testing.assert_array_equal(mixed[:, rows], clean[:, own])


def test_the_largest_sample_by_hand() -> None:
    """Of 6 a and 30 b: 6 a are half of 12; 6 b of 30, whose classes are 2 to 1, are 4 and 2."""
    groups = np.array(["a"] * 6 + ["b"] * 30, dtype=object)
    labels = np.array([0] * 6 + [0] * 20 + [1] * 10)
    rows = drawn(groups, labels, {"a": 0.5, "b": 0.5}, seed=0)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert (rows < 6).sum() == 6
    assert np.bincount(labels[rows[rows >= 6]]).tolist() == [4, 2]
    assert drawn(groups, labels, {"a": 0.1, "b": 0.9}, 0).size == 33  # 30 / 0.9, and 3 of a
    assert not np.array_equal(rows, drawn(groups, labels, {"a": 0.5, "b": 0.5}, seed=1))


@pytest.mark.parametrize(
    ("mix", "complaint"),
    [
        ({"m": {"twn": {"north": 1}}}, "the group column 'twn', which is not there.*'town'"),
        ({"m": {"town": {"nort": 1}}}, "shifts.reweight.m: unknown group 'nort'.*'north'"),
    ],
)
def test_mixes_that_the_data_do_not_have(tmp_path: Path, mix: Any, complaint: str) -> None:
    config = configured(tmp_path, shifts={"reweight": mix})
    with pytest.raises(InputError, match=complaint):
        run(config, base=tmp_path, until="predictions")


@pytest.mark.parametrize(
    ("shifts", "complaint"),
    [
        ({"reweight": {"m": {"town": {"north": 0.5}}}}, r"sum to 0\.5"),
        ({"reweight": {"m": {"town": {"north": 1.5}}}}, "less than or equal to 1"),
        ({"reweight": {"m": {}}}, "of one group column, not of none"),
        (
            {"reweight": {"m": {"town": {"north": 1}, "owner": {"True": 1}}}},
            "of one group column, not of 'owner', 'town'",
        ),
        ({"reweight": {"a@b": {"town": {"north": 1}}}}, "an @ in its name"),
        (
            {"reweight": {"m": {"town": {"north": 1}}}, "natural": {"m": "x"}},
            "'m' is a mix and a data set",
        ),
        (
            {"reweight": {"m": {"town": {"north": 1}}}, "corrupted": {"m": "x"}},
            "'m' is a corrupted set and another data set or mix: rename",
        ),
        ({"natural": {"m": "x"}, "corrupted": {"m": "x"}}, "'m' is a corrupted set and another"),
    ],
)
def test_mixes_that_mean_nothing(tmp_path: Path, shifts: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        configured(tmp_path, shifts=shifts)


def test_a_mix_that_is_named_as_a_corruption(tmp_path: Path) -> None:
    mix = {"unit_error": {"town": {"north": 1}}}
    config = configured(tmp_path, shifts={"corruptions": ["unit_error"], "reweight": mix})
    with pytest.raises(ConfigError, match=r"shifts\.reweight\.unit_error has the name of a corr"):
        run(config, base=tmp_path, until="predictions")


def test_without_a_training_part_there_is_no_scale(tmp_path: Path, arrays: Arrays) -> None:
    shutil.copytree(arrays.folder, tmp_path / "data")
    (tmp_path / "data" / "train-labels.npy").unlink()
    with pytest.raises(JobError, match="scaled by the training part, and there is none"):
        under(Arrays(tmp_path / "data"), "unit_error", 1)


def test_no_address_changes() -> None:
    assert set(canonical(Data("table", "0"))) == {"class", "revision", "source", "fingerprint"}
