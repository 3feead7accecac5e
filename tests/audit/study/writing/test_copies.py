"""A copy holds what `corrupt` makes of the images, with the ids that a study gives them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings
from audit.study.sources import load_source
from audit.study.writing import survey
from corruptions import corrupt, requantise
from tests.audit.study.writing.made import picture, tree

if TYPE_CHECKING:
    from tests.audit.study.writing.made import Copy

IDS = [*(f"cat/p{k}.png" for k in range(4)), "dog/far/p6.png", "dog/p4.png", "dog/p5.png"]
ORDER = [0, 1, 2, 3, 6, 4, 5]


def expected(name: str, severity: float, **other: object) -> np.ndarray:
    images = np.stack([picture(number) for number in ORDER])
    return corrupt(images, name, severity, ids=IDS, preset="cifar", **other)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_folders_hold_the_corrupted_images(copy: Copy, tmp_path: Path) -> None:
    written = copy(seed=5)
    assert (written.preset, written.images, written.made, written.there) == ("cifar", 7, 4, 0)
    for name in ("fog", "contrast"):
        for severity in (1, 3):
            place = tmp_path / "copy" / name / str(severity)
            found = np.stack([read(place / one) for one in IDS])
            assert np.array_equal(found, expected(name, severity, seed=5))
    assert len(tree(tmp_path / "copy")) == 4 * 7 + 2


def test_ids_are_those_of_a_study_on_the_same_folder(copy: Copy, tmp_path: Path) -> None:
    copy()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "copy" / "examples.csv").read_text())))
    settings = DataSettings(source="folder", path="images", splits={"train": None})
    test = load_source(settings, tmp_path).test
    assert [row["id"] for row in rows] == test.ids.tolist() == IDS
    assert [int(row["label"]) for row in rows] == test.labels.tolist()
    assert [row["class"] for row in rows] == ["cat"] * 4 + ["dog"] * 3


def test_arrays_are_ordered_by_severity(copy: Copy, tmp_path: Path) -> None:
    copy(layout="cifar-c", severities=(1.0, 2.0, 3.0, 4.0, 5.0))
    folder = tmp_path / "copy"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("contrast.npy", "corruption.json", "fog.npy", "ids.npy", "labels.npy"),
    ]
    fog, labels, ids = (np.load(folder / f"{name}.npy") for name in ("fog", "labels", "ids"))
    assert (fog.shape, fog.dtype) == ((35, 32, 32, 3), np.uint8)
    for severity in range(1, 6):
        block = slice((severity - 1) * 7, severity * 7)
        assert np.array_equal(fog[block], expected("fog", severity))
        assert labels[block].tolist() == [0, 0, 0, 0, 1, 1, 1]
        assert ids[block].tolist() == IDS


def test_parquet_is_read_by_datasets(copy: Copy, tmp_path: Path) -> None:
    import datasets

    copy(layout="parquet")
    cache = str(tmp_path / "cache")
    found = datasets.load_dataset(str(tmp_path / "copy"), cache_dir=cache)
    assert list(found) == ["test"]
    rows = found["test"]
    assert isinstance(rows.features["image"], datasets.Image)
    assert rows.features["label"].names == ["cat", "dog"]
    some = rows.filter(lambda row: row["corruption"] == "fog" and row["severity"] == 3.0)
    assert some["id"][:] == IDS
    assert some["label"][:] == [0, 0, 0, 0, 1, 1, 1]
    pixels = np.stack([np.asarray(image) for image in some["image"]])
    assert np.array_equal(pixels, expected("fog", 3))
    assert len(rows) == 4 * 7


def test_a_study_reads_the_parquet_copy(copy: Copy, tmp_path: Path) -> None:
    copy(layout="parquet", severities=(2.0,), corruptions=("contrast",))
    settings = DataSettings(source="datasets", path="copy", id="id", splits={"train": None})
    test = load_source(settings, tmp_path).test
    assert np.array_equal(test.inputs, expected("contrast", 2))
    assert test.ids.tolist() == IDS


def test_requantised_files_are_jpeg_of_quality_85(copy: Copy, tmp_path: Path) -> None:
    copy(requantise=True)
    stored = requantise(expected("fog", 3))
    path = tmp_path / "copy" / "fog" / "3" / "cat" / "p1.jpg"
    with Image.open(path) as image:
        assert image.format == "JPEG"
        reference = io.BytesIO()
        Image.fromarray(picture(0)).save(reference, "JPEG", quality=85)
        assert image.quantization == Image.open(reference).quantization
    assert np.array_equal(read(path), stored[1])
    record = json.loads((tmp_path / "copy" / "corruption.json").read_text())
    assert record["requantised"] == "JPEG, quality 85, 4:2:0"
    copy(out="arrays", layout="cifar-c", requantise=True)
    assert np.array_equal(np.load(tmp_path / "arrays" / "fog.npy")[7:], stored)


def test_corruption_json_says_how_it_was_made(copy: Copy, tmp_path: Path) -> None:
    copy(which="imagenet-c-extra", corruptions=(), severities=(2.5,), seed=3)
    record = json.loads((tmp_path / "copy" / "corruption.json").read_text())
    assert record["preset"] == "cifar"
    assert record["seed"] == 3
    assert record["set"] == "imagenet-c-extra"
    assert record["severities"] == [2.5]
    assert record["classes"] == ["cat", "dog"]
    assert record["requantised"] == "no"
    assert record["frost"] == "none"
    assert record["made_by"].startswith("prune-audit ")
    assert len(record["source"]) == 64
    assert (tmp_path / "copy" / "gaussian_blur" / "2.5" / "cat" / "p0.png").is_file()


def test_what_a_set_cannot_give_is_told_with_the_reason(copy: Copy) -> None:
    written = copy(source="digits", which="imagenet-c-extra", corruptions=(), limit=20)
    assert written.preset == "digits"
    assert "grey" in written.not_made["saturate"]
    with pytest.raises(InputError, match="saturate"):
        copy(out="other", source="digits", corruptions=("saturate",))


@pytest.mark.parametrize("layout", ["imagenet-c", "cifar-c", "parquet"])
def test_threads_batches_and_memory_change_no_byte(
    copy: Copy, tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(layout=layout)
    monkeypatch.setattr(survey, "_BATCH_IMAGES", 2)
    monkeypatch.setattr(survey, "MOST_KEPT", 0)
    copy(out="other", layout=layout, threads=3)
    one, other = tree(tmp_path / "copy"), tree(tmp_path / "other")
    if layout == "parquet":  # its row groups are batches
        monkeypatch.undo()
        copy(out="third", layout=layout, threads=3)
        other = tree(tmp_path / "third")
    assert one == other


def test_images_of_many_sizes_and_of_no_colour(copy: Copy, folder: Path, tmp_path: Path) -> None:
    Image.fromarray(picture(8, 40, 36)).save(folder / "cat" / "larger.png")
    Image.fromarray(picture(9)[..., 0]).save(folder / "cat" / "grey.png")
    assert copy().preset == "cifar"
    place = tmp_path / "copy" / "contrast" / "1" / "cat"
    assert read(place / "larger.png").shape == (40, 36, 3)
    grey = np.repeat(picture(9)[..., :1], 3, axis=2)
    wanted = corrupt(grey[None], "contrast", 1, ids=["cat/grey.png"], preset="cifar")[0]
    assert np.array_equal(read(place / "grey.png"), wanted)
    assert np.array_equal(read(place / "p0.png"), expected("contrast", 1)[0])
    with pytest.raises(InputError, match=r"differ in size.*--image-size"):
        copy(out="arrays", layout="cifar-c")
    assert not (tmp_path / "arrays").exists()
    copy(out="arrays", layout="cifar-c", image_size=24)
    assert np.load(tmp_path / "arrays" / "fog.npy").shape == (18, 24, 24, 3)


def test_names_of_files_stay_apart(copy: Copy, folder: Path, tmp_path: Path) -> None:
    Image.fromarray(picture(8)).save(folder / "cat" / "p0.jpg")
    (folder / "cat" / "odd.name").mkdir()
    Image.fromarray(picture(9)).save(folder / "cat" / "odd.name" / "x.y.JPEG")
    copy(corruptions=("contrast",), severities=(1.0,), requantise=True)
    names = {one for one in tree(tmp_path / "copy" / "contrast" / "1") if one.startswith("cat/")}
    assert len(names) == 6
    assert "cat/odd.name/x.y.JPEG" in names
    assert "cat/p1.jpg" in names
    assert len([one for one in names if "p0" in one]) == 2


def test_digits_are_named_by_their_ids(copy: Copy, tmp_path: Path) -> None:
    copy(source="digits", limit=30)
    settings = DataSettings(
        source="digits", splits={"train": None}, limit={"test": 30}, undersample=None
    )
    test = load_source(settings, tmp_path).test
    for one, label, image in zip(test.ids, test.labels, test.inputs, strict=True):
        found = read(tmp_path / "copy" / "fog" / "3" / str(label) / f"{one}.png")
        made = corrupt(image[None], "fog", 3, ids=[str(one)], preset="digits")[0]
        assert np.array_equal(found, made[..., 0])


def test_photographs_of_frost(copy: Copy, tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    bank.mkdir()
    Image.fromarray(picture(3, 400, 400)).save(bank / "window.png")
    asked = {"corruptions": ("frost",), "severities": (3.0,)}
    copy(**asked)
    copy(out="photographed", frost=bank, **asked)
    made, photographed = (
        json.loads((tmp_path / one / "corruption.json").read_text())
        for one in ("copy", "photographed")
    )
    assert made["frost"] == "frost (procedural)"
    assert photographed["frost"] == "frost (photographs in bank)"
    assert made["frost_digest"] != photographed["frost_digest"]
    path = Path("frost") / "3" / "cat" / "p0.png"
    found = read(tmp_path / "photographed" / path)
    assert not np.array_equal(found, read(tmp_path / "copy" / path))
    wanted = corrupt(picture(0)[None], "frost", 3, ids=IDS[:1], preset="cifar", frost=bank)
    assert np.array_equal(found, wanted[0])
    with pytest.raises(InputError, match="--frost has no use"):
        copy(out="fog", frost=bank)
    with pytest.raises(InputError, match="no PNG or JPEG"):
        copy(out="none", frost=tmp_path / "images", **asked)
