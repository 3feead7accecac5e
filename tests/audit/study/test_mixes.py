"""Training that sees corruptions: each equally often, drawn by the generator alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

import corruptions
from audit.evidence.errors import ConfigError
from audit.study.config_file import load_config
from audit.study.mixes import SEVERITY, Mix, training_of
from audit.study.run import run

OPTIONS = {"epochs": 1, "batch_size": 8}


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_third_each_of_two_corruptions_and_none() -> None:
    """600 equal images: about 200 stay, 200 are what `contrast` makes of any, and 200 are noisy."""
    images = torch.arange(64, dtype=torch.uint8).mul(4).reshape(1, 1, 8, 8).repeat(600, 1, 1, 1)
    shown = Mix(("contrast", "gaussian_noise"))(images, generator(0))
    flat = corruptions.corrupt(images[:1], "contrast", SEVERITY)
    same = (shown == images).flatten(1).all(1)
    contrasted = (shown == flat).flatten(1).all(1)
    assert 150 < int(same.sum()) < 250
    assert 150 < int(contrasted.sum()) < 250
    noisy = shown[~same & ~contrasted]
    assert len(noisy.unique(dim=0)) == len(noisy)  # every image has noise of its own


def test_the_generator_decides() -> None:
    images = torch.full((20, 1, 8, 8), 100, dtype=torch.uint8)
    mix, draws = Mix(("gaussian_noise",)), generator(1)
    first, second = mix(images, draws), mix(images, draws)
    assert torch.equal(first, mix(images, generator(1)))
    both = ((first != images) & (second != images)).flatten(1).any(1)
    assert both.any()
    again = (first[both] == second[both]).flatten(1).all(1)
    assert not again.any()  # another epoch has noise of its own
    assert int(images.min()) == int(images.max()) == 100  # what was given is as it was


def test_an_unknown_corruption_is_refused() -> None:
    with pytest.raises(ValueError, match="contrast"):
        training_of({**OPTIONS, "augmentation": ["contrasts"]})
    assert training_of({**OPTIONS, "augmentation": ["contrast"]}).augmentation == Mix(("contrast",))
    assert training_of({**OPTIONS, "augmentation": "flip"}).augmentation == "flip"


CONFIG = """
name: robust
data: {source: digits, limit: {train: 60, test: 60}}
population:
  seeds: 1
  training: {epochs: 1, optimizer: adam, lr: 0.003, batch_size: 32}
  fine_tuning: {epochs: 2, optimizer: adam, lr: 0.001, augmentation: [contrast, rotate]}
  sparsities: [0.5]
shifts: {corruptions: [contrast, gaussian_noise], severities: [3]}
execute: {backend: in_process}
"""


def test_a_robust_arm_and_what_the_notes_say(tmp_path: Path) -> None:
    path = tmp_path / "robust.yaml"
    path.write_text(CONFIG)
    folders = {}
    for store, text in (("mixed", CONFIG), ("plain", CONFIG.replace("[contrast, rotate]", "none"))):
        path.write_text(text)
        config = load_config(path).model_copy(update={"store": str(tmp_path / store)})
        result = run(config, base=tmp_path, until="predictions")
        assert result.missing == ()
        folders[store] = result.folder
    names = ("dense-0", "control-0", "magnitude-0.5-0")
    same = [
        (folders["mixed"] / "population" / f"{name}.safetensors").read_bytes()
        == (folders["plain"] / "population" / f"{name}.safetensors").read_bytes()
        for name in names
    ]
    assert same == [True, False, False]  # retraining alone is another, the control's with it
    notes = json.loads((folders["mixed"] / "evidence" / "study.json").read_text())["notes"]
    assert any(
        "part of retraining: contrast, rotate. Shown here too: contrast, so no test" in note
        for note in notes
    )


@pytest.mark.parametrize(
    ("augmentation", "complaint"),
    [(["contrasts"], "population.fine_tuning: .*contrast"), ([], "augmentation")],
)
def test_names_are_checked_before_anything_is_paid_for(
    tmp_path: Path, augmentation: list[str], complaint: str
) -> None:
    values = yaml.safe_load(CONFIG)
    values["population"]["fine_tuning"]["augmentation"] = augmentation
    (tmp_path / "robust.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError, match=complaint):
        _run(tmp_path)


def _run(folder: Path) -> None:
    config = load_config(folder / "robust.yaml")
    run(config.model_copy(update={"store": str(folder / "runs")}), base=folder)
