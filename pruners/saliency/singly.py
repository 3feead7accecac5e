"""The gradient of each example on its own, of all weights asked for, held at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from pruners.saliency.unfused import unfused_attention

Gradient = Callable[[dict[str, Tensor], Tensor, Tensor], dict[str, Tensor]]


def example_gradients(
    model: nn.Module, weights: Mapping[str, Tensor], inputs: Tensor, toward: Tensor
) -> dict[str, Tensor]:
    """∂ (toward[n] · logits[n]) / ∂w for every example n: [n, *shape] for each name.

    Args:
        model: In evaluation mode.
        weights: Values of the parameters asked about.
        inputs: [n, ...].
        toward: The direction of each example's logits, [n, classes].
    """
    try:
        return batched_gradients(model, weights, inputs, toward)
    except RuntimeError:
        # Modules that vmap cannot batch (recurrent ones, branches on values) go one by one.
        each = _gradient(model)
        with torch.no_grad(), unfused_attention():
            rows = [each(dict(weights), x, to) for x, to in zip(inputs, toward, strict=True)]
        return {name: torch.stack([row[name] for row in rows]) for name in weights}


@torch.no_grad()  # of torch.func's own gradients nobody takes the gradient: it would cost memory
def batched_gradients(
    model: nn.Module, weights: Mapping[str, Tensor], inputs: Tensor, toward: Tensor
) -> dict[str, Tensor]:
    """As `example_gradients`.

    Raises:
        RuntimeError: The model cannot be batched by `torch.vmap`.
    """
    each = vmap(_gradient(model), in_dims=(None, 0, 0))
    with unfused_attention():
        found: dict[str, Tensor] = each(dict(weights), inputs, toward)
    return found


def _gradient(model: nn.Module) -> Gradient:
    def projected(chosen: dict[str, Tensor], shown: Tensor, toward: Tensor) -> Tensor:
        logits: Tensor = functional_call(model, chosen, (shown.unsqueeze(0),))
        return (logits[0] * toward).sum()

    return grad(projected)
