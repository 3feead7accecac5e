"""Torch's own encoder layer under every saliency: no warning, and the values of a plain loop."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from pruners import SALIENCIES
from pruners.saliency import fisher, grasp, obd
from tests.pruners.saliency.scored import names_of, score


class Encoder(nn.Module):
    """One encoder layer, its tokens averaged, and three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, tokens):
        return self.head(self.layer(tokens).mean(1))


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    data = (torch.rand(6, 5, 4), torch.tensor([0, 1, 2, 0, 1, 2]))
    return Encoder().eval(), data


@pytest.mark.parametrize("name", [n for n in SALIENCIES if n not in ("bn_scale", "hrank")])
def test_attention_is_scored_without_a_warning(name, encoder):
    model, data = encoder
    found = score(name, model, names_of(model), data)
    assert set(found) == set(names_of(model))
    assert all(not bool(scores.isnan().any()) for scores in found.values())
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.parametrize(("saliency", "half"), [(fisher, 1.0), (obd, 0.5)])
def test_squared_gradients_are_those_of_each_example(saliency, half, encoder):
    model, (inputs, labels) = encoder
    names = names_of(model)
    found = saliency(model, names, (inputs, labels))
    totals = {name: torch.zeros_like(model.get_parameter(name)) for name in names}
    for one, label in zip(inputs, labels, strict=True):
        shares = model(one[None]).softmax(1).detach()[0] if saliency is obd else F.one_hot(label, 3)
        for place, share in enumerate(shares):
            model.zero_grad()
            F.cross_entropy(model(one[None]), torch.tensor([place])).backward()
            for name in names:
                totals[name] += share * model.get_parameter(name).grad.square() / len(inputs)
    for name in names:
        expected = half * model.get_parameter(name).detach().square() * totals[name]
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-8)


def test_attention_is_differentiated_twice(encoder):
    model, data = encoder
    model, shown = model.double(), (data[0].double(), data[1])
    name = "layer.self_attn.in_proj_weight"
    weight = model.get_parameter(name).detach()

    def gradient(chosen):
        with torch.enable_grad():
            leaf = chosen.clone().requires_grad_()
            logits = functional_call(model, {name: leaf}, (shown[0],)) / 200
            return torch.autograd.grad(F.cross_entropy(logits, shown[1]), leaf)[0]

    along, step = gradient(weight), 1e-2
    twice = (gradient(weight + step * along) - gradient(weight - step * along)) / (2 * step)
    found = grasp(model, [name], shown)[name]
    torch.testing.assert_close(found, weight * twice, rtol=1e-4, atol=1e-14)
