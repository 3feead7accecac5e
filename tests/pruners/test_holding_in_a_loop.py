"""Given masks held in a loop of one's own, and optimizers that look at the loss many times."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.optim import LBFGS, SGD, AdamW, Optimizer

from pruners import attach, hold_masks, make_masks


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_an_optimizer_of_one_vector_does_better_from_step_to_step(net, data, line_search):
    """Its memory is of all weights at once, and it looks at the loss many times in a step."""
    lr = 0.1 if line_search is None else 1.0
    optimizer = LBFGS(net.parameters(), lr=lr, max_iter=8, line_search_fn=line_search)
    masks, losses = None, []

    def closure():
        if masks is not None:
            assert all(p[gone].count_nonzero() == 0 for p, gone in masks.removed(net))
        optimizer.zero_grad()
        loss = F.cross_entropy(net(data[0]), data[1])
        loss.backward()
        return loss

    pruning = attach(net, optimizer, 0.8, steps=12, end=0.5, frequency=1)
    masks = pruning.masks
    for _ in range(12):
        losses.append(optimizer.step(closure).item())
    pruning.detach()
    assert masks.sparsities(net).removed == round(0.8 * 672)
    assert losses[6:] == sorted(losses[6:], reverse=True)
    assert losses[-1] < 0.6 * losses[0]


def test_an_optimizer_of_one_vector_is_refused_where_weights_may_return(net):
    before = [p.clone() for p in net.parameters()]
    with pytest.raises(ValueError, match=r"LBFGS learns curvature .* leave out reenter"):
        attach(net, LBFGS(net.parameters()), 0.5, steps=3, schedule="constant", reenter=True)
    assert all(map(torch.equal, before, net.parameters()))


@pytest.mark.parametrize("kind", [SGD, AdamW, LBFGS])
def test_given_masks_are_held(net, data, kind):
    masks = make_masks(net, [0.7])[0]
    if kind is LBFGS:
        optimizer = LBFGS(net.parameters(), max_iter=3)
    else:
        optimizer = kind(net.parameters(), lr=0.01, weight_decay=0.01)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(data[0]), data[1])
        loss.backward()
        return loss

    with hold_masks(net, optimizer, masks):
        assert all(p[gone].count_nonzero() == 0 for p, gone in masks.removed(net))
        for _ in range(4):
            optimizer.step(closure)
            assert all(p[gone].count_nonzero() == 0 for p, gone in masks.removed(net))
            assert all(p[~gone].count_nonzero() > 0 for p, gone in masks.removed(net))
    optimizer.step(closure)
    assert any(p[gone].count_nonzero() > 0 for p, gone in masks.removed(net))


def test_given_masks_need_the_optimizer_of_what_they_remove(net):
    masks = make_masks(net, [0.7])[0]
    name = next(n for n, kept in masks.kept.items() if not kept.all())
    one = net.get_parameter(name)
    optimizer = SGD([p for p in net.parameters() if p is not one], lr=0.1)
    with pytest.raises(ValueError, match=f"does not move {name}"):
        hold_masks(net, optimizer, masks)
    one.requires_grad_(False)
    with pytest.raises(TypeError, match=r"takes one pruners.Masks, got NestedMasks"):
        hold_masks(net, optimizer, make_masks(net, [0.7]))
    hold_masks(net, optimizer, masks).detach()
    assert one[~masks.kept[name]].count_nonzero() == 0


class Wrapped(Optimizer):
    """As Accelerate wraps: it passes for an optimizer, and has no hooks of its own."""

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.step = optimizer.step

    @property
    def param_groups(self):
        return self.optimizer.param_groups


def test_a_wrapped_optimizer_is_hooked_inside(net, data):
    optimizer = Wrapped(SGD(net.parameters(), lr=0.1, momentum=0.9))
    with attach(net, optimizer, 0.5, steps=3, end=1.0, frequency=1) as masks:
        for _ in range(3):
            F.cross_entropy(net(data[0]), data[1]).backward()
            optimizer.step()
            assert all(p[gone].count_nonzero() == 0 for p, gone in masks.removed(net))
    assert masks.sparsities(net).removed == round(0.5 * 672)
