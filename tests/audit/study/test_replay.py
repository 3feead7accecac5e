"""A condition is made once for every model, and nothing of it is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import corruptions
from audit.evidence.blocks import Condition
from audit.evidence.parts import part_path
from audit.study import predict, replay
from audit.study.config_file import load_config
from audit.study.run import run

CONFIG = """
name: once
data: {source: digits, limit: {train: 40, validation: 40, test: 30}}
population:
  seeds: 1
  training: {epochs: 1, optimizer: adam, lr: 0.003, batch_size: 32}
  methods: [{saliency: magnitude}]
  sparsities: [0.5, 0.7, 0.8, 0.9]
shifts: {corruptions: [contrast], severities: [3]}
execute: {backend: in_process, batch_size: 20}
"""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, int]]:
    """Every batch that is corrupted: name, severity, images."""
    seen: list[tuple[str, float, int]] = []
    real = corruptions.corrupt

    def counted(images: Any, name: Any, severity: float, **more: Any) -> Any:
        seen.append((name, severity, len(images)))
        return real(images, name, severity, **more)

    monkeypatch.setattr("audit.study.showing.corruptions.corrupt", counted)
    return seen


def predictions(folder: Path) -> dict[str, bytes]:
    """The predictions of every model, made anew."""
    for one in (folder / "runs" / ".store").glob("predicted-*"):
        shutil.rmtree(one)  # the models stay
    path = folder / "once.yaml"
    path.write_text(CONFIG)
    config = load_config(path).model_copy(update={"store": str(folder / "runs")})
    result = run(config, base=folder, until="predictions")
    assert result.missing == ()
    found = {}
    for name in result.study.models:
        part = part_path(result.folder / "evidence", name, Condition("contrast", 3.0))
        found[name] = part.read_bytes()
    return found


def test_a_condition_is_made_once_for_more_models_than_are_held(
    made: list[tuple[str, float, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parent, a control and four pruned models; 30 images are batches of 20 and 10."""
    once = [("contrast", 3.0, 20), ("contrast", 3.0, 10)]
    together = predictions(tmp_path)
    assert len(together) == 6
    assert made == once
    made.clear()
    monkeypatch.setattr(predict, "MODELS_AT_ONCE", 2)
    assert predictions(tmp_path) == together
    assert made == once
    # Where the images that wait would be too many, they are made again for the next models.
    made.clear()
    monkeypatch.setattr(replay, "KEPT", 0)
    assert predictions(tmp_path) == together
    assert made == once * 3


def test_no_image_that_was_corrupted_is_written(tmp_path: Path) -> None:
    """The arrays in the store are those of the clean data, whatever was shown of them."""
    predictions(tmp_path)
    arrays = sorted(path.name for path in (tmp_path / "runs" / ".store").rglob("*.npy"))
    parts = ("test", "train", "validation")
    assert arrays == [f"{part}-{what}.npy" for part in parts for what in ("inputs", "labels")]


def test_batches_are_kept_only_while_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def make() -> Any:
        calls.append(1)
        for start in range(3):
            inputs = torch.full((2, 1), float(start))  # 8 bytes
            yield predict.Batch(slice(start, start + 1), inputs.numpy(), inputs.numpy(), inputs)

    def values(stream: replay.Replay) -> list[float]:
        return [float(batch.inputs[0, 0]) for batch in stream]

    stream = replay.Replay(make, again=True)
    assert values(stream) == values(stream) == [0, 1, 2]
    assert len(calls) == 1
    monkeypatch.setattr(replay, "KEPT", 23)
    stream = replay.Replay(make, again=True)
    assert values(stream) == values(stream) == [0, 1, 2]
    assert stream.kept is None
    assert len(calls) == 3
    once = replay.Replay(make, again=False)
    assert values(once) == [0, 1, 2]
    assert once.kept is None
