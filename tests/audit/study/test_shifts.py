"""What models are shown beside clean test examples: other data, noise, attacks; what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

import pruners
from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.errors import ConfigError
from audit.evidence.folder import read_folder
from audit.study.config_file import load_config
from audit.study.layout import lay_out
from audit.study.named_corruptions import severities_of
from audit.study.prepare import Arrays
from audit.study.recipes import Data, Shown
from audit.study.run import run
from audit.study.shift_settings import ShiftSettings
from audit.study.showing import pieces, uniform
from audit.study.status import stages

if TYPE_CHECKING:
    from audit.evidence.blocks import Evidence
    from audit.study.config import Config
    from audit.study.run import Result

CONFIG = """
name: shifted
data: {source: digits, limit: {train: 60, validation: 40, test: 80}}
population:
  seeds: 1
  controls: false
  training: {epochs: 2, optimizer: adam, lr: 0.003, batch_size: 32}
  methods: [{saliency: magnitude}]
  sparsities: [0.9]
shifts:
  natural:
    masked: {source: "shifts_mine:low", mask: true, splits: {train: null}}
    free: {source: "shifts_mine:low", splits: {train: null}}
  out_of_distribution: {snow: {source: "shifts_mine:snow", splits: {train: null}}}
  noise: {levels: [0.01, 20/255]}
  attacks: {steps: 2, examples: 30}
execute: {backend: in_process}
"""

MINE = """
import numpy as np
from sklearn.datasets import load_digits

def low():
    digits = load_digits()
    images = np.rint(digits.images * 255 / 16).astype(np.uint8)[..., None]
    keep = digits.target < 3
    return 255 - images[keep][:40], digits.target[keep][:40]

def snow():
    draws = np.random.default_rng(0)
    return draws.integers(0, 256, (25, 8, 8, 1), dtype=np.uint8), draws.integers(50, 99, 25)
"""


def configured(folder: Path, **sections: Any) -> Config:
    (folder / "shifts_mine.py").write_text(MINE)
    path = folder / "shifted.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(CONFIG) | sections))
    return load_config(path).model_copy(update={"store": str(folder / "runs")})


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("shifted")
    result = run(configured(folder), base=folder, until="predictions")
    assert result.missing == ()
    return folder, result


@pytest.fixture(scope="module")
def evidence(shifted: tuple[Path, Result]) -> Evidence:
    return read_folder(shifted[1].folder / "evidence")


def shown(evidence: Evidence, name: str) -> pd.DataFrame:
    """The examples shown to the first model, with what it said."""
    severity = CLEAN.severity if name == "clean" else None
    block = evidence.load(Condition(name, severity))
    frame = evidence.examples.assign(predicted=block.predicted[0])
    return frame[frame["predicted"] >= 0]


def test_every_condition_shows_its_examples(evidence: Evidence) -> None:
    """8/255 is 0.03137; noise and attacks are on the clean examples, other data on their own."""
    counts = {c.name: len(shown(evidence, c.name)) for c in evidence.conditions}
    assert counts == {
        "clean": 80,
        "fgsm@0.03137": 30,
        "free": 40,
        "masked": 40,
        "pgd@0.03137": 30,
        "snow": 25,
        "uniform_noise@0.01": 80,
        "uniform_noise@0.07843": 80,
    }
    assert [c.severity for c in evidence.conditions] == [0.0, *[None] * 7]
    clean = set(shown(evidence, "clean")["example"])
    assert set(shown(evidence, "uniform_noise@0.01")["example"]) == clean
    attacked = [set(shown(evidence, f"{name}@0.03137")["example"]) for name in ("fgsm", "pgd")]
    assert attacked[0] == attacked[1] < clean


def test_what_is_out_of_distribution_has_no_label(evidence: Evidence) -> None:
    snow = shown(evidence, "snow")
    assert set(snow["split"]) == {"ood"}
    assert set(snow["label"]) == {-1}
    assert snow["example"].str.startswith("snow/").all()
    loss = evidence.load(Condition("snow", None)).loss
    assert loss is not None
    assert np.isnan(loss).all()


def test_logits_are_masked_where_asked(evidence: Evidence) -> None:
    """The set has the classes 0, 1 and 2; without a mask one weak model says others too."""
    assert set(shown(evidence, "masked")["predicted"]) <= {0, 1, 2}
    assert not set(shown(evidence, "free")["predicted"]) <= {0, 1, 2}
    probabilities = evidence.probabilities(Condition("masked", None), 0)
    assert probabilities is not None
    known = probabilities[~np.isnan(probabilities).any(axis=1)]
    assert (known[:, 3:] == 0).all()
    np.testing.assert_allclose(known.sum(axis=1), 1, atol=1e-5)


def test_notes_say_whether_logits_were_masked(shifted: tuple[Path, Result]) -> None:
    notes = (shifted[1].folder / "evidence" / "study.json").read_text()
    assert "masked has 3 of the 10 classes, and logits were masked to them." in notes
    assert "free has 3 of the 10 classes, and logits were not masked to them." in notes


def test_validation_examples_are_shown_clean(evidence: Evidence) -> None:
    held_out = evidence.validation
    assert held_out is not None
    assert held_out.conditions == (CLEAN,)
    block = held_out.load(CLEAN)
    assert block.predicted.shape == (2, 40)
    assert (block.predicted >= 0).all()
    assert set(held_out.examples["split"]) == {"validation"}


def test_predictions_follow_from_the_weights(
    shifted: tuple[Path, Result], evidence: Evidence
) -> None:
    """Logits made here by hand: energy is −ln Σ exp, loss ln Σ exp minus the label's logit."""
    result = shifted[1]
    arrays = Arrays(result.study.store.folder(result.study.data))
    model = pruners.build("cnn", (1, 8, 8), 10)
    pruners.load_pruned(result.folder / "population" / "dense-0.safetensors", model)
    images = torch.from_numpy(np.array(arrays.inputs("test"))).permute(0, 3, 1, 2).float() / 255
    mean, std = (float(arrays.meta[key][0]) for key in ("mean", "std"))
    with torch.no_grad():
        logits = model.eval()((images - mean) / std).double()
    row = evidence.models["model"].tolist().index("dense-0")
    order = pd.Index(evidence.examples["example"]).get_indexer(arrays.ids("test"))
    block = evidence.load(CLEAN)
    assert block.energy is not None
    assert block.loss is not None
    np.testing.assert_allclose(block.energy[row, order], -logits.logsumexp(1), atol=1e-4)
    right = logits.gather(1, torch.from_numpy(arrays.labels("test"))[:, None])[:, 0]
    np.testing.assert_allclose(block.loss[row, order], logits.logsumexp(1) - right, atol=1e-4)
    probabilities = evidence.probabilities(CLEAN, row)
    assert probabilities is not None
    np.testing.assert_allclose(probabilities[order], logits.softmax(1), atol=1e-5)


def test_asked_again_nothing_is_made(shifted: tuple[Path, Result]) -> None:
    folder, _ = shifted
    config = configured(folder)
    left = {stage.stage: (stage.done, stage.total) for stage in stages(config, folder)}
    assert left["data"] == (4, 4)
    assert left["predictions"] == (16, 16)
    again = run(config, base=folder, until="predictions")
    assert not again.published.fresh


def test_probabilities_can_be_left_out_and_noise_keeps_them(tmp_path: Path) -> None:
    """Before the data are there, what `auto` says is not known; noise keeps them in any case."""
    told = {}
    for choice in (True, False, "auto"):
        study = lay_out(configured(tmp_path, execute={"probabilities": choice}), tmp_path)
        told[choice] = {p.shown.name: p.probabilities for p in study.predicted}
    assert set(told[True].values()) == {True}
    assert set(told[False].values()) == {False}
    assert told["auto"]["uniform_noise@0.01"]
    assert not told["auto"]["clean"]


# --- randomness ----------------------------------------------------------------------------------


def test_noise_depends_on_the_seed_and_the_example_alone() -> None:
    """Two batches in another order draw what one does, and a seed of its own draws another."""
    like = torch.zeros(3, 1, 4, 4)
    ids = np.array(["a", "b", "c"], dtype=object)
    together = uniform(0, "uniform_noise", ids, like)
    alone = uniform(0, "uniform_noise", ids[[2, 0]], like[:2])
    assert torch.equal(alone, together[[2, 0]])
    assert together.abs().max() <= 1
    assert together.unique().numel() == together.numel()
    assert not torch.equal(uniform(1, "uniform_noise", ids, like), together)


def test_an_attack_takes_a_stratified_sample(shifted: tuple[Path, Result]) -> None:
    """30 of 80 digits, of every class its share to within one."""
    result = shifted[1]
    arrays = Arrays(result.study.store.folder(result.study.data))
    setting = {"name": "fgsm", "epsilon": 0.1, "examples": 30, "seed": 0}
    (piece,) = pieces(Shown("fgsm@0.1", result.study.data, severity=None, attack=setting), arrays)
    drawn = np.bincount(piece.labels, minlength=10)
    share = np.bincount(arrays.labels("test"), minlength=10) * 30 / 80
    assert len(piece.rows) == 30
    assert (np.abs(drawn - share) < 1).all()
    other = Shown("fgsm@0.1", result.study.data, severity=None, attack={**setting, "seed": 1})
    assert pieces(other, arrays)[0].rows.tolist() != piece.rows.tolist()


# --- refusals ------------------------------------------------------------------------------------


def test_a_preprocessing_that_treats_floats_otherwise_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "import torch\n"
        "def bytes_only():\n"
        "    def after(images):\n"
        "        return images.float() / (255 if images.dtype == torch.uint8 else 1)\n"
        "    return after\n"
    )
    config = configured(
        tmp_path, shifts={"noise": {"levels": [0.1]}}, model={"preprocess": "odd:bytes_only"}
    )
    result = run(config, base=tmp_path, until="predictions")
    assert any("something else of float pixels" in sentence for sentence in result.missing)


@pytest.mark.parametrize(
    ("shifts", "complaint"),
    [
        ({"noise": {"levels": [0.1, 0.1]}}, "noise level 0.1 is there twice"),
        ({"noise": {"levels": []}}, "levels"),
        ({"noise": {"levels": [-0.1]}}, "greater than 0"),
        ({"attacks": {"epsilon": "8/zero"}}, "'8/zero' is no number: write 0.03 or 8/255"),
        ({"attacks": {"names": ["cw"]}}, "'fgsm' or 'pgd'"),
        ({"attacks": {"names": ["pgd", "pgd"]}}, "'pgd' is there twice"),
        ({"attacks": {"step": 3}}, "unknown key 'step': did you mean 'steps'"),
        ({"natural": {"a@b": "x"}}, "an @ in its name"),
        ({"natural": {"a": "x"}, "out_of_distribution": {"a": "x"}}, "keep one of them"),
        ({"out_of_distribution": {"a": {"source": "digits", "mask": True}}}, "mask"),
    ],
)
def test_settings_that_mean_nothing(tmp_path: Path, shifts: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        configured(tmp_path, shifts=shifts)


def test_no_gradients_no_attack(tmp_path: Path) -> None:
    models = [{"checkpoint": "a.safetensors"}, {"checkpoint": "b.pt2"}]
    for file in ("a.safetensors", "b.pt2"):
        (tmp_path / file).write_bytes(b"")
    config = configured(tmp_path, population={"models": models}, shifts={"attacks": {}})
    with pytest.raises(ConfigError, match="needs gradients, which model 'b', an exported program"):
        lay_out(config, tmp_path)


@pytest.mark.parametrize("shift", [{"noise": {}}, {"attacks": {}}, {"corruptions": ["contrast"]}])
def test_rows_have_no_pixels(tmp_path: Path, shift: dict[str, Any]) -> None:
    draws = np.random.default_rng(0)
    frame = pd.DataFrame(draws.normal(size=(60, 3)), columns=["a", "b", "c"])
    frame.assign(label=np.where(frame["a"] > 0, "y", "n")).to_csv(tmp_path / "t.csv", index=False)
    data = {"source": "table", "path": "t.csv"}
    config = configured(tmp_path, data=data, model={"architecture": "mlp"}, shifts=shift)
    with pytest.raises(ConfigError, match="changes pixels, and these data are table rows"):
        run(config, base=tmp_path, until="predictions")


def test_fields_added_later_change_no_address() -> None:
    """What names the prepared data and a corruption is what it was before these shifts."""
    from audit.evidence.address import canonical

    data = Data("digits", "0" * 64)
    assert set(canonical(data)) == {"class", "revision", "source", "fingerprint"}
    assert set(canonical(Shown("fog", data, "fog", 3.0))) == {
        *("class", "revision", "name", "data", "corruption", "severity"),
    }


def test_a_preset_with_one_severity_shows_that_one() -> None:
    assert severities_of(ShiftSettings(preset="mnist-c")) == (1.0,)
    assert severities_of(ShiftSettings(preset="cifar")) == (1.0, 3.0, 5.0)
    assert severities_of(ShiftSettings(preset="mnist-c", severities=(1.0,))) == (1.0,)
    assert severities_of(ShiftSettings(severities=(5.0, 2.0, 5.0))) == (2.0, 5.0)
    with pytest.raises(ConfigError, match=r"^shifts.severities: preset 'mnist-c' has one severity"):
        severities_of(ShiftSettings(preset="mnist-c", severities=(1.0, 2.0)))
