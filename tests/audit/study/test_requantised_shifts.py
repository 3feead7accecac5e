"""Corrupted images of a study through JPEG files, and frost from a folder of photographs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from audit.evidence.address import address
from audit.evidence.blocks import Condition
from audit.evidence.errors import ConfigError, InputError
from audit.study import jobs
from audit.study.config import Config
from audit.study.layout import Study, lay_out
from audit.study.notes import notes_on_shifts
from audit.study.prepare import Arrays
from audit.study.preprocess import Preprocess
from audit.study.showing import batches
from corruptions import corrupt, requantise

FOG, FROST = Condition("fog", 3.0), Condition("frost", 3.0)


def study(tmp_path: Path, **shifts: object) -> Study:
    config = Config.model_validate(
        {
            "data": {"source": "digits", "limit": {"train": 100, "test": 30}},
            "shifts": {
                "corruptions": ("fog", "frost"),
                "severities": (3.0,),
                "preset": "cifar",
                **shifts,
            },
            "store": str(tmp_path / "runs"),
        }
    )
    return lay_out(config, tmp_path)


def bank(folder: Path, level: int = 200) -> Path:
    folder.mkdir()
    rows = np.arange(64)[:, None, None] * np.ones((1, 64, 3))
    Image.fromarray((rows * 2 + level % 100).astype(np.uint8)).save(folder / "one.png")
    return folder


def shown(made: Study, condition: Condition) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """What models are given, the clean images, and their ids."""
    if not made.store.done(made.data):
        jobs.make_data(made.store, made.data, made.config.data, made.base, 0)
    arrays = Arrays(made.store.folder(made.data))
    plain = Preprocess(None, lambda images: images)
    (batch,) = batches(made.shown[condition], arrays, plain, 100, "cpu", made.base)
    return batch.inputs, np.array(arrays.inputs("test")), batch.ids


def test_corrupted_images_go_through_a_file(tmp_path: Path) -> None:
    found, clean, ids = shown(study(tmp_path, requantise=True), FOG)
    made = corrupt(clean, "fog", 3, ids=ids, preset="cifar")
    assert np.array_equal(found.permute(0, 2, 3, 1).numpy(), requantise(made))
    assert not np.array_equal(requantise(made), made)
    plain, _, _ = shown(study(tmp_path), FOG)
    assert np.array_equal(plain.permute(0, 2, 3, 1).numpy(), made)


def test_clean_images_do_not(tmp_path: Path) -> None:
    made = study(tmp_path, requantise=True)
    assert made.shown[Condition("clean", 0.0)] == study(tmp_path).shown[Condition("clean", 0.0)]


def test_frost_comes_from_the_photographs(tmp_path: Path) -> None:
    photographs = bank(tmp_path / "bank")
    found, clean, ids = shown(study(tmp_path, frost="bank"), FROST)
    made = corrupt(clean, "frost", 3, ids=ids, preset="cifar", frost=photographs)
    assert np.array_equal(found.permute(0, 2, 3, 1).numpy(), made)
    plain, _, _ = shown(study(tmp_path), FROST)
    assert not torch.equal(plain, found)


def test_results_are_named_by_both(tmp_path: Path) -> None:
    bank(tmp_path / "bank")
    plain, stored, photographed = (
        study(tmp_path, **asked) for asked in ({}, {"requantise": True}, {"frost": "bank"})
    )

    def named(made: Study, condition: Condition) -> str:
        return address(made.shown[condition])

    assert named(plain, FOG) != named(stored, FOG)
    assert named(plain, FROST) != named(photographed, FROST)
    assert named(plain, FOG) == named(photographed, FOG)  # only frost looks at photographs
    # Photographs count by content, wherever they are.
    shutil.move(tmp_path / "bank", tmp_path / "moved")
    moved = study(tmp_path, frost=str(tmp_path / "moved"))
    assert named(moved, FROST) == named(photographed, FROST)
    assert moved.shown[FROST].frost_folder == str(tmp_path / "moved")
    bank(tmp_path / "other", level=50)
    assert named(study(tmp_path, frost="other"), FROST) != named(photographed, FROST)


def test_the_notes_say_which(tmp_path: Path) -> None:
    bank(tmp_path / "bank")
    plain = study(tmp_path)
    shown(plain, FOG)
    notes = " ".join(notes_on_shifts(plain))
    assert "preset cifar (as asked)" in notes
    assert "were shown as they were made" in notes
    assert "Frost is procedural" in notes
    asked = study(tmp_path, requantise=True, frost="bank")
    notes = " ".join(notes_on_shifts(asked))
    assert "went through JPEG files of quality 85 (4:2:0)" in notes
    assert "Frost is of the photographs in bank" in notes


def test_what_has_no_use_is_refused(tmp_path: Path) -> None:
    bank(tmp_path / "bank")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValidationError, match="requantise has no use without corruptions"):
        study(tmp_path, requantise=True, corruptions=())
    with pytest.raises(ConfigError, match=r"shifts\.frost: frost is not among the corruptions"):
        study(tmp_path, frost="bank", corruptions=("fog",))
    with pytest.raises(InputError, match=r"no folder .*nowhere of photographs"):
        study(tmp_path, frost="nowhere")
    with pytest.raises(InputError, match=r"empty has no photographs \(\.png"):
        study(tmp_path, frost="empty")
