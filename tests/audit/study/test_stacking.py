"""Populations trained in stacks: as one by one, resumed to the bit, counted, or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import pruners
from audit.evidence.address import address
from audit.evidence.errors import ConfigError
from audit.evidence.store import Store
from audit.study import model_jobs
from audit.study.config import Config
from audit.study.config_file import load_config
from audit.study.demo import DEMO
from audit.study.dry_run import dry_run
from audit.study.named_models import models_of
from audit.study.population_rules import CONVOLUTIONAL
from audit.study.recipes import Compute, Data, Pruned
from audit.study.run import Result, run
from audit.study.timing import measured_together, seconds_of
from pruners.stacked import why_not_stacked

MLP = {"architecture": "mlp", "arguments": {"hidden": [8, 8], "dropout": 0.2}}
METHOD = {"saliency": "fisher", "examples": 40, "name": "m"}


def config(folder: Path, *, stacked: bool = True, **more: Any) -> Config:
    population = {
        "seeds": 2,
        "calibration": 2,
        "training": {"epochs": 4, "lr": 0.05, "augmentation": "shift"},
        "methods": [METHOD],
        "sparsities": [0.5, 0.8],
        "stacked": stacked,
    }
    return Config.model_validate(
        {
            "name": "small",
            "data": {"source": "digits", "limit": {"train": 120, "test": 60}},
            "model": more.get("model", MLP),
            "population": population | more.get("population", {}),
            "execute": {"backend": "in_process"},
            "store": str(folder / "runs"),
        }
    )


def recipes(**population: Any) -> dict[str, Any]:
    asked = config(Path(), population=population)
    return models_of(asked, Path(), Data("digits", "f"), Compute())


def stored(result: Result, name: str) -> Path:
    return result.study.store.folder(result.study.models[name])


def files(result: Result) -> dict[str, tuple[bytes, bytes]]:
    folders = {name: stored(result, name) for name in result.study.pruned}
    return {
        name: ((f / "weights.safetensors").read_bytes(), (f / "record.json").read_bytes())
        for name, f in folders.items()
    }


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("together")
    return run(config(folder), base=folder, until="predictions")


# --- names ---------------------------------------------------------------------------------------


def test_the_demo_is_named_as_it_was_before_anything_could_be_stacked():
    found = models_of(load_config(DEMO), DEMO.parent, Data("digits", "f"), Compute())
    named = {name: address(found[name]) for name in ("dense-0", "control-0", "magnitude-0.9-0")}
    assert named == {
        "dense-0": "dense-f608a84c74c21529",
        "control-0": "pruned-8ec4f3c8faf884d4",
        "magnitude-0.9-0": "pruned-9d7111bb695d562f",
    }


def test_a_stack_names_its_members_whatever_the_order_and_no_other_control():
    other = {"name": "o"}
    kinds = ["dense", "small_dense"]
    alone = recipes(stacked=False, controls=kinds)
    found = recipes(controls=kinds)
    differ = {name for name in alone if address(alone[name]) != address(found[name])}
    small = {name for name in alone if name.startswith("small_dense")}
    assert differ == {name for name, m in alone.items() if isinstance(m, Pruned)} - small
    one, turned, more = (
        address(recipes(methods=methods, sparsities=sparsities)["m-0.5-0.0"])
        for methods, sparsities in (
            ([METHOD, other], [0.5, 0.8]),
            ([other, METHOD], [0.8, 0.5]),
            ([METHOD, other], [0.5, 0.8, 0.9]),
        )
    )
    assert one == turned
    assert one != more


# --- whole studies -------------------------------------------------------------------------------


def test_models_of_a_stack_are_those_made_one_by_one(together: Result, tmp_path: Path):
    alone = run(config(tmp_path, stacked=False), base=tmp_path, until="predictions")
    assert alone.missing == together.missing == ()
    assert len(together.study.pruned) == 2 * (1 + 2 * 2)
    for name in together.study.pruned:
        one, other = (
            load_file(stored(result, name) / "weights.safetensors") for result in (alone, together)
        )
        for key, weight in one.items():
            assert torch.equal(weight == 0, other[key] == 0)
            torch.testing.assert_close(other[key], weight, rtol=1e-4, atol=1e-5)
    tables = [
        pd.concat(
            map(pd.read_parquet, sorted((r.folder / "evidence/predictions").rglob("*.parq*")))
        )
        for r in (alone, together)
    ]
    first, second = (t.sort_values(["model", "condition", "example"]) for t in tables)
    assert len(first) == len(second) >= 12 * 60
    assert first["model"].nunique() == 12
    assert first["predicted"].tolist() == second["predicted"].tolist()


def test_the_record_says_that_a_model_was_stacked_and_the_notes_once(together: Result):
    evidence = together.folder / "evidence"
    told = json.loads((evidence / "records.json").read_text())
    assert told["control-0"]["stacked"] == told["m-0.8-1.0"]["stacked"] == 3
    assert told["m-0.8-1.1"]["stacked"] == 2  # the control is no replicate
    assert "stacked" not in told["dense-0"]
    notes = json.loads((evidence / "study.json").read_text())["notes"]
    assert [note for note in notes if "stack" in note or "at once" in note] == [
        "All that was fine-tuned from one parent, its control too, was trained at once: each as it "
        "would be alone, but for the order in which sums are added up."
    ]


def test_a_run_that_was_killed_makes_only_what_is_missing_and_the_same_bytes(
    together: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write, written = model_jobs._write_stacked, []

    def killed(recipe: Pruned, *more: Any) -> None:
        if len(written) == 4:  # within the second stack
            raise KeyboardInterrupt
        written.append(address(recipe))
        write(recipe, *more)

    monkeypatch.setattr(model_jobs, "_write_stacked", killed)
    with pytest.raises(KeyboardInterrupt):
        run(config(tmp_path), base=tmp_path, until="population")
    begun = list(written)

    def noted(recipe: Pruned, *more: Any) -> None:
        written.append(address(recipe))
        write(recipe, *more)

    monkeypatch.setattr(model_jobs, "_write_stacked", noted)
    again = run(config(tmp_path), base=tmp_path, until="population")
    assert len(begun) == 4
    assert sorted(written) == sorted(address(one) for one in again.study.pruned.values())
    assert files(again) == files(together)
    assert json.loads((again.folder / "run.json").read_text())["stages"]["made"]["population"] == 6


def test_a_dry_run_counts_models_and_the_time_of_whole_stacks(together: Result, tmp_path: Path):
    shutil.copytree(together.study.store.root.parent, tmp_path / "runs")
    here = config(tmp_path)
    gone = tmp_path / "runs" / ".store" / address(together.study.models["m-0.8-1.0"])
    shares = [
        seconds_of(together.study.store, together.study.models[name])
        for name in ("control-1", "m-0.5-1.0", "m-0.8-1.0")
    ]
    assert shares[0] == shares[1] == shares[2]
    shutil.rmtree(gone)
    (planned,) = (one for one in dry_run(here, tmp_path) if one.stage == "population")
    assert (planned.done, planned.left, planned.unmeasured) == (9, 1, 0)
    kinds = {"control": [], "m": []}
    for name, model in together.study.pruned.items():
        if model.draw == 0 and address(model) != gone.name:
            kinds[name.split("-")[0]].append(seconds_of(together.study.store, model))
    mean = {kind: sum(found) / len(found) for kind, found in kinds.items()}
    assert planned.seconds == pytest.approx(mean["control"] + 2 * mean["m"])


def test_what_is_missing_of_a_stack_takes_its_share_of_the_whole(
    together: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(together.study.store.root.parent, tmp_path / "runs")
    store = Store(tmp_path / "runs" / ".store")
    members = [together.study.models[n] for n in ("control-1", "m-0.5-1.0", "m-0.8-1.0")]
    shutil.rmtree(store.folder(members[2]))
    before = seconds_of(store, members[0])
    clock = iter([100.0, 112.0])
    monkeypatch.setattr("audit.study.timing.time.perf_counter", lambda: next(clock))
    with measured_together(store, members):
        pass
    assert (seconds_of(store, members[0]), seconds_of(store, members[2])) == (before, 4.0)


def test_one_that_fails_is_named_and_takes_its_stack_along(tmp_path: Path):
    tuning = {"epochs": 1, "lr": 1e30}
    population = {"fine_tuning": tuning, "seeds": 1, "calibration": 1, "methods": [{"name": "m"}]}
    result = run(config(tmp_path, population=population), base=tmp_path, until="population")
    (said,) = result.missing
    assert said.startswith("control-0 and what is stacked with it: The loss of ")
    assert any(f"The loss of {one} became" in said for one in ("the control", "m at 0.5"))
    assert "lower the learning rate" in said
    assert not any(map(result.study.store.done, result.study.pruned.values()))


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ({"chain": True}, "one after the other"),
        ({"prune": "a:b"}, "leave prune out"),
        ({"paired": False}, "which stacked does not"),
        ({"methods": [{"retraining": "weight_rewinding"}]}, "'weight_rewinding' does not"),
        ({"methods": [{}, {"retraining": "none"}]}, "'none' does not"),
        ({"methods": [{"reenter": True}]}, "reenter lets single weights"),
        ({"models": [{"checkpoint": "a.pt"}]}, "exist already"),
    ],
)
def test_what_cannot_be_stacked_is_refused_with_the_config(population: dict[str, Any], said: str):
    known = {"architecture": "mlp"}
    with pytest.raises(ValueError, match=said):
        Config.model_validate(
            {
                "data": {"source": "digits"},
                "model": known,
                "population": {"stacked": True, **population},
            }
        )


def test_built_in_nets_with_convolutions_are_refused_before_any_data_are_read():
    built = {
        name: pruners.build(name, (3, 32, 32), 4, **({"depth": 8} if name == "resnet" else {}))
        for name in pruners.ARCHITECTURES
    }
    assert {n for n, m in built.items() if why_not_stacked(m) is not None} == set(CONVOLUTIONAL)
    with pytest.raises(ValueError, match="'cnn' has convolutions"):
        Config.model_validate({"data": {"source": "digits"}, "population": {"stacked": True}})


OWN = """
from torch import nn

class Branching(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.first, self.last = nn.Linear(features, 8), nn.Linear(8, classes)

    def forward(self, x):
        x = self.first(x.flatten(1))
        return self.last(x.relu() if float(x.sum()) > 0 else x)

def branching(input_shape, classes):
    return Branching(64, classes)

def normed(input_shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, classes))
"""


@pytest.mark.parametrize(
    ("made", "said"),
    [("branching", "Branching cannot be stacked"), ("normed", "has buffers")],
)
def test_a_module_of_ones_own_is_tried_before_a_parent_is_trained(
    made: str, said: str, tmp_path: Path
):
    (tmp_path / f"own_{made}_net.py").write_text(OWN)
    asked = config(tmp_path, model={"architecture": f"own_{made}_net:{made}"})
    with pytest.raises(ConfigError, match=rf"population.stacked: .*{said}.* leave out stacked"):
        run(asked, base=tmp_path, until="population")
    assert not list((tmp_path / "runs" / ".store").glob("dense-*"))
