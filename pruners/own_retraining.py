"""A retraining of one's own: called with those of the arguments that it takes."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any

from pruners.retraining import Retraining
from pruners.training import Curve

# What every retraining is called with by keyword, and may do without but for the first.
NAMED = ("watcher", "origin", "seed", "prepare", "device")


def own_retraining(function: Retraining) -> Retraining:
    """The function, called without the named arguments that it has no place for.

    It takes `(model, inputs, labels, training)` and `watcher`, which prunes: `watcher.start` before
    the first step and `watcher.detach` after the last, as `train` does with it; None for a control.
    `origin` (how the parent was made), `seed`, `prepare` and `device` it may take. It changes the
    model in place and returns a `Curve`.

    Raises:
        ValueError: It does not take the four, or no `watcher`.
    """
    try:
        taken = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in: nothing is known of its arguments
        return function
    kinds = {parameter.kind for parameter in taken.parameters.values()}
    any_name = inspect.Parameter.VAR_KEYWORD in kinds
    known = tuple(name for name in NAMED if any_name or name in taken.parameters)
    try:
        taken.bind(*"four", **dict.fromkeys(known))
        fits = "watcher" in known
    except TypeError:
        fits = False
    if not fits:
        raise ValueError(
            f"A retraining is called with (model, inputs, labels, training) and watcher=, which "
            f"prunes, and may take {', '.join(f'{name}=' for name in NAMED[1:])}; "
            f"{getattr(function, '__name__', repr(function))}{taken} does not fit."
        )
    if known == NAMED:
        return function

    @wraps(function)
    def called(*four: Any, **named: Any) -> Curve:
        return function(*four, **{name: named[name] for name in known if name in named})

    return called
