"""A user's own training and pruning inside a study, and what is refused before any training."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from audit.evidence.errors import AuditError
from audit.study.config import Config
from audit.study.run import Result, run

DIGITS = {"source": "digits", "limit": {"train": 120, "test": 60}}
ONE_SHOT = {"schedule": "one_shot"}
# Without torch, which takes seconds to load in each process.
TRAIN = """
import sys
from pathlib import Path
import numpy as np
from safetensors.numpy import save_file

seed, out = int(sys.argv[1]), Path(sys.argv[2])
if "fails" in sys.argv and seed == 1:
    sys.exit("no such learning rate")
draw = np.random.default_rng(seed)
layers = {"linear1": (8, 64), "linear2": (8, 8), "classifier": (10, 8)}
state = {f"{n}.weight": draw.normal(size=shape).astype("float32") for n, shape in layers.items()}
state |= {f"{n}.bias": np.zeros(shape[0], dtype="float32") for n, shape in layers.items()}
save_file(state, out / "weights.safetensors")
(out / "record.json").write_text('{"steps": 3}')
"""
PRUNE = """
from safetensors.numpy import load_file, save_file

def prune(out, parent, sparsity, method):
    state = {name: value.copy() for name, value in load_file(parent).items()}
    flat = state["linear2.weight"].reshape(-1)
    flat[: round(sparsity * flat.size)] = 0.0
    save_file(state, parent)  # over what it was given
    save_file(state, out / "weights.safetensors")
"""


def config(folder: Path, population: dict[str, Any], **more: Any) -> Config:
    known = {"seeds": 2, "training": {"epochs": 1}, "sparsities": [0.5], "methods": [ONE_SHOT]}
    return Config.model_validate(
        {
            "name": "small",
            "data": DIGITS,
            "model": {"architecture": "mlp", "arguments": {"hidden": [8, 8]}},
            "population": known | population,
            "execute": {"backend": "in_process"},
            "store": str(folder / "runs"),
        }
        | more
    )


def made(
    folder: Path, population: dict[str, Any], until: Any = "population", **more: Any
) -> Result:
    return run(config(folder, population, **more), base=folder, until=until)


def programs(folder: Path, *more: str) -> dict[str, Any]:
    (folder / "train.py").write_text(TRAIN)
    (folder / "own_pruning.py").write_text(PRUNE)
    command = [sys.executable, "train.py", "{seed}", "{out}", *more]
    return {"train": command, "prune": "own_pruning:prune", "methods": [{"name": "mine"}]}


def test_programs_of_ones_own_train_and_prune(tmp_path: Path):
    result = made(tmp_path, programs(tmp_path), until="predictions")
    assert result.missing == ()
    table = pd.read_parquet(result.folder / "evidence" / "models.parquet").set_index("model")
    assert table.loc["control-0", "sparsity_targeted"] == 0.0
    assert table.loc["mine-0.5-0", "sparsity_targeted"] == 32 / (8 * 64 + 8 * 8 + 10 * 8)
    told = json.loads((result.folder / "evidence" / "records.json").read_text())
    assert told["dense-0"]["said"] == {"steps": 3}
    stored = result.study.store.folder(result.study.models["dense-0"])
    assert sorted(path.name for path in stored.iterdir()) == [
        "log.txt",
        "manifest.json",
        "record.json",
        "weights.safetensors",
    ]
    assert np.count_nonzero(load_file(stored / "weights.safetensors")["linear2.weight"]) == 64
    pruned = result.study.store.folder(result.study.models["mine-0.5-0"])
    assert not list(pruned.glob("parent*"))


def test_a_program_that_fails_leaves_nothing_and_the_rest_goes_on(tmp_path: Path):
    result = made(tmp_path, programs(tmp_path, "fails"))
    assert len(result.missing) == 1
    assert "status 1; it last printed 'no such learning rate'" in result.missing[0]
    assert (result.folder / "population" / "mine-0.5-0.safetensors").exists()
    names = [path.name for path in (tmp_path / "runs" / ".store").iterdir()]
    assert not [name for name in names if "." in name]
    again = made(tmp_path, programs(tmp_path))  # resumed once it is mended: the words changed
    assert again.missing == ()


# --- refused before anything is trained ----------------------------------------------------------


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ({"methods": [{**ONE_SHOT, "granularity": "2:4"}]}, "0.5, no more and no less"),
        ({"methods": [{**ONE_SHOT, "protect": ["convv1"]}]}, "Nothing to protect is called"),
        ({"calibration": 2, "methods": [{**ONE_SHOT, "retraining": "none"}]}, "would be one model"),
        ({"train": "no-such-trainer {seed} {out}"}, "no command 'no-such-trainer'"),
        ({"train": "nowhere:train"}, "no module 'nowhere'"),
        ({"prune": "own_part:prune_it"}, "has no 'prune_it'.*did you mean 'prune'"),
        (
            {
                "train": [sys.executable, "train.py", "{seed}", "{out}"],
                "methods": [{**ONE_SHOT, "retraining": "lr_rewinding"}],
            },
            "goes back to the parents' own training",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_before_training(
    population: dict[str, Any], said: str, tmp_path: Path
):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "own_part.py").write_text(PRUNE)
    with pytest.raises(AuditError, match=said):
        made(tmp_path, {"sparsities": [0.8]} | population)
    store = tmp_path / "runs" / ".store"
    there = [path.name for path in store.iterdir()] if store.exists() else []
    assert not [name for name in there if name.startswith(("dense", "pruned"))]
