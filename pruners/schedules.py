"""Schedules: how much is gone when.

One signature: `(progress, final, **arguments) -> sparsity`. `progress` goes from 0 where pruning
begins to 1 where it ends; `final` is the sparsity asked for, which every schedule has reached at 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from pruners.sparsity import check_sparsity

Schedule = Callable[..., float]


def one_shot(progress: float, final: float) -> float:
    """Everything at once where pruning begins (Keras calls it `ConstantSparsity`)."""
    return final


def cubic(progress: float, final: float, *, initial: float = 0.0, power: float = 3.0) -> float:
    """s_f + (s_0 − s_f)(1 − t)³ (Zhu & Gupta 2017, equation 1): fast first, slow at the end.

    Args:
        progress: t.
        final: s_f.
        initial: s_0, removed where pruning begins.
        power: 3 in the paper; Keras's `PolynomialDecay` has the same argument.
    """
    _check_initial(initial, final)
    if power <= 0.0:
        raise ValueError(f"The power of a polynomial schedule must be above 0, got {power!r}.")
    return float(final + (initial - final) * (1.0 - progress) ** power)


def linear(progress: float, final: float, *, initial: float = 0.0) -> float:
    """The same number of weights at every update."""
    _check_initial(initial, final)
    return initial + (final - initial) * progress


def iterative(progress: float, final: float, *, rounds: int = 5) -> float:
    """Rounds that each remove the same share of what is left (Han 2015; Frankle & Carbin 2019).

    The first round is where pruning begins, the last where it ends.
    """
    if not isinstance(rounds, int) or rounds < 1:
        raise ValueError(f"The number of rounds must be an integer of 1 or more, got {rounds!r}.")
    # A hair is added because 2 / 3 · 3 must count as two whole rounds.
    done = math.floor(progress * (rounds - 1) + 1e-9) + 1
    return final if done == rounds else float(1.0 - (1.0 - final) ** (done / rounds))


def _check_initial(initial: float, final: float) -> None:
    if check_sparsity(initial) > final:
        raise ValueError(
            f"The schedule begins at sparsity {initial}, above the {final} it should end at: lower "
            f"`initial`."
        )
