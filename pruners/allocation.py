"""Allocations: how much is removed where.

One signature: `(scores, shapes) -> keys`: scores [groups] and the shape of each parameter give a
key per group, float [groups]. The groups with the lowest keys of *all* parameters go first, ties by
index, so whatever the allocation, sparsities nest and the number asked for is the number removed.
Only the order of the keys means anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Shapes = Mapping[str, torch.Size]
Allocation = Callable[[Mapping[str, Tensor], Shapes], dict[str, Tensor]]


def one_ranking(scores: Mapping[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
    """Global: all scores in one ranking."""
    return dict(scores)


def uniform(scores: Mapping[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
    """The same share of every parameter, to the nearest group."""
    return {name: _quantiles(score) for name, score in scores.items()}


def erk(scores: Mapping[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
    """Erdős–Rényi kernel: density ∝ Σ dimensions / Π dimensions (Evci 2020, section 3).

    The share kept of parameter l is min(1, ε r_l), r_l that ratio, ε whatever gives the sparsity
    asked for. A group at quantile q of its parameter is therefore gone once ε < (1 − q) / r_l:
    going through the groups by falling (1 − q) / r_l lowers ε from dense to empty, and the cap at
    1, which the paper's recipe finds by iteration, needs no care.
    """
    return {
        name: (_quantiles(score) - 1.0) * (shapes[name].numel() / sum(shapes[name]))
        for name, score in scores.items()
    }


def _quantiles(scores: Tensor) -> Tensor:
    """(rank + ½) / groups of each score in its own parameter, float64, ties by index."""
    groups = len(scores)
    order = scores.argsort(stable=True)
    ranks = torch.empty(groups, dtype=torch.float64, device=scores.device)
    ranks[order] = torch.arange(groups, dtype=torch.float64, device=scores.device) + 0.5
    return ranks / groups
