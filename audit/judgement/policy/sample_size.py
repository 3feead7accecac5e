"""How many examples and parents show that nothing changed: the arithmetic of planning.

The change of one cell, averaged over M parents and n examples, has the crossed variance

    V(M, n) = e / n + s / M + r / (M n),

with e the variance between examples that all parents share, s that between parents, and r what is
particular to an example in a parent. A model that is truly unchanged is found within a margin x by
the one-sided bound at level a, with power q, where

    (t_{1−a} + t_q) · √V ≤ x,

both quantiles with the degrees of freedom of `inference.paired`. More examples do nothing
about s / M: with few parents, no number of examples may be enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy import special

from audit.judgement.inference.crossed import ENOUGH_DISCORDANT, PSEUDO

MOST = 100_000_000  # beyond this many, nobody's number of examples is enough
MOST_PARENTS = 1_000


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What the variance of one paired change is made of.

    Attributes:
        examples: e, between examples, shared by all parents; per example.
        seeds: s, between parents; per parent.
        residual: r, of one example in one parent.
        discordance: Share of examples that change in any way; where fewer than ten do, inference
            adds two examples, and so does this.
    """

    examples: float
    seeds: float = 0.0
    residual: float = 0.0
    discordance: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be shown.

    Attributes:
        margin: x, how far from its limit an unchanged model lies, above 0.
        level: a, one-sided level of the bound.
        power: q, in (0, 1).
        claim: `files` leaves s and the parents' degrees of freedom out; so does one parent.
    """

    margin: float
    level: float
    power: float = 0.8
    claim: Literal["recipe", "files"] = "recipe"


def reach(spread: Spread, target: Target, parents: int, examples: int) -> float:
    """(t_{1−a} + t_q) √V: the margin that so many parents and examples can show."""
    rare = examples * spread.discordance < ENOUGH_DISCORDANT
    e = (spread.examples + (PSEUDO / examples if rare else 0.0)) / examples
    r = spread.residual / (parents * examples)
    of_files = e + r
    variance, df = of_files, float(examples - 1)
    if target.claim == "recipe" and parents > 1:
        of_seeds = spread.seeds / parents + r
        variance = e + spread.seeds / parents + r
        by_axis = of_files / (examples - 1) + of_seeds / (parents - 1)
        df = (of_files + of_seeds) / by_axis if by_axis > 0 else df
    quantiles = special.stdtrit(df, 1.0 - target.level) + special.stdtrit(df, target.power)
    return float(quantiles * variance**0.5)


def examples_needed(spread: Spread, target: Target, parents: int, least: int = 2) -> int | None:
    """The smallest number of examples that suffices; None where none does with so few parents.

    Args:
        spread: What varies.
        target: What is to be shown.
        parents: Distinct parents.
        least: The smallest denominator that may make a claim.
    """
    return _smallest(
        lambda n: reach(spread, target, parents, n) <= target.margin, max(least, 2), MOST
    )


def parents_needed(spread: Spread, target: Target, examples: int) -> int | None:
    """The smallest number of parents that suffices; None where none does with so few examples."""
    first = 2 if target.claim == "recipe" else 1  # one parent tells nothing of others
    return _smallest(
        lambda m: reach(spread, target, m, examples) <= target.margin, first, MOST_PARENTS
    )


def _smallest(enough: Callable[[int], bool], least: int, most: int) -> int | None:
    """Bisection; enough once is enough for all that is more, but for the first few."""
    high, low = least, least - 1
    while not enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
