"""Saliencies from the first derivative of the loss: Taylor expansion and empirical Fisher.

The loss is the cross-entropy of the model's logits, in evaluation mode, mean over the examples.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pruners.saliency.examples import (
    Data,
    batches,
    evaluating,
    leaves_of,
    toward_label,
    weights_of,
)
from pruners.saliency.squares import summed_squares
from pruners.saliency.summed import summed_gradients


def taylor1(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """g·w with its sign, g the gradient of the mean loss (Molchanov 2019, equation 8).

    −g·w is the first-order change of the loss if w became zero. Ranked by |Σ g·w| over what is
    removed together, which for a single weight is |g·w|; the paper squares, which orders alike.
    """
    leaves = leaves_of(model, names)
    with evaluating(model) as shown, torch.enable_grad():
        total, seen = summed_gradients(shown, leaves, data, "taylor1")
    return {name: total[name] / seen * leaf.detach() for name, leaf in leaves.items()}


def fisher(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """w² times the mean over examples of g², g the gradient of one example's loss (Theis 2018).

    The diagonal of the *empirical* Fisher information: at the labels given, not at labels drawn
    from the model. Theis's factor ½ changes no order and is left out.
    """
    weights = weights_of(model, names)
    with evaluating(model) as shown:
        total, seen = summed_squares(shown, names, batches(model, data, "fisher"), _toward_label)
    return {name: weights[name].square() * total[name] / seen for name in names}


def _toward_label(logits: Tensor, labels: Tensor) -> Tensor:
    """One direction only: [1, n, classes]."""
    return toward_label(logits, labels, "fisher")[None]
