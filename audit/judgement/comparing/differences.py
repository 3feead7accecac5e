"""How sure a difference of two changes is: over the same parents, over others, or from findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from audit.judgement.inference.crossed import (
    ENOUGH_DISCORDANT,
    NO_VARIANCE,
    Components,
    Moments,
    components,
    moments,
)
from audit.judgement.inference.estimate import POWER, Estimate
from audit.judgement.inference.paired import ALIKE, EMPTY, FEW, paired_change_by_cell

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

ALONE = "one parent on a side: the answer is about these models"


def paired_differences(
    before: FloatArray,
    after: FloatArray,
    cells: IndexArray,
    n_cells: int,
    *,
    weights: FloatArray | None = None,
    clusters: IndexArray | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """(pruned − parent) of `after` less that of `before`, over the same parents and examples.

    Args:
        before: float64 [parents, examples], changes of the first run, NaN outside a denominator.
        after: float64 [parents, examples], of the second; row m has the parent of row m of
            `before`, column i the same example.
        cells: int64 [examples], -1 for an example of no cell.
        n_cells: Number of cells.
        weights: float64 [examples], positive.
        clusters: int64 [examples], what is independent.
        level: Coverage of the interval.
    """
    return paired_change_by_cell(
        after - before, cells, n_cells, weights=weights, clusters=clusters, level=level
    )


def unpaired_differences(
    before: FloatArray,
    after: FloatArray,
    cells: IndexArray,
    n_cells: int,
    *,
    weights: FloatArray | None = None,
    clusters: IndexArray | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """The same where the runs have parents of their own: paired over examples alone.

    With x the difference of the runs' means over parents, e = var(x)/n is the variance over new
    examples. Of new training runs each run adds what its own parents vary, m − r, so that

        V = max(e + (m₁ − r₁) + (m₂ − r₂), e, m₁ + m₂),

    with Satterthwaite's degrees of freedom. As a difference of two changes reaches ±2, so do the
    examples that are added where fewer than ten differ.

    Args:
        before: float64 [parents of the first run, examples], NaN outside a denominator.
        after: float64 [parents of the second run, examples], the same examples.
        cells: As for `paired_differences`, as are the others.
        n_cells: Number of cells.
        weights: float64 [examples].
        clusters: int64 [examples].
        level: Coverage.
    """
    out = np.isnan(before).any(axis=0) | np.isnan(after).any(axis=0)
    inside = np.where(out, -1, cells)
    nobody = np.zeros(n_cells, dtype=np.bool_)
    one, other = np.where(out, 0.0, before), np.where(out, 0.0, after)
    half = (other.mean(axis=0) - one.mean(axis=0))[None, :] / 2.0
    found = moments(half, inside, n_cells, weights, clusters)
    main = components(found, nobody)
    spread = [
        components(moments(d, inside, n_cells, weights, clusters), ~nobody) for d in (one, other)
    ]
    own = len(before), len(after)
    return [_unpaired(found, main, spread, own, i, level) for i in range(n_cells)]


def _unpaired(
    found: Moments,
    main: Components,
    spread: Sequence[Components],
    parents: tuple[int, int],
    i: int,
    level: float,
) -> Estimate:
    n = int(found.n[i])
    if n == 0:
        return Estimate(reason=EMPTY, generalises_to="examples")
    e, units = 4.0 * float(main.examples[i]), int(main.units[i])
    about = _interval(2.0 * float(main.centre[i]), e, units - 1.0, level)
    both = min(parents) > 1
    variance, df = e, units - 1.0
    if both:
        variance, df = _over_trainings(e, units, spread, parents, i)
    told = _interval(2.0 * float(main.centre[i]), variance, df, level)
    said = [ALONE] if not both else []
    if main.pseudo[i]:
        said.append(FEW if found.discordant_units[i] < ENOUGH_DISCORDANT else ALIKE)
    return replace(
        told,
        change=2.0 * float(found.change[i]),
        n=n,
        units=int(found.units[i]),
        parents=min(parents),
        discordant=int(found.discordant[i]),
        generalises_to="both" if both else "examples",
        examples_low=about.low,
        examples_high=about.high,
        examples_standard_error=about.standard_error,
        examples_df=about.df,
        examples_p=about.p,
        reason="; ".join(said) or None,
    )


def _over_trainings(
    e: float, units: int, spread: Sequence[Components], parents: tuple[int, int], i: int
) -> tuple[float, float]:
    """Variance and degrees of freedom where new training runs are meant too."""
    m = [float(each.seeds[i]) for each in spread]
    # One unit has no residual, and what its parents vary stands for all of it.
    own = [m[k] - float(np.nan_to_num(spread[k].residual[i])) for k in range(2)]
    variance = max(e + sum(own), e, sum(m))
    parts = [(e, units - 1.0), *zip(m, (p - 1.0 for p in parents), strict=True)]
    spreads = sum(v**2 / max(d, 1.0) for v, d in parts)
    return variance, variance**2 / spreads if spreads > 0 else 0.0


def independent_difference(
    values: tuple[float, float],
    centres: tuple[float, float],
    errors: tuple[float, float],
    dfs: tuple[float, float],
    level: float,
) -> Estimate:
    """The difference of two answers as if they had nothing in common (Welch–Satterthwaite).

    Where the two share examples or parents, their answers rise and fall together, and the interval
    is wider than it need be.

    Args:
        values: The two answers, as observed.
        centres: What their intervals are centred on.
        errors: Their standard errors.
        dfs: Their degrees of freedom.
        level: Coverage of the interval.
    """
    variances = [error**2 for error in errors]
    total = sum(variances)
    spreads = sum(v**2 / df for v, df in zip(variances, dfs, strict=True))
    df = total**2 / spreads if spreads > 0 else 0.0
    told = _interval(centres[1] - centres[0], total, df, level)
    return replace(told, change=values[1] - values[0])


def _interval(centre: float, variance: float, df: float, level: float) -> Estimate:
    """An interval around the centre; without a variance there is none."""
    if not (variance > NO_VARIANCE**2 and df > 0):
        return Estimate(centre=centre)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf(0.5 + level / 2.0, df)) * error
    return Estimate(
        low=centre - reach,
        high=centre + reach,
        p=float(2.0 * stats.t.sf(abs(centre) / error, df)),
        centre=centre,
        standard_error=error,
        df=df,
        detectable=reach + float(stats.t.ppf(POWER, df)) * error,
    )
