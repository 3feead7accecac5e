"""Whole studies: given models, natural shifts, promises not kept, disks that are full."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

import pruners
from audit.evidence import files
from audit.evidence.errors import AuditError, InputError, StoreError
from audit.evidence.folder import read_folder
from audit.study.config_file import load_config
from audit.study.run import run

if TYPE_CHECKING:
    from audit.study.config import Config
    from audit.study.run import Result


def configured(folder: Path, text: str, **sections: Any) -> Config:
    values = yaml.safe_load(text) | sections
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(values))
    return load_config(path).model_copy(update={"store": str(folder / "runs")})


def accuracy(result: Result) -> pd.DataFrame:
    assert result.findings is not None
    frame = result.findings.frame()
    return frame[(frame["measure"] == "accuracy") & frame["method"].notna()]


def unfinished(store: Path) -> list[str]:
    """What in a store is no finished result and not the ledger of audits."""
    found = [path.name for path in store.iterdir() if not (path / "manifest.json").exists()]
    return [name for name in found if name != "ledger"]


@pytest.fixture
def weights(small_run: Result) -> Path:
    """The population of the small run, as files that somebody hands us."""
    return small_run.folder / "population"


# --- models that exist already -------------------------------------------------------------------


def test_given_models_are_audited_as_they_are(
    small_run: Result, weights: Path, tmp_path: Path, small_config: str
) -> None:
    """The same weights, given as files in several formats, give the same findings."""
    models = []
    for seed in range(3):
        dense, pruned = f"dense-{seed}", f"magnitude-0.95-{seed}"
        shutil.copy(weights / f"{dense}.safetensors", tmp_path)
        model = pruners.build("cnn", (1, 8, 8), 10)
        pruners.load_pruned(weights / f"{pruned}.safetensors", model)
        state = {f"module.{name}": value for name, value in model.state_dict().items()}
        torch.save({"state_dict": state, "epoch": 3}, tmp_path / f"{pruned}.ckpt")
        models += [
            {"checkpoint": f"{dense}.safetensors", "name": dense},
            {
                "checkpoint": f"{pruned}.ckpt",
                "name": pruned,
                "parent": dense,
                "method": "magnitude",
                "sparsity": 0.95,
                "seed": seed,
            },
        ]
    config = configured(tmp_path, small_config, population={"models": models}, policy={})
    result = run(config, base=tmp_path)
    assert result.missing == ()
    ours = accuracy(small_run).query("sparsity == 0.95")
    theirs = accuracy(result)
    columns = ["condition", "severity", "parent", "pruned", "change"]
    pd.testing.assert_frame_equal(
        ours[columns].reset_index(drop=True), theirs[columns].reset_index(drop=True)
    )
    table = pd.read_parquet(result.folder / "evidence" / "models.parquet").set_index("model")
    # exact zeros were counted: 95 % of the targeted weights, fewer of all
    assert 0.5 < table.loc["magnitude-0.95-0", "sparsity_all"] < 0.95


def test_a_pruned_model_as_pt2_beside_its_parent(
    weights: Path, tmp_path: Path, small_config: str
) -> None:
    shutil.copy(weights / "dense-0.safetensors", tmp_path)
    model = pruners.build("cnn", (1, 8, 8), 10)
    pruners.load_pruned(weights / "magnitude-0.5-0.safetensors", model)
    batch = torch.export.Dim("batch", min=2, max=4096)
    program = torch.export.export(
        model.eval(), (torch.zeros(4, 1, 8, 8),), dynamic_shapes=({0: batch},)
    )
    torch.export.save(program, tmp_path / "pruned.pt2")
    models = [
        {"checkpoint": "dense-0.safetensors", "name": "d"},
        {"checkpoint": "pruned.pt2", "name": "p", "parent": "d", "sparsity": 0.5},
    ]
    config = configured(tmp_path, small_config, population={"models": models}, policy={}, shifts={})
    found = accuracy(run(config, base=tmp_path))
    assert len(found) == 1
    assert found["generalises_to"].tolist() == ["examples"]  # one parent speaks for no other
    assert found["pruned"].iloc[0] > 0.3


def test_a_model_that_exists_only_as_predictions(
    small_run: Result, weights: Path, tmp_path: Path, small_config: str
) -> None:
    evidence = read_folder(small_run.folder / "evidence")
    names = evidence.models["model"].tolist()
    block = evidence.load(evidence.conditions[0])
    pd.DataFrame(
        {
            "model": "shipped",
            "example": evidence.examples["example"],
            "label": np.array(evidence.classes)[evidence.labels],
            "predicted": np.array(evidence.classes)[
                block.predicted[names.index("magnitude-0.5-0")]
            ],
        }
    ).to_csv(tmp_path / "shipped.csv", index=False)
    shutil.copy(weights / "dense-0.safetensors", tmp_path)
    models = [
        {"checkpoint": "dense-0.safetensors", "name": "dense-0"},
        {"predictions": "shipped.csv", "name": "shipped", "parent": "dense-0", "sparsity": 0.5},
    ]
    config = configured(tmp_path, small_config, population={"models": models}, policy={}, shifts={})
    found = accuracy(run(config, base=tmp_path))
    right = (block.predicted == evidence.labels).mean(axis=1)
    assert found["parent"].tolist() == [pytest.approx(right[names.index("dense-0")])]
    assert found["pruned"].tolist() == [pytest.approx(right[names.index("magnitude-0.5-0")])]


def test_outputs_that_do_not_match_the_classes(
    weights: Path, tmp_path: Path, small_config: str
) -> None:
    shutil.copy(weights / "dense-0.safetensors", tmp_path)
    pruners.save_pruned(tmp_path / "other.safetensors", pruners.build("cnn", (1, 8, 8), 12))
    (tmp_path / "twelve.py").write_text(
        "import pruners\ndef build():\n    return pruners.build('cnn', (1, 8, 8), 12)\n"
    )
    models = [
        {"checkpoint": "dense-0.safetensors", "name": "d"},
        {"checkpoint": "other.safetensors", "name": "p", "parent": "d", "build": "twelve:build"},
    ]
    config = configured(tmp_path, small_config, population={"models": models}, policy={}, shifts={})
    result = run(config, base=tmp_path)
    assert any("12 outputs" in sentence and "10 classes" in sentence for sentence in result.missing)
    assert result.findings is not None  # the parent alone: nothing is asked, and it says so
    assert {f.outcome for f in result.findings.findings} <= {"not_asked", "no_limit"}


@pytest.mark.parametrize(
    ("models", "complaint"),
    [
        ([{"checkpoint": "nope.safetensors"}], "nope.safetensors"),
        ([{"checkpoint": "d.safetensors"}, {"checkpoint": "d.safetensors"}], "twice"),
        ([{"checkpoint": "d.safetensors", "parent": "ghost"}], "ghost"),
    ],
)
def test_given_models_that_are_not_there(
    weights: Path, tmp_path: Path, small_config: str, models: list[Any], complaint: str
) -> None:
    shutil.copy(weights / "dense-0.safetensors", tmp_path / "d.safetensors")
    config = configured(tmp_path, small_config, population={"models": models})
    with pytest.raises(AuditError, match=complaint):
        run(config, base=tmp_path)


# --- parents -------------------------------------------------------------------------------------


def test_a_parent_that_misses_its_promise_stops_before_the_population(
    tmp_path: Path, small_config: str
) -> None:
    expect = {"expect": {"accuracy": 0.999, "tolerance": 0.0005}}
    config = configured(tmp_path, small_config, model={"architecture": "cnn"} | expect)
    with pytest.raises(InputError, match=r"dense-0 reaches 0\.\d+ on clean test data"):
        run(config, base=tmp_path)
    made = [path.name.partition("-")[0] for path in (tmp_path / "runs" / ".store").iterdir()]
    assert "pruned" not in made
    assert made.count("dense") == 3


def test_parents_from_checkpoints_are_pruned_and_not_trained(
    weights: Path, tmp_path: Path, small_config: str
) -> None:
    shutil.copy(weights / "dense-0.safetensors", tmp_path)
    population = yaml.safe_load(small_config)["population"] | {"sparsities": [0.9]}
    config = configured(
        tmp_path,
        small_config,
        model={"architecture": "cnn", "weights": "dense-0.safetensors"},
        population=population,
        shifts={},
        policy={},
    )
    result = run(config, base=tmp_path)
    models = pd.read_parquet(result.folder / "evidence" / "models.parquet")
    assert models["role"].tolist() == ["dense", "control", "pruned"]
    assert models["sparsity_targeted"].iloc[2] == pytest.approx(0.9, abs=0.005)


# --- shifts --------------------------------------------------------------------------------------


def test_natural_shift_with_some_of_the_classes(tmp_path: Path, small_config: str) -> None:
    (tmp_path / "shifted.py").write_text(
        "from sklearn.datasets import load_digits\n"
        "import numpy as np\n"
        "def inverted():\n"
        "    digits = load_digits()\n"
        "    images = np.rint(digits.images * 255 / 16).astype(np.uint8)[..., None]\n"
        "    keep = digits.target < 5\n"
        "    return 255 - images[keep][:100], digits.target[keep][:100]\n"
    )
    shifts = {"natural": {"inverted": {"source": "shifted:inverted", "splits": {"train": None}}}}
    result = run(configured(tmp_path, small_config, shifts=shifts, policy={}), base=tmp_path)
    found = accuracy(result)
    natural = found[found["condition"] == "inverted"]
    assert set(natural["n"]) == {100}
    assert natural["severity"].isna().all()
    assert set(found[found["condition"] == "clean"]["n"]) == {300}


def test_a_corruption_of_ones_own(tmp_path: Path, small_config: str) -> None:
    (tmp_path / "mine.py").write_text(
        "import torch\n"
        "def fade(images, severity, seed, ids):\n"
        "    return (images.float() * (1 - severity / 6)).round().to(torch.uint8)\n"
    )
    shifts = {"corruptions": ["mine:fade"], "severities": [2, 5]}
    result = run(configured(tmp_path, small_config, shifts=shifts, policy={}), base=tmp_path)
    found = accuracy(result).query("condition == 'fade' and sparsity == 0.5")
    assert found["severity"].tolist() == [2.0, 5.0]
    assert found["parent"].iloc[1] < found["parent"].iloc[0]


# --- disks, twins, and other accidents -----------------------------------------------------------


def test_a_full_disk_is_one_sentence_and_nothing_half_written(
    tmp_path: Path, small_config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, small_config)
    flush, calls = files.os.fsync, [0]

    def full(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] > 25:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(descriptor)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match=r"(?i)no space left.*"):
        run(config, base=tmp_path)
    monkeypatch.setattr(files.os, "fsync", flush)
    store = tmp_path / "runs" / ".store"
    assert unfinished(store) == []
    assert run(config, base=tmp_path).missing == ()  # asking again goes on


def test_a_read_only_output_folder(
    tmp_path: Path, small_config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root ignores permission bits, so the refusal is injected."""

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    config = configured(tmp_path, small_config)
    with pytest.raises(StoreError, match=r"(?i)read-only"):
        run(config, base=tmp_path)


def test_two_runs_on_one_store_at_once(tmp_path: Path, small_config: str) -> None:
    (tmp_path / "small.yaml").write_text(small_config)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "reports.cli", "run", "small.yaml", "--quiet"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in both:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    store = tmp_path / "runs" / ".store"
    assert unfinished(store) == []
    assert json.loads((tmp_path / "runs/small/findings.json").read_text())["findings"]


def test_one_parent_can_be_audited_and_says_what_it_cannot_be_asked(
    tmp_path: Path, small_config: str
) -> None:
    population = yaml.safe_load(small_config)["population"] | {"seeds": 1, "sparsities": [0.9]}
    config = configured(tmp_path, small_config, population=population, shifts={})
    result = run(config, base=tmp_path)
    assert result.findings is not None
    assert set(accuracy(result)["generalises_to"]) == {"examples"}
    unasked = [f for f in result.findings.findings if f.outcome == "not_asked"]
    assert any("two parents or more" in (f.reason or "") for f in unasked)


# --- looks at the same test examples -------------------------------------------------------------


def test_another_audit_of_the_same_examples_says_which_one_it_is(
    tmp_path: Path, small_config: str
) -> None:
    """Two policies are two looks; the first one again has the bytes and the number it had."""
    population = yaml.safe_load(small_config)["population"] | {"seeds": 1, "sparsities": [0.9]}
    common: dict[str, Any] = {"population": population, "shifts": {}}

    def audited(limit: float) -> tuple[dict[str, Any], bytes]:
        config = configured(tmp_path, small_config, policy={"max_accuracy_drop": limit}, **common)
        findings = run(config, base=tmp_path).folder / "findings.json"
        return json.loads(findings.read_text())["run"], findings.read_bytes()

    first, before = audited(0.02)
    assert first["looks"] == 1
    assert not any("audit number" in note for note in first["notes"])
    second, _ = audited(0.05)
    assert second["looks"] == 2
    assert "audit number 2 of these test examples" in second["notes"][-1]
    assert audited(0.02)[1] == before
    shutil.rmtree(tmp_path / "runs" / "small")  # what is made anew from the store is not new
    assert audited(0.02)[1] == before
    assert len(list((tmp_path / "runs" / ".store" / "ledger").iterdir())) == 2
