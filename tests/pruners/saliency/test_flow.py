"""What follows a layer: activations and batch-norms, in modules and in functions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pruners import architectures
from pruners.saliency import bn_scale
from pruners.saliency.flow import watch_activations
from pruners.saliency.tracing import flow


class Functions(nn.Module):
    """Pooling before a ReLU that works in place, a residual sum in place, and a branch."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.norm, self.last = nn.BatchNorm2d(3), nn.Linear(3, 2)
        self.norm.running_mean += 0.1
        self.norm.weight.data = torch.tensor([0.5, -2.0, 1.5])

    def forward(self, x):
        assert x.shape[1] == 1
        if x.sum() > 1e9:
            return x
        x = F.relu(F.max_pool2d(self.one(x), 2), inplace=True)
        y = self.norm(self.two(x))
        y += x
        return self.last(y.relu().mean((2, 3)))


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return Functions().eval()


def activations(model, names, data):
    found = {}

    def see(name, values):
        found[name] = values.clone()  # what follows may work in place

    assert watch_activations(model, names, data, "this", see) == set(found)
    return found


def test_values_are_those_after_the_nonlinearity(model, data):
    found = activations(model, ["one.weight", "two.weight", "last.weight"], data)
    with torch.no_grad():
        one = F.relu(F.max_pool2d(model.one(data[0]), 2))
        two = model.norm(model.two(one))  # added to something else before its ReLU
        last = model.last((two + one).relu().mean((2, 3)))
    torch.testing.assert_close(found["one.weight"], one.movedim(1, 0))
    torch.testing.assert_close(found["two.weight"], two.movedim(1, 0))
    torch.testing.assert_close(found["last.weight"], last.T)


def test_values_of_a_chain_of_modules(net, data):
    found = activations(net, ["0.weight", "3.weight", "7.weight", "9.weight"], data)
    with torch.no_grad():
        for name, end in {"0.weight": 3, "3.weight": 5, "7.weight": 9, "9.weight": 10}.items():
            torch.testing.assert_close(found[name], net[:end](data[0]).movedim(1, 0))


def test_the_scale_of_the_norm_that_follows(model, net, data):
    for shown in (None, data):
        found = bn_scale(model, ["one.weight", "two.weight", "last.weight"], shown)
        assert found["two.weight"][:, 0, 0, 0].tolist() == [0.5, 2.0, 1.5]
        assert found["one.weight"].isinf().all()
        assert found["last.weight"].isinf().all()
        other = bn_scale(net, ["0.weight", "3.weight"], shown)
        assert torch.equal(other["0.weight"][:, 0, 0, 0], net[1].weight.abs())
        assert other["3.weight"].isinf().all()


@pytest.mark.parametrize("shortcut", ["projection", "pad"])
def test_every_convolution_of_a_residual_net_has_its_norm(shortcut):
    model = architectures.resnet20((1, 8, 8), 3, width=4, shortcut=shortcut)
    names = [name for name, p in model.named_parameters() if p.ndim == 4]
    norms = flow(model, torch.rand(2, 1, 8, 8)).norms
    for name in names:  # stage1_block1.conv1.weight has norm1 of its block
        owner = name.replace("conv", "norm").replace(".0.w", ".1.w").removesuffix(".weight")
        assert norms[name.removesuffix(".weight")] == (owner,)


def test_a_norm_behind_pooling_is_the_convolutions_and_one_used_in_a_loop_too():
    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.pool, self.norm = nn.Conv1d(1, 2, 1), nn.MaxPool1d(1), nn.BatchNorm1d(2)

        def forward(self, x):
            return sum(self.norm(self.pool(self.conv(row[None]))) for row in x)

    assert flow(Loop(), torch.rand(2, 1, 3)).norms == {"conv": ("norm",)}
    assert flow(Loop(), torch.rand(1, 1, 3)).norms == {"conv": ("norm",)}
