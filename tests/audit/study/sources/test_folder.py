from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings, SplitNames
from audit.study.sources import load_source


def load(folder: Path, **values):
    settings = DataSettings(source="folder", path=folder.name, **values)
    return load_source(settings, folder.parent)


def test_split_folders_of_class_folders(folder):
    source = load(folder, validation_fraction=0.0)
    assert source.classes == ("cat", "dog")
    assert source.test.inputs.shape == (8, 5, 4, 1)
    assert source.test.labels.tolist() == [0] * 4 + [1] * 4
    assert source.test.ids[5] == "test/dog/1.png"
    assert source.test.inputs[5, 0, 0, 0] == 101
    assert len(source.train) == 12
    assert source.validation is None
    assert source.notes == ()


def test_class_folders_alone_are_one_split(folder):
    source = load(folder / "train", test_fraction=0.5, validation_fraction=0.0)
    assert len(source.test) == len(source.train) == 6
    assert set(source.test.ids).isdisjoint(source.train.ids)


def test_a_validation_folder(folder):
    (folder / "test").rename(folder / "val")
    source = load(folder, splits=SplitNames(train=None, test="val"))
    assert len(source.test) == 8


def test_other_files_are_counted(folder):
    (folder / "test" / "dog" / "notes.txt").write_text("x")
    (folder / "test" / "dog" / ".hidden").write_text("x")
    assert load(folder).notes == (
        "1 file is no image by name and left out, for example notes.txt.",
    )


def test_one_unreadable_image_fails_by_name(folder):
    (folder / "test" / "dog" / "2.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"test/dog/2.png cannot be read \(it is in no image form"):
        load(folder)


def test_unreadable_images_can_be_left_out_and_are_counted(folder):
    whole = (folder / "test" / "dog" / "2.png").read_bytes()
    (folder / "test" / "dog" / "2.png").write_bytes(whole[:50])
    (folder / "train" / "cat" / "0.png").write_bytes(b"")
    source = load(folder, unreadable="skip", validation_fraction=0.0)
    assert source.notes == (
        "2 images were unreadable and left out: train/cat/0.png, test/dog/2.png.",
    )
    assert source.test.labels.tolist() == [0] * 4 + [1] * 3
    assert "test/dog/2.png" not in source.test.ids
    assert source.test.inputs[-1, 0, 0, 0] == 103


def test_a_part_without_one_readable_image_is_refused(folder):
    for path in (folder / "test").rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"Not one image of the test part can be read"):
        load(folder, unreadable="skip")


def test_a_decompression_bomb_is_unreadable(folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 19)  # the images have 20
    with pytest.raises(
        InputError, match=r"it has more than the 19 pixels that Pillow takes for saf"
    ):
        load(folder)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)  # twice the limit: Pillow raises by itself
    with pytest.raises(InputError, match=r"more than the 5 pixels"):
        load(folder)


def test_sizes_must_agree_or_be_chosen(folder):
    Image.fromarray(np.full((10, 10), 9, dtype=np.uint8)).save(folder / "test" / "cat" / "0.png")
    with pytest.raises(InputError, match=r"test part is 10×10 and the first one is 5×4 pixels"):
        load(folder)
    source = load(folder, image_size=3)
    assert source.test.inputs.shape == (8, 3, 3, 1)
    assert (source.test.inputs[0] == 9).all()


def test_scaling_covers_and_crops_the_centre(tmp_path):
    stripes = np.repeat(np.array([[0, 0, 200, 200, 90, 90]], dtype=np.uint8), 2, axis=0)
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.fromarray(stripes).save(tmp_path / "set" / name / "x.png")
    source = load(tmp_path / "set", image_size=(2, 2), splits=SplitNames(train=None))
    assert source.test.inputs[0, ..., 0].tolist() == [[200, 200], [200, 200]]


def test_one_colour_image_makes_all_of_them_colour(folder):
    red = np.zeros((5, 4, 3), dtype=np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).save(folder / "test" / "cat" / "0.png")
    source = load(folder)
    assert source.test.inputs.shape[-1] == 3
    assert source.test.inputs[0, 0, 0].tolist() == [255, 0, 0]
    assert source.train.inputs.shape[-1] == 3
    grey = load(folder, mode="grey")
    assert grey.test.inputs[0, 0, 0].tolist() == [76]  # ITU-R 601: 0.299 x 255
    assert load(folder, mode="rgb").test.inputs[1, 0, 0].tolist() == [1, 1, 1]


def test_sixteen_bits_are_scaled_and_a_rotation_in_the_header_is_followed(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        deep = np.array([[0, 65535], [257, 25700]], dtype=np.uint16)
        Image.fromarray(deep).save(tmp_path / "set" / name / "deep.png")
    turned = Image.fromarray(np.array([[10, 20], [30, 40]], dtype=np.uint8))
    exif = Image.Exif()
    exif[274] = 3  # upside down
    turned.save(tmp_path / "set" / "b" / "turned.png", exif=exif)
    images = load(tmp_path / "set", splits=SplitNames(train=None)).test.inputs[..., 0]
    assert images[0].tolist() == [[0, 255], [1, 100]]
    assert images[2].tolist() == [[40, 30], [20, 10]]


def test_a_class_folder_that_training_lacks_is_taken_for_a_misspelling(folder):
    (folder / "test" / "dog").rename(folder / "test" / "dogs")
    with pytest.raises(
        InputError, match=r"class folder 'dogs' that train lacks .did you mean 'dog'"
    ):
        load(folder)
    source = load(folder, classes=("cat", "dog", "dogs"))
    assert source.test.labels.tolist() == [0] * 4 + [2] * 4
    assert source.notes[-2:] == (
        "No train example is of class dogs, so no model can learn them.",
        "No test example is of class dog, so nothing can be said about them.",
    )


def test_a_class_absent_from_the_test_part_is_noted(folder):
    for path in (folder / "test" / "dog").glob("*"):
        path.unlink()
    assert load(folder).notes == (
        "No test example is of class dog, so nothing can be said about them.",
    )


def test_places_that_are_no_image_folder(folder, tmp_path):
    with pytest.raises(InputError, match=r"no file or folder .*picture: did you mean 'pictures'"):
        load_source(DataSettings(source="folder", path="picture"), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty holds no images in class folders"):
        load(tmp_path / "empty")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file is a file, and the source 'folder' reads folders"):
        load(tmp_path / "file")


def test_nothing_is_written_beside_the_images(folder):
    before = sorted(folder.parent.rglob("*"))
    load(folder)
    assert sorted(folder.parent.rglob("*")) == before
