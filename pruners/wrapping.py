"""What libraries wrap around a model or optimizer: taken off, or refused if it is in pieces."""

from __future__ import annotations

import sys
from typing import Any

from torch import nn
from torch.optim import Optimizer


def unwrapped(model: nn.Module) -> nn.Module:
    """The module inside `DataParallel`, `DistributedDataParallel` and `torch.compile`, if any.

    They prefix every name (`module.`, `_orig_mod.`), and masks and files must have the parent's.

    Raises:
        TypeError: It is no module.
        ValueError: The parameters are sharded.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"A model is a torch.nn.Module, got {type(model).__name__}: build the module, and load "
            f"a state dict into it."
        )
    _check_whole(model)
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    inner = model.module if isinstance(model, parallel) else getattr(model, "_orig_mod", None)
    return unwrapped(inner) if isinstance(inner, nn.Module) else model


def unwrapped_optimizer(optimizer: Optimizer) -> Optimizer:
    """The optimizer inside Accelerate's, whose own hooks nobody calls."""
    inner = getattr(optimizer, "optimizer", None)
    return inner if isinstance(inner, Optimizer) else optimizer


def is_distributed(model: nn.Module) -> bool:
    """Whether several processes train this model together, each with a copy."""
    if isinstance(model, nn.parallel.DistributedDataParallel):
        return True
    inner = model.module if isinstance(model, nn.DataParallel) else None
    inner = inner if inner is not None else getattr(model, "_orig_mod", None)
    return isinstance(inner, nn.Module) and is_distributed(inner)


def _check_whole(model: nn.Module) -> None:
    wrappers = tuple(
        one
        for name in ("FullyShardedDataParallel", "FSDPModule")
        for one in _class("torch.distributed.fsdp", name)
    )
    sharded = wrappers and any(isinstance(module, wrappers) for module in model.modules())
    tensors = _class("torch.distributed.tensor", "DTensor")
    if sharded or (tensors and any(isinstance(p, tensors) for p in model.parameters())):
        raise ValueError(
            f"{type(model).__name__} holds its parameters in pieces on several devices (FSDP, "
            f"DTensor), and a ranking of weights needs them whole: prune before sharding, or train "
            f"with DistributedDataParallel."
        )


def _class(module: str, name: str) -> tuple[type[Any], ...]:
    """A class of a module that is loaded already: one that is not has no instances either."""
    found = getattr(sys.modules.get(module), name, None)
    return () if found is None else (found,)
