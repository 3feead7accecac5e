"""A copy that is stopped goes on where it was, and ends with the bytes of one made in one go."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.writing import making, survey
from tests.audit.study.writing.made import picture, tree

if TYPE_CHECKING:
    from tests.audit.study.writing.made import Copy

LAYOUTS = ("imagenet-c", "cifar-c", "parquet")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("threads", [1, 2])
def test_interrupted_within_each_unit(
    copy: Copy, tmp_path: Path, layout: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(out="whole", layout=layout)
    monkeypatch.setattr(survey, "_BATCH_IMAGES", 3)
    copy(out="batches", layout=layout)  # as many batches as the one below
    corrupt = making._corrupted

    for unit in range(4):
        calls = 0

        def stopped(*given: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3 + 1:  # within the unit after one that is whole
                raise KeyboardInterrupt
            return corrupt(*given)

        monkeypatch.setattr(making, "_corrupted", stopped)
        if unit < 3:
            with pytest.raises(KeyboardInterrupt):
                copy(layout=layout, threads=threads)
        else:
            assert copy(layout=layout, threads=threads).there == 3
    assert copy(layout=layout).made == 0
    assert tree(tmp_path / "copy") == tree(tmp_path / "batches")
    if layout != "parquet":
        assert tree(tmp_path / "copy") == tree(tmp_path / "whole")


def test_a_finished_unit_is_left_alone(copy: Copy, tmp_path: Path) -> None:
    copy()
    path = tmp_path / "copy" / "fog" / "1" / "cat" / "p0.png"
    before = path.stat().st_mtime_ns
    os.rename(tmp_path / "copy" / "contrast" / "3", tmp_path / "gone")
    written = copy()
    assert (written.made, written.there) == (1, 3)
    assert path.stat().st_mtime_ns == before
    assert tree(tmp_path / "copy" / "contrast" / "3") == tree(tmp_path / "gone")


def test_the_set_stays_what_it_was_when_the_copy_was_begun(copy: Copy, tmp_path: Path) -> None:
    """A later version may make more of a set than the one that began."""
    asked = {"which": "digital", "corruptions": ()}
    copy(**asked)
    record = json.loads((tmp_path / "copy" / "corruption.json").read_text())
    record["corruptions"].remove("contrast")
    (tmp_path / "copy" / "corruption.json").write_text(json.dumps(record))
    shutil.rmtree(tmp_path / "copy" / "contrast")
    assert copy(**asked).made == 0
    assert not (tmp_path / "copy" / "contrast").exists()


def test_arrays_are_joined_where_a_kill_left_only_their_parts(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.study.writing.array_files import ArrayFiles

    copy(out="whole", layout="cifar-c")
    finish = ArrayFiles.finish

    def killed(self: ArrayFiles, corruption: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ArrayFiles, "finish", killed)
    with pytest.raises(KeyboardInterrupt):
        copy(layout="cifar-c")
    assert sorted(one.name for one in (tmp_path / "copy" / ".parts").iterdir()) == [
        *("fog-1.npy", "fog-3.npy"),
    ]
    monkeypatch.setattr(ArrayFiles, "finish", finish)
    assert copy(layout="cifar-c").there == 2
    assert tree(tmp_path / "copy") == tree(tmp_path / "whole")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 1}, "made with seed 0, and this asks for seed 1"),
        ({"layout": "parquet"}, "layout imagenet-c, and this asks for layout parquet"),
        ({"severities": (1.0,)}, "severities 1.0, 3.0, and this asks for severities 1.0"),
        ({"corruptions": ("fog",)}, "corruptions fog, contrast, and"),
        ({"preset": "tiny"}, "preset asked auto, and this asks for preset asked tiny"),
        ({"requantise": True}, "requantised False, and this asks for requantised True"),
        ({"limit": 4}, "limit unset, and this asks for limit 4"),
        ({"image_size": 16}, "image size unset"),
        ({"unreadable": "skip"}, "unreadable unset, and this asks for unreadable skip"),
    ],
)
def test_other_settings_are_refused(
    copy: Copy, tmp_path: Path, other: dict[str, Any], words: str
) -> None:
    copy()
    before = tree(tmp_path / "copy")
    with pytest.raises(InputError, match=words):
        copy(**other)
    assert tree(tmp_path / "copy") == before


def test_other_images_are_refused(copy: Copy, folder: Path) -> None:
    copy()
    Image.fromarray(picture(9)).save(folder / "cat" / "p0.png")
    with pytest.raises(InputError, match="was made with the source data"):
        copy()


def test_folders_of_somebody_else_are_left_alone(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"not empty and has no corruption\.json"):
        copy()
    assert tree(tmp_path / "copy") == {"notes.txt": b"mine"}
    (tmp_path / "copy" / "corruption.json").write_text("{}")
    with pytest.raises(InputError, match=r"corruption\.json cannot be read"):
        copy()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file: name a folder"):
        copy(out="file")
    with pytest.raises(InputError, match="is inside"):
        copy(out="images/copy")


def test_scratch_of_the_dead_is_no_obstacle(copy: Copy, tmp_path: Path) -> None:
    from audit.evidence.files import MACHINE

    folder = tmp_path / "copy"
    folder.mkdir()
    # No process has this number: Linux ends at 2^22.
    dead = f"scratch-{MACHINE}-{2**22 + 5}-00000000"
    (folder / f"corruption.json.{dead}").write_text("{")
    copy()
    (folder / "fog" / f"1.{dead}").mkdir()
    os.rename(folder / "fog" / "1", tmp_path / "gone")
    copy()
    assert not [path for path in folder.rglob("*") if "scratch" in path.name]


def test_unreadable_images_stay_left_out(copy: Copy, folder: Path, tmp_path: Path) -> None:
    (folder / "cat" / "p1.png").write_bytes(b"no image")
    copy(layout="cifar-c", unreadable="skip", corruptions=("fog",))
    whole = tree(tmp_path / "copy")
    os.unlink(tmp_path / "copy" / "fog.npy")
    written = copy(layout="cifar-c", unreadable="skip", corruptions=("fog",))
    assert (written.made, written.images) == (2, 6)
    assert tree(tmp_path / "copy") == whole
    assert np.load(tmp_path / "copy" / "labels.npy").tolist() == [0, 0, 0, 1, 1, 1] * 2
