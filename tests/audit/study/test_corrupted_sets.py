"""Corrupted sets on disk are conditions like those made in memory: whole studies of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

import corruptions
from audit.evidence.blocks import Condition
from audit.evidence.errors import ConfigError, InputError
from audit.evidence.folder import read_folder
from audit.study.config_file import load_config
from audit.study.layout import lay_out
from audit.study.prepare import Arrays
from audit.study.run import run
from audit.study.status import stages
from reports.cli.app import build

if TYPE_CHECKING:
    from audit.study.config import Config
    from audit.study.run import Result

NAMES, SEVERITIES = ("contrast", "gaussian_noise"), (1.0, 5.0)
CONFIG = """
name: published
data: {source: digits, limit: {train: 60, validation: 40, test: 80}}
population:
  seeds: 1
  training: {epochs: 2, optimizer: adam, lr: 0.003, batch_size: 32}
  methods: [{saliency: magnitude}]
  sparsities: [0.9]
execute: {backend: in_process}
"""


def configured(folder: Path, **shifts: Any) -> Config:
    path = folder / "published.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(CONFIG) | {"shifts": shifts}))
    return load_config(path).model_copy(update={"store": str(folder / "runs")})


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("published")
    config = configured(folder, corruptions=list(NAMES), severities=list(SEVERITIES))
    return folder, run(config, base=folder)


@pytest.fixture(scope="module")
def arrays(in_memory: tuple[Path, Result]) -> Path:
    """The corrupted test digits as CIFAR-10-C has them, but for the number of severities."""
    folder, result = in_memory
    test = Arrays(result.study.store.folder(result.study.data))
    root = folder / "digits-c"
    root.mkdir()
    images, ids = np.array(test.inputs("test")), test.ids("test")
    for name in NAMES:
        blocks = [corruptions.corrupt(images, name, s, seed=0, ids=ids) for s in SEVERITIES]
        np.save(root / f"{name}.npy", np.concatenate(blocks))
    np.save(root / "labels.npy", np.tile(test.labels("test"), len(SEVERITIES)))
    (root / "corruption.json").write_text(
        '{"severities": [1, 5], "seed": 0, "tool": "ours", "frost_digest": "0f"}'
    )
    return root


def moved(arrays: Path, folder: Path) -> Path:
    """A copy to spoil, beside the store that has the models already."""
    return Path(shutil.copytree(arrays, folder / "set"))


def said(result: Result) -> str:
    return (result.folder / "evidence" / "study.json").read_text()


def test_findings_from_disk_are_those_in_memory(
    in_memory: tuple[Path, Result], arrays: Path
) -> None:
    folder, ours = in_memory
    result = run(configured(folder, corrupted=str(arrays)), base=folder)
    assert result.missing == ()
    assert ours.findings is not None
    assert result.findings is not None
    first, second = ours.findings.frame(), result.findings.frame()
    assert len(first) > 100
    pd.testing.assert_frame_equal(first, second)
    notes = said(result)
    assert "corrupted: read from disk, .npy files as of CIFAR-10-C: 2 corruptions at 2 " in notes
    assert "80 of 80 images of each; they are the audited test examples (the number of ro" in notes
    assert "its corruption.json says: seed 0, tool ours." in notes
    again = run(configured(folder, corrupted=str(arrays)), base=folder)
    assert not again.published.fresh


@pytest.mark.parametrize("layout", ["cifar-c", "parquet", "imagenet-c"])
def test_findings_from_a_written_copy_are_those_in_memory(
    in_memory: tuple[Path, Result], layout: str, tmp_path: Path
) -> None:
    folder, ours = in_memory
    copied = ("corrupt", str(folder / "published.yaml"), "--out", str(tmp_path / "copy"))
    asked = [f"--corruption={name}" for name in NAMES] + [f"--severity={s:g}" for s in SEVERITIES]
    done = CliRunner().invoke(build(), [*copied, "--layout", layout, *asked])
    assert done.exit_code == 0, done.output
    result = run(configured(folder, corrupted=str(tmp_path / "copy")), base=folder)
    assert ours.findings is not None
    assert result.findings is not None
    pd.testing.assert_frame_equal(ours.findings.frame(), result.findings.frame())


def test_a_set_of_other_examples_has_conditions_with_examples_of_their_own(
    in_memory: tuple[Path, Result], arrays: Path
) -> None:
    folder, _ = in_memory
    sets = {"mine": {"path": str(arrays), "examples": "own", "severities": [5]}}
    result = run(configured(folder, corrupted=sets), base=folder)
    assert result.missing == ()
    assert result.findings is not None
    evidence = read_folder(result.folder / "evidence")
    block = evidence.load(Condition("contrast", 5.0))
    own = evidence.examples["split"].eq("corrupted:mine").to_numpy()
    assert own.sum() == 80
    assert evidence.examples["example"][own].str.startswith("mine/").all()
    assert ((block.predicted >= 0) == own).all()
    frame = result.findings.frame()
    shifted = frame[(frame["condition"] == "contrast") & (frame["measure"] == "excess_error")]
    assert len(shifted)
    assert shifted["reason"].str.contains("separate samples").all()


def test_unreadable_images_are_left_out_of_their_condition_and_reported(
    in_memory: tuple[Path, Result], tmp_path: Path
) -> None:
    folder, result = in_memory
    test = Arrays(result.study.store.folder(result.study.data))
    images, labels, ids = np.array(test.inputs("test")), test.labels("test"), test.ids("test")
    corrupted = corruptions.corrupt(images, "contrast", 5, seed=0, ids=ids)
    rows = ["file,id,label"]
    for image, label, name in zip(corrupted, labels, ids, strict=True):
        path = tmp_path / "contrast" / "5" / str(label) / f"x{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
        rows.append(f"{label}/x{name}.png,{name},{label}")
    (tmp_path / "examples.csv").write_text("\n".join(rows) + "\n")
    first = tmp_path / "contrast" / "5" / str(labels[0]) / f"x{ids[0]}.png"
    first.write_bytes(b"no image")
    failed = run(configured(folder, corrupted=str(tmp_path)), base=folder)
    assert any(f"{first} cannot be read" in sentence for sentence in failed.missing)
    assert any("condition contrast at severity 5: no model" in one for one in failed.missing)
    sets = {"mine": {"path": str(tmp_path), "unreadable": "skip"}}
    result = run(configured(folder, corrupted=sets), base=folder)
    assert result.missing == ()
    assert f"mine: 1 image was unreadable and left out: {first}." in said(result)
    evidence = read_folder(result.folder / "evidence")
    blocks = [evidence.load(Condition(*key)) for key in (("clean", 0.0), ("contrast", 5.0))]
    shown = [block.predicted[0] >= 0 for block in blocks]
    assert (shown[0] & ~shown[1]).sum() == 1
    assert evidence.examples["example"][shown[0] & ~shown[1]].tolist() == [str(ids[0])]


def test_a_set_that_is_asked_for_by_name_is_published_under_it(
    in_memory: tuple[Path, Result], arrays: Path, tmp_path: Path
) -> None:
    """Then ImageNet-C's own scales apply, where the rest is ImageNet's too."""
    names = corruptions.members("imagenet-c")
    for name in names:
        shutil.copy(arrays / "contrast.npy", tmp_path / f"{name}.npy")
    shutil.copy(arrays / "labels.npy", tmp_path)
    about = json.loads((arrays / "corruption.json").read_text())
    for preset, stated in (("digits", {}), ("imagenet", {"preset": "imagenet"})):
        (tmp_path / "corruption.json").write_text(json.dumps({**about, **stated}))
        sets = {"path": str(tmp_path), "corruptions": "imagenet-c", "severities": [5]}
        config = configured(in_memory[0], corrupted=sets)
        result = run(config, base=in_memory[0], until="predictions")
        described = json.loads(said(result))
        assert (described["set"], described["preset"]) == ("imagenet-c", preset)
        assert len(result.study.shown) == len(names) + 1


def test_notes_tell_what_was_made_in_memory_from_what_was_read(
    in_memory: tuple[Path, Result], arrays: Path
) -> None:
    shifts = {"corruptions": ["brightness"], "severities": [1], "corrupted": str(arrays)}
    result = run(configured(in_memory[0], **shifts), base=in_memory[0], until="predictions")
    assert "Images that were corrupted in memory have the constants of the pre" in said(result)


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shifts", "complaint"),
    [
        (
            {"corruptions": ["contrast"], "severities": [5], "corrupted": "SET"},
            "shifts.corrupted.corrupted and shifts.corruptions both show contrast at severity 5",
        ),
        (
            {"corrupted": {"a": "SET", "b": "SET"}},
            "shifts.corrupted.b and shifts.corrupted.a both show contrast at severity 1",
        ),
        ({"corrupted": {"path": "SET", "corruptions": "imagenet-d"}}, "corruptions: .*imagenet-"),
        (
            {"corrupted": {"path": "SET", "corruptions": "imagenet-c"}},
            "has no corruption 'shot_noise'",
        ),
        ({"corrupted": {"path": "SET", "severities": [2]}}, "no severity 2 of contrast, only 1, 5"),
        ({"corrupted": {"path": "nowhere"}}, "no file or folder"),
        ({"corrupted": {"path": "SET", "severities": [1, 1]}}, "1.0 is there twice: name it once"),
        ({"corrupted": {"path": "SET", "corruptions": []}}, "none is named"),
        ({"corrupted": {"path": "SET", "colour": 1}}, "unknown key 'colour'"),
        ({"corrupted": {"mine": 3}}, "corrupted"),
    ],
)
def test_sets_that_cannot_be_shown(
    arrays: Path, tmp_path: Path, shifts: Any, complaint: str
) -> None:
    text = yaml.safe_dump(shifts).replace("SET", str(arrays))
    with pytest.raises((ConfigError, InputError), match=complaint):
        lay_out(configured(tmp_path, **yaml.safe_load(text)), tmp_path)


def test_labels_that_disagree_stop_the_study(
    in_memory: tuple[Path, Result], arrays: Path, tmp_path: Path
) -> None:
    root = moved(arrays, tmp_path)
    labels = np.load(root / "labels.npy")
    np.save(root / "labels.npy", (labels + 1) % 10)
    with pytest.raises(InputError, match=r"80 of the 80 labels disagree: check the order of the"):
        run(configured(in_memory[0], corrupted=str(root)), base=in_memory[0])


def test_status_counts_the_sets(in_memory: tuple[Path, Result], arrays: Path) -> None:
    config = configured(in_memory[0], corrupted=str(arrays))
    left = {stage.stage: stage.total for stage in stages(config, in_memory[0])}
    assert left["data"] == 2
    assert left["predictions"] == 5 * 3  # clean and four conditions, of three models


def test_one_severity_is_not_taken_for_five(
    in_memory: tuple[Path, Result], arrays: Path, tmp_path: Path
) -> None:
    root = moved(arrays, tmp_path)
    (root / "corruption.json").unlink()
    labels = np.load(root / "labels.npy")[:80]
    np.save(root / "labels.npy", labels)
    for name in NAMES:
        np.save(root / f"{name}.npy", np.load(root / f"{name}.npy")[:80])
    with pytest.raises(InputError, match=r"does not repeat after 16 labels, .* 5 severities"):
        run(configured(in_memory[0], corrupted=str(root)), base=in_memory[0])
    (root / "corruption.json").write_text('{"severities": [1]}')
    result = run(configured(in_memory[0], corrupted=str(root)), base=in_memory[0])
    assert result.missing == ()
