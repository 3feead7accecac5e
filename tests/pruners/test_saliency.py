"""Saliencies: by hand, against finite sums, against the exact Hessian."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from pruners import SALIENCIES, make_masks
from pruners.saliency import curvature_kind, examples, fisher, magnitude, obd, random, taylor1
from tests.pruners.saliency.scored import names_of, score


def test_magnitude_is_the_size(linear):
    layer = linear([[1.0, -2.0, 0.0], [-0.5, 3.0, -4.0]])
    assert magnitude(layer, ["weight"])["weight"].tolist() == [[1, 2, 0], [0.5, 3, 4]]


def test_random_is_drawn_from_the_seed_and_the_name(net):
    names = names_of(net)
    once, again, other = (
        random(net, names, None, 3),
        random(net, names, None, 3),
        random(net, names, None, 4),
    )
    for name in names:
        assert torch.equal(once[name], again[name])
        assert not torch.equal(once[name], other[name])
        assert 0 <= once[name].min() <= once[name].max() < 1
    alone = random(net, names[2:3], None, 3)[names[2]]
    assert torch.equal(alone, once[names[2]])


def test_first_derivative_by_hand(linear):
    """Two classes, one input x = (1, 2), label 0: ∂loss/∂W = (p − y) xᵀ."""
    layer = linear([[0.0, 0.5], [0.0, 0.5]])
    data = (torch.tensor([[1.0, 2.0]]), torch.tensor([0]))
    # p = (½, ½): g = [[−½, −1], [½, 1]]
    assert taylor1(layer, ["weight"], data)["weight"].tolist() == [[0, -0.5], [0, 0.5]]
    assert fisher(layer, ["weight"], data)["weight"].tolist() == [[0, 0.25], [0, 0.25]]
    # h = p (1 − p) x² = [¼, 1], ½ h w² = ½ · 1 · ¼
    found = obd(layer, ["weight"], data)["weight"]
    torch.testing.assert_close(found, torch.tensor([[0, 0.125], [0, 0.125]]), rtol=1e-6, atol=0)


def test_taylor_adds_up_over_batches(net, data):
    names = names_of(net)
    whole = taylor1(net, names, data)
    loss = F.cross_entropy(net(data[0]), data[1])
    net.zero_grad()
    loss.backward()
    parameters = dict(net.named_parameters())
    batches = [(data[0][:7], data[1][:7]), (data[0][7:], data[1][7:])]
    parts = taylor1(net, names, batches)
    for name in names:
        expected = parameters[name].grad * parameters[name].detach()
        torch.testing.assert_close(whole[name], expected, atol=1e-7, rtol=1e-4)
        torch.testing.assert_close(parts[name], expected, atol=1e-7, rtol=1e-4)


def test_fisher_is_the_mean_square_of_gradients_one_by_one(net, data):
    names = names_of(net)
    found = fisher(net, names, data)
    parameters = dict(net.named_parameters())
    total = {name: torch.zeros_like(parameters[name]) for name in names}
    for x, y in zip(*data, strict=True):
        loss = F.cross_entropy(net(x[None]), y[None])
        for name, g in zip(
            names, torch.autograd.grad(loss, [parameters[n] for n in names]), strict=True
        ):
            total[name] += g**2 / len(data[0])
    for name in names:
        expected = total[name] * parameters[name].detach() ** 2
        torch.testing.assert_close(found[name], expected, atol=1e-9, rtol=1e-3)


def exact_diagonal(model: nn.Module, name: str, data) -> torch.Tensor:
    """The diagonal of the Hessian of the mean loss, by differentiating twice."""
    weight = dict(model.named_parameters())[name].detach()

    def loss(flat):
        logits = functional_call(model, {name: flat.reshape(weight.shape)}, (data[0],))
        return F.cross_entropy(logits, data[1])

    hessian = torch.autograd.functional.hessian(loss, weight.reshape(-1))
    return hessian.diagonal().reshape(weight.shape)


def small(activation: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    return (
        nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), activation, nn.Flatten(), nn.Linear(8, 3)
        )
        .double()
        .eval()
    )


def test_obd_is_the_exact_diagonal_on_a_piecewise_linear_net(data):
    model, shown = small(nn.ReLU()), (data[0].double(), data[1])
    for name in names_of(model):
        weight = dict(model.named_parameters())[name].detach()
        expected = 0.5 * weight**2 * exact_diagonal(model, name, shown)
        torch.testing.assert_close(obd(model, [name], shown)[name], expected, rtol=1e-6, atol=1e-12)


def test_obd_differs_from_the_exact_diagonal_behind_a_curve(data):
    model, shown = small(nn.Tanh()), (data[0].double(), data[1])
    weight = model[0].weight.detach()
    exact = 0.5 * weight**2 * exact_diagonal(model, "0.weight", shown)
    found = obd(model, ["0.weight"], shown)["0.weight"]
    assert (found >= 0).all()
    assert not torch.allclose(found, exact, rtol=1e-3)


def test_obd_says_which_curvature_it_used(net, data):
    assert curvature_kind(net, data[0]) == "exact"
    assert curvature_kind(small(nn.Tanh()), data[0].double()) == "gauss_newton"
    note = make_masks(net, [0.5], saliency="obd", data=data)[0].notes
    assert note == ("obd: exact Hessian diagonal (the network is piecewise linear).",)
    assert make_masks(net, [0.5], saliency="fisher", data=data)[0].notes == ()


def test_a_weight_used_twice_makes_the_loss_curved():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x).relu())

    assert curvature_kind(Twice().eval(), torch.rand(2, 3)) == "gauss_newton"


def test_memory_is_bounded_by_chunks_that_change_nothing(net, data, monkeypatch):
    names = names_of(net)
    whole = fisher(net, names, data), obd(net, names, data)
    monkeypatch.setattr(examples, "GRADIENT_BYTES", 1)
    for before, after in zip(whole, (fisher(net, names, data), obd(net, names, data)), strict=True):
        for name in names:
            torch.testing.assert_close(before[name], after[name], rtol=1e-4, atol=1e-9)


def test_modules_that_cannot_be_batched_go_one_by_one():
    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            return self.one(x) if float(x.sum()) > 0 else self.two(x)

    torch.manual_seed(0)
    found = fisher(Branch(), ["one.weight", "two.weight"], (torch.ones(2, 3), torch.tensor([0, 1])))
    assert found["one.weight"].sum() > 0
    assert found["two.weight"].sum() == 0


@pytest.mark.parametrize("name", sorted(SALIENCIES))
def test_scoring_leaves_the_model_as_it_was(net, data, name):
    net.train()
    net[1].eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    state = torch.get_rng_state()
    score(name, net, names_of(net), data)
    assert torch.equal(state, torch.get_rng_state())
    assert net.training
    assert net[0].training
    assert not net[1].training
    for key, value in net.state_dict().items():
        assert torch.equal(before[key], value)
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("name", [n for n, row in SALIENCIES.items() if row.needs_data])
def test_missing_examples_are_asked_for(net, name):
    names = names_of(net)
    with pytest.raises(ValueError, match=rf"{name!r} needs examples: pass data="):
        score(name, net, names, None)
    with pytest.raises(ValueError, match=f"{name!r} was given no examples: data is empty"):
        score(name, net, names, [])
    none = (torch.zeros(0, 1, 4, 4), torch.zeros(0, dtype=torch.int64))
    with pytest.raises(ValueError, match=f"{name!r} was given no examples: data is empty"):
        score(name, net, names, none)


def test_other_batches_than_pairs_are_named(net, data):
    x, y = data
    given = {
        "a dict of x, y": [{"x": x, "y": y}],
        "a tuple of Tensor, Tensor, Tensor": [(x, y, y)],
        "a tuple of ndarray, Tensor": [(x.numpy(), y)],
        "a Tensor": x,
        "a int": 3,
    }
    for what, batches in given.items():
        with pytest.raises(ValueError, match=f"two tensors, .inputs, labels., got {what}: pass"):
            make_masks(net, [0.5], saliency="taylor1", data=batches)
    with pytest.raises(ValueError, match=f"has {len(x)} inputs and 2 labels"):
        make_masks(net, [0.5], saliency="wanda", data=(x, y[:2]))


def test_an_iterator_and_a_loader_are_examples_too(net, data):
    pair = make_masks(net, [0.5], saliency="obd", data=data)[0]
    parts = zip(data[0].split(6), data[1].split(6), strict=True)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data), 8)
    for other in (parts, loader, list(data)):
        found = make_masks(net, [0.5], saliency="obd", data=other)[0]
        assert all(torch.equal(pair.kept[name], found.kept[name]) for name in pair.kept)


def test_ranking_by_signed_weight_is_not_magnitude(linear):
    """A published recipe removes the most negative weights: ours removes the smallest."""
    layer = linear([[-5.0, 1.0, 2.0, -0.1]])
    kept = make_masks(layer, [0.5], protect=())[0].kept["weight"]
    assert kept.tolist() == [[True, False, True, False]]
