from __future__ import annotations

import os
import pickle
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

from audit.evidence.errors import InputError
from audit.study.weights import fit, measured_sparsity, read_tensors


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


@pytest.fixture
def trained():
    torch.manual_seed(0)
    module = network()
    module(torch.randn(8, 3))  # moves the running statistics
    return module.eval()


def same(found, module):
    expected = module.state_dict()
    assert set(found) == set(expected)
    return all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".bin", ".ckpt"])
def test_state_dicts_of_every_suffix(trained, tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    state = trained.state_dict()
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    fitted = fit(read_tensors(path), network(), path)
    assert same(fitted.state, trained)
    assert fitted.masks == {}
    assert fitted.notes == ()


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "net"])
def test_state_dicts_among_other_things(trained, tmp_path, key):
    path = tmp_path / "m.pt"
    torch.save({"epoch": 3, "optimizer": {"lr": 0.1}, key: trained.state_dict()}, path)
    assert same(read_tensors(path), trained)


@pytest.mark.parametrize(
    "prefix", ["module.", "model.", "_orig_mod.", "module._orig_mod.", "model.module.", "backbone."]
)
def test_prefixes_of_wrappers(trained, tmp_path, prefix):
    path = tmp_path / "m.pt"
    torch.save({prefix + name: value for name, value in trained.state_dict().items()}, path)
    assert same(fit(read_tensors(path), network(), path).state, trained)


def test_data_parallel_and_a_compiled_layer(trained, tmp_path):
    path = tmp_path / "m.pt"
    torch.save(nn.DataParallel(trained).state_dict(), path)
    assert same(fit(read_tensors(path), network(), path).state, trained)
    compiled = {name.replace(".", "._orig_mod.", 1): v for name, v in trained.state_dict().items()}
    assert same(fit(compiled, network(), path).state, trained)


def test_a_prefix_that_the_module_has_itself_stays(tmp_path):
    module = nn.ModuleDict({"model": nn.Linear(2, 2)})
    path = tmp_path / "m.pt"
    torch.save(module.state_dict(), path)
    assert set(fit(read_tensors(path), module, path).state) == {"model.weight", "model.bias"}


def test_a_lightning_checkpoint_with_a_loss_of_its_own(trained, tmp_path):
    path = tmp_path / "m.ckpt"
    state = {f"model.{name}": value for name, value in trained.state_dict().items()}
    torch.save(
        {
            "epoch": 1,
            "pytorch-lightning_version": "2.4.0",
            "hyper_parameters": {"lr": 0.1},
            "callbacks": {},
            "state_dict": OrderedDict({**state, "criterion.weight": torch.ones(2)}),
        },
        path,
    )
    fitted = fit(read_tensors(path), network(), path)
    assert same(fitted.state, trained)
    assert fitted.notes == ("Tensors outside the model were left out: criterion.weight.",)


def test_a_teacher_beside_its_student_is_not_taken_for_it(trained, tmp_path):
    path = tmp_path / "m.pt"
    state = trained.state_dict()
    torch.save(
        {f"{who}.{name}": value for who in ("teacher", "student") for name, value in state.items()},
        path,
    )
    with pytest.raises(InputError, match=r"does not fit Sequential: it lacks 0.weight"):
        fit(read_tensors(path), network(), path)


@pytest.fixture
def masked(trained, tmp_path):
    """A model pruned with torch.nn.utils.prune, half of each layer, and where it is saved."""
    for layer in (trained[0], trained[3]):
        prune.l1_unstructured(layer, "weight", amount=0.5)
    torch.save(trained.state_dict(), tmp_path / "masked.pt")
    return trained, tmp_path / "masked.pt"


def test_pairs_of_weight_and_mask_are_multiplied_and_masks_kept(masked):
    module, path = masked
    fitted = fit(read_tensors(path), network(), path)
    assert set(fitted.state) == set(network().state_dict())
    for name, layer in (("0.weight", module[0]), ("3.weight", module[3])):
        assert torch.equal(fitted.state[name], layer.weight)
        assert torch.equal(fitted.masks[name], layer.weight_mask)
    assert fitted.loadable is fitted.state
    assert measured_sparsity(fitted.state).targeted == 0.5


def test_a_module_with_pairs_of_its_own_gets_them_and_its_zeros_are_counted(masked):
    _, path = masked
    other = network()
    for layer in (other[0], other[3]):
        prune.identity(layer, "weight")
    fitted = fit(read_tensors(path), other, path)
    assert "0.weight_orig" in fitted.loadable
    assert "0.weight_orig" not in fitted.state
    assert measured_sparsity(fitted.state).targeted == 0.5


def test_a_pruned_weight_that_overflowed_is_zero():
    tensors = {
        "weight_orig": torch.tensor([[torch.inf, 2.0]]),
        "weight_mask": torch.tensor([[0.0, 1.0]]),
        "bias": torch.zeros(1),
    }
    assert fit(tensors, nn.Linear(2, 1), None).state["weight"].tolist() == [[0.0, 2.0]]


def test_names_that_only_look_like_pairs_are_names():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_mask = nn.Parameter(torch.ones(2))
            self.scale_orig = nn.Parameter(torch.ones(2))

    odd = Odd()
    assert set(fit(odd.state_dict(), odd, None).state) == {"attention_mask", "scale_orig"}


def test_an_old_batch_norm_without_its_count_fits(trained):
    state = {k: v for k, v in trained.state_dict().items() if "num_batches" not in k}
    assert "1.num_batches_tracked" not in fit(state, network(), None).state


def test_sparse_tensors_become_dense(tmp_path):
    weight = torch.tensor([[0.0, 1.0]])
    path = tmp_path / "m.pt"
    torch.save({"weight": weight.to_sparse(), "bias": torch.zeros(1)}, path)
    assert torch.equal(read_tensors(path)["weight"], weight)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (
            nn.Linear(3, 4),
            r"does not fit Linear: it lacks weight \(4, 3\), bias \(4,\); it also has",
        ),
        (
            nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2)),
            r"other shapes: 0.weight \(4, 3\) for \(5, 3\), .* and \d more. Give its own `build`",
        ),
        (nn.Sequential(nn.Linear(3, 4)), r"it also has 1.weight \(4,\), .* and \d more"),
    ],
)
def test_an_architecture_that_does_not_fit(trained, other, problem, tmp_path):
    with pytest.raises(InputError, match=problem):
        fit(trained.state_dict(), other, tmp_path / "m.pt")


class Hostile:
    """Runs a command when it is unpickled without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("hidden", [False, True])
def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path, hidden):
    path, mark = tmp_path / "m.pt", tmp_path / "it-ran"
    payload = {"state_dict": {"weight": torch.zeros(2, 2)}, "extra": Hostile(mark)}
    if hidden:
        path.write_bytes(pickle.dumps(payload["extra"]))
    else:
        torch.save(payload, path)
    with pytest.raises(InputError, match=r"is a pickle that holds more than tensors .*is refused"):
        read_tensors(path)
    assert not mark.exists()


def test_a_whole_pickled_module_is_refused_by_its_name(tmp_path):
    path = tmp_path / "m.pt"
    torch.save(nn.Linear(2, 2), path)
    with pytest.raises(InputError, match=r"asks for torch.nn.modules.linear.Linear\) and is refus"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("m.pt", b"PK\x03\x04broken", "cannot be read as a PyTorch checkpoint"),
        ("m.pt", b"", "cannot be read as a PyTorch checkpoint|holds more than tensors"),
        ("m.safetensors", b"broken", "is no whole safetensors file"),
        ("m.h5", b"", "is no checkpoint by its suffix '.h5'"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        read_tensors(tmp_path / name)


def test_a_truncated_checkpoint(trained, tmp_path):
    torch.save(trained.state_dict(), tmp_path / "m.pt")
    whole = (tmp_path / "m.pt").read_bytes()
    (tmp_path / "m.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"m.pt cannot be read as a PyTorch checkpoint"):
        read_tensors(tmp_path / "m.pt")
    with pytest.raises(InputError, match=r"There is no checkpoint .*n.pt"):
        read_tensors(tmp_path / "n.pt")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"epoch": 3}, "holds no state dict under any of state_dict, .*but epoch"),
        ({"weight": torch.ones(1), "epoch": 3}, "holds no state dict .*but epoch"),
        ({}, "holds no state dict .*but nothing"),
        ([torch.ones(1)], "holds a list and no state dict"),
    ],
)
def test_checkpoints_without_a_state_dict(tmp_path, content, problem):
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(InputError, match=problem):
        read_tensors(tmp_path / "m.pt")


def test_sparsity_by_hand():
    state = {
        "weight": torch.tensor([[0.0, 1.0], [0.0, 0.0]]),
        "bias": torch.tensor([0.0, 2.0]),
        "1.running_mean": torch.zeros(5),
        "1.num_batches_tracked": torch.tensor(0),
    }
    found = measured_sparsity(state)
    assert found.targeted == 3 / 4
    assert found.all == 4 / 6
    assert (found.parameters, found.nonzero) == (6, 2)


def test_sparsity_of_nothing_is_undefined():
    found = measured_sparsity({"bias": torch.zeros(2)})
    assert found.targeted is None
    assert found.all == 1.0
    assert measured_sparsity({}).all is None
