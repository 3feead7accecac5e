"""A population: every parent pruned by every method to every sparsity, and its control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pruners.masks import Masks
from pruners.methods import Method
from pruners.prune import prune_and_retrain
from pruners.sparsity import Sparsities, check_sparsity
from pruners.training import Curve, Prepare, Training


@dataclass(frozen=True)
class Member:
    """One model of a population, and how it came about.

    Attributes:
        name: Unique in the population.
        parent: Name of its parent.
        role: `pruned`, or `control` for a parent with the same extra training, unpruned.
        method: Label of the method; None for a control.
        sparsity: Requested; 0 for a control.
        seed: Of its retraining.
        model: In evaluation mode.
        masks: Which weights are kept.
        sparsities: What was removed.
        curve: Its retraining.
    """

    name: str
    parent: str
    role: Literal["pruned", "control"]
    method: str | None
    sparsity: float
    seed: int
    model: nn.Module
    masks: Masks
    sparsities: Sparsities
    curve: Curve


def population(
    parents: Mapping[str, nn.Module],
    inputs: Tensor,
    labels: Tensor,
    methods: Sequence[Method],
    sparsities: Sequence[float],
    training: Training,
    *,
    seeds: Mapping[str, int] | None = None,
    controls: bool = True,
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
) -> Iterator[Member]:
    """Makes the members one by one, when asked: parent by parent, the control first.

    Args:
        parents: Trained models by name; not changed.
        inputs: Training inputs, as for `train`.
        labels: int64 [n].
        methods: How to prune, with labels that differ.
        sparsities: Fractions to remove, each in (0, 1), no two equal.
        training: How to retrain, the same for all.
        seeds: Seed of the retraining of each parent's members; None: 0, 1, ... in order. A parent's
            members share it, so that they differ from their control by pruning alone.
        controls: Whether each parent has one.
        prepare: As for `train`.
        device: As for `train`.

    Raises:
        ValueError: At the call for what is wrong with the arguments; while iterating as
            `prune_and_retrain` does.
    """
    arms = _arms(methods, sparsities, controls)
    chosen = dict(zip(parents, range(len(parents)), strict=True)) if seeds is None else seeds
    missing = [name for name in parents if name not in chosen]
    if missing:
        raise ValueError(f"There is no seed for parent {missing[0]!r}: give one for each parent.")

    def members() -> Iterator[Member]:
        for parent, model in parents.items():
            for method, sparsity in arms:
                made = prune_and_retrain(
                    model,
                    inputs,
                    labels,
                    method,
                    sparsity,
                    training,
                    seed=chosen[parent],
                    prepare=prepare,
                    device=device,
                )
                label = None if method is None else method.label
                yield Member(
                    name=f"{parent}/control" if label is None else f"{parent}/{label}@{sparsity}",
                    parent=parent,
                    role="control" if label is None else "pruned",
                    method=label,
                    sparsity=sparsity,
                    seed=chosen[parent],
                    model=made.model,
                    masks=made.masks,
                    sparsities=made.sparsities,
                    curve=made.curve,
                )

    return members()


def _arms(
    methods: Sequence[Method], sparsities: Sequence[float], controls: bool
) -> list[tuple[Method | None, float]]:
    """The control and every method at every sparsity."""
    wanted = [check_sparsity(sparsity) for sparsity in sparsities]
    labels = [method.label for method in methods]
    asked: list[tuple[str, list[object]]] = [("Sparsity", [*wanted]), ("Method", [*labels])]
    for what, values in asked:
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise ValueError(f"{what} {twice[0]!r} is there twice: leave one out or rename it.")
    if 0.0 in wanted:
        raise ValueError("Sparsity 0 prunes nothing: ask for controls=True instead.")
    arms: list[tuple[Method | None, float]] = [(None, 0.0)] if controls else []
    return arms + [(method, sparsity) for method in methods for sparsity in wanted]
