"""SNIP, GraSP and SynFlow: by hand, by their definitions, and what batch-norm does meanwhile."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pruners.saliency import examples, grasp, snip, synflow, taylor1
from pruners.saliency.initialisation import TEMPERATURE
from tests.pruners.saliency.scored import names_of


def test_snip_by_hand(linear):
    """Two classes, x = (1, 2), label 0, p = (½, ½): g = [[−½, −1], [½, 1]]."""
    layer = linear([[0.0, 0.5], [0.0, 0.5]])
    data = (torch.tensor([[1.0, 2.0]]), torch.tensor([0]))
    assert snip(layer, ["weight"], data)["weight"].tolist() == [[0, 0.5], [0, 0.5]]


def test_snip_is_the_size_of_taylor_where_statistics_are_known(net, data):
    names = names_of(net)
    net[1].num_batches_tracked += 1
    found, first = snip(net, names, data), taylor1(net, names, data)
    for name in names:
        torch.testing.assert_close(found[name], first[name].abs(), rtol=1e-5, atol=1e-9)


def test_batch_norm_that_was_never_updated_uses_the_batch(net, data):
    names = names_of(net)
    net.train()
    loss = F.cross_entropy(net(data[0]), data[1])
    net.zero_grad()
    loss.backward()
    expected = {n: (net.get_parameter(n).grad * net.get_parameter(n)).abs() for n in names}
    net[1].reset_running_stats()
    found = snip(net, names, data)
    for name in names:
        torch.testing.assert_close(found[name], expected[name].detach(), rtol=1e-4, atol=1e-8)
    assert int(net[1].num_batches_tracked) == 0
    assert torch.equal(net[1].running_mean, torch.zeros(4))


def by_hand(model, name, data):
    """w · (H g) from the whole Hessian of one parameter."""
    weight = model.get_parameter(name).detach()

    def loss(flat):
        logits = torch.func.functional_call(model, {name: flat.reshape(weight.shape)}, (data[0],))
        return F.cross_entropy(logits / TEMPERATURE, data[1])

    flat = weight.reshape(-1)
    hessian = torch.autograd.functional.hessian(loss, flat)
    gradient = torch.func.grad(loss)(flat)
    return (flat * (hessian @ gradient)).reshape(weight.shape)


def test_grasp_is_the_hessian_times_the_gradient(data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    shown = (data[0].double(), data[1])
    for name in ("1.weight", "3.weight"):
        found = grasp(model, [name], shown)[name]
        torch.testing.assert_close(found, by_hand(model, name, shown), rtol=1e-9, atol=1e-18)


def test_grasp_removes_first_what_lets_the_gradient_grow(data):
    """−2 w·(H g) is the first-order change of ‖g‖² when w goes: the lowest score gains most."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).double()
    shown = (data[0].double(), data[1])
    score = grasp(model, ["1.weight"], shown)["1.weight"]

    def norm(weight):
        leaf = weight.clone().requires_grad_()
        loss = F.cross_entropy(shown[0].flatten(1) @ leaf.T / TEMPERATURE, shown[1])
        return torch.autograd.grad(loss, leaf)[0].square().sum()

    with torch.no_grad():
        model[1].bias.zero_()
    score = grasp(model, ["1.weight"], shown)["1.weight"]
    weight, step = model[1].weight.detach(), 1e-4
    for index in (int(score.argmin()), int(score.argmax())):
        less = weight.clone()
        less.view(-1)[index] *= 1 - step
        change = (norm(less) - norm(weight)) / step
        assert float(change) == pytest.approx(-2 * float(score.view(-1)[index]), rel=1e-3)
    assert score.min() < 0 < score.max()


def test_grasp_goes_twice_through_an_iterator(net, data):
    names = names_of(net)
    net[1].num_batches_tracked += 1
    parts = zip(data[0].split(7), data[1].split(7), strict=True)
    whole, found = grasp(net, names, data), grasp(net, names, parts)
    for name in names:
        torch.testing.assert_close(found[name], whole[name], rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize("saliency", [taylor1, snip, grasp])
def test_a_batch_goes_in_parts_that_fit_the_memory(saliency, net, data, monkeypatch):
    names = names_of(net)
    net[1].num_batches_tracked += 1
    whole, sizes = saliency(net, names, data), []
    net.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    monkeypatch.setattr(examples, "GRADIENT_BYTES", 1)
    found = saliency(net, names, data)
    singles = len(data[0]) * (2 if saliency is grasp else 1)
    assert sizes.count(1) == singles
    assert len(sizes) - singles == singles // len(data[0])  # the probes
    for name in names:
        assert float(whole[name].abs().max()) > 0
        torch.testing.assert_close(found[name], whole[name], rtol=1e-4, atol=1e-10)


def test_what_is_kept_of_an_example_is_what_autograd_saves(monkeypatch):
    """tanh keeps its 64 outputs, the layers their 16 and 64 inputs, the loss 3 numbers or so."""
    net = nn.Sequential(nn.Linear(16, 64, bias=False), nn.Tanh(), nn.Linear(64, 3, bias=False))
    data, sizes = (torch.rand(20, 16), torch.arange(20) % 3), []
    net.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    monkeypatch.setattr(examples, "GRADIENT_BYTES", 4 * 4 * (16 + 64 + 10))
    snip(net, names_of(net), data)
    assert sizes == [2, 4, 4, 4, 4, 4]


def test_a_batch_that_statistics_are_taken_of_stays_whole(net, data, monkeypatch):
    names = names_of(net)
    whole = snip(net, names, data)
    monkeypatch.setattr(examples, "GRADIENT_BYTES", 1)
    found = snip(net, names, data)
    assert all(torch.equal(found[name], whole[name]) for name in names)


def test_synflow_by_hand(linear):
    """Two layers, all paths: R = 1ᵀ |V| |W| 1; a weight's score is the flow through it."""
    first, second = linear([[1.0, -2.0], [0.0, 3.0]]), linear([[-1.0, 0.5]])
    model = nn.Sequential(first, nn.ReLU(), second)
    data = (torch.full((1, 2), 7.0), torch.tensor([0]))
    found = synflow(model, ["0.weight", "2.weight"], data)
    assert found["0.weight"].tolist() == [[1, 2], [0, 1.5]]
    assert found["2.weight"].tolist() == [[3, 1.5]]


def test_synflow_conserves_the_flow_and_looks_at_no_values(net, data):
    """Every layer's scores add up to the same total, with biases and batch-norm in between."""
    with torch.no_grad():
        net[1].running_mean.uniform_(-1, 1)
        net[1].running_var.uniform_(0.5, 2)
        net[1].bias.uniform_(-1, 1)
    names = names_of(net)
    found = synflow(net, names, data)
    totals = torch.stack([found[name].sum() for name in names])
    torch.testing.assert_close(totals, totals[:1].expand(4), rtol=1e-12, atol=0)
    other = synflow(net, names, (-3 * data[0], data[1]))
    assert all(torch.equal(found[name], other[name]) for name in names)


def test_synflow_goes_beyond_float32():
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(100, 100) for _ in range(70)))
    with torch.no_grad():
        for layer in model:
            layer.weight.mul_(10)
    found = synflow(model, ["0.weight"], (torch.ones(1, 100), torch.tensor([0])))["0.weight"]
    assert found.max() > torch.finfo(torch.float32).max
    assert found.isfinite().all()


def test_synflow_refuses_what_has_no_flow(linear):
    layer = linear([[0.0, 0.0]])
    with pytest.raises(ValueError, match=r"total flow of 0\.0"):
        synflow(layer, ["weight"], (torch.ones(1, 2), torch.tensor([0])))
    table = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 2))
    with pytest.raises(ValueError, match=r"inputs are torch\.int64"):
        synflow(table, ["2.weight"], (torch.zeros(1, 2, dtype=torch.int64), torch.tensor([0])))
