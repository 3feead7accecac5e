"""Saliencies from the first derivative of the loss: Taylor expansion and empirical Fisher.

The loss is the cross-entropy of the model's logits, in evaluation mode, mean over the examples.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pruners.saliency.examples import Data, batches, evaluating, squared_gradients, weights_of


def taylor1(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """g·w with its sign, g the gradient of the mean loss (Molchanov 2019, equation 8).

    −g·w is the first-order change of the loss if w became zero. Ranked by |Σ g·w| over what is
    removed together, which for a single weight is |g·w|; the paper squares, which orders alike.
    """
    parameters = dict(model.named_parameters())
    chosen = [parameters[name] for name in names]
    total = [torch.zeros_like(parameter) for parameter in chosen]
    seen = 0
    with evaluating(model), torch.enable_grad():
        for inputs, labels in batches(model, data, "taylor1"):
            loss = F.cross_entropy(model(inputs), labels, reduction="sum")
            found = torch.autograd.grad(loss, chosen, allow_unused=True)
            for sum_, gradient in zip(total, found, strict=True):
                if gradient is not None:
                    sum_ += gradient
            seen += len(inputs)
    return {
        name: sum_ / seen * parameter.detach()
        for name, sum_, parameter in zip(names, total, chosen, strict=True)
    }


def fisher(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """w² times the mean over examples of g², g the gradient of one example's loss (Theis 2018).

    The diagonal of the *empirical* Fisher information: at the labels given, not at labels drawn
    from the model. Theis's factor ½ changes no order and is left out.
    """
    weights = weights_of(model, names)
    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    seen = 0
    with evaluating(model):
        for inputs, labels in batches(model, data, "fisher"):
            ones = torch.ones(len(inputs), dtype=_real(weights), device=inputs.device)
            for name, part in squared_gradients(model, names, inputs, labels, ones).items():
                total[name] += part
            seen += len(inputs)
    return {name: weights[name].square() * total[name] / seen for name in names}


def _real(weights: dict[str, Tensor]) -> torch.dtype:
    """The floating type the sums are kept in."""
    return next(iter(weights.values())).dtype if weights else torch.float32
