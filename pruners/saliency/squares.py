"""Sums over the examples of squared gradients: by layers where that gives the same, else singly.

The gradient of one example is what is squared, not that of a batch, and holding a gradient of all
weights per example is what costs time and memory. Where a linear or convolutional layer is used in
the plain way, its inputs and the gradients of its outputs do instead (`layer_squares`). Whether it
is used so is not guessed: two examples are done both ways, and a weight for which the two differ is
done one example at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from pruners.saliency.examples import examples_at_once, weights_of
from pruners.saliency.layer_squares import Layers, find_layers, layer_squares
from pruners.saliency.singly import batched_gradients, example_gradients

# (logits [n, classes], labels [n]) -> [k, n, classes]: directions in which each example's logits
# are differentiated.
Columns = Callable[[Tensor, Tensor], Tensor]

PROBE = 2  # examples done both ways, in as many directions


def summed_squares(
    model: nn.Module,
    names: Sequence[str],
    shown: Iterable[tuple[Tensor, Tensor]],
    columns: Columns,
) -> tuple[dict[str, Tensor], int]:
    """Σ over examples n and directions k of (∂ (columns[k, n] · logits[n]) / ∂w)².

    Memory for what is kept per example stays under `GRADIENT_BYTES` (or what one example takes,
    where that is more).

    Args:
        model: In evaluation mode.
        names: Parameters.
        shown: Batches of inputs [n, ...] and labels [n].
        columns: The directions.

    Returns:
        A tensor of the parameter's shape for each name, and the number of examples.
    """
    total = {name: torch.zeros_like(w) for name, w in weights_of(model, names).items()}
    seen, layers = 0, None
    for inputs, labels in shown:
        if layers is None:
            layers = _proven(model, names, inputs[:PROBE], labels[:PROBE], columns)
        parts = layer_squares(model, layers, inputs, labels, columns)
        left = [name for name in names if name not in parts]
        parts |= _singly(model, left, inputs, labels, columns)
        for name in names:
            total[name] += parts[name]
        seen += len(inputs)
    return total, seen


def _proven(
    model: nn.Module, names: Sequence[str], inputs: Tensor, labels: Tensor, columns: Columns
) -> Layers:
    """The layers for which the short way gives what the long one does."""
    layers = find_layers(model, names, inputs)
    if not layers.owners:
        return layers

    def few(logits: Tensor, labels: Tensor) -> Tensor:
        return columns(logits, labels)[:PROBE]

    directions = _directions(model, inputs, labels, few)
    try:
        weights = weights_of(model, list(layers.owners))
        rows = [batched_gradients(model, weights, inputs, toward) for toward in directions]
        short = layer_squares(model, layers, inputs, labels, few)
    except RuntimeError:
        # What cannot be batched may branch on values, and then a batch is not its examples.
        return layers.only(())
    long = {n: torch.stack([row[n].square().sum(0) for row in rows]).sum(0) for n in short}
    return layers.only([name for name in short if _agree(short[name], long[name])])


def _agree(one: Tensor, other: Tensor) -> bool:
    if not bool(other.isfinite().all()):
        return False  # what is not finite is told of the sum
    slack = 1e-5 * float(other.max()) if other.numel() else 0.0
    return torch.allclose(one, other, rtol=1e-3, atol=slack)


@torch.no_grad()
def _directions(model: nn.Module, inputs: Tensor, labels: Tensor, columns: Columns) -> Tensor:
    return columns(model(inputs), labels)


def _singly(
    model: nn.Module, names: Sequence[str], inputs: Tensor, labels: Tensor, columns: Columns
) -> dict[str, Tensor]:
    """The sum with the gradient of every example held for a moment, a few examples at a time."""
    if not names:
        return {}
    weights = weights_of(model, names)
    directions = _directions(model, inputs, labels, columns)
    total = {name: torch.zeros_like(w) for name, w in weights.items()}
    each = sum(w.numel() * w.element_size() for w in weights.values())
    size = examples_at_once(each)
    for part, toward in zip(
        torch.split(inputs, size), torch.split(directions, size, 1), strict=True
    ):
        for one in toward:
            for name, gradient in example_gradients(model, weights, part, one).items():
                total[name] += gradient.square().sum(0)
    return total
