"""Pruning in one call, retraining, and the control that differs by pruning alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.prune import l1_unstructured

from pruners import Method, Training, build_seeded, prune, prune_and_retrain, train

TRAINING = Training(epochs=4, batch_size=8, lr=0.05)


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def test_prune_gives_a_pruned_copy_and_leaves_the_parent(net, data):
    before = copy.deepcopy(net.state_dict())
    pruned = prune(net, sparsity=0.9, saliency="obd", data=data)
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert list(pruned.state_dict()) == list(before)
    zeros = sum(int((p == 0).sum()) for n, p in pruned.named_parameters() if "weight" in n)
    assert zeros == round(0.9 * 672)
    assert torch.equal(prune(net, 0.0)(data[0]), net(data[0]))


@pytest.mark.parametrize("method", [Method(), Method("taylor1", schedule="iterative", examples=10)])
def test_pruned_and_retrained(net, data, method):
    parent = copy.deepcopy(net)
    made = prune_and_retrain(net, *data, method, 0.8, TRAINING, seed=0)
    assert torch.equal(weights(net), weights(parent))
    assert made.sparsities.removed == round(0.8 * 672)
    assert made.sparsities.requested == made.masks.requested == 0.8
    assert len(made.curve.loss) == 4
    assert not made.model.training
    for parameter, gone in made.masks.removed(made.model):
        assert parameter[gone].count_nonzero() == 0
    again = prune_and_retrain(net, *data, method, 0.8, TRAINING, seed=0)
    assert torch.equal(weights(again.model), weights(made.model))
    assert again.curve == made.curve


def test_no_retraining_is_prune(net, data):
    method = Method(schedule="one_shot", retraining="none")
    made = prune_and_retrain(net, *data, method, 0.6, TRAINING, seed=0)
    assert torch.equal(weights(made.model), weights(prune(net, 0.6)))
    assert made.curve.loss == ()
    assert made.sparsities.targeted == pytest.approx(0.6, abs=0.001)


class Recorder(nn.Module):
    """Remembers what it was shown, and draws from the global generator as dropout does."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.shown: list[torch.Tensor] = []
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        if self.training:
            self.shown.append(self.dropout(x).detach().clone())
        return self.inner(x)


@pytest.mark.parametrize("saliency", ["magnitude", "fisher", "random"])
def test_the_control_sees_the_same_batches_in_the_same_order(net, data, saliency):
    parent = Recorder(net)
    training = Training(epochs=3, batch_size=8, augmentation="shift_flip")
    method = Method(saliency)
    runs = [
        prune_and_retrain(parent, *data, *arm, training, seed=5).model.shown
        for arm in ((None, 0.0), (method, 0.8), (method, 0.0))
    ]
    assert len(runs[0]) == training.steps(len(data[0])) == 9
    for shown in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(runs[0], shown, strict=True))


def test_the_control_is_plain_training(net, data):
    control = prune_and_retrain(net, *data, None, 0.0, TRAINING, seed=3)
    plain = copy.deepcopy(net)
    curve = train(plain, *data, TRAINING, seed=3)
    assert torch.equal(weights(control.model), weights(plain))
    assert control.curve == curve
    assert control.sparsities.removed == 0
    dense = prune_and_retrain(net, *data, Method(), 0, TRAINING, seed=3)
    assert torch.equal(weights(dense.model), weights(plain))


def test_a_control_needs_nothing_to_prune():
    model = build_seeded("mlp", (4,), 2, seed=0, hidden=(3,))
    data = torch.rand(8, 4), torch.arange(8) % 2
    assert prune_and_retrain(model, *data, None, 0.0, TRAINING, seed=0).sparsities.removed == 0
    with pytest.raises(ValueError, match=r"protect=\(\)"):
        prune_and_retrain(model, *data, Method(), 0.5, TRAINING, seed=0)


def test_the_batches_are_prepared_for_the_saliency_too(net, data):
    coded = (data[0] * 255).to(torch.uint8)
    made = prune_and_retrain(
        net, coded, data[1], Method("fisher"), 0.5, TRAINING, seed=0, prepare=lambda b: b / 255
    )
    assert made.sparsities.removed == 336


@pytest.mark.parametrize("bad", [1.0, -0.1, float("nan"), "0.9"])
def test_bad_sparsities_are_refused(net, data, bad):
    for call in (
        lambda: prune(net, bad),
        lambda: prune_and_retrain(net, *data, Method(), bad, TRAINING, seed=0),
    ):
        with pytest.raises(ValueError, match="fraction removed"):
            call()


def test_a_sparsity_needs_a_method(net, data):
    with pytest.raises(ValueError, match="needs a method"):
        prune_and_retrain(net, *data, None, 0.5, TRAINING, seed=0)


@pytest.mark.parametrize("saliency", ["snip", "synflow", "wanda"])
def test_inference_mode_around_it_changes_nothing(net, data, saliency):
    expected = prune(net, 0.5, saliency=saliency, data=data)
    with torch.inference_mode():
        shown = (data[0].clone(), data[1].clone())
        pruned = prune(net, 0.5, saliency=saliency, data=shown)
    assert torch.equal(weights(pruned), weights(expected))
    pruned(data[0]).sum().backward()


def test_a_model_that_cannot_be_copied_says_what_to_do(net, data):
    l1_unstructured(net[3], "weight", 0.5)
    net(data[0]).sum().backward()
    with pytest.raises(ValueError, match=r"cannot be copied .*graph leaves.*prune\.remove"):
        prune(net, 0.5)


@pytest.mark.parametrize("retraining", ["fine_tune", "none"])
def test_no_steps_of_retraining_still_reach_the_sparsity(net, data, retraining):
    schedule = "cubic" if retraining == "fine_tune" else "one_shot"
    method = Method(schedule=schedule, retraining=retraining)
    made = prune_and_retrain(net, *data, method, 0.5, Training(epochs=0), seed=0)
    assert made.sparsities.removed == 336
