"""Pruning a model in one call: at once, or while it is retrained, beside its control."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruners.allocation import Allocation
from pruners.attach import GradualPruning
from pruners.catalogue import saliency_row
from pruners.granularity import Granularity
from pruners.masks import Masks
from pruners.methods import Method
from pruners.retraining import fine_tune
from pruners.saliency import Data, Saliency
from pruners.seeding import device_of, generator
from pruners.selection import rank
from pruners.sparsity import Sparsities, check_sparsity
from pruners.targets import PROTECTED, as_patterns, find_targets
from pruners.training import Curve, Prepare, Training


def make_masks(
    model: nn.Module,
    sparsities: Sequence[float],
    *,
    saliency: str | Saliency = "magnitude",
    granularity: str | Granularity = "weight",
    allocation: str | Allocation = "global",
    data: Data | None = None,
    protect: str | Sequence[str] = PROTECTED,
    seed: int = 0,
) -> list[Masks]:
    """Masks at several sparsities from one score, in the order asked: they nest.

    Args:
        model: Any module; it is not changed.
        sparsities: Fractions of the targeted weights to remove, each in [0, 1).
        saliency: What matters little; see `SALIENCIES`.
        granularity: What goes together; see `GRANULARITIES`.
        allocation: How much where; see `ALLOCATIONS`.
        data: (inputs, labels), or batches of such pairs, for saliencies that need them.
        protect: Weights kept whole; see `find_targets`.
        seed: For saliencies that draw.

    Raises:
        ValueError: An unknown name, a sparsity that cannot be had, examples that are missing,
            weights that are not finite, or nothing to prune.
    """
    method = Method(saliency, granularity, allocation, "one_shot", "none", as_patterns(protect))
    wanted = [method.check_final(sparsity) for sparsity in sparsities]
    note = saliency_row(saliency).note
    if isinstance(data, Iterator):
        data = list(data)  # it is gone through twice
    ranking = rank(
        model,
        find_targets(model, method.protect),
        method.axes,
        data,
        seed,
        notes=() if note is None else (note(model, data),),
    )
    return ranking.masks(wanted)


def prune(
    model: nn.Module,
    sparsity: float,
    *,
    saliency: str | Saliency = "magnitude",
    granularity: str | Granularity = "weight",
    allocation: str | Allocation = "global",
    data: Data | None = None,
    protect: str | Sequence[str] = PROTECTED,
    seed: int = 0,
) -> nn.Module:
    """A pruned copy of `model`: same module, same parameter names, the removed weights zero.

    Arguments and errors are those of `make_masks`, which gives the masks as well. Further training
    would fill the zeros: see `attach`.
    """
    masks = make_masks(
        model,
        [sparsity],
        saliency=saliency,
        granularity=granularity,
        allocation=allocation,
        data=data,
        protect=protect,
        seed=seed,
    )[0]
    pruned = copy.deepcopy(model)
    masks.apply_(pruned)
    return pruned


@dataclass(frozen=True)
class Pruned:
    """What pruning a parent gave.

    Attributes:
        model: The pruned model (or the control), in evaluation mode.
        masks: Which of its weights are kept.
        curve: Its retraining.
        sparsities: What was removed.
    """

    model: nn.Module
    masks: Masks
    curve: Curve
    sparsities: Sparsities


def prune_and_retrain(
    parent: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    method: Method | None,
    sparsity: float,
    training: Training,
    *,
    seed: int,
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
) -> Pruned:
    """Prunes a copy of `parent` while it is retrained, or retrains it unpruned as the control.

    With one seed the control sees the batches, augmentation and dropout of the pruned models, in
    the same order, for as many steps: pruning is the only difference.

    Args:
        parent: A trained model; it is not changed.
        inputs: Training inputs, as for `train`.
        labels: int64 [n].
        method: How to prune; None for the control (fine-tuned, no weight removed).
        sparsity: Fraction of the targeted weights to remove, in [0, 1); 0 with None.
        training: How to retrain.
        seed: An integer of 0 or more.
        prepare: As for `train`.
        device: As for `train`; the result stays there.

    Raises:
        ValueError: As `train`, `Method` and `make_masks` do; or a sparsity without a method.
    """
    final = check_sparsity(sparsity)
    if method is None and final > 0.0:
        raise ValueError(f"Sparsity {final} needs a method; the control has none and sparsity 0.")
    model = copy.deepcopy(parent)
    if device is not None:
        model.to(device)
    # A control has nothing to protect; a net of protected layers alone may still have one.
    pruning, masks = None, Masks.dense(model, () if method is None else method.protect)
    if method is not None and final > 0.0:
        shown = None
        if saliency_row(method.saliency).needs_data or callable(method.saliency):
            shown = _examples(model, inputs, labels, method.examples, seed, prepare)
        pruning = GradualPruning(model, final, method, data=shown, seed=seed)
        masks = pruning.masks
    retrain = fine_tune if method is None else method.retrain
    curve = retrain(
        model,
        inputs,
        labels,
        training,
        seed=seed,
        prepare=prepare,
        device=device,
        watcher=pruning,
    )
    return Pruned(model, masks, curve, masks.sparsities(model))


def _examples(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    count: int,
    seed: int,
    prepare: Prepare | None,
) -> tuple[Tensor, Tensor]:
    """The examples a saliency is shown: drawn once by the seed, prepared, on the model's device."""
    drawn = torch.randperm(len(inputs), generator=generator(seed, "saliency"))[:count]
    shown = inputs[drawn.to(inputs.device)].to(device_of(model))
    return (shown if prepare is None else prepare(shown)), labels[drawn.to(labels.device)]
