"""Saliencies that look at the weights alone: their size, and the control that looks at nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pruners.saliency.examples import Data, weights_of
from pruners.seeding import generator


def magnitude(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """|w| (Han 2015); of a structure, the L2 norm of its weights (Li 2016)."""
    return {name: weight.abs() for name, weight in weights_of(model, names).items()}


def random(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """Uniform in [0, 1), drawn from the seed and the parameter's name: the control of all others.

    The same draws at every call: masks of growing sparsity nest, and adding a layer to the model
    does not change the others.
    """
    return {
        name: torch.rand(weight.shape, generator=generator(seed, f"saliency/{name}")).to(
            weight.device
        )
        for name, weight in weights_of(model, names).items()
    }
