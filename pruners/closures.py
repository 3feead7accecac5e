"""Optimizers that look at the loss several times in a step: what they are shown, and remember."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import LBFGS, Optimizer

Closure = Callable[[], Any]


def remembers_all_in_one(optimizer: Optimizer) -> bool:
    """Whether its memory is one vector of all weights, in which single ones cannot be cleared."""
    return isinstance(optimizer, LBFGS)


def check_reentry(optimizer: Optimizer | None) -> None:
    """Refuses an optimizer that cannot move weights of which the gradient is another model's.

    Raises:
        ValueError: It is such a one.
    """
    if optimizer is not None and remembers_all_in_one(optimizer):
        raise ValueError(
            f"{type(optimizer).__name__} learns curvature from changes of the gradient, and with "
            f"reenter=True that is not the gradient at the weights it moves: leave out reenter, or "
            f"use SGD or Adam."
        )


def forget(optimizer: Optimizer | None) -> None:
    """Lets an optimizer with such a memory begin anew: others are left alone.

    What it remembers are steps and changes of the gradient of another model, with other zeros.
    """
    if optimizer is not None and remembers_all_in_one(optimizer):
        optimizer.state.clear()


def with_closures(
    args: tuple[Any, ...], kwargs: dict[str, Any], wrap: Callable[[Closure], Closure]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an optimizer's step with the closure among them wrapped."""
    # As a method the optimizer's step is given itself first.
    changed = tuple(wrap(a) if callable(a) and not isinstance(a, Optimizer) else a for a in args)
    return changed, {n: wrap(a) if callable(a) else a for n, a in kwargs.items()}
