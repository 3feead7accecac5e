"""Texts as data, from a config to the evidence: read, corrupted as texts, then made numbers."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

import corruptions
from audit.evidence.address import canonical
from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.errors import ConfigError, InputError
from audit.evidence.folder import read_folder
from audit.study.config_file import load_config
from audit.study.data_settings import DataSettings
from audit.study.fingerprint import fingerprint
from audit.study.natural_layouts import read_elsewhere
from audit.study.prepare import Arrays
from audit.study.recipes import Data, Shown
from audit.study.run import run
from audit.study.showing import batches
from audit.study.sources import Part, Source, load_source
from audit.study.sources.given_source import take_source
from audit.study.text_preprocess import TextPreprocess

if TYPE_CHECKING:
    from audit.evidence.blocks import Evidence
    from audit.study.config import Config
    from audit.study.run import Result

CONFIG = """
name: letters
data: {source: table, path: reviews.csv, kind: text, input: said, id: who, groups: [town]}
model: {architecture: mlp, arguments: {hidden: [16]}, preprocess: "texts_read:words"}
population:
  seeds: 1
  controls: false
  training: {epochs: 15, optimizer: adam, lr: 0.01, batch_size: 32}
  methods: [{saliency: magnitude, protect: []}]
  sparsities: [0.5]
shifts:
  corruptions: [keyboard_typos, character_drop]
  severities: [1, 5]
  reweight: {the north: {town: {north: 0.5, south: 0.5}}}
  natural: {others: others.csv}
  out_of_distribution: {notes: others.csv}
execute: {backend: in_process}
"""
# What a config names, in a module beside it.
FUNCTIONS = """
import zlib
import torch
from torch import nn

def words(texts):
    rows = torch.zeros(len(texts), 512)
    for row, text in enumerate(texts):
        for word in text.lower().split():
            rows[row, zlib.crc32(word.encode()) % 512] = 1.0
    return rows

def tokens(texts):
    rows = torch.zeros(len(texts), 8, dtype=torch.int64)
    for row, text in enumerate(texts):
        for place, word in enumerate(text.lower().split()[:8]):
            rows[row, place] = 1 + zlib.crc32(word.encode()) % 499
    return rows

class Bag(nn.Module):
    def __init__(self, length, classes):
        super().__init__()
        self.words, self.out = nn.Embedding(500, 16), nn.Linear(16 * length, classes)
    def forward(self, ids):
        return self.out(self.words(ids).flatten(1))

def bag(input_shape, classes):
    return Bag(input_shape[0], classes)

def ask(model, inputs):
    assert inputs.dtype == torch.int64
    return model(inputs)

def longest(texts):
    return torch.zeros(len(texts), max(len(text) for text in texts))

def halves(texts):
    return words(texts[::2])

def listed(texts):
    return words(texts).tolist()

def flat(texts):
    return torch.zeros(len(texts))

def factory():
    return words

def shout(texts, severity, *, seed, ids):
    return [text + " awful dreadful poor" * int(severity) for text in texts]
"""
GOOD, BAD = ("great", "lovely", "superb", "charming"), ("awful", "dreadful", "poor", "tedious")


def reviews(rows: int = 400) -> pd.DataFrame:
    """Sentences whose label hangs on one of eight words."""
    draws = np.random.default_rng(0)
    label = draws.choice(["bad", "good"], rows)
    told = [draws.choice(GOOD if one == "good" else BAD) for one in label]
    thing = draws.choice(["film", "book", "meal", "train"], rows)
    return pd.DataFrame(
        {
            "who": [f"p{at}" for at in range(rows)],
            "said": [f"The {a} was {b}, they say." for a, b in zip(thing, told, strict=True)],
            "town": draws.choice(["north", "south"], rows, p=[0.2, 0.8]),
            "label": label,
        }
    )


def configured(folder: Path, **sections: Any) -> Config:
    reviews().to_csv(folder / "reviews.csv", index=False)
    told = [f"It was {one}." for one in (*GOOD[:3], *BAD[:3]) * 10]
    labels = (["good"] * 3 + ["bad"] * 3) * 10
    others = reviews(60).assign(said=told, label=labels)
    others.to_csv(folder / "others.csv", index=False)
    (folder / "texts_read.py").write_text(FUNCTIONS)
    path = folder / "letters.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(CONFIG) | sections))
    return load_config(path).model_copy(update={"store": str(folder / "runs")})


@pytest.fixture(autouse=True)
def own_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own folder, and Python keeps one module of a name."""
    monkeypatch.delitem(sys.modules, "texts_read", raising=False)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("letters")
    result = run(configured(folder), base=folder, until="predictions")
    assert result.missing == ()
    return folder, result


@pytest.fixture(scope="module")
def evidence(shown: tuple[Path, Result]) -> Evidence:
    return read_folder(shown[1].folder / "evidence")


def accuracy(evidence: Evidence, condition: Condition) -> float:
    """Of the parent."""
    predicted = evidence.load(condition).predicted[0]
    there = predicted >= 0
    return float((predicted[there] == evidence.labels[there]).mean())


def test_accuracy_falls_with_severity(evidence: Evidence) -> None:
    assert accuracy(evidence, CLEAN) > 0.95
    for name in ("keyboard_typos", "character_drop"):
        low, high = (accuracy(evidence, Condition(name, s)) for s in (1.0, 5.0))
        assert high < low - 0.05, name


def test_the_evidence_shows_the_texts(evidence: Evidence) -> None:
    frame = reviews().set_index("who")
    test = evidence.examples[evidence.examples["split"] == "test"].set_index("example")
    assert test["text"].tolist() == frame["said"].loc[test.index].tolist()
    assert test["group_town"].tolist() == frame["town"].loc[test.index].tolist()


def test_other_texts_are_read_like_the_audited_ones(evidence: Evidence) -> None:
    own = evidence.examples[evidence.examples["split"] == "natural:others"]
    assert own["text"].str.startswith("It was ").all()
    assert accuracy(evidence, Condition("others", None)) > 0.4
    assert (evidence.examples["split"] == "ood").sum() == 60


def test_what_models_are_shown_is_the_corrupted_text(shown: tuple[Path, Result]) -> None:
    """The preprocessing of what `corrupt_text` makes, whatever the batch."""
    folder, result = shown
    study = result.study
    arrays = Arrays(study.store.folder(study.data))
    seen: list[str] = []

    def count(texts: list[str]) -> torch.Tensor:
        seen.extend(texts)
        return torch.tensor([[len(text)] for text in texts])

    condition = Shown("keyboard_typos", study.data, "keyboard_typos", 5.0)
    step = TextPreprocess(count, "count")
    for size in (7, 200):
        seen.clear()
        made = [one.inputs for one in batches(condition, arrays, step, size, "cpu", folder)]
        frame = reviews().set_index("who").loc[arrays.ids("test")]
        ids = arrays.ids("test").tolist()
        wanted = corruptions.corrupt_text(frame["said"], "keyboard_typos", 5.0, ids=ids)
        assert seen == wanted
        assert torch.cat(made)[:, 0].tolist() == [len(text) for text in wanted]


def test_the_store_holds_texts_and_no_pickle(shown: tuple[Path, Result]) -> None:
    study = shown[1].study
    folder = study.store.folder(study.data)
    assert sorted(one.name for one in folder.glob("*-inputs.*")) == [
        "test-inputs.parquet",
        "train-inputs.parquet",
        "validation-inputs.parquet",
    ]
    arrays = Arrays(folder)
    assert arrays.input_shape == ()
    assert not any(path.suffix == ".npy" and "inputs" in path.name for path in folder.iterdir())
    mix = study.store.folder(study.others["the north"])
    texts = set(arrays.inputs("test").tolist())
    assert set(Arrays(mix).inputs("test").tolist()) <= texts


def test_a_run_goes_on_where_it_was_stopped(shown: tuple[Path, Result]) -> None:
    """Nothing is made twice, and what was lost is made as it was."""
    folder, result = shown
    stored = load_config(folder / "letters.yaml").model_copy(update={"store": str(folder / "runs")})
    assert not run(stored, base=folder, until="predictions").published.fresh
    predictions = result.folder / "evidence" / "predictions"
    before = {str(path): path.read_bytes() for path in predictions.rglob("*.parquet")}
    for one in result.study.predicted[1:4]:
        shutil.rmtree(result.study.store.folder(one))
    shutil.rmtree(result.folder)
    assert run(stored, base=folder, until="predictions").published.fresh
    assert {str(path): path.read_bytes() for path in predictions.rglob("*.parquet")} == before
    assert len(before) == len(result.study.predicted)


def test_notes_say_what_was_shown(shown: tuple[Path, Result]) -> None:
    described = json.loads((shown[1].folder / "evidence" / "study.json").read_text())
    assert described["preset"] is None
    assert "Corruptions changed the texts before they were made numbers" in str(described["notes"])


def test_token_ids_an_architecture_and_a_call_of_ones_own(tmp_path: Path) -> None:
    """Integers reach the module as integers; a checkpoint that is given goes the same way."""
    model = {
        "architecture": "texts_read:bag",
        "preprocess": "texts_read:tokens",
        "predict": "texts_read:ask",
    }
    shifts = {"corruptions": ["texts_read:shout"], "severities": [5]}
    result = run(configured(tmp_path, model=model, shifts=shifts), base=tmp_path)
    assert result.missing == ()
    evidence = read_folder(result.folder / "evidence")
    assert accuracy(evidence, CLEAN) > 0.95
    weights = result.folder / "population" / "dense-0.safetensors"
    files = [{"checkpoint": str(weights), "name": "given", "seed": 0}]
    given = configured(
        tmp_path, name="given", model=model, shifts=shifts, population={"models": files}
    )
    other = read_folder(run(given, base=tmp_path, until="predictions").folder / "evidence")
    for condition in (CLEAN, Condition("shout", 5.0)):
        np.testing.assert_array_equal(
            other.load(condition).predicted[0], evidence.load(condition).predicted[0]
        )


# --- sources -------------------------------------------------------------------------------------


def section(**more: Any) -> DataSettings:
    return DataSettings(**{"source": "table", "kind": "text", "input": "said", "id": "who"} | more)


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.parquet"])
@pytest.mark.parametrize("source", ["table", "datasets"])
def test_sources_give_the_texts_as_written(tmp_path: Path, source: str, name: str) -> None:
    frame = reviews(60)
    save = frame.to_csv if name.endswith("csv") else frame.to_parquet
    save(tmp_path / name, index=False)
    found = load_source(section(source=source, path=name), tmp_path)
    assert (found.kind, found.vocabulary.shape) == ("text", ())
    written = frame.set_index("who")["said"]
    for part in found.parts.values():
        assert part.inputs.tolist() == written.loc[part.ids].tolist()


def test_words_that_tables_write_for_blanks_are_texts(tmp_path: Path) -> None:
    frame = reviews(60)
    frame.loc[:3, "said"] = ["NA", "?", "", "  null "]
    frame.to_csv(tmp_path / "r.csv", index=False)
    found = load_source(section(path="r.csv", splits={"train": None}), tmp_path)
    assert found.test.inputs[:4].tolist() == ["NA", "?", "", "null "]  # blanks before are dropped


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (["a", "b", None] * 20, "'said' is blank in row 2 of r: leave this row out, or give the"),
        ([7] * 60, "'said' holds 7 in row 0"),
    ],
)
def test_rows_that_hold_no_text(tmp_path: Path, said: list[Any], complaint: str) -> None:
    reviews(60).assign(said=said).to_parquet(tmp_path / "r.parquet", index=False)
    with pytest.raises(InputError, match=complaint):
        load_source(section(path="r.parquet", splits={"train": None}), tmp_path)


def test_a_function_gives_a_frame(tmp_path: Path) -> None:
    (tmp_path / "texts_mine.py").write_text(
        "import pandas as pd\n"
        "def frame():\n"
        "    return pd.DataFrame({'said': ['a b', 'c d'] * 30, 'label': ['x', 'y'] * 30})\n"
        "def pair():\n"
        "    return ['a'] * 9, [0] * 9\n"
    )
    settings = DataSettings(source="texts_mine:frame", kind="text", input="said")
    assert load_source(settings, tmp_path).kind == "text"
    with pytest.raises(InputError, match=r"texts_mine:pair \(all\) gives a tuple: return a frame"):
        load_source(settings.model_copy(update={"source": "texts_mine:pair"}), tmp_path)


def test_a_natural_shift_must_be_texts_too(tmp_path: Path) -> None:
    reviews(60).to_csv(tmp_path / "r.csv", index=False)
    ours = load_source(section(path="r.csv"), tmp_path)
    other = load_source(section(path="r.csv"), tmp_path, vocabulary=ours.vocabulary)
    assert len(other.test) == 60
    rows = DataSettings(source="table", path="r.csv", id="who", input=("town",))
    with pytest.raises(InputError, match="trained on texts, and these data are none: add kind"):
        load_source(rows, tmp_path, vocabulary=ours.vocabulary)
    of_rows = load_source(rows, tmp_path).vocabulary
    with pytest.raises(InputError, match=r"These are texts .* trained on table rows"):
        load_source(section(path="r.csv"), tmp_path, vocabulary=of_rows)


def test_a_table_of_many_sentences_hints_at_the_kind(tmp_path: Path) -> None:
    frame = pd.DataFrame({"said": [f"this is the number {at}" for at in range(1500)]})
    frame.assign(label=["x", "y"] * 750).to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(InputError, match=r"1\d\d\d distinct texts.*as data\.input with kind: text"):
        load_source(DataSettings(source="table", path="r.csv"), tmp_path)
    frame.assign(said=frame["said"].str[-4:], label=["x", "y"] * 750).to_csv(
        tmp_path / "names.csv", index=False
    )
    with pytest.raises(InputError, match=r"or group its values\.$"):
        load_source(DataSettings(source="table", path="names.csv"), tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"input": None}, "kind text needs input, the name of the one column of texts"),
        ({"input": ("said", "town")}, "kind text needs input"),
        ({"source": "datasets", "path": "x", "mode": "grey"}, "mode is for pictures"),
        ({"source": "digits", "id": None}, "has no use for 'input'"),
        ({"source": "folder", "id": None, "input": None, "path": "x"}, "has no use for 'kind'"),
        ({"kind": "texts"}, "Input should be 'text'"),
    ],
)
def test_settings_that_do_not_go_together(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        section(**{"path": "r.csv"} | change if "path" not in change else change)


# --- what fits what ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sections", "complaint"),
    [
        ({"shifts": {"corruptions": ["fog"]}}, "fog changes pixels, and these data are texts"),
        ({"shifts": {"corruptions": "tabular"}}, "tabular changes columns of tables.*are texts"),
        ({"shifts": {"corruptions": "text", "requantise": True}}, "requantise changes pixels"),
        ({"shifts": {"noise": {}}}, r"shifts\.noise changes pixels, and these data are texts"),
        ({"shifts": {"attacks": {}}}, r"shifts\.attacks changes pixels"),
        ({"model": {"architecture": "mlp"}}, "model.preprocess is 'auto', and models read texts"),
        (
            {"model": {"preprocess": "torchvision:ResNet18_Weights.DEFAULT"}},
            "is 'torchvision:ResNet18_Weights.DEFAULT', and models read texts as numbers",
        ),
        (
            {"population": {"training": {"augmentation": "shift"}}},
            r"population\.training\.augmentation changes pixels, and these data are texts",
        ),
    ],
)
def test_what_does_not_fit_texts(tmp_path: Path, sections: Any, complaint: str) -> None:
    """Refused before anything is read."""
    with pytest.raises(ConfigError, match=complaint):
        run(configured(tmp_path, **sections), base=tmp_path, until="predictions")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("longest", r"rows of shape \(6,\) .* for some texts and \(40,\) .*: pad or cut them"),
        ("halves", r"gives the shape \(\d+, 512\) for \d+ texts"),
        ("listed", "gives list: return a tensor of floats or integers"),
        ("flat", r"gives the shape \(\d+,\) for \d+ texts: return \[N, ...\]"),
        ("factory", r"failed \(TypeError.*it is called with a list of texts"),
        ("wrds", "texts_read has no 'wrds'.*'words'"),
    ],
)
def test_preprocessing_that_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    model = {
        "architecture": "mlp",
        "arguments": {"hidden": [4]},
        "preprocess": f"texts_read:{name}",
    }
    try:
        result = run(configured(tmp_path, model=model), base=tmp_path, until="predictions")
    except (ConfigError, InputError) as error:
        told = str(error)
    else:
        told = " ".join(result.missing)
    assert re.search(complaint, told), told


def test_rows_of_another_shape_are_refused_between_calls() -> None:
    def by_count(texts: list[str]) -> torch.Tensor:
        return torch.zeros(len(texts), 2 if len(texts) == 1024 else 3)

    with pytest.raises(InputError, match=r"rows of shape \(2,\).*and \(3,\)"):
        TextPreprocess(by_count, "by_count")(["a"] * 1025)


def test_no_address_changes(tmp_path: Path) -> None:
    """A section that says no kind is named as before there was one."""
    assert set(canonical(Data("table", "0"))) == {"class", "revision", "source", "fingerprint"}
    (tmp_path / "t.csv").write_text("a,label\n1,x\n")
    found = fingerprint(DataSettings(source="table", path="t.csv"), tmp_path)
    assert found == "c2825befcd923ae6bc318a9272d9fcbed325b0935c789c0b86630f98b3cde035"
    said = DataSettings(source="table", path="t.csv", kind="text", input="a")
    assert fingerprint(said, tmp_path) != found


def test_a_folder_of_texts_is_no_set_of_images(tmp_path: Path) -> None:
    """What class folders that are numbers would tell of images."""
    for name in ("0", "1"):
        (tmp_path / "v2" / name).mkdir(parents=True)
        (tmp_path / "v2" / name / "a.png").write_bytes(b"")
    read_as = {"source": "datasets", "path": "reviews.csv", "id": "who"}
    assert read_elsewhere(DataSettings(**read_as), "v2", tmp_path) is not None
    assert read_elsewhere(section(**read_as), "v2", tmp_path) is None


def test_a_function_gives_a_source_of_texts(tmp_path: Path) -> None:
    def part(texts: list[Any], start: int) -> Part:
        labels, ids = np.arange(len(texts)) % 2, np.arange(start, start + len(texts))
        return Part(np.array(texts, dtype=object), labels, ids, pd.DataFrame(index=ids))

    source = Source("text", ("x", "y"), part(["a", "b"], 0), None, part(["c", "d"], 2))
    settings = DataSettings(source="texts_mine:source")
    assert take_source(source, settings) is source
    numbers = replace(source, test=part(["c", 7], 2))
    with pytest.raises(InputError, match="gives test inputs that are no strings: give texts"):
        take_source(numbers, settings)
