"""Batch-norm recalibration: running statistics estimated anew, no weight and no mask touched.

Pruning changes what reaches a batch-norm, and its running mean and variance are still those of the
parent: often most of the accuracy that one-shot pruning costs is that, and comes back in a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruners.batches import epoch_batches
from pruners.saliency.examples import evaluating
from pruners.seeding import device_of, generator
from pruners.training import Prepare

NO_BATCH_NORM = (
    "Batch-norm recalibration was asked for and did nothing: the model has no batch-norm with "
    "running statistics."
)


@dataclass(frozen=True)
class Recalibration:
    """What was estimated anew.

    Attributes:
        layers: Names of the batch-norms.
        batches: Batches that were averaged.
        examples: Training examples in them.
        note: A sentence for the record.
    """

    layers: tuple[str, ...]
    batches: int
    examples: int
    note: str


@torch.no_grad()
def recalibrate(
    model: nn.Module,
    inputs: Tensor,
    prepare: Prepare | None = None,
    *,
    batches: int = 32,
    batch_size: int = 128,
    seed: int,
) -> Recalibration:
    """Estimates every batch-norm's running mean and variance from training inputs, in place.

    They become the plain average over the batches (a cumulative one: PyTorch's momentum None), with
    dropout off and no augmentation. Parameters, masks, momentum and modes are as before.

    Args:
        model: Any module.
        inputs: Training inputs [n, ...], n of 2 or more.
        prepare: Turns a batch of inputs into what the model takes; None where they are that.
        batches: How many at most: one pass over the inputs, where that is fewer.
        batch_size: Examples in a batch at most, 2 or more: of one there is no variance.
        seed: Draws which examples, and in which batches.

    Returns:
        Which layers; none where the model has no batch-norm, which the note then says.

    Raises:
        ValueError: Too few inputs, batches or examples in a batch, or the statistics would not be
            finite; then they are as they were.
    """
    if len(inputs) < 2 or batches < 1 or batch_size < 2:
        raise ValueError(
            f"Recalibration needs 2 inputs, 1 batch and 2 examples in it at least, got "
            f"{len(inputs)} inputs, {batches} batches and batches of {batch_size}."
        )
    norms = _with_statistics(model)
    if not norms:
        return Recalibration((), 0, 0, NO_BATCH_NORM)
    device, order = device_of(model), generator(seed, "recalibration")
    momenta = {name: norm.momentum for name, norm in norms.items()}
    before = {name: [buffer.clone() for buffer in norm.buffers()] for name, norm in norms.items()}
    done = examples = 0
    with evaluating(model):
        try:
            for norm in norms.values():
                norm.reset_running_stats()
                norm.momentum = None
                norm.training = True
            for index in epoch_batches(len(inputs), batch_size, order):
                if done == batches:
                    break
                if len(index) < 2:
                    continue  # one of an odd number in pairs
                shown = inputs[index.to(inputs.device)].to(device)
                model(shown if prepare is None else prepare(shown))
                done, examples = done + 1, examples + len(index)
        finally:
            for name, norm in norms.items():
                norm.momentum = momenta[name]
    _check_finite(norms, before)
    note = (
        f"Running statistics of {len(norms)} batch-norms were estimated anew on {examples} "
        f"training examples in {done} batches."
    )
    return Recalibration(tuple(norms), done, examples, note)


def _check_finite(norms: Mapping[str, _BatchNorm], before: Mapping[str, list[Tensor]]) -> None:
    """Refuses statistics that are not finite, with those from before put back."""
    bad = [n for n, norm in norms.items() if not all(b.isfinite().all() for b in norm.buffers())]
    if bad:
        for name, norm in norms.items():
            for buffer, value in zip(norm.buffers(), before[name], strict=True):
                buffer.copy_(value)
        raise ValueError(
            f"The statistics of batch-norm {bad[0]!r} would not be finite: look for inputs and "
            f"weights that are not."
        )


def _with_statistics(model: nn.Module) -> dict[str, _BatchNorm]:
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, _BatchNorm) and module.running_mean is not None
    }
