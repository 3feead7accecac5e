"""Weights that may come back, rounds without training, and updates of those that stay."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import SGD, Adam

from pruners import GradualPruning, Method, attach, prune
from pruners.catalogue import saliencies
from pruners.catalogue.rows import SaliencyRow
from pruners.saliency import magnitude
from pruners.schedules import iterative


def pulled(weights: list[float]) -> nn.Linear:
    layer = nn.Linear(len(weights), 1, bias=False)
    layer.weight.data = torch.tensor([weights])
    return layer


def step_towards(layer, optimizer, target, shown=None):
    """One step on ½ |w − target|², whose gradient is w − target."""
    optimizer.zero_grad()
    (0.5 * (layer.weight - torch.tensor([target])).square().sum()).backward()
    optimizer.step()


def test_a_removed_weight_moves_in_the_shadow_and_comes_back():
    layer = pulled([1.0, 0.1])
    optimizer = SGD(layer.parameters(), lr=0.5)
    with attach(
        layer, optimizer, 0.5, steps=4, schedule="constant", reenter=True, end=0.5, frequency=1,
        protect=(),
    ) as masks:  # fmt: skip
        assert layer.weight.tolist() == [[1.0, 0.0]]
        # The gradient is that of the pruned net: 0 − 4, so the shadow goes from 0.1 to 2.1.
        step_towards(layer, optimizer, [1.0, 4.0])
        assert layer.weight.tolist() == [[0.0, pytest.approx(2.1)]]
        assert masks.kept["weight"].tolist() == [[False, True]]
        step_towards(layer, optimizer, [1.0, 4.0])
        # The shadow of the first went from 1 by 0.5 · 1.
        assert masks.kept["weight"].tolist() == [[False, True]]
        step_towards(layer, optimizer, [9.0, 0.0])
        step_towards(layer, optimizer, [9.0, 0.0])
        assert layer.weight[0, 0] == 0.0
    assert masks.requested == 0.5
    assert any("could come back" in note and "1 times" in note for note in masks.notes)


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_the_shadow_has_decay_and_moments_like_any_weight(kind):
    """A weight removed and never chosen again moves as in a dense net on the same gradients."""
    extra = {"momentum": 0.9} if kind is SGD else {}
    free, pruned = nn.Parameter(torch.tensor([[0.2, 0.3]])), pulled([0.2, 5.0])
    alone = kind([free], lr=0.01, weight_decay=0.1, **extra)
    optimizer = kind(pruned.parameters(), lr=0.01, weight_decay=0.1, **extra)
    pruning = GradualPruning(
        pruned, 0.5, Method(schedule="constant", reenter=True, frequency=99, end=1.0, protect=())
    )
    pruning.start(optimizer, 99)
    for _ in range(5):
        free.grad = torch.tensor([[0.7, 0.0]])
        alone.step()
        pruned.weight.grad = torch.tensor([[0.7, 0.0]])
        optimizer.step()
        assert pruned.weight[0, 0] == 0.0
    assert pruning._shadow is not None
    pruning._shadow.put_back()
    assert pruned.weight[0, 0].item() == pytest.approx(free[0, 0].item(), rel=1e-6)


def test_a_closure_is_computed_on_the_pruned_model(net, data):
    optimizer, seen = SGD(net.parameters(), lr=0.1), []
    pruning = attach(
        net, optimizer, 0.8, steps=3, schedule="constant", reenter=True, end=1.0, frequency=1
    )

    def closure():
        for name, kept in pruning.masks.kept.items():
            seen.append(int(net.get_parameter(name)[~kept].count_nonzero()))
        optimizer.zero_grad()
        loss = F.cross_entropy(net(data[0]), data[1])
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
        assert pruning.masks.sparsities(net).removed == round(0.8 * 672)
    pruning.detach()
    assert len(seen) >= 6
    assert set(seen) == {0}


def test_masks_of_cyclic_pruning_go_down_and_up_and_end_where_asked(net, data):
    optimizer, path = SGD(net.parameters(), lr=0.01), []
    with attach(
        net, optimizer, 0.9, steps=12, end=1.0, schedule="cyclic", cycles=2, reenter=True,
        frequency=1,
    ) as masks:  # fmt: skip
        for _ in range(12):
            optimizer.zero_grad()
            F.cross_entropy(net(data[0]), data[1]).backward()
            optimizer.step()
            path.append(masks.sparsities(net).removed)
    assert path[5] == 0
    assert path[4] > 500
    assert path[-1] == round(0.9 * 672)
    assert all(parameter[gone].count_nonzero() == 0 for parameter, gone in masks.removed(net))


def test_leaving_before_the_masks_are_settled_is_told(net, data):
    optimizer = SGD(net.parameters(), lr=0.01)
    with (
        pytest.raises(ValueError, match="the last masks due at step 20"),
        attach(net, optimizer, 0.5, steps=30, schedule="constant", reenter=True),
    ):
        optimizer.step()


def test_rounds_without_training_score_what_is_left(net):
    """A saliency that looks at the whole net is asked once a round, with removed weights at 0."""
    seen = []

    def watching(model, names, data, seed):
        weights = [model.get_parameter(name) for name in names]
        seen.append(sum(int((w == 0).sum()) for w in weights))
        return magnitude(model, names, data, seed)

    pruned = prune(net, 0.9, saliency=watching, schedule="iterative", rounds=4)
    expected = [round(iterative(k / 3, 0.9, rounds=4) * 672) for k in range(4)]
    assert seen == [0, *expected[:3]]
    zeros = sum(int((p == 0).sum()) for n, p in pruned.named_parameters() if "weight" in n)
    assert zeros == expected[3] == round(0.9 * 672)
    # With scores that do not change, rounds make no difference.
    once = prune(net, 0.9)
    assert all(
        torch.equal(a, b) for a, b in zip(pruned.parameters(), once.parameters(), strict=True)
    )


def test_what_stays_is_updated_before_the_others_are_zeroed(net, monkeypatch):
    calls = []

    def update(model, removed, data, seed):
        calls.append({name: gone.clone() for name, gone in removed.items()})
        for name, gone in removed.items():
            weight = model.get_parameter(name)
            assert weight[gone].count_nonzero() == int(gone.sum())
            weight[~gone] += 1.0

    row = SaliencyRow(magnitude, "", "", update=update)
    monkeypatch.setitem(saliencies.SALIENCIES, "compensating", row)
    before = copy.deepcopy(net)
    pruned = prune(net, 0.5, saliency="compensating", schedule="iterative_linear", rounds=2)
    assert [sum(int(g.sum()) for g in gone.values()) for gone in calls] == [168, 168]
    for name in calls[0]:
        first, second = calls[0][name], calls[1][name]
        assert not (first & second).any()
        weight, old = pruned.get_parameter(name), before.get_parameter(name)
        assert weight[first | second].count_nonzero() == 0
        torch.testing.assert_close(weight[~(first | second)], old[~(first | second)] + 2.0)
    with pytest.raises(ValueError, match="must not come back"):
        Method("compensating", schedule="constant", reenter=True)
