"""Examples for the saliencies that need some: batches in one vocabulary, gradients one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from pruners.seeding import device_of

# (inputs [n, ...], labels int64 [n]), or batches of such pairs, as a data loader gives them.
Data = tuple[Tensor, Tensor] | Iterable[tuple[Tensor, Tensor]]

PAIR_BATCH = 256  # examples of a pair of tensors shown to the model at once
GRADIENT_BYTES = 256 * 2**20  # memory that gradients kept per example may take at once


def batches(model: nn.Module, data: Data | None, needed_by: str) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of `data`, on the model's device.

    Raises:
        ValueError: There are none.
    """
    if data is None:
        raise ValueError(
            f"Saliency {needed_by!r} needs examples: pass data=(inputs, labels) or an iterable of "
            f"such batches."
        )
    device, seen = device_of(model), 0
    for inputs, labels in _pairs(data):
        seen += len(inputs)
        yield inputs.to(device), labels.to(device)
    if seen == 0:
        raise ValueError(f"Saliency {needed_by!r} was given no examples: data is empty.")


def _pairs(data: Data) -> Iterable[tuple[Tensor, Tensor]]:
    whole = list(data) if isinstance(data, tuple) else []
    if len(whole) == 2 and isinstance(whole[0], Tensor) and isinstance(whole[1], Tensor):
        return zip(*(torch.split(part, PAIR_BATCH) for part in whole), strict=True)
    return data  # type: ignore[return-value]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside (no dropout, batch-norm by its running statistics), then as before."""
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


def weights_of(model: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """The named parameters, detached."""
    parameters = dict(model.named_parameters())
    return {name: parameters[name].detach() for name in names}


Loss = Callable[[Tensor, Tensor], Tensor]


@torch.no_grad()  # of torch.func's own gradients nobody takes the gradient: it would cost memory
def squared_gradients(
    model: nn.Module, names: Sequence[str], inputs: Tensor, labels: Tensor, shares: Tensor
) -> dict[str, Tensor]:
    """Σ share · (∂ cross-entropy / ∂w)², the gradient of each example on its own.

    Memory for the gradients stays under `GRADIENT_BYTES` (or one example's, where that is more).

    Args:
        model: In evaluation mode.
        names: Parameters.
        inputs: [n, ...].
        labels: int64 [n].
        shares: Float [n], the weight of each example.

    Returns:
        A tensor of the parameter's shape for each name.
    """
    weights = weights_of(model, names)
    per_example = sum(w.numel() * w.element_size() for w in weights.values())
    chunk = max(1, GRADIENT_BYTES // max(1, per_example))
    total = {name: torch.zeros_like(w) for name, w in weights.items()}
    parts = zip(*(torch.split(part, chunk) for part in (inputs, labels, shares)), strict=True)
    for shown, right, share in parts:
        for name, gradient in _gradients(model, weights, shown, right).items():
            total[name] += torch.tensordot(share, gradient.square(), dims=1)
    return total


def _gradients(
    model: nn.Module, weights: Mapping[str, Tensor], inputs: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """∂ cross-entropy / ∂w of each example: [n, *shape] for each name."""

    def loss(chosen: dict[str, Tensor], shown: Tensor, right: Tensor) -> Tensor:
        logits = functional_call(model, chosen, (shown.unsqueeze(0),))
        return F.cross_entropy(logits, right.unsqueeze(0))

    each = grad(loss)
    try:
        found: dict[str, Tensor] = vmap(each, in_dims=(None, 0, 0))(dict(weights), inputs, labels)
    except RuntimeError:
        # Modules that vmap cannot batch (recurrent ones, branches on values) go one by one.
        rows = [each(dict(weights), x, y) for x, y in zip(inputs, labels, strict=True)]
        found = {name: torch.stack([row[name] for row in rows]) for name in weights}
    return found
