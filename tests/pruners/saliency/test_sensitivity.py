"""Sensitivity to what goes in, and to what units do: against variances worked out otherwise."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pruners import make_masks
from pruners.saliency import fourier, input_sensitivity
from pruners.saliency.sensitivity import HARMONICS, SWEEP


def test_inputs_on_paper(linear):
    """x_0 is 0 or 2 (variance 1), x_1 is 1 ± 3 (variance 9), x_2 is 5 (no variance)."""
    layer = linear([[3.0, 1.0, 7.0], [4.0, 0.0, 7.0]])
    data = (torch.tensor([[0.0, 4.0, 5.0], [2.0, -2.0, 5.0]]), torch.tensor([0, 1]))
    found = input_sensitivity(nn.Sequential(layer), ["0.weight"], data)["0.weight"]
    assert found.shape == (2, 3)
    assert found[0].tolist() == found[1].tolist() == pytest.approx([5.0, 3.0, 0.0])


@pytest.mark.parametrize("groups", [1, 2])
def test_of_a_convolution_it_is_the_spread_of_its_outputs(groups):
    """With a kernel of one pixel there are no borders: one input at a time, straight away."""
    torch.manual_seed(1)
    layer = nn.Conv2d(4, 6, 1, groups=groups, bias=False)
    inputs = torch.rand(20, 4, 3, 3)
    model = nn.Sequential(layer, nn.ReLU())
    found = input_sensitivity(model, ["0.weight"], (inputs, torch.zeros(20)))["0.weight"]
    for j in range(4 // groups):
        only = inputs.clone()
        for channel in range(4):
            if channel % (4 // groups) != j:
                only[:, channel] = 0.3
        outputs = layer(only).detach()
        expected = outputs.var(0, correction=0).mean((1, 2)).sum().sqrt()
        torch.testing.assert_close(found[0, j, 0, 0], expected.double(), rtol=1e-4, atol=1e-6)


def test_features_of_the_input_that_do_not_vary_go_first():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    inputs = torch.rand(30, 6)
    inputs[:, [1, 4]] = 0.5
    data = (inputs, torch.zeros(30, dtype=torch.int64))
    masks = make_masks(
        model,
        [1 / 3],
        saliency="input_sensitivity",
        granularity="column",
        protect=("last",),
        data=data,
    )[0]
    kept = masks.kept["0.weight"]
    assert kept.all(0).tolist() == [True, False, True, True, False, True]
    assert not kept[:, [1, 4]].any()


def straight(rows: list[list[float]]) -> nn.Module:
    """Two inputs, units that pass on their sum and so on, and a linear output."""
    torch.manual_seed(0)
    last = nn.Linear(len(rows[0]), len(rows), bias=False)
    last.weight.data = torch.tensor(rows)
    return nn.Sequential(nn.Linear(2, len(rows[0])), last)


def test_of_a_straight_response_the_spectrum_is_its_variance():
    """y = Σ v_j x_j: D_j = v_j² (high − low)² / 12 · 96 / π⁴, the first harmonic of a triangle.

    The noise of random orders is some 2 · HARMONICS / SWEEP of the variance of all.
    """
    model = straight([[1.0, -2.0, 0.0, 4.0], [0.0, 1.0, 0.0, 0.0]])
    data = (torch.rand(50, 2), torch.zeros(50))
    found = fourier(model, ["0.weight"], data)["0.weight"][:, 0]
    hidden = model[0](data[0]).detach()
    wide = hidden.amax(0) - hidden.amin(0)
    strength = torch.tensor([1.0, 5.0, 0.0, 16.0])
    expected = strength * wide.square() / 12 * 96 / torch.pi**4
    noise = 2 * HARMONICS / SWEEP * expected.sum()
    assert (found - expected).abs().max() < 4 * noise + 0.15 * expected.max()
    torch.testing.assert_close(found[3], expected[3], rtol=0.15, atol=float(noise))
    assert found[2] < 3 * noise
    assert found.argsort().tolist() == expected.argsort().tolist()


def test_units_that_do_nothing_score_nothing(net, data):
    net[3].weight.data[5], net[3].bias.data[5] = 0.0, 3.0
    for saliency_seed in (0, 1):
        score = fourier(net, ["3.weight"], data, saliency_seed)["3.weight"].flatten(1)[:, 0]
        assert score[5] == 0
        assert score.count_nonzero() == 7


def test_the_seed_draws_the_order_and_the_strong_unit_stays():
    model = straight([[0.1, -0.1, 9.0, 0.1]])
    data = (torch.rand(50, 2), torch.zeros(50))
    one, same, other = (fourier(model, ["0.weight"], data, seed)["0.weight"] for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one[:, 0].argmax() == other[:, 0].argmax() == 2


def test_sweeping_works_in_place_and_over_maps(data):
    class Shortcut(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.last = nn.Conv2d(1, 3, 3, padding=1), nn.Linear(48, 2)

        def forward(self, x):
            y = self.conv(x)
            y += x
            return self.last(F.relu(y, inplace=True).flatten(1))

    torch.manual_seed(0)
    model = Shortcut().eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = fourier(model, ["conv.weight", "last.weight"], data)
    assert (found["conv.weight"][:, 0, 0, 0] > 0).all()
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


class Shortcut(nn.Module):
    """A path round its second layer; `pinned` views everything by the batch that came in.

    `strict` refuses another.
    """

    def __init__(self, *, pinned=False, strict=False):
        super().__init__()
        self.one, self.two, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.pinned, self.strict = pinned, strict

    def forward(self, x):
        first = self.one(x).relu()
        found = first + self.two(first)
        if self.strict and len(found) != len(x):
            raise IndexError("the batch grew")
        return self.last(found.reshape(len(x), -1, 4).mean(1) if self.pinned else found)


def test_what_is_in_front_of_a_layer_is_computed_once_where_the_model_lets_it():
    torch.manual_seed(0)
    data, seen = (torch.rand(8, 4), torch.arange(8) % 2), []
    free, others = Shortcut(), [Shortcut(pinned=True), Shortcut(strict=True)]
    free.one.register_forward_hook(lambda layer, given, out: seen.append(len(given[0])))
    found = fourier(free, ["two.weight"], data)["two.weight"]
    assert set(seen) == {8, 1, 2}  # the data, the sweep, and two points to try it on
    for other in others:
        other.load_state_dict(free.state_dict())
        whole = fourier(other, ["two.weight"], data)["two.weight"]
        assert float(whole.min()) > 0
        torch.testing.assert_close(found, whole, rtol=1e-5, atol=0)
