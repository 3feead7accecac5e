"""Files: plain names, the same bytes, the same predictions bit for bit."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from pruners import (
    Method,
    Training,
    build_seeded,
    load_masks,
    load_pruned,
    make_masks,
    prune_and_retrain,
    read_metadata,
    save_pruned,
    train,
)


def test_a_reloaded_model_predicts_the_same_bits(tmp_path, data):
    x, y = torch.rand(24, 1, 8, 8), data[1]
    parent = build_seeded("cnn", (1, 8, 8), 3, seed=0, width=2)
    made = prune_and_retrain(parent, x, y, Method(), 0.8, Training(epochs=2), seed=0)
    path = save_pruned(tmp_path / "m.safetensors", made.model, made.masks, {"seed": 0})
    fresh = build_seeded("cnn", (1, 8, 8), 3, seed=9, width=2)
    masks = load_pruned(path, fresh)
    assert torch.equal(fresh.eval()(x), made.model(x))
    assert masks.sparsities(fresh) == made.sparsities
    assert list(masks.kept) == list(made.masks.kept)
    for name, kept in made.masks.kept.items():
        assert masks.kept[name].dtype == torch.bool
        assert torch.equal(masks.kept[name], kept)
    assert read_metadata(path) == {"seed": 0}


def test_any_loader_reads_the_file_under_the_parents_names(tmp_path, net):
    masks = make_masks(net, [0.5], granularity="filter")[0]
    masks.apply_(net)
    tensors = load_file(save_pruned(tmp_path / "m.safetensors", net, masks))
    assert set(tensors) == set(net.state_dict())
    copy.deepcopy(net).load_state_dict(tensors, strict=True)


def test_masks_come_back_whole(tmp_path, net, data):
    net[0].weight.requires_grad_(False)
    masks = make_masks(net, [0.6], saliency="obd", data=data, protect=("last",))[0]
    back = load_masks(save_pruned(tmp_path / "m.safetensors", net, masks))
    assert (back.targets, back.requested, back.guarded, back.notes) == (
        masks.targets,
        masks.requested,
        masks.guarded,
        masks.notes,
    )
    assert back.targets.frozen == ("0.weight",)
    assert back.sparsities(net) == masks.sparsities(net)


def test_a_parent_has_no_masks(tmp_path, net):
    path = save_pruned(tmp_path / "m.safetensors", net)
    assert load_masks(path) is None
    assert load_pruned(path, net) is None
    assert read_metadata(path) == {}


def make_and_save(path: str) -> None:
    """A parent and a pruned model, from seeds alone."""
    draws = torch.Generator().manual_seed(0)
    x, y = torch.rand(40, 1, 8, 8, generator=draws), torch.randint(10, (40,), generator=draws)
    model = build_seeded("cnn", (1, 8, 8), 10, seed=0, dropout=0.1)
    train(model, x, y, Training(epochs=2, augmentation="shift"), seed=0)
    made = prune_and_retrain(model, x, y, Method("fisher"), 0.8, Training(epochs=3), seed=1)
    save_pruned(path, made.model, made.masks, {"b": 1, "a": [1, 2], "c": {"z": 0, "y": 1}})


def test_two_processes_write_the_same_bytes(tmp_path):
    paths = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for path in paths[:2]:
        make_and_save(path)
    code = "\n".join(
        [
            "import sys, torch",
            "torch.set_num_threads(1)",
            "from pruners import *",
            inspect.getsource(make_and_save).replace("path: str", "path"),
            "make_and_save(sys.argv[1])",
        ]
    )
    subprocess.run([sys.executable, "-c", code, str(paths[2])], check=True)
    assert paths[0].read_bytes() == paths[1].read_bytes() == paths[2].read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


def test_shared_weights_are_saved_under_both_names(tmp_path):
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    masks = make_masks(model, [0.5], protect=())[0]
    masks.apply_(model)
    path = save_pruned(tmp_path / "m.safetensors", model, masks)
    assert set(load_file(path)) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    load_pruned(path, copy.deepcopy(model))


def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(tmp_path, net, monkeypatch):
    path = save_pruned(tmp_path / "m.safetensors", net)
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *a: (_ for _ in ()).throw(OSError(28, "no space")))
    with pytest.raises(OSError, match="no space"):
        save_pruned(path, net, make_masks(net, [0.5])[0])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_what_does_not_fit_is_refused(tmp_path, net):
    path = save_pruned(tmp_path / "m.safetensors", net)
    with pytest.raises(ValueError, match="does not fit Linear"):
        load_pruned(path, nn.Linear(2, 2))
    with pytest.raises(ValueError, match="mask of"):
        save_pruned(path, nn.Linear(2, 2), make_masks(net, [0.5])[0])
    with pytest.raises(ValueError, match="plain JSON"):
        save_pruned(path, net, metadata={"when": object()})
    with pytest.raises(ValueError, match="plain JSON"):
        save_pruned(path, net, metadata={"loss": float("nan")})


def test_a_model_that_does_not_fit_is_as_it_was(tmp_path):
    path = save_pruned(tmp_path / "m.safetensors", nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)))
    other = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3))
    before = copy.deepcopy(other.state_dict())
    with pytest.raises(ValueError, match=r"does not fit Sequential: .*1\.weight"):
        load_pruned(path, other)
    assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())


def test_files_that_are_none_of_ours_are_refused(tmp_path, net):
    torch.save(net.state_dict(), tmp_path / "m.pt")
    for read in (load_masks, read_metadata, lambda path: load_pruned(path, net)):
        with pytest.raises(ValueError, match=r"m\.pt is no safetensors file"):
            read(tmp_path / "m.pt")
    path = tmp_path / "m.safetensors"
    for record, why in (("{}}", "is broken"), ("[]", "is broken"), ('{"schema": "x"}', "'x'")):
        save_file(net.state_dict(), path, metadata={"prune_audit": record})
        with pytest.raises(ValueError, match=why):
            load_masks(path)


def test_a_state_that_is_no_tensor_cannot_be_saved(tmp_path):
    class Counting(nn.Linear):
        def get_extra_state(self):
            return {"calls": 3}

    with pytest.raises(ValueError, match="state '_extra_state' of Counting is a dict"):
        save_pruned(tmp_path / "m.safetensors", Counting(2, 2))


def test_a_folder_that_is_not_there_is_named(tmp_path, net):
    with pytest.raises(FileNotFoundError, match=r"m.safetensors .* no folder .*gone: make it"):
        save_pruned(tmp_path / "gone" / "m.safetensors", net)
