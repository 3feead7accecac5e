"""Schedules: how much is gone when.

One signature: `(progress, final, **arguments) -> sparsity`. `progress` goes from 0 where pruning
begins to 1 where it ends; `final` is the sparsity asked for, which every schedule has reached at 1.
One that goes down in between needs weights that may come back.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from pruners.sparsity import check_sparsity

Schedule = Callable[..., float]


def one_shot(progress: float, final: float) -> float:
    """Everything at once where pruning begins."""
    return final


def at_initialisation(progress: float, final: float, *, rounds: int = 1) -> float:
    """Everything before the first step of training, in rounds of score, remove, score again.

    Each round leaves the same share of what was left, (1 − s)^(1/n): the exponential schedule of
    SynFlow, which takes 100 (Tanaka 2020, algorithm 1). One round is SNIP's and GraSP's.
    """
    return iterative(progress, final, rounds=rounds)


def constant(progress: float, final: float) -> float:
    """The same sparsity at every update (Keras's `ConstantSparsity`).

    Where removed weights may come back, each update chooses anew which they are; where not, there
    is nothing to choose after the first.
    """
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


def cyclic(
    progress: float, final: float, *, cycles: int = 3, initial: float = 0.0, power: float = 3.0
) -> float:
    """The cubic ramp again and again, each time from `initial` (Srinivas 2022, cyclical pruning).

    At the start of a cycle removed weights come back, those that one cycle removed in error among
    them. The last update of a cycle is the one before the next begins; only the very last is sure
    to be at `final`.

    Args:
        progress: Share of all cycles that is done.
        final: Sparsity at the end of each.
        cycles: How many.
        initial: Sparsity at the start of each.
        power: Of the ramp; see `cubic`.
    """
    cycles = _count("cycles", cycles)
    # A hair is added because 1 / 3 · 3 must be the start of the second cycle.
    done = progress * cycles + 1e-9
    within = 1.0 if progress >= 1.0 else max(0.0, done - math.floor(done) - 1e-9)
    return cubic(within, final, initial=initial, power=power)


def linear(progress: float, final: float, *, initial: float = 0.0) -> float:
    """The same number of weights at every update."""
    _check_initial(initial, final)
    return initial + (final - initial) * progress


def iterative(progress: float, final: float, *, rounds: int = 5) -> float:
    """Rounds that each remove the same share of what is left (Han 2015; Frankle & Carbin 2019).

    The first round is where pruning begins, the last where it ends.
    """
    rounds = _count("rounds", rounds)
    done = _rounds_done(progress, rounds)
    return final if done == rounds else float(1.0 - (1.0 - final) ** (done / rounds))


def iterative_linear(progress: float, final: float, *, rounds: int = 5) -> float:
    """Rounds that each remove the same number of weights; the first is where pruning begins."""
    rounds = _count("rounds", rounds)
    done = _rounds_done(progress, rounds)
    return final if done == rounds else final * done / rounds


def _rounds_done(progress: float, rounds: int) -> int:
    """Rounds that are over when a share `progress` of the way from the first to the last is."""
    # A hair is added because 2 / 3 · 3 must count as two whole rounds.
    return math.floor(progress * (rounds - 1) + 1e-9) + 1


def _count(what: str, count: float) -> int:
    """The count as an integer: configs know no others than floats here."""
    number = isinstance(count, int | float) and not isinstance(count, bool)
    if not number or not 1 <= count < math.inf or count != int(count):
        raise ValueError(f"The number of {what} must be an integer of 1 or more, got {count!r}.")
    return int(count)


def _check_initial(initial: float, final: float) -> None:
    if check_sparsity(initial) > final:
        raise ValueError(
            f"The schedule begins at sparsity {initial}, above the {final} it should end at: lower "
            f"`initial`."
        )
