"""Allocations: shares by hand; ERK against the recipe of its paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pruners import make_masks
from pruners.allocation import GRID, erk, one_ranking, uniform


def test_keys_by_hand():
    scores = {"a": torch.tensor([5.0, 1.0, 1.0, 9.0]), "b": torch.tensor([0.2, 0.1])}
    shapes = {"a": torch.Size([2, 2]), "b": torch.Size([1, 2])}
    assert one_ranking(scores, shapes) == scores
    found = uniform(scores, shapes)
    assert found["a"].tolist() == [0.625, 0.125, 0.375, 0.875]
    assert found["b"].tolist() == [0.75, 0.25]
    # (q − 1) · Π / Σ: 4 / 4 and 2 / 3
    kernel = erk(scores, shapes)
    assert kernel["a"].tolist() == [-0.375, -0.875, -0.625, -0.125]
    assert kernel["b"].tolist() == pytest.approx([-0.25 * 2 / 3, -0.75 * 2 / 3])


def layers() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(40, 50), nn.Linear(50, 200), nn.Linear(200, 10))


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.9, 0.99])
def test_uniform_removes_the_same_share_everywhere(sparsity):
    found = make_masks(layers(), [sparsity], allocation="uniform", protect=())[0]
    for name, share in found.sparsities(layers()).layers.items():
        assert share == pytest.approx(sparsity, abs=1 / found.kept[name].numel())


def erk_by_iteration(shapes: list[torch.Size], sparsity: float) -> list[float]:
    """The published recipe: scale, find densities above one, make those layers dense, again."""
    dense: set[int] = set()
    while True:
        free = [i for i in range(len(shapes)) if i not in dense]
        budget = (1 - sparsity) * sum(s.numel() for s in shapes)
        budget -= sum(shapes[i].numel() for i in dense)
        scale = budget / sum(sum(shapes[i]) for i in free)
        density = {i: scale * sum(shapes[i]) / shapes[i].numel() for i in free}
        over = {i for i, d in density.items() if d > 1}
        if not over:
            return [1.0 if i in dense else density[i] for i in range(len(shapes))]
        dense |= over


@pytest.mark.parametrize("sparsity", [0.2, 0.5, 0.8, 0.95])
def test_erk_is_the_papers_iteration(sparsity):
    model = layers()
    shapes = [p.shape for p in model.parameters() if p.ndim == 2]
    found = make_masks(model, [sparsity], allocation="erk", protect=())[0]
    densities = [kept.float().mean().item() for kept in found.kept.values()]
    expected = erk_by_iteration(shapes, sparsity)
    for shape, density, right in zip(shapes, densities, expected, strict=True):
        assert density == pytest.approx(right, abs=2 / shape.numel())
    assert len({round(d, 2) for d in densities}) > 1


def test_global_lets_a_layer_of_small_weights_go_first(linear):
    model = nn.Sequential(linear([[0.1, 0.2], [0.3, 0.4]]), linear([[1.0, 2.0], [3.0, 4.0]]))
    kept = make_masks(model, [0.5], allocation="global", protect=())[0]
    # The guard keeps the largest of the first layer, so the smallest of the second goes.
    assert kept.kept["0.weight"].tolist() == [[False, False], [False, True]]
    assert kept.kept["1.weight"].tolist() == [[False, True], [True, True]]
    assert kept.guarded == ("0.weight",)


class Deaf(nn.Module):
    """`deaf` has the large weights and no say in the output; `heard` has small ones, and all."""

    def __init__(self):
        super().__init__()
        self.heard, self.deaf = nn.Linear(4, 2, bias=False), nn.Linear(4, 2, bias=False)
        rows = torch.tensor([[0.4, 0.3, 0.2, 0.1], [-0.4, -0.3, -0.2, -0.1]])
        self.heard.weight.data, self.deaf.weight.data = rows, 10 * rows

    def forward(self, x):
        return self.heard(x) + 0.0 * self.deaf(x)


def test_sensitivity_goes_by_what_the_loss_says_and_not_by_the_weights():
    data = (torch.ones(4, 4), torch.zeros(4, dtype=torch.int64))
    model = Deaf()
    shares = [1 / 16, 7 / 16, 0.5, 0.75, 14 / 16]
    options = {"allocation": "sensitivity", "data": data, "protect": ()}
    found = make_masks(model, shares, **options)
    gone = [
        [int((~masks.kept[f"{name}.weight"]).sum()) for name in ("heard", "deaf")]
        for masks in found
    ]
    # All of the deaf layer but the one that the guard keeps, then of the other the smallest first.
    assert gone == [[0, 1], [0, 7], [1, 7], [5, 7], [7, 7]]
    assert not found[2].kept["heard.weight"][0, 3]
    plain = make_masks(model, [7 / 16], protect=())[0]
    assert [int((~plain.kept[f"{n}.weight"]).sum()) for n in ("heard", "deaf")] == [7, 0]


def test_sensitivity_equalises_the_rise_of_the_loss():
    """Two layers with the same curve over shares lose the same share, whatever their weights."""

    class Twins(Deaf):
        def forward(self, x):
            return self.heard(x) + 0.1 * self.deaf(x)

    data = (torch.ones(4, 4), torch.zeros(4, dtype=torch.int64))
    masks = make_masks(Twins(), [0.5], allocation="sensitivity", data=data, protect=())[0]
    assert [int((~kept).sum()) for kept in masks.kept.values()] == [4, 4]


def test_sensitivity_measures_each_layer_six_times():
    data = (torch.ones(300, 4), torch.zeros(300, dtype=torch.int64))
    model, calls = Deaf(), []
    model.register_forward_hook(lambda module, inputs, output: calls.append(len(output)))
    make_masks(model, [0.5], allocation="sensitivity", data=data, protect=())
    assert calls == [256, 44] * len(GRID) * 2
