"""Optimal brain surgeon: the closed form, and that making up for removed weights pays."""

from __future__ import annotations

import copy
import importlib

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pruners import SALIENCIES, prune
from pruners.saliency import examples, obs, obs_update, woodfisher, woodfisher_update
from tests.pruners.saliency.scored import names_of

NAME = "weight"
# The package has functions of these names.
blocks = importlib.import_module("pruners.saliency.woodfisher")
full = importlib.import_module("pruners.saliency.obs")


@pytest.fixture
def softmax():
    """A linear softmax model near its optimum, inputs correlated: the loss is nearly square."""
    draws = torch.Generator().manual_seed(0)
    mix = torch.randn(6, 6, generator=draws, dtype=torch.float64)
    inputs = torch.randn(200, 6, generator=draws, dtype=torch.float64) @ mix
    labels = (inputs[:, :3] + torch.randn(200, 3, generator=draws)).argmax(1)
    model = nn.Linear(6, 3, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(0.3 * torch.randn(3, 6, generator=draws))
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=50)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    optimizer.zero_grad()
    return model, (inputs, labels)


def hessian_of(model, data, damping):
    weight = model.weight.detach()

    def loss(flat):
        return F.cross_entropy(data[0] @ flat.reshape(weight.shape).T, data[1])

    found = torch.autograd.functional.hessian(loss, weight.reshape(-1))
    return found + damping * torch.eye(len(found), dtype=found.dtype)


def fisher_of(model, data, damping):
    p = model(data[0]).softmax(1).detach()
    p[torch.arange(len(p)), data[1]] -= 1
    rows = (p[:, :, None] * data[0][:, None]).flatten(1)
    return rows.T @ rows / len(rows) + damping * torch.eye(18, dtype=rows.dtype)


CASES = {
    "obs": (obs, obs_update, hessian_of, 1e-6),
    "woodfisher": (woodfisher, woodfisher_update, fisher_of, 1e-5),
}


@pytest.mark.parametrize("name", CASES)
def test_scores_are_the_closed_form(softmax, name):
    model, data = softmax
    score, _, matrix, damping = CASES[name]
    inverse = torch.linalg.inv(matrix(model, data, damping)).diagonal()
    expected = model.weight.detach().square() / (2 * inverse.reshape(3, 6))
    torch.testing.assert_close(score(model, [NAME], data)[NAME], expected, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_answer_to_several_removals_is_the_best_one(softmax, name):
    """Minimum of ½ δᵀ H δ with δ = −w where weights go: the others' gradient is zero."""
    model, data = softmax
    _, update, matrix, damping = CASES[name]
    square = matrix(model, data, damping)
    gone = torch.zeros(3, 6, dtype=torch.bool)
    gone[0, :4] = gone[2, 3:5] = True
    before = model.weight.detach().clone()
    update(model, {NAME: gone}, data, 0)
    step = (model.weight.detach() - before).masked_fill(gone, 0.0) - before * gone
    slope = (square @ step.reshape(-1)).reshape(3, 6)
    assert slope[~gone].abs().max() < 1e-9
    assert slope[gone].abs().max() > 1e-3
    assert torch.equal(model.weight.detach()[gone], before[gone])


@pytest.mark.parametrize("name", CASES)
def test_one_removal_costs_its_score(softmax, name):
    model, data = softmax
    score, update, matrix, damping = CASES[name]
    square, scores = matrix(model, data, damping), score(model, [NAME], data)[NAME]
    gone = torch.zeros(3, 6, dtype=torch.bool)
    gone[1, 2] = True
    before = model.weight.detach().clone()
    update(model, {NAME: gone}, data, 0)
    step = (model.weight.detach().masked_fill(gone, 0.0) - before).reshape(-1)
    assert float(0.5 * step @ square @ step) == pytest.approx(float(scores[1, 2]), rel=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_making_up_for_them_lowers_the_loss(softmax, name):
    model, data = softmax
    score, update, _, _ = CASES[name]
    scores = score(model, [NAME], data)[NAME]
    gone = scores <= scores.flatten().sort().values[5]
    plain, answered = copy.deepcopy(model), copy.deepcopy(model)
    update(answered, {NAME: gone}, data, 0)
    losses = []
    for each in (model, answered, plain):
        with torch.no_grad():
            if each is not model:
                each.weight[gone] = 0.0
            losses.append(float(F.cross_entropy(each(data[0]), data[1])))
    dense, with_answer, without = losses
    assert dense < with_answer < without
    assert with_answer - dense < 0.5 * (without - dense)


@pytest.mark.parametrize("name", CASES)
def test_weights_that_are_gone_have_no_part(softmax, name):
    model, data = softmax
    score, update, _, _ = CASES[name]
    with torch.no_grad():
        model.weight[:, 5] = 0.0
    narrow = nn.Linear(5, 3, bias=False, dtype=torch.float64)
    narrow.weight.data = model.weight.detach()[:, :5].clone()
    found = score(model, [NAME], data)[NAME]
    fewer = (data[0][:, :5], data[1])
    expected = score(narrow, [NAME], fewer)[NAME]
    torch.testing.assert_close(found[:, :5], expected, rtol=1e-6, atol=0)
    assert found[:, 5].count_nonzero() == 0
    gone = torch.zeros(3, 6, dtype=torch.bool)
    gone[0, 0] = True
    update(model, {NAME: gone}, data, 0)
    assert model.weight.detach()[:, 5].count_nonzero() == 0


def test_prune_makes_up_for_what_it_removes(softmax):
    model, data = softmax
    assert SALIENCIES["obs"].update is obs_update
    pruned = prune(model, 0.3, saliency="obs", data=data, protect=())
    stay = pruned.weight != 0
    assert int((~stay).count_nonzero()) == 5
    assert not torch.equal(pruned.weight[stay], model.weight[stay])


def test_blocks_are_separate(softmax, monkeypatch):
    model, data = softmax
    monkeypatch.setattr(blocks, "BLOCK", 6)
    square = fisher_of(model, data, 1e-5)
    inverse = torch.cat([torch.linalg.inv(square[i : i + 6, i : i + 6]).diagonal()
                         for i in (0, 6, 12)])  # fmt: skip
    expected = model.weight.detach().square() / (2 * inverse.reshape(3, 6))
    found = woodfisher(model, [NAME], data)[NAME]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-12)
    gone = torch.zeros(3, 6, dtype=torch.bool)
    gone[0, 0] = True
    before = model.weight.detach().clone()
    woodfisher_update(model, {NAME: gone}, data, 0)
    assert torch.equal(model.weight.detach()[1:], before[1:])
    assert not torch.equal(model.weight.detach()[0, 1:], before[0, 1:])


def test_memory_is_bounded_by_runs_that_change_nothing(net, data, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 50)
    names = names_of(net)
    whole = woodfisher(net, names, data)
    monkeypatch.setattr(examples, "GRADIENT_BYTES", 8000)
    found = woodfisher(net, names, data)
    for name in names:
        torch.testing.assert_close(found[name], whole[name], rtol=1e-4, atol=1e-12)


def test_a_model_too_large_for_one_matrix_is_refused(net, data, monkeypatch):
    monkeypatch.setattr(full, "WEIGHTS", 100)
    with pytest.raises(ValueError, match=r"744 are more than 100: choose 'woodfisher'"):
        obs(net, names_of(net), data)


@pytest.mark.parametrize("saliency", ["fisher", "obd", "obs", "woodfisher"])
def test_weights_that_overflow_are_told(saliency):
    draws = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(1e25 * torch.randn(parameter.shape, generator=draws))
    data = torch.rand(8, 4, generator=draws), torch.arange(8) % 3
    with pytest.raises(ValueError, match="train again at a lower learning rate"):
        prune(model, 0.5, saliency=saliency, data=data)
