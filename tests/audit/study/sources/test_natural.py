"""Natural shifts that are known by their files, and read without settings of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.class_map import read_class_map
from audit.study.data_settings import DataSettings
from audit.study.natural_layouts import natural_layout, read_elsewhere
from audit.study.sources import Source, Vocabulary, load_source

RED = (255, 0, 0)


def vocabulary(*classes: str, shape: tuple[int, ...] = (4, 4, 3)) -> Vocabulary:
    return Vocabulary(classes, shape)


def picture(path: Path, level: int, size: tuple[int, int] = (4, 4), border: Any = None) -> None:
    """A picture of one level, `size` high and wide within a border of 2 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((*size, 3), level, dtype=np.uint8)
    if border is not None:
        pixels = np.pad(pixels, ((2, 2), (2, 2), (0, 0)))
        frame = np.ones(pixels.shape[:2], dtype=np.bool_)
        frame[2:-2, 2:-2] = False
        pixels[frame] = border
    Image.fromarray(pixels).save(path)


def load(folder: Path, known: Vocabulary, class_map: Any = None, **values: Any) -> Source:
    settings = DataSettings(source="folder", path=str(folder), **values)
    maps = read_class_map(class_map, folder.parent)
    return load_source(settings, folder.parent, vocabulary=known, class_map=maps)


def test_imagenet_v2_s_folders_are_positions_of_classes(tmp_path: Path) -> None:
    """12 classes, so that 10 and 11 come before 2 as texts do, and not as the classes do."""
    classes = [f"n{code:08d}" for code in range(12)]
    for code in range(12):
        picture(tmp_path / "v2" / str(code) / "a.jpeg.png", code, size=(6, 8))
    source = load(tmp_path / "v2", vocabulary(*classes))
    assert source.test.labels.tolist() == source.test.inputs[:, 0, 0, 0].tolist()
    assert source.test.inputs.shape == (12, 4, 4, 3)
    said = " ".join(source.notes)
    assert "Its class folders are numbers, as those of ImageNet-V2 are." in said
    assert "Its classes are numbers, and stand for ours in their order." in said
    assert "scaled and centre cropped to the size of the audited ones" in said


def test_folders_of_numbers_that_are_the_names_of_classes_are_names(tmp_path: Path) -> None:
    for code in (0, 1, 2):
        picture(tmp_path / "set" / str(code) / "a.png", code)
    source = load(tmp_path / "set", vocabulary("2", "1", "0"))
    assert source.test.labels.tolist() == [2, 1, 0]
    assert source.notes == ()


def test_more_numbers_than_classes_are_refused_with_their_counts(tmp_path: Path) -> None:
    for code in (0, 1, 2, 3):
        picture(tmp_path / "v2" / str(code) / "a.png", code)
    with pytest.raises(InputError, match=r"4 classes '0' \(1\), .* 4 of 4 examples.*class_map"):
        load(tmp_path / "v2", vocabulary("a", "b", "c"))


def test_imagenet_a_has_some_of_the_classes_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """As its download unpacks: one folder around the classes, with a README beside them."""
    root = tmp_path / "download" / "imagenet-a"
    for code in (3, 1):
        picture(root / f"n{code:08d}" / "0.png", code, size=(8, 6))
        picture(root / f"n{code:08d}" / "1.png", code, size=(4, 9))
    (root / "README.txt").write_text("…")
    classes = [f"n{code:08d}" for code in range(4)]
    source = load(tmp_path / "download", vocabulary(*classes))
    assert source.test.labels.tolist() == [1, 1, 3, 3]
    assert source.test.ids.tolist()[0] == "n00000001/0.png"
    assert "Its class folders are WordNet ids, as those of ImageNet-A and -R are." in source.notes
    named = vocabulary("tench", "goldfish", "shark")
    with pytest.raises(InputError, match=r"2 classes 'n00000001' \(2\), 'n00000003' \(2\) that"):
        load(tmp_path / "download", named)
    mapped = load(tmp_path / "download", named, {"n00000001": "goldfish", "n00000003": "shark"})
    assert mapped.test.labels.tolist() == [1, 1, 2, 2]


def objectnet(root: Path, border: Any = RED) -> Path:
    for level, name in enumerate(("alarm_clock", "banana", "bicycle"), start=1):
        picture(root / "images" / name / "a.png", 50 * level, size=(4, 4), border=border)
    (root / "mappings").mkdir()
    return root


def test_objectnet_loses_its_border_and_keeps_the_classes_of_the_map(tmp_path: Path) -> None:
    """The images are 4×4 within the border: one pixel of red left would show."""
    root = objectnet(tmp_path / "objectnet-1.0")
    maps = {"alarm_clock": "clock", "banana": None, "bicycle": ["mountain bike", "tandem"]}
    (tmp_path / "map.json").write_text(json.dumps(maps))
    known = vocabulary("clock", "mountain bike", "tandem")
    source = load(root, known, "map.json")
    assert source.test.labels.tolist() == [0, 1]
    assert source.test.inputs.reshape(2, -1).tolist() == [[50] * 48, [150] * 48]
    assert source.test.ids.tolist() == ["alarm_clock/a.png", "bicycle/a.png"]
    assert source.merged == (("mountain bike", "tandem"),)
    said = " ".join(source.notes)
    assert "Its folders are those of ObjectNet." in said
    assert "A red border of 2 pixels, as ObjectNet's, was cropped from its images." in said
    assert "1 of 3 examples are of classes that the map leaves out." in said
    assert "each of them right: mountain bike or tandem." in said


@pytest.mark.parametrize("border", [(255, 255, 255), (254, 0, 90)])
def test_a_border_of_another_colour_stays(tmp_path: Path, border: tuple[int, int, int]) -> None:
    root = objectnet(tmp_path / "set", border)
    known = vocabulary("alarm_clock", "banana", "bicycle", shape=(8, 8, 3))
    source = load(root, known)
    assert source.test.inputs[0, 0, 0].tolist() == list(border)
    assert not any("border" in note for note in source.notes)


def test_an_image_without_the_border_is_left_whole_and_an_unreadable_one_named(
    tmp_path: Path,
) -> None:
    root = objectnet(tmp_path / "set")
    picture(root / "images" / "banana" / "b.png", 9, size=(4, 4))
    known = vocabulary("alarm_clock", "banana", "bicycle")
    assert (load(root, known).test.inputs[2] == 9).all()
    (root / "images" / "alarm_clock" / "a.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"alarm_clock/a.png cannot be read"):
        load(root, known)
    source = load(root, known, unreadable="skip")
    assert len(source.test) == 3
    assert "1 image was unreadable and left out: alarm_clock/a.png." in source.notes


# --- CIFAR-10.1 ----------------------------------------------------------------------------------


def cifar(root: Path, version: str = "v6", count: int = 6) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    level = np.arange(count, dtype=np.uint8)[:, None, None, None]
    np.save(root / f"cifar10.1_{version}_data.npy", level + np.zeros((1, 4, 4, 3), np.uint8))
    np.save(root / f"cifar10.1_{version}_labels.npy", np.arange(count, dtype=np.int32) % 3)
    return root


def test_cifar_10_1_is_known_by_its_file_names(tmp_path: Path) -> None:
    cifar(tmp_path / "repo" / "datasets")
    cifar(tmp_path / "repo" / "datasets", "v4", count=4)
    known = vocabulary("a", "b", "c")
    source = load(tmp_path / "repo", known)
    assert source.test.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert source.test.inputs[:, 0, 0, 0].tolist() == list(range(6))
    assert source.notes[0] == "Recognised as CIFAR-10.1 by its file names, cifar10.1_v6_data.npy."
    fourth = load(tmp_path / "repo" / "datasets" / "cifar10.1_v4_data.npy", known)
    assert len(fourth.test) == 4


def test_cifar_10_1_that_does_not_fit(tmp_path: Path) -> None:
    root = cifar(tmp_path / "set")
    with pytest.raises(InputError, match=r"label 2"):
        load(root, vocabulary("a", "b"))
    np.save(root / "cifar10.1_v6_labels.npy", np.zeros(5, np.int64))
    with pytest.raises(InputError, match=r"holds 5 labels of type int64 for 6 images"):
        load(root, vocabulary("a", "b", "c"))
    (root / "cifar10.1_v6_labels.npy").unlink()
    with pytest.raises(InputError, match=r"has no cifar10.1_v6_labels.npy beside it"):
        load(root, vocabulary("a", "b", "c"))


def test_a_bare_path_beside_a_torchvision_set_is_read_by_its_files(tmp_path: Path) -> None:
    cifar(tmp_path / "ten-one")
    (tmp_path / "plain" / "cat").mkdir(parents=True)
    data = DataSettings(source="torchvision", name="CIFAR10", image_size=8)
    found = read_elsewhere(data, "ten-one", tmp_path)
    assert found == DataSettings(source="folder", path="ten-one", image_size=8)
    assert read_elsewhere(data, "plain", tmp_path) is None
    assert read_elsewhere(data, "nowhere", tmp_path) is None
    assert read_elsewhere(DataSettings(source="folder", path="x"), "ten-one", tmp_path) is None


def test_split_folders_are_no_folder_around_the_classes(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "test" / "n00000001" / "a.png", 1)
    found = natural_layout(tmp_path / "set", ["test"])
    assert found is not None
    assert found.root == tmp_path / "set"
    around = natural_layout(tmp_path / "set")
    assert around is not None
    assert around.root == tmp_path / "set" / "test"


def test_a_class_map_for_any_source(module: Any, tmp_path: Path) -> None:
    name = module(
        """
        import numpy as np
        import pandas as pd
        from audit.study.sources import Part, Source

        def arrays():
            return np.zeros((3, 4, 4, 3), np.uint8), np.array(["bug", "dog", "table"])

        def source():
            rows = np.arange(3)
            part = Part(np.zeros((3, 4, 4, 3), np.uint8), rows, rows, pd.DataFrame(index=rows))
            return Source("image", ("bug", "dog", "table"), None, None, part)
        """
    )
    for function in ("arrays", "source"):
        settings = DataSettings(source=f"{name}:{function}")
        maps = {"bug": ("ant", "bee"), "table": ()}
        known = vocabulary("ant", "bee", "dog")
        source = load_source(settings, tmp_path, vocabulary=known, class_map=maps)
        assert source.test.labels.tolist() == [0, 2]
        assert source.test.ids.astype(str).tolist() == ["0", "1"]
        assert source.merged == (("ant", "bee"),)
