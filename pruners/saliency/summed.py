"""The gradient of the loss summed over examples, a part of a batch at a time: memory is bounded.

What autograd keeps of an example between the way forward and the way back is measured on one or two
examples, and a batch is cut into parts of which `GRADIENT_BYTES` hold as many. A sum does not mind
where it is cut. Examples that a batch-norm takes its statistics of depend on each other: such a
batch stays whole, and its size is what bounds the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from pruners.saliency.examples import Data, batches, examples_at_once, summed_loss

_PROBE = 2  # examples that are measured: of one alone, some models drop the dimension


def summed_gradients(
    model: nn.Module,
    leaves: Mapping[str, Tensor],
    data: Data | None,
    needed_by: str,
    temperature: float = 1.0,
) -> tuple[dict[str, Tensor], int]:
    """The gradient of the summed cross-entropy by `leaves`, and the number of examples.

    Args:
        model: In the mode that it is to be looked at in.
        leaves: Values of parameters by name, that gradients are taken by.
        data: Examples.
        needed_by: The saliency, for messages.
        temperature: Logits are divided by it.

    Raises:
        ValueError: There are no examples, or the labels do not fit.
    """
    total = {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    seen = 0
    for inputs, labels in in_parts(model, leaves, data, needed_by):
        loss = loss_of(model, leaves, inputs, labels, needed_by, temperature)
        add_gradients(loss, leaves, total)
        seen += len(inputs)
    return total, seen


def in_parts(
    model: nn.Module,
    leaves: Mapping[str, Tensor],
    data: Data | None,
    needed_by: str,
    *,
    twice: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """As `batches`, cut so that what autograd keeps of a part stays under `GRADIENT_BYTES`.

    Args:
        model: As for `summed_gradients`.
        leaves: As for `summed_gradients`.
        data: Examples.
        needed_by: The saliency, for messages.
        twice: Whether the gradient is differentiated too, for which more is kept.
    """
    whole, sizes = _coupled(model), dict[torch.Size, int]()
    for inputs, labels in batches(model, data, needed_by):
        if whole or labels.shape != inputs.shape[:1]:  # labels that do not fit the loss refuses
            yield inputs, labels
            continue
        shape = inputs.shape[1:]
        if shape not in sizes:
            probe = inputs[:_PROBE].clone()  # a view would count with the memory of the batch
            kept = _kept_bytes(model, leaves, probe, needed_by, twice=twice)
            sizes[shape] = examples_at_once(kept // len(probe))
        parts = (torch.split(each, sizes[shape]) for each in (inputs, labels))
        yield from zip(*parts, strict=True)


def loss_of(
    model: nn.Module,
    leaves: Mapping[str, Tensor],
    inputs: Tensor,
    labels: Tensor,
    needed_by: str,
    temperature: float = 1.0,
) -> Tensor:
    """The summed cross-entropy with `leaves` in place of the model's own parameters."""
    logits = functional_call(model, dict(leaves), (inputs,)) / temperature
    return summed_loss(logits, labels, needed_by)


def add_gradients(value: Tensor, leaves: Mapping[str, Tensor], total: Mapping[str, Tensor]) -> None:
    """Adds the gradient of `value` by the leaves to `total`, in place."""
    found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
    for name, gradient in zip(leaves, found, strict=True):
        if gradient is not None:
            total[name].add_(gradient)


def _coupled(model: nn.Module) -> bool:
    """Whether a batch-norm looks at the batch: then a part of it is another computation."""
    norms = (module for module in model.modules() if isinstance(module, _BatchNorm))
    return any(norm.training or norm.running_mean is None for norm in norms)


def _kept_bytes(
    model: nn.Module, leaves: Mapping[str, Tensor], inputs: Tensor, needed_by: str, *, twice: bool
) -> int:
    """Memory of what autograd keeps for these examples, weights not counted."""
    own = [*leaves.values(), *model.parameters(), *model.buffers()]
    apart = {tensor.untyped_storage().data_ptr() for tensor in own}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        if memory.data_ptr() not in apart:
            kept[memory.data_ptr()] = memory.nbytes()
        return tensor

    anything = torch.zeros(len(inputs), dtype=torch.int64, device=inputs.device)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = loss_of(model, leaves, inputs, anything, needed_by)
        if twice:
            values = list(leaves.values())
            # Held until the count is done: memory that is given back may be handed out again.
            _held = torch.autograd.grad(loss, values, create_graph=True, allow_unused=True)
    return sum(kept.values())
