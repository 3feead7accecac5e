"""Granularities: which weights of a parameter go together.

One signature: `(name, shape) -> Layout`. A layout gathers a tensor of that shape into one row per
group, and spreads a decision per group back over the shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """How one parameter falls into groups.

    Attributes:
        gather: [*shape] -> [groups, members].
        spread: bool [groups] -> bool [*shape].
        members: Weights per group.
        candidates: Scores [groups] -> bool [groups], those that may be removed at all; None: any.
        with_bias: Whether the bias of a row goes with it.
    """

    gather: Callable[[Tensor], Tensor]
    spread: Callable[[Tensor], Tensor]
    members: int
    candidates: Callable[[Tensor], Tensor] | None = None
    with_bias: bool = False


Granularity = Callable[[str, torch.Size], Layout]


def weight(name: str, shape: torch.Size) -> Layout:
    """Each weight on its own."""
    return Layout(
        gather=lambda values: values.reshape(-1, 1),
        spread=lambda removed: removed.reshape(shape),
        members=1,
    )


def filters(name: str, shape: torch.Size) -> Layout:
    """Slices along the first dimension: filters of a convolution, units of a linear layer.

    The bias of the slice is masked with it; batch-norm and the inputs of the next layer are not.
    """
    members = shape[1:].numel()
    return Layout(
        gather=lambda values: values.reshape(shape[0], members),
        spread=lambda removed: removed.reshape(-1, *[1] * (len(shape) - 1)).expand(shape),
        members=members,
        with_bias=True,
    )


def two_of_four(name: str, shape: torch.Size) -> Layout:
    """2:4: of four neighbours along the input dimension two go (Mishra 2021), ties by index.

    Raises:
        ValueError: The input dimension is no multiple of four.
    """
    if shape[1] % 4:
        raise ValueError(
            f"2:4 needs inputs in fours, but {name} has {shape[1]} (shape {tuple(shape)}): protect "
            f"it, or choose granularity 'weight'."
        )
    # The input dimension goes last: neighbours are channels at one place of the kernel, which is
    # what sparse tensor cores ask for.
    turned = torch.Size([shape[0], *shape[2:], shape[1]])

    def candidates(scores: Tensor) -> Tensor:
        blocks = scores.reshape(-1, 4)
        lowest = blocks.argsort(dim=1, stable=True)[:, :2]
        chosen = torch.zeros_like(blocks, dtype=torch.bool).scatter_(1, lowest, True)
        return chosen.reshape(-1)

    return Layout(
        gather=lambda values: values.movedim(1, -1).reshape(-1, 1),
        spread=lambda removed: removed.reshape(turned).movedim(-1, 1),
        members=1,
        candidates=candidates,
    )


Pool = Callable[[Tensor], Tensor]


def norm(values: Tensor) -> Tensor:
    """L2 norm of each row, [groups, members] -> [groups]."""
    return values.norm(dim=1) if values.shape[1] > 1 else values[:, 0].abs()


def total(values: Tensor) -> Tensor:
    """Sum of each row."""
    return values.sum(dim=1) if values.shape[1] > 1 else values[:, 0]


def size_of_total(values: Tensor) -> Tensor:
    """Size of the sum of each row, |Σ|: contributions of opposite sign cancel."""
    return total(values).abs()


def first(values: Tensor) -> Tensor:
    """The first of each row: a uniform draw stays uniform, whatever the size of the group."""
    return values[:, 0]
