"""All that is made of one parent by fine-tuning, trained in one stack."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypedDict, Unpack

import torch
from torch import Tensor, nn

from pruners.arms import Arm
from pruners.combinations import name_of
from pruners.methods import Method
from pruners.prune import Pruned, begin
from pruners.recalibration import recalibrate
from pruners.stack import Stack
from pruners.stacked import train_stacked, why_not_stacked
from pruners.training import Prepare, Training


def can_stack(method: Method | None) -> bool:
    """Whether this method's members may be trained with others; None, the control, may."""
    if method is None:
        return True
    return name_of(method.retraining) == "fine_tune" and not method.reenter


def check_parent(parent: nn.Module | None, example: Tensor | None = None) -> None:
    """Refuses what cannot be stacked.

    Args:
        parent: What all would start from.
        example: [1, ...], shown to two copies at once where it is given: a module that asks for the
            values that it computes cannot answer for both.

    Raises:
        ValueError: There is no parent, or it is not made of linear layers, or asks for values.
    """
    if parent is None:
        raise ValueError(
            "What is stacked starts from one parent, and without parents nothing does: give "
            "parents, or leave out stacked."
        )
    reason = why_not_stacked(parent)
    if reason is not None:
        raise ValueError(f"{reason}: leave out stacked, and members are trained one by one.")
    if example is not None:
        _try_two(parent, example)


def _try_two(parent: nn.Module, example: Tensor) -> None:
    try:
        with torch.no_grad():
            Stack([copy.deepcopy(parent), copy.deepcopy(parent)]).logits(example, shared=True)
    except RuntimeError as error:
        raise ValueError(
            f"{type(parent).__name__} cannot be stacked ({str(error).strip().splitlines()[0]}): "
            f"leave out stacked, and members are trained one by one."
        ) from error


def prune_and_retrain_stacked(
    parent: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    wanted: Sequence[tuple[Method | None, float]],
    training: Training,
    *,
    seed: int,
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
) -> list[Pruned]:
    """What `prune_and_retrain` makes of one parent, by several methods to several sparsities.

    All see the same batches, augmentation and dropout, as one after another they would; weights
    agree with theirs to rounding, and notes of the masks say so.

    Args:
        parent: A trained net of linear layers; it is not changed.
        inputs: As for `train`.
        labels: int64 [n].
        wanted: Methods (None: the control) with the sparsity of each.
        training: How to retrain.
        seed: An integer of 0 or more.
        prepare: As for `train`.
        device: As for `train`.

    Returns:
        One for each of `wanted`, in order.

    Raises:
        ValueError: As `prune_and_retrain` and `train_stacked`; or a retraining that is not
            fine-tuning.
    """
    for method, _ in wanted:
        if method is not None and not can_stack(method):
            raise ValueError(
                f"{method.label!r} is not fine-tuned, or lets weights come back, and a stack only "
                f"fine-tunes: make its members with prune_and_retrain."
            )
    if not wanted:
        return []
    begun = []
    for method, sparsity in wanted:
        try:
            begun.append(begin(parent, inputs, labels, method, sparsity, seed, prepare, device))
        except ValueError as error:
            raise ValueError(f"{_called(method, sparsity)}: {error}") from error
    curves = train_stacked(
        [model for model, _, _ in begun],
        inputs,
        labels,
        training,
        seeds=[seed] * len(begun),
        prunings=[pruning for _, _, pruning in begun],
        prepare=prepare,
        device=device,
        names=[_called(method, sparsity) for method, sparsity in wanted],
    )
    note = together(len(begun))
    made = []
    for (method, _), (model, masks, _), curve in zip(wanted, begun, curves, strict=True):
        masks.notes = (*masks.notes, note)
        if method is not None and method.recalibrate:
            masks.notes = (*masks.notes, recalibrate(model, inputs, prepare, seed=seed).note)
        made.append(Pruned(model, masks, curve, masks.sparsities(model)))
    return made


def together(models: int) -> str:
    """The note on the masks of each of so many models that were trained at once."""
    return f"Trained in one stack with {models - 1} others: equal to training alone to rounding."


def _called(method: Method | None, sparsity: float) -> str:
    return "the control" if method is None else f"{method.label} at {sparsity:g}"


class Stacking(TypedDict, total=False):
    """What a stack is told of inputs."""

    prepare: Prepare | None
    device: str | torch.device | None


def make_stacked(
    parent: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    arms: Sequence[Arm],
    training: Training,
    *,
    seed: int,
    **how: Unpack[Stacking],
) -> dict[str, Pruned]:
    """What is made of those arms that start from the parent and are fine-tuned, by their names."""
    chosen = [
        arm
        for arm in arms
        if arm.role in ("pruned", "control") and arm.before is None and can_stack(arm.method)
    ]
    wanted = [(arm.method, arm.sparsity) for arm in chosen]
    made = prune_and_retrain_stacked(parent, inputs, labels, wanted, training, seed=seed, **how)
    return {arm.name: one for arm, one in zip(chosen, made, strict=True)}
