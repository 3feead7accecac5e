"""`prune-audit corrupt` as a person types it: what it says and writes, and how it exits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from corruptions import corrupt
from reports.cli.app import build
from reports.cli.exits import INPUT, INTERRUPTED

if TYPE_CHECKING:
    from click.testing import Result as Output

FEW = ("--corruption", "contrast", "--corruption", "fog", "--severity", "1", "--severity", "5")


def cli(*words: object) -> Output:
    """Runs the command in this process."""
    return CliRunner().invoke(build(), ["corrupt", *(str(word) for word in words)])


def picture(number: int, side: int = 32) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side]
    waves = [127 + 100 * np.sin((rows + number * columns) / 7 + number + c) for c in range(3)]
    return np.stack(waves, axis=2).astype(np.uint8)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with `images`: six images of 32×32 in two classes."""
    monkeypatch.chdir(tmp_path)
    for number in range(6):
        place = tmp_path / "images" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(place / f"{number}.png")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_copy_in_folders(here: Path) -> None:
    output = cli("images", "--out", "c", *FEW, "--threads", 2)
    assert output.exit_code == 0, output.output
    said = output.output
    assert "constants: preset cifar, picked by size" in said
    assert "stored: imagenet-c, as PNG files, every pixel kept" in said
    assert "made: 4 units (corruption × severity) of 6 images; " in said
    assert "images/s" in said
    assert "written: c" in said
    with Image.open(here / "c" / "fog" / "5" / "b" / "1.png") as image:
        made = corrupt(picture(1)[None], "fog", 5, ids=["b/1.png"], preset="cifar")[0]
        assert np.array_equal(np.asarray(image), made)
    again = cli("images", "--out", "c", *FEW)
    assert "made: 0 units" in again.output
    assert "4 were there already" in again.output


def test_a_set_says_what_it_leaves_out(here: Path) -> None:
    output = cli(
        "digits", "--set", "imagenet-c-extra", "--severity", 2, "--limit", 20, "--out", "d"
    )
    assert output.exit_code == 0, output.output
    assert "left out of imagenet-c-extra: saturate, because it changes colours" in output.output
    assert "preset digits" in output.output
    assert sorted(p.name for p in (here / "d").iterdir() if p.is_dir())[0] == "gaussian_blur"


def test_requantised_arrays(here: Path) -> None:
    output = cli("images", "--out", "c", *FEW, "--layout", "cifar-c", "--requantise", "--seed", 4)
    assert "stored: cifar-c, through JPEG files of quality 85" in output.output
    assert np.load(here / "c" / "fog.npy").shape == (12, 32, 32, 3)
    assert np.load(here / "c" / "labels.npy").tolist() == [0, 0, 0, 1, 1, 1] * 2
    record = json.loads((here / "c" / "corruption.json").read_text())
    assert (record["seed"], record["requantised"]) == (4, "JPEG, quality 85, 4:2:0")
    other = cli("images", "--out", "c", *FEW, "--layout", "cifar-c", "--seed", 4)
    assert other.exit_code == INPUT
    assert "c was made with requantised True, and this asks for requantised False" in other.output


def test_preview_alone_and_beside_a_copy(here: Path) -> None:
    output = cli("images", "--preview", "sheet.png", *FEW)
    assert output.exit_code == 0, output.output
    assert "preview: sheet.png (constants: preset cifar)" in output.output
    with Image.open(here / "sheet.png") as sheet:
        alone = np.asarray(sheet.convert("RGB"))
    assert alone.shape[1] > alone.shape[0]  # two rows of three columns
    assert [path.name for path in here.iterdir() if path.is_dir()] == ["images"]
    both = cli("images", "--preview", "s.jpg", "--out", "c", *FEW)
    assert both.exit_code == 0
    assert (here / "s.jpg").is_file()
    assert (here / "c" / "corruption.json").is_file()


def test_quiet_says_nothing(here: Path) -> None:
    output = cli("images", "--out", "c", *FEW, "--quiet", "--preview", "s.png")
    assert (output.exit_code, output.output) == (0, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("images",), "give --out for a copy, or --preview"),
        (("images", "--out", "c", "--corruption", "fgo"), "the nearest is 'fog'"),
        (("images", "--out", "c", "--set", "imagenet_c"), "the nearest is 'imagenet-c'"),
        (("images", "--out", "c", "--set", "noise", "--corruption", "fog"), "give one of them"),
        (("images", "--out", "c", "--severity", "6"), "severity 6 does not exist"),
        (("images", "--out", "c", "--severity", "nan"), "severity nan does not exist"),
        (("images", "--out", "c", "--layout", "coco"), "coco"),
        (("images", "--out", "c", "--preset", "nano"), "no preset 'nano'"),
        (("images", "--out", "c", "--frost", "nowhere"), "nowhere"),
        (("images", "--out", "c", "--corruption", "frost", "--frost", "images"), "no PNG or JPEG"),
        (("images", "--out", "images/c"), "is inside"),
        (("images", "--out", "."), "is no copy of ours"),
        (("./imagse", "--out", "c"), "did you mean 'images'"),
        (("images", "--preview", "sheet.doc"), "end it in .png, .jpg or .webp"),
        (("images", "--out", "c", "--split", "tset"), "no split folder 'tset'"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    here: Path, words: tuple[str, ...], told: str
) -> None:
    output = cli(*words)
    assert output.exit_code == INPUT, output.output
    assert told in output.output
    assert "Traceback" not in output.output
    assert not (here / "c").exists()


def test_unreadable_images(here: Path) -> None:
    (here / "images" / "a" / "2.png").write_bytes(b"?")
    failed = cli("images", "--out", "c", *FEW)
    assert failed.exit_code == INPUT
    assert "a/2.png cannot be read" in failed.output
    assert cli("images", "--preview", "s.png", *FEW).exit_code == INPUT
    skipped = cli("images", "--out", "c", *FEW, "--unreadable", "skip", "--preview", "s.png")
    assert skipped.exit_code == 0
    assert "note: 1 image was unreadable and left out: a/2.png." in skipped.output
    assert "of 5 images" in skipped.output


def test_interrupting_keeps_what_is_finished(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from audit.study.writing import making

    plain, calls = making._corrupted, 0

    def stopped(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return plain(*given)

    monkeypatch.setattr(making, "_corrupted", stopped)
    output = cli("images", "--out", "c", *FEW, "--threads", 1)
    assert output.exit_code == INTERRUPTED
    assert "the same command goes on from here" in output.output
    assert not list((here / "c").rglob("*.scratch-*"))
    monkeypatch.setattr(making, "_corrupted", plain)
    assert "2 were there already" in cli("images", "--out", "c", *FEW).output


@pytest.mark.slow
def test_killed_twice_and_asked_again(here: Path) -> None:
    for number in range(6, 120):
        Image.fromarray(picture(number)).save(here / "images" / "ab"[number % 2] / f"{number}.png")
    asked = ["corrupt", "images", "--corruption", "zoom_blur", "--corruption", "fog", "--quiet"]
    for kill in range(2):
        command = [sys.executable, "-m", "reports.cli", *asked, "--out", "killed"]
        process = subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE)
        wanted, limit = 2 * kill + 1, time.monotonic() + 100
        while process.poll() is None and time.monotonic() < limit:
            if len(list((here / "killed").glob("*/?"))) >= wanted:
                break
            time.sleep(0.002)
        assert process.poll() is None, "it finished before it could be killed: nothing was tested"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert 0 < len(list((here / "killed").glob("*/?"))) < 10
    assert cli(*asked[1:], "--out", "killed").exit_code == 0
    assert cli(*asked[1:], "--out", "whole").exit_code == 0
    assert len(files(here / "whole")) == 2 * 5 * 120 + 2
    assert files(here / "killed") == files(here / "whole")


def test_a_preset_with_one_severity(tmp_path: Path) -> None:
    asked = ("digits", "--preset=mnist-c", "--corruption=fog")
    done = cli(*asked, "--out", tmp_path / "c")
    assert done.exit_code == 0, done.output
    assert [one.name for one in (tmp_path / "c" / "fog").iterdir()] == ["1"]
    refused = cli(*asked, "--severity=1", "--severity=2", "--out", tmp_path / "d")
    assert refused.exit_code == INPUT
    assert "severity 2: preset 'mnist-c' has one severity" in refused.output
    assert not (tmp_path / "d").exists()


# --- tables and texts ---------------------------------------------------------------------------


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a table of people and one of texts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    people = "".join(f"p{n},{20 + n},x\n" for n in range(9))
    (tmp_path / "p.csv").write_text(f"who,age,label\n{people}")
    (tmp_path / "t.csv").write_text("said,label\nthe book was charming,x\nthe meal was poor,y\n")
    return tmp_path


def test_a_copy_of_a_table(rows: Path) -> None:
    asked = ("p.csv", "--set", "tabular", "--id", "who", "--severity", 5, "--out", "c")
    output = cli(*asked)
    assert output.exit_code == 0, output.output
    assert "left out of tabular: category_swap, because it changes columns of kind" in output.output
    assert "note: spreads, ranges and marginals are those of the source itself" in output.output
    assert "made: 5 units (corruption × severity) of 9 rows" in output.output
    assert (rows / "c" / "unit_error" / "5.csv").is_file()
    assert "made: 0 units" in cli(*asked).output
    assert "note" not in cli(*asked, "--quiet").output


def test_the_first_rows_before_and_after(rows: Path) -> None:
    output = cli("p.csv", "--corruption", "unit_error", "--preview", "-", "--id", "who")
    assert output.exit_code == 0, output.output
    assert "as they are" in output.output
    assert "unit_error" in output.output
    assert not (rows / "c").exists()
    texts = cli("t.csv", "--set", "text", "--column", "said", "--severity", 5, "--preview", "-")
    assert "the book was charming" in texts.output
    assert "THE BOOK WAS CHARMING" in texts.output
    assert "severity 5" in texts.output


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("p.csv", "--set", "text", "--out", "c"), "has no column 'text'"),
        (("p.csv", "--set", "tabular", "--preview", "p.png"), "write --preview -"),
        (("p.csv", "--set", "tabular", "--out", "c", "--requantise"), "--requantise has no use"),
        (("p.csv", "--set", "tabular", "--out", "c", "--limit", "3"), "--limit has no use"),
        (("digits", "--out", "c", "--column", "x"), "--column has no use for corruptions of image"),
        (("digits", "--out", "c", "--id", "x"), "--id has no use for corruptions of images"),
        (("p.csv", "--set", "tabular"), "Nothing is asked for"),
    ],
)
def test_rows_that_cannot_be_copied(rows: Path, words: tuple[str, ...], complaint: str) -> None:
    output = cli(*words)
    assert output.exit_code == INPUT
    assert complaint in " ".join(output.output.split())
    assert not (rows / "c").exists()
