"""Allocations: how much is removed where.

One signature: `(scores, shapes) -> keys`: scores [groups] and the shape of each piece give a key
per group, float [groups]; those that look at the model take a `Setting` as well. The groups with
the lowest keys of *all* pieces go first, ties by index, so whatever the allocation, sparsities nest
and the number asked for is the number removed. Only the order of the keys means anything; +inf says
that a group never goes. A piece is a parameter, or several that are cut together, under the name
and with the shape of the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Real

import torch
from torch import Tensor

from pruners.names import matching, nearest
from pruners.setting import Setting

Shapes = Mapping[str, torch.Size]
Allocation = Callable[..., dict[str, Tensor]]

LAST_AT_MOST = 0.8  # Gale 2019, section 5
GRID = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)  # shares of a layer at which its loss is measured


def one_ranking(scores: Mapping[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
    """Global: all scores in one ranking."""
    return dict(scores)


def uniform(scores: Mapping[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
    """The same share of every parameter, to the nearest group."""
    return {name: _quantiles(score) for name, score in scores.items()}


def uniform_plus(
    scores: Mapping[str, Tensor], shapes: Shapes, setting: Setting
) -> dict[str, Tensor]:
    """Uniform, but the model's first layer stays dense and its last loses 80 % at most (Gale 2019).

    What the two do not lose, the others do.
    """
    keys = uniform(scores, shapes)
    first, last = setting.ends
    if first in keys:
        keys[first] = torch.full_like(keys[first], torch.inf)
    if last in keys:
        keys[last] = keys[last].masked_fill(keys[last] > LAST_AT_MOST, torch.inf)
    return keys


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


def erdos_renyi(scores: Mapping[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
    """Erdős–Rényi: density ∝ (inputs + outputs) / (inputs · outputs) (Mocanu 2018, equation 1).

    As `erk`, but for the kernel's sides, which are left out.
    """
    flat = {name: torch.Size(shape[:2]) for name, shape in shapes.items()}
    return erk(scores, flat)


def by_sensitivity(
    scores: Mapping[str, Tensor], shapes: Shapes, setting: Setting
) -> dict[str, Tensor]:
    """Every piece loses so much that the loss, if it alone were pruned, would rise equally.

    The rise is measured at a few shares of each piece on its own (the curves of Han 2015, figure 6,
    and Li 2016, figure 2), made monotone, and read off between them on straight lines. Layers are
    taken one by one: what two do together is not seen.

    It costs six times (`GRID`) as many passes over the examples as there are pieces, forward only,
    and as much memory as the largest piece has weights; in an iterative or gradual schedule, that
    again whenever the masks are made.

    Raises:
        ValueError: There are no examples.
    """
    rises = {name: [setting.loss_without(name, share) for share in GRID] for name in scores}
    scale = max(max(curve) - curve[0] for curve in rises.values()) or 1.0
    keys = {}
    for name, score in scores.items():
        curve = torch.tensor(rises[name], dtype=torch.float64)
        height = torch.nan_to_num(curve, nan=math.inf).clamp(max=1e30).cummax(0).values - curve[0]
        quantiles = _quantiles(score)
        # Where a curve is flat the share decides, by a hair that no rise is smaller than.
        keys[name] = _between(quantiles, height.to(quantiles.device)) + 1e-9 * scale * quantiles
    return keys


def of_shares(relative: Mapping[str, float]) -> Allocation:
    """Shares by name: layers lose `relative` shares times whatever gives the sparsity asked for.

    At the total that the shares make as they are, each layer loses just its share; no layer loses
    more than all of it. Layers that no pattern matches stay whole; of several patterns that match,
    the first holds.

    Args:
        relative: A number of 0 or more for names or patterns (`*`) of modules or parameters.

    Raises:
        ValueError: There are no shares above 0, or one is not a number of 0 or more.
    """
    for pattern, share in relative.items():
        if not _is_share(share):
            raise ValueError(
                f"The share of {pattern!r} must be a number of 0 or more, got {share!r}."
            )
    if not any(share > 0.0 for share in relative.values()):
        raise ValueError(
            f"An allocation by name needs a share above 0, got {dict(relative)!r}: give each "
            f"pattern the share that it loses relative to the others."
        )

    def shares(scores: Mapping[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
        meant = {pattern: matching(pattern, scores) for pattern in relative}
        for pattern, names in meant.items():
            if not names:
                known = [*scores, *(name.rpartition(".")[0] for name in scores)]
                raise ValueError(
                    f"No weight to prune is called {pattern!r}: {nearest(pattern, known)}"
                )
        keys = {}
        for name, score in scores.items():
            share = next((s for pattern, s in relative.items() if name in meant[pattern]), 0.0)
            quantiles = _quantiles(score)
            keys[name] = quantiles / share if share else torch.full_like(quantiles, torch.inf)
        return keys

    return shares


def _is_share(share: object) -> bool:
    number = isinstance(share, Real) and not isinstance(share, bool)
    return number and 0.0 <= float(share) < math.inf  # type: ignore[arg-type]


def _between(quantiles: Tensor, heights: Tensor) -> Tensor:
    """The curve through (GRID, heights) at each quantile."""
    grid = torch.tensor(GRID, dtype=torch.float64, device=quantiles.device)
    right = torch.searchsorted(grid, quantiles).clamp(1, len(grid) - 1)
    low, high = grid[right - 1], grid[right]
    weight = (quantiles - low) / (high - low)
    return heights[right - 1] * (1.0 - weight) + heights[right] * weight


def _quantiles(scores: Tensor) -> Tensor:
    """(rank + ½) / groups of each score in its own parameter, float64, ties by index."""
    groups = len(scores)
    order = scores.argsort(stable=True)
    ranks = torch.empty(groups, dtype=torch.float64, device=scores.device)
    ranks[order] = torch.arange(groups, dtype=torch.float64, device=scores.device) + 0.5
    return ranks / groups
