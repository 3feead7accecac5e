"""What callbacks share: the arguments of `attach` as a method, and masks that hold to the end."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from pruners.attach import attach
from pruners.combinations import END
from pruners.gradual import GradualPruning
from pruners.methods import Method
from pruners.targets import PROTECTED, as_patterns

_OF_ATTACH = tuple(
    name
    for name, parameter in inspect.signature(attach).parameters.items()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in ("data", "seed", "steps")
)


def method_of(sparsity: float, **options: Any) -> Method:
    """The method that these arguments of `attach` stand for, checked against the sparsity.

    Raises:
        ValueError: See `Method`.
    """
    given = {name: options.pop(name) for name in _OF_ATTACH if name in options}
    given["protect"] = as_patterns(given.get("protect", PROTECTED))
    chosen = {"schedule": "cubic", "end": END, **given}
    method = Method(**chosen, arguments=options)
    method.check_final(sparsity)
    return method


def check_steps(steps: object, remedy: str) -> int:
    """The number of steps of a training, refused where it is not known.

    Raises:
        ValueError: It is no integer of 1 or more.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(
            f"The schedule of pruning needs the number of optimizer steps, and the trainer says "
            f"{steps!r}: {remedy}."
        )
    return steps


def hold_finally(pruning: GradualPruning) -> None:
    """Removes again what a trainer put back after its last step, and warns of it."""
    removed = pruning.masks.removed(pruning.model)
    back = sum(int(parameter.detach()[gone].count_nonzero()) for parameter, gone in removed)
    if back:
        pruning.masks.apply_(pruning.model)
        warnings.warn(
            f"{back} removed weights had come back when training was over (weights were averaged, "
            f"or an earlier checkpoint was loaded as the best) and are zero again: measure the "
            f"model anew, and choose among checkpoints that have the final masks.",
            stacklevel=3,
        )
