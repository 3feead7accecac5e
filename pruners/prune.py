"""Pruning a model in one call: at once, or while it is retrained, beside its control."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pruners.allocation import Allocation
from pruners.catalogue import saliency_row
from pruners.gradual import GradualPruning
from pruners.granularity import Granularity
from pruners.masks import Masks
from pruners.methods import Method
from pruners.origin import Origin
from pruners.recalibration import recalibrate
from pruners.retraining import fine_tune
from pruners.saliency import Data, Saliency
from pruners.schedules import Schedule
from pruners.seeding import device_of, generator
from pruners.selection import rank
from pruners.sparsity import Sparsities, check_sparsity
from pruners.targets import PROTECTED, as_patterns, find_targets
from pruners.training import Curve, Prepare, Training
from pruners.wrapping import unwrapped


# Left, were it on: models made in it could not be trained, and most saliencies need gradients.
@torch.inference_mode(False)
def make_masks(
    model: nn.Module,
    sparsities: Sequence[float],
    *,
    saliency: str | Saliency = "magnitude",
    granularity: str | Granularity = "weight",
    allocation: str | Allocation | Mapping[str, float] = "global",
    data: Data | None = None,
    protect: str | Sequence[str] = PROTECTED,
    count: Literal["targeted", "all"] = "targeted",
    biases: bool = False,
    keep: int = 1,
    seed: int = 0,
) -> Sequence[Masks]:
    """Masks at several sparsities from one score, in the order asked: they nest.

    Each is made when it is asked for: together they would take more memory than a large model.

    Args:
        model: Any module; it is not changed.
        sparsities: Fractions of the targeted weights to remove, each in [0, 1).
        saliency: What matters little; see `SALIENCIES`.
        granularity: What goes together; see `GRANULARITIES`.
        allocation: How much where; see `ALLOCATIONS`.
        data: (inputs, labels), or batches of such pairs, for saliencies that need them.
        protect: Weights kept whole; see `find_targets`.
        count: What a sparsity is a fraction of: the `targeted` weights, or `all` parameters.
        biases: Whether biases of targeted layers are removed too, each like a weight.
        keep: Groups that stay in every layer.
        seed: For saliencies that draw.

    Raises:
        ValueError: An unknown name, a sparsity that cannot be had, examples that are missing,
            weights that are not finite, or nothing to prune.
    """
    method = Method(
        saliency,
        granularity,
        allocation,
        "one_shot",
        "none",
        as_patterns(protect),
        count=count,
        biases=biases,
        keep=keep,
    )
    wanted = [method.check_final(sparsity) for sparsity in sparsities]
    note = saliency_row(saliency).note
    if isinstance(data, Iterator):
        data = list(data)  # it is gone through twice
    model = unwrapped(model)
    ranking = rank(
        model,
        find_targets(model, method.protect, biases=method.biases),
        method.axes,
        data,
        seed,
        notes=() if note is None else (note(model, data),),
    )
    return ranking.masks(wanted)


@torch.inference_mode(False)
def prune(
    model: nn.Module,
    sparsity: float,
    *,
    saliency: str | Saliency = "magnitude",
    granularity: str | Granularity = "weight",
    allocation: str | Allocation | Mapping[str, float] = "global",
    schedule: str | Schedule = "one_shot",
    rounds: int | None = None,
    data: Data | None = None,
    protect: str | Sequence[str] = PROTECTED,
    count: Literal["targeted", "all"] = "targeted",
    biases: bool = False,
    keep: int = 1,
    seed: int = 0,
) -> nn.Module:
    """A pruned copy of `model`: same module, same parameter names, the removed weights zero.

    Other arguments and errors are those of `make_masks`, which gives the masks as well. `schedule`
    is `one_shot`, or `iterative` or `iterative_linear`: `rounds` (five where None) that each score
    what is left and remove some of it. Further training would fill the zeros: see `attach`.
    """
    method = Method(
        saliency,
        granularity,
        allocation,
        schedule,
        "none",
        as_patterns(protect),
        arguments={} if rounds is None else {"rounds": rounds},
        count=count,
        biases=biases,
        keep=keep,
    )
    pruned = _copy(model)
    if method.check_final(sparsity) > 0.0:
        GradualPruning(pruned, sparsity, method, data=data, seed=seed).start(None, 0)
    return pruned


def _copy(model: nn.Module) -> nn.Module:
    """A deep copy."""
    unwrapped(model)  # refuses what is in pieces: its copy would fail with less of a reason
    try:
        return copy.deepcopy(model)
    except RuntimeError as error:
        raise ValueError(
            f"{type(model).__name__} cannot be copied ({error}): make reparametrizations permanent "
            f"first (torch.nn.utils.remove_weight_norm, torch.nn.utils.prune.remove), or use "
            f"make_masks and Masks.apply_, which copy nothing."
        ) from error


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
    origin: Origin | None = None,
    before: Masks | None = None,
) -> Pruned:
    """Prunes a copy of `parent` while it is retrained, or retrains it unpruned as the control.

    With one seed the control sees the batches, augmentation and dropout of the pruned models, in
    the same order, for as many steps: pruning is the only difference. With a method and sparsity 0
    the method's own retraining is gone through, and nothing removed: the control of a retraining
    that is not fine-tuning.

    Args:
        parent: A trained model; it is not changed.
        inputs: Training inputs, as for `train`.
        labels: int64 [n].
        method: How to prune; None for the control (fine-tuned, no weight removed).
        sparsity: Fraction of the targeted weights to remove, in [0, 1); 0 with None.
        training: How to retrain; retrainings that go back to the parent's training take that.
        seed: An integer of 0 or more.
        prepare: As for `train`.
        device: As for `train`; the result stays there.
        origin: How the parent was made, for retrainings that go back to it.
        before: Masks of `parent`, where it is pruned itself and to be pruned further: what is gone
            stays gone (iterated pruning and retraining).

    Raises:
        ValueError: As `train`, `Method` and `make_masks` do; a sparsity without a method; or no
            origin where one is needed.
    """
    model, masks, pruning = begin(
        parent, inputs, labels, method, sparsity, seed, prepare, device, before
    )
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
        origin=origin,
    )
    if method is not None and method.recalibrate:
        masks.notes = (*masks.notes, recalibrate(model, inputs, prepare, seed=seed).note)
    return Pruned(model, masks, curve, masks.sparsities(model))


def begin(
    parent: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    method: Method | None,
    sparsity: float,
    seed: int,
    prepare: Prepare | None,
    device: str | torch.device | None,
    before: Masks | None = None,
) -> tuple[nn.Module, Masks, GradualPruning | None]:
    """A copy of `parent`, its masks, and what will prune it; see `prune_and_retrain`."""
    final = check_sparsity(sparsity)
    if method is None and final > 0.0:
        raise ValueError(f"Sparsity {final} needs a method; the control has none and sparsity 0.")
    if before is not None and final <= before.requested:
        raise ValueError(
            f"Sparsity {final} is to be reached from masks at {before.requested}: go up, or start "
            f"from the unpruned parent."
        )
    model = _copy(parent)
    if device is not None:
        model.to(device)
    # A control has nothing to protect; a net of protected layers alone may still have one.
    masks = Masks.dense(
        model,
        () if method is None else method.protect,
        biases=method is not None and method.biases,
    )
    pruning = None
    if method is not None and final > 0.0:
        shown = None
        if method.needs_data:
            shown = _examples(model, inputs, labels, method.examples, seed, prepare)
        pruning = GradualPruning(model, final, method, data=shown, seed=seed, before=before)
        masks = pruning.masks
    return model, masks, pruning


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
