"""What is wrong with a source or a request is told in one sentence that names it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from audit.evidence.errors import ConfigError, InputError
from audit.study.writing.examples import examples_of
from audit.study.writing.source import Wanted, settings_of
from tests.audit.study.writing.made import picture, tree

if TYPE_CHECKING:
    from tests.audit.study.writing.made import Copy


def test_an_unreadable_image_is_named(copy: Copy, folder: Path, tmp_path: Path) -> None:
    (folder / "cat" / "p1.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"cat/p1\.png cannot be read .*--unreadable skip"):
        copy()
    assert not (tmp_path / "copy").exists()
    written = copy(unreadable="skip")
    assert written.images == 6
    assert written.notes == ("1 image was unreadable and left out: cat/p1.png.",)
    assert "cat/p1.png" not in tree(tmp_path / "copy" / "fog" / "1")


def test_a_truncated_image_is_unreadable(copy: Copy, folder: Path) -> None:
    whole = (folder / "dog" / "p4.png").read_bytes()
    (folder / "dog" / "p4.png").write_bytes(whole[:200])
    with pytest.raises(InputError, match=r"dog/p4\.png cannot be read"):
        copy()


def test_a_bomb_is_named(copy: Copy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(picture(1, 60, 60)).save(folder / "dog" / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # refused, not warned of, below twice
    with pytest.raises(InputError, match=r"dog/bomb\.png cannot be read .*2,000 pixels"):
        copy()
    assert copy(unreadable="skip").images == 7


def test_an_image_of_one_pixel_is_named(copy: Copy, folder: Path) -> None:
    Image.fromarray(picture(1, 1, 1)).save(folder / "dog" / "dot.png")
    with pytest.raises(InputError, match=r"dog/dot\.png cannot be read \(it has 1×1 pixels"):
        copy()
    assert copy(unreadable="skip").images == 7


def test_nothing_readable(copy: Copy, folder: Path) -> None:
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="Not one image can be read"):
        copy(unreadable="skip")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"corruptions": ("fogg",)}, "unknown corruption 'fogg': the nearest is 'fog'"),
        ({"corruptions": ("fog", "fog")}, "fog is asked for twice"),
        ({"corruptions": (), "which": "imagenet"}, "unknown set 'imagenet'.*'imagenet-c'"),
        ({"preset": "cifr"}, "no preset 'cifr'.*cifar"),
        ({"severities": (6.0,)}, "severity 6 does not exist"),
        ({"layout": "coco"}, "no layout 'coco'.*parquet"),
        ({"source": "imags"}, "'?imags'?"),
        ({"source": "nowhere/imags"}, "imags"),
        ({"split": "tests"}, "no split folder 'tests'"),
        ({"label": "name"}, "no use for 'label'"),
        ({"source": "digits", "image_size": 16}, "'digits' has no use for 'image_size'"),
        ({"source": "digits", "split": "tst"}, "no split 'tst'.*'test'"),
        ({"preset": "digits", "corruptions": ("saturate",)}, "no constants for 'saturate'"),
    ],
)
def test_requests(
    copy: Copy, other: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match=words):
        copy(**other)


def test_splits_of_a_folder(copy: Copy, folder: Path, tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "set").mkdir(exist_ok=True)
        place = tmp_path / "set" / split
        place.mkdir()
        for name in ("cat", "dog"):
            (place / name).mkdir()
            Image.fromarray(picture(len(split))).save(place / name / "a.png")
    with pytest.raises(InputError, match="splits train, val and no test: name one with --split"):
        copy(source="set")
    assert copy(source="set", split="val").images == 2
    assert set(tree(tmp_path / "copy" / "fog" / "1")) == {"cat/a.png", "dog/a.png"}
    (tmp_path / "set" / "val").rename(tmp_path / "set" / "test")
    assert copy(out="other", source="set").images == 2


def test_splits_of_parquet(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for split, count in (("train", 6), ("test", 4)):
        paths = []
        for number in range(count):
            paths.append(tmp_path / f"{split}{number}.png")
            Image.fromarray(picture(number)).save(paths[-1])
        images = [{"bytes": path.read_bytes(), "path": None} for path in paths]
        frame = pd.DataFrame({"image": images, "label": [k % 2 for k in range(count)]})
        frame.to_parquet(tmp_path / "set" / f"{split}-00000-of-00001.parquet")
    assert copy(source="set").images == 4
    assert copy(out="train", source="set", split="train").images == 6
    one = tmp_path / "set" / "test-00000-of-00001.parquet"
    assert copy(out="one", source=one).images == 4
    renamed = pd.read_parquet(one).rename(columns={"label": "kind"})
    renamed.to_parquet(tmp_path / "kinds.parquet")
    with pytest.raises(InputError, match="column 'label', which is not there"):
        copy(out="kinds", source="kinds.parquet")
    assert copy(out="kinds", source="kinds.parquet", label="kind").images == 4


def test_tables_are_refused(copy: Copy, tmp_path: Path) -> None:
    pd.DataFrame({"a": [1.0, 2.0], "label": [0, 1]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="holds table rows, and corruptions change pixels"):
        copy(source="t.csv")


def test_the_data_section_of_a_config(copy: Copy, folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "there" / "audit.yaml"
    config.parent.mkdir()
    config.write_text("data: {source: folder, path: ../images, test_fraction: 0.4}\n")
    written = copy(source=config)
    assert written.images == 3  # what the config audits: 40 % of seven, by class
    assert any("40 % of it" in note for note in written.notes)
    config.write_text("data: {source: folder, pth: ../images}\n")
    with pytest.raises(ConfigError, match="unknown key 'pth'"):
        copy(source=config)
    with pytest.raises(ConfigError, match="no config file"):
        copy(source="none.yaml")


def test_a_function_of_ones_own(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import numpy as np\n\n\ndef make():\n"
        "    images = np.arange(4 * 32 * 32 * 3).reshape(4, 32, 32, 3) % 251\n"
        "    return {'test': (images.astype('uint8'), np.array([0, 1, 0, 1]))}\n"
    )
    (tmp_path / "made_for_copies.py").write_text(code)
    settings, base = settings_of(Wanted("made_for_copies:make"), tmp_path)
    with examples_of(settings, base) as examples:
        assert len(examples) == 4
        images = list(examples.images(np.array([1, 3])))
    assert images[0].shape == (32, 32, 3)
    assert copy(source="made_for_copies:make").images == 4
