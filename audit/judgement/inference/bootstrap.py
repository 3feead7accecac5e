"""Intervals for statistics that are no mean: parents and examples are drawn independently.

Percentile intervals collapse on rare events: draws give a standard error, and a t the interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.judgement.findings import Estimand
from audit.judgement.inference.crossed import sums
from audit.judgement.inference.estimate import POWER, Estimate
from audit.judgement.inference.paired import SAME_IN_ALL
from audit.judgement.inference.student import t_quantile, t_two_sided

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Statistic = Callable[[FloatArray, FloatArray], float]

NO_ANSWER = "not asked: a claim about these needs at least 2 independent parents or examples"


def crossed_bootstrap(
    statistic: Statistic,
    *,
    parents: int,
    examples: int,
    draws: int,
    generator: np.random.Generator,
    generalises_to: Estimand | None = None,
    clusters: IndexArray | None = None,
    level: float = 0.95,
) -> Estimate:
    """The statistic with an interval from independent weights on parents and on examples.

    Each axis is drawn with one unit fewer than it has and the weights scaled up, which makes the
    variance of a mean unbiased on either axis (Rao & Wu 1988); the product of both is slightly
    conservative (Owen 2007, "The pigeonhole bootstrap").

    Args:
        statistic: Parent weights [parents] and example weights [examples], both with mean 1, to a
            number; NaN where it is undefined. All conditions of one example share its weight.
        parents: Number of distinct parents.
        examples: Number of examples.
        draws: Bootstrap draws.
        generator: Where they come from.
        generalises_to: Who the claim is about; None asks `both` of two or more parents, else
            `examples`.
        clusters: int64 [examples], codes 0, 1, …; whole clusters are drawn.
        level: Coverage, in (0, 1).
    """
    about: Estimand = generalises_to or ("both" if parents > 1 else "examples")
    units = examples if clusters is None else int(clusters.max(initial=-1)) + 1
    value = statistic(np.ones(parents), np.ones(examples))
    found = Estimate(
        change=None if np.isnan(value) else float(value),
        n=examples,
        units=units,
        parents=parents,
        generalises_to=about,
    )
    fewest = min(parents if about != "examples" else units, units if about != "seeds" else parents)
    if fewest < 2 or found.change is None:
        return _with(found, None, 1.0, level, NO_ANSWER)
    drawn = np.empty(draws)
    for draw in range(draws):
        by_parent = _weights(parents, generator) if about != "examples" else np.ones(parents)
        by_unit = _weights(units, generator) if about != "seeds" else np.ones(units)
        drawn[draw] = statistic(by_parent, by_unit if clusters is None else by_unit[clusters])
    defined = drawn[~np.isnan(drawn)]
    error = float(defined.std(ddof=1)) if defined.size > 1 else 0.0
    return _with(found, error or None, fewest - 1.0, level, SAME_IN_ALL)


def draw_cells(
    counts: NDArray[np.integer], draws: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Bootstrap draws of one pair's cell counts, as resampling its rows would give, but at once.

    Args:
        counts: [cells], examples per cell (group × label × parent's × pruned's prediction).
        draws: How many.
        generator: Where they come from.

    Returns:
        int64 [draws, cells]; every row sums to `counts.sum()`.

    Raises:
        ValueError: There is nobody to draw.
    """
    total = int(counts.sum())
    if total == 0:
        raise ValueError("all cell counts are 0: there is nobody to draw.")
    return generator.multinomial(total, counts / total, size=draws)


def _weights(units: int, generator: np.random.Generator) -> FloatArray:
    """Counts of units − 1 draws with replacement, scaled to mean 1."""
    drawn = generator.integers(0, units, size=units - 1)
    return sums(np.full(units - 1, units / (units - 1.0)), drawn, units)


def _with(
    found: Estimate, error: float | None, df: float, level: float, otherwise: str
) -> Estimate:
    """The estimate with its t interval, or with the reason why there is none."""
    if error is None or found.change is None:
        return replace(found, reason=otherwise)
    reach = float(t_quantile(0.5 + level / 2.0, df)) * error
    return replace(
        found,
        low=found.change - reach,
        high=found.change + reach,
        p=float(t_two_sided(found.change / error, df)),
        centre=found.change,
        standard_error=error,
        df=df,
        p_floor=0.0,
        detectable=reach + float(t_quantile(POWER, df)) * error,
    )
