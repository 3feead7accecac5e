"""Saliencies meant for weights before training: SNIP, GraSP and SynFlow. They work on any weights.

Dropout is off. Batch-norm uses its running statistics, unless these have never been updated, as at
initialisation: then the batch's own, as in the papers' code, and the running ones stay untouched.
Examples go through in parts that fit a stated memory, but for such batches of batch-norm, which
stay whole: hand over smaller ones where memory is short.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from pruners.saliency.examples import Data, batches, evaluating, leaves_of, weights_of
from pruners.saliency.summed import add_gradients, in_parts, loss_of, summed_gradients
from pruners.saliency.unfused import unfused_attention

TEMPERATURE = 200.0  # logits are divided by it in GraSP: appendix of the paper, and its code


@contextmanager
def _fresh(model: nn.Module) -> Iterator[nn.Module]:
    """As `evaluating`, with the batch's statistics where the running ones were never updated."""
    with evaluating(model) as shown:
        fresh = [
            module
            for module in shown.modules()
            if isinstance(module, _BatchNorm)
            and module.num_batches_tracked is not None
            and int(module.num_batches_tracked) == 0
        ]
        for module in fresh:
            # Training without tracking: the batch's statistics, and no buffer is written.
            module.training, module.track_running_stats = True, False
        try:
            yield shown
        finally:
            for module in fresh:
                module.training, module.track_running_stats = False, True


def snip(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """|g·w|, g the gradient of the mean loss: connection sensitivity (Lee 2019, equations 4, 5).

    Not divided by its sum over the model, which changes no order. Differs from `taylor1` in what
    groups score (a sum of sizes, not the size of a sum) and in batch-norm at initialisation.
    """
    leaves = leaves_of(model, names)
    with _fresh(model) as shown, torch.enable_grad():
        found, seen = summed_gradients(shown, leaves, data, "snip")
    return {name: (found[name] / seen * leaf.detach()).abs() for name, leaf in leaves.items()}


def grasp(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """w·(H g): what the squared norm of the gradient loses with the weight (Wang 2020, equation 8).

    The paper writes S = −w·(H g) and removes the highest S; the lowest go first here, so this is
    −S. It may be negative: the gradient's norm grows without such a weight. g and H are those of
    the mean loss by the weights asked about, at logits divided by 200 as in the paper; H g is exact
    over all examples (the gradient is summed first), by differentiating twice.
    """
    leaves = leaves_of(model, names)
    if not isinstance(data, tuple) and data is not None:
        data = list(data)  # it is gone through twice
    total = {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    with _fresh(model) as shown, torch.enable_grad(), unfused_attention():
        gradient, seen = summed_gradients(shown, leaves, data, "grasp", TEMPERATURE)
        for inputs, labels in in_parts(shown, leaves, data, "grasp", twice=True):
            loss = loss_of(shown, leaves, inputs, labels, "grasp", TEMPERATURE)
            parts = torch.autograd.grad(
                loss, list(leaves.values()), create_graph=True, allow_unused=True
            )
            along = [
                (part * gradient[name]).sum()
                for name, part in zip(names, parts, strict=True)
                if part is not None and part.requires_grad
            ]
            if along:
                add_gradients(torch.stack(along).sum(), leaves, total)
    return {name: leaf.detach() * total[name] / seen**2 for name, leaf in leaves.items()}


def synflow(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """|w| · ∂R/∂|w|, R the summed output for an input of ones (Tanaka 2020, equation 2).

    R is that of the model with every parameter replaced by its size: the flow over all paths
    through a weight. Biases count as zero and batch-norm as its scale |γ|/√(σ² + ε) with running σ
    and no shift, so that the flow is conserved from layer to layer (the authors' code keeps sizes
    of biases and shifts, which at initialisation are zero as well). Of `data` only the shape of one
    example is used. In float64: products over many layers leave the range of float32. The paper's
    method is this score in many rounds (schedule `iterative`); in one round it can empty layers.

    Raises:
        ValueError: The inputs are integers, or the flow is zero or over the range of float64.
    """
    example = next(iter(batches(model, data, "synflow")))[0][:1]
    if not example.is_floating_point():
        raise ValueError(
            f"Saliency 'synflow' shows the model an input of ones, but its inputs are "
            f"{example.dtype}: choose a saliency that looks at real examples."
        )
    state, weights = _sizes(model), weights_of(model, names)
    leaves = {name: weights[name].double().abs().requires_grad_() for name in names}
    with evaluating(model) as shown, torch.enable_grad():
        ones = torch.ones_like(example, dtype=torch.float64)
        flow = functional_call(shown, state | leaves, (ones,)).sum()
        size = float(flow.detach())
        if not math.isfinite(size) or size == 0.0 or not flow.requires_grad:
            raise ValueError(
                f"Saliency 'synflow' found a total flow of {size}: from input to output of "
                f"this model no product of weights is defined; choose another saliency."
            )
        total = {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
        add_gradients(flow, leaves, total)
    return {name: leaf.detach() * total[name] for name, leaf in leaves.items()}


def _sizes(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers as the flow sees them: float64 sizes, biases and shifts zero."""
    found = {}
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if not value.is_floating_point():
            continue
        last = name.rpartition(".")[2]
        size = value.detach().double().abs()
        found[name] = torch.zeros_like(size) if "bias" in last or last == "running_mean" else size
    return found
