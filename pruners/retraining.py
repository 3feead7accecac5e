"""Retraining: what happens to the weights that stay, while and after others are removed.

One signature, that of `train`: the watcher prunes, and is to be started and detached once. A
control goes through the same function with a watcher that removes nothing (None).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pruners.training import Curve, Prepare, Training, Watcher, train

Retraining = Callable[..., Curve]


def nothing(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    training: Training,
    *,
    seed: int,
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
    watcher: Watcher | None = None,
) -> Curve:
    """None: the weights are removed, the others stay what they were."""
    if device is not None:
        model.to(device)
    if watcher is not None:
        watcher.start(None, 0)
        watcher.detach()
    model.eval()
    return Curve()


def fine_tune(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    training: Training,
    *,
    seed: int,
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
    watcher: Watcher | None = None,
) -> Curve:
    """Trains on, from the weights the parent ended with, as `training` says."""
    return train(
        model,
        inputs,
        labels,
        training,
        seed=seed,
        prepare=prepare,
        device=device,
        watcher=watcher,
    )
