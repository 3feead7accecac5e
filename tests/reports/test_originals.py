"""Full resolution comes from the arrays beside a run, and only from there or named files."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from audit.evidence.store import Store
from audit.study.prepare import write_inputs
from audit.study.recipes import Data, Gathered
from reports import gallery, pictures
from reports.document import read
from reports.originals import originals
from tests.reports import sample

SIDE = 96
IDS = [f"test/{i}" for i in range(0, 931, 2)]
PIXELS = np.random.default_rng(0).integers(0, 256, (len(IDS), SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder beside a store that has the pixels of every second example."""
    root = tmp_path_factory.mktemp("studied")
    folder = sample.run_folder(root / "run")
    store, data = Store(root / ".store"), Data(source="x", fingerprint="f")

    def build(target: Path) -> None:
        write_inputs(target, "test", PIXELS)
        np.save(target / "test-labels.npy", np.zeros(len(IDS), dtype=np.int64))
        pd.DataFrame({"example": IDS, "split": "test"}).to_parquet(target / "examples.parquet")
        (target / "meta.json").write_text(json.dumps({"kind": "image"}))

    store.make(data, build)
    gathered = store.make(Gathered(data=data, models={}, parts={}), lambda target: None)
    state = {"state": {"evidence": gathered.name}}
    (folder / "manifest.json").write_text(json.dumps(state))
    return folder


def test_pixels_are_found_by_example(studied):
    find = originals(studied)
    shown = find("test/4")
    assert shown is not None
    assert (shown == PIXELS[2]).all()
    assert find("test/5") is None


def test_full_shows_the_pixels_and_says_what_it_shows(studied):
    drawn = gallery.of(read(studied, "full"))
    whole = [card for card in drawn.cards if card.picture.width == SIDE]
    assert {int(card.example.removeprefix("test/")) % 2 for card in whole} == {0}
    assert 0 < len(whole) < len(drawn.cards)
    left = len(drawn.cards) - len(whole)
    assert f"{len(whole)} pictures are at full resolution" in drawn.pictures_left_out
    assert f"{left} pictures are small copies" in drawn.pictures_left_out
    sent = base64.b64decode(whole[0].picture.uri.partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(sent)))
    assert (pixels == PIXELS[IDS.index(whole[0].example)]).all()


def test_what_does_not_fit_in_full_is_shown_small(studied, monkeypatch):
    monkeypatch.setitem(pictures.BYTES, "full", 60_000)
    drawn = gallery.of(read(studied, "full"))
    widths = [card.picture.width for card in drawn.cards]
    assert widths.count(SIDE) == 2  # of about 28 kB each
    assert widths.count(8) == len(widths) - 2
    monkeypatch.setitem(pictures.BYTES, "thumbnails", 1000)
    again = gallery.of(read(studied, "full"))
    lost = sum(card.picture is None for card in again.cards)
    assert f"{lost} pictures were left out to keep this file small" in again.pictures_left_out


@pytest.mark.parametrize("named", ["../elsewhere", "gathered-0123456789abcdef", None, 3])
def test_a_run_without_its_store_has_no_pixels(studied, tmp_path, named):
    (tmp_path / "run").mkdir()
    (tmp_path / ".store").symlink_to(studied.parent / ".store")
    (tmp_path / "run" / "manifest.json").write_text(json.dumps({"state": {"evidence": named}}))
    assert originals(tmp_path / "run")("test/4") is None


def test_small_pictures_of_a_study_are_the_pictures_themselves(run_folder, tmp_path):
    folder = sample.run_folder(tmp_path / "run")
    drawn = gallery.of(read(folder, "full"))
    assert f"{len(drawn.cards)} pictures are small copies" in drawn.pictures_left_out
    (folder / "evidence" / "study.json").write_text("{}")
    drawn = gallery.of(read(folder, "full"))
    assert f"{len(drawn.cards)} pictures are at full resolution" in drawn.pictures_left_out
    assert "small copies" not in drawn.pictures_left_out
