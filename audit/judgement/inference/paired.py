"""How sure a paired change is, and about whom: new examples, new training runs, or both."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.judgement.findings import Estimand
from audit.judgement.inference.crossed import (
    ENOUGH_DISCORDANT,
    NO_VARIANCE,
    PSEUDO,
    Components,
    Moments,
    by_cell,
    components,
    moments,
)
from audit.judgement.inference.estimate import (
    POWER,
    Estimate,
    detectable_change,
    one_sided_bounds,
    shifted,
)
from audit.judgement.inference.replicates import average_by_parent
from audit.judgement.inference.student import t_quantile, t_two_sided

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

FEW = (
    f"fewer than {ENOUGH_DISCORDANT} examples differ, so one example moved all the way up and one "
    "all the way down were added: the interval is conservative"
)
ALIKE = (
    "every example differs alike, so one example moved all the way up and one all the way down "
    "were added: the interval is conservative"
)
EMPTY = "nobody is in the denominator"
ONE_PARENT = "not asked: a claim about new training runs needs at least 2 parents, and there is 1"
SAME_IN_ALL = "every parent changed by exactly as much: there is no variance to test against"


def paired_change(
    difference: ArrayLike,
    *,
    generalises_to: Estimand | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """The mean paired change and its interval (spec: the examples, seeds and both estimands).

    With e the variance over examples, m over parents and r of the residual: *examples* is a t with
    V = e and n − 1 degrees of freedom, *seeds* with V = m and M − 1, *both* with
    V = max(e + m − r, e, m) and (e + m) / (e/(n−1) + m/(M−1)), the axes' mean by their shares.

    Args:
        difference: float [parents, examples], pruned − parent with replicates already averaged; NaN
            where an example is not in the denominator.
        generalises_to: Who the claim is about; None asks `both` of two or more parents, else
            `examples`.
        weights: float [examples], positive.
        clusters: [examples], names or codes of what is independent (patient, user, drive).
        level: Coverage of the interval, in (0, 1).

    Raises:
        ValueError: Shapes disagree, or a weight is not positive.
    """
    width = np.shape(difference)[-1] if np.ndim(difference) else 0
    return paired_change_by_cell(
        difference,
        np.zeros(width, dtype=np.int64),
        1,
        generalises_to=generalises_to,
        weights=weights,
        clusters=clusters,
        level=level,
    )[0]


def paired_change_by_cell(
    difference: ArrayLike,
    cells: ArrayLike,
    n_cells: int,
    *,
    generalises_to: Estimand | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """`paired_change` of every cell at once: what each gives on its examples alone.

    Args:
        difference: float [parents, examples], as for `paired_change`.
        cells: int [examples] in [0, n_cells), -1 for an example of no cell.
        n_cells: Number of cells.
        generalises_to: As for `paired_change`, decided cell by cell where None.
        weights: As for `paired_change`.
        clusters: As for `paired_change`.
        level: As for `paired_change`.

    Raises:
        ValueError: Shapes disagree, a cell is out of range, or a weight is not positive.
    """
    d = _two_dimensional(difference)
    found = moments(
        d,
        _cells(cells, n_cells, d.shape[1]),
        n_cells,
        _weights(weights, d.shape[1]),
        cluster_codes(clusters, d.shape[1]),
    )
    return _estimates(found, generalises_to, level)


def cluster_codes(clusters: ArrayLike | None, examples: int) -> IndexArray | None:
    """Codes 0, 1, … of cluster names; None stays None.

    Raises:
        ValueError: There are not as many as examples.
    """
    if clusters is None:
        return None
    names = np.asarray(clusters)
    if names.shape != (examples,):
        raise ValueError(f"`clusters` is {names.shape}: give one per example, ({examples},).")
    if np.issubdtype(names.dtype, np.number):
        return np.unique(names, return_inverse=True)[1].astype(np.int64)
    return np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)


def _two_dimensional(difference: ArrayLike) -> FloatArray:
    d = np.asarray(difference, dtype=np.float64)
    if d.ndim != 2 or d.shape[0] == 0:
        raise ValueError(f"`difference` is {d.shape}: give [parents, examples], at least 1 parent.")
    return d


def _cells(cells: ArrayLike, n_cells: int, examples: int) -> IndexArray:
    codes = np.asarray(cells, dtype=np.int64)
    if codes.shape != (examples,):
        raise ValueError(f"`cells` is {codes.shape}: give one per example, ({examples},).")
    if codes.max(initial=-1) >= n_cells:
        raise ValueError(f"cell {codes.max()} is out of range: `n_cells` is {n_cells}.")
    return codes


def _weights(weights: ArrayLike | None, examples: int) -> FloatArray | None:
    if weights is None:
        return None
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (examples,):
        raise ValueError(f"`weights` is {w.shape}: give one per example, ({examples},).")
    if not (np.isfinite(w) & (w > 0)).all():
        raise ValueError(f"a weight is {w[~(np.isfinite(w) & (w > 0))][0]}: weights are above 0.")
    return w


def _estimates(found: Moments, wanted: Estimand | None, level: float) -> list[Estimate]:
    """One estimate per cell; the arithmetic is done for all of them before the loop."""
    both = found.parents > 1 if wanted is None else np.full(found.n.shape, wanted == "both")
    seeds = np.full(found.n.shape, wanted == "seeds")
    parts = components(found, seeds)
    variance, df = _variance(parts, both, seeds)
    tested = (found.n > 0) & (df > 0) & (variance > (NO_VARIANCE * found.largest) ** 2)
    se = np.sqrt(np.where(tested, variance, np.nan))
    df = np.where(tested, df, 1.0)
    centre = parts.centre
    reach = t_quantile(0.5 + level / 2.0, df) * se
    columns = {
        "change": found.change,
        "low": centre - reach,
        "high": centre + reach,
        "p": np.asarray(t_two_sided(centre / se, df)),
        "centre": centre,
        "standard_error": se,
        "df": np.where(tested, df, np.nan),
        "p_floor": np.where(tested, np.where(seeds, 0.0, _floor(found.units)), np.nan),
        "detectable": reach + t_quantile(POWER, df) * se,
        **_about_examples(parts, found, level),
    }
    return [
        Estimate(
            n=int(found.n[i]),
            units=int(found.units[i]),
            parents=int(found.parents[i]),
            discordant=int(found.discordant[i]),
            generalises_to="both" if both[i] else "seeds" if seeds[i] else "examples",
            reason=_reason(found, parts, i, bool(tested[i])),
            **{name: _or_none(column[i]) for name, column in columns.items()},
        )
        for i in range(found.n.size)
    ]


def _about_examples(parts: Components, found: Moments, level: float) -> dict[str, FloatArray]:
    """The answer for these very models beside the one for the way they were made."""
    nobody = np.zeros(found.n.shape, dtype=np.bool_)
    variance, df = _variance(parts, nobody, nobody)
    tested = (found.n > 0) & (df > 0) & (variance > (NO_VARIANCE * found.largest) ** 2)
    se = np.sqrt(np.where(tested, variance, np.nan))
    df = np.where(tested, df, 1.0)
    reach = t_quantile(0.5 + level / 2.0, df) * se
    return {
        "examples_low": parts.centre - reach,
        "examples_high": parts.centre + reach,
        "examples_standard_error": se,
        "examples_df": np.where(tested, df, np.nan),
        "examples_p": np.asarray(t_two_sided(parts.centre / se, df)),
    }


def _variance(
    parts: Components, both: NDArray[np.bool_], seeds: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Variance and degrees of freedom per cell; df is 0 where there is no test."""
    e, m, r = parts.examples, parts.seeds, parts.residual
    u, parents = parts.units, parts.parents
    total = np.fmax(np.fmax(e + m - r, e), m)
    # 1 / df is the mean of both axes' 1 / df by their shares of the variance. Satterthwaite's df
    # grows with the square of what is left when the parents' variance comes out small by chance,
    # which is when the interval is too short already: of true nulls, five parents then gave 1.7 %
    # a p below .01 (docs/validity.md); by this rule 1.1 %.
    by_axis = e / np.maximum(u - 1, 1) + m / np.maximum(parents - 1, 1)
    shared = np.divide(e + m, by_axis, out=np.zeros_like(e), where=by_axis > 0)
    variance = np.where(both, total, np.where(seeds, m, e))
    df = np.where(both, shared, np.where(seeds, parents - 1, u - 1))
    askable = np.where(both | seeds, parents > 1, parents > 0)
    return np.where(askable, variance, np.nan), np.where(askable, df, 0.0)


def _floor(units: IndexArray) -> FloatArray:
    """Smallest p of `units` units: all of them moved one way in every parent.

    Under ten units the pseudo-examples bound it; from ten on it can be as small as anyone likes.
    """
    u = np.minimum(units, ENOUGH_DISCORDANT).astype(np.float64)
    total = u + PSEUDO
    centre = u / total
    variance = (total - total * centre**2) / ((total - 1.0) * total)
    return np.where(
        units < ENOUGH_DISCORDANT, t_two_sided(centre / np.sqrt(variance), total - 1.0), 0.0
    )


def _reason(found: Moments, parts: Components, i: int, tested: bool) -> str | None:
    if found.n[i] == 0:
        return EMPTY
    if not tested:
        return ONE_PARENT if found.parents[i] < 2 else SAME_IN_ALL
    if not parts.pseudo[i]:
        return None
    return FEW if found.discordant_units[i] < ENOUGH_DISCORDANT else ALIKE


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


__all__ = [
    "Estimate",
    "average_by_parent",
    "by_cell",
    "cluster_codes",
    "detectable_change",
    "one_sided_bounds",
    "paired_change",
    "paired_change_by_cell",
    "shifted",
]
