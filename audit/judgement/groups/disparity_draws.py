"""What pruning added to an extreme over groups, with a crossed bootstrap of parents × examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN
from audit.judgement.groups.rates import ratio
from audit.judgement.inference.estimate import POWER, Estimate
from audit.judgement.inference.replicates import average_by_parent
from audit.judgement.inference.resampling import (
    Strata,
    drawn_sums,
    example_weights,
    strata,
    unit_weights,
)
from audit.judgement.inference.student import t_quantile, t_two_sided
from audit.judgement.pairs import Design, Pairs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]

NO_CHANGE = "no draw differs from another: there is no variance to test against"
ABOUT_EXAMPLES = ("low", "high", "standard_error", "df", "p")
ROUNDING = 1e-7


@dataclass(frozen=True, eq=False)
class GroupRates:
    """Rates of groups, float64 [draws ×] [models, groups], NaN where undefined.

    Attributes:
        accuracy: Share taken for their own class.
        selection: Share taken for the positive class; all NaN without one, like the next two.
        tpr: That share among those of the class.
        fpr: That share among the others.
    """

    accuracy: FloatArray
    selection: FloatArray
    tpr: FloatArray
    fpr: FloatArray


Statistic = Callable[[GroupRates], FloatArray]


def rates_of(
    predicted: IntArray, codes: CodeArray, n_groups: int, positive: int | None, known: Design
) -> GroupRates:
    """Rates of every model in every group, [models, groups].

    Args:
        predicted: [models, examples], class codes or `NOT_SHOWN`.
        codes: int64 [examples], group codes, -1 for an example of none.
        n_groups: Number of groups.
        positive: Code of the positive class; None for none.
        known: Labels and weights.
    """
    table = _table(predicted, codes, n_groups, positive, known)
    rates = _rates(table, np.ones((1, codes.size)))
    return GroupRates(*(value[0] for value in vars(rates).values()))


def added(
    found: Sequence[Pairs],
    codes: CodeArray,
    n_groups: int,
    positive: int | None,
    wanted: Mapping[str, Statistic],
    known: Design,
) -> list[dict[str, Estimate]]:
    """The change of every statistic from parents to pruned models, per arm.

    Args:
        found: The pairs of every arm.
        codes: int64 [examples], group codes, -1 for an example of none.
        n_groups: Number of groups.
        positive: Code of the positive class; None for none.
        wanted: Statistics of a model's group rates, by name.
        known: Labels, weights, clusters; the plan's level, resamples and seed.
    """
    predicted = np.concatenate([side for pair in found for side in (pair.parent, pair.pruned)])
    table = _table(predicted, codes, n_groups, positive, known)
    generator = np.random.default_rng(known.plan.seed)
    drawn: list[dict[str, list[FloatArray]]] = [{name: [] for name in wanted} for _ in found]
    for weights in example_weights(codes.size, known.plan.resamples, generator, known.clusters):
        for own, change in zip(drawn, _changes(found, table, weights, wanted), strict=True):
            for name, values in change.items():
                own[name].append(values)
    observed = _changes(found, table, np.ones((1, codes.size)), wanted)
    return [
        {
            name: _estimate(point[name][0], np.concatenate(own[name]), pair, codes, known)
            for name in wanted
        }
        for own, point, pair in zip(drawn, observed, found, strict=True)
    ]


def _changes(
    found: Sequence[Pairs],
    table: _Table,
    weights: NDArray[np.floating],
    wanted: Mapping[str, Statistic],
) -> list[dict[str, FloatArray]]:
    """Changes of every statistic, [draws, parents], per arm."""
    rates = _rates(table, weights)
    values = {name: of(rates) for name, of in wanted.items()}
    out, start = [], 0
    for pair in found:
        size, own = len(pair.pruned), {}
        for name, value in values.items():
            change = value[:, start + size : start + 2 * size] - value[:, start : start + size]
            own[name] = average_by_parent(change.T, pair.arm.parent).T
        out.append(own)
        start += 2 * size
    return out


@dataclass(frozen=True, eq=False)
class _Table:
    """What is summed over strata, group × (of the positive class or not).

    Attributes:
        strata: Columns are models: right, then taken where there is a positive class, then shown
            where not every model was shown every example.
        models: Number of models.
        groups: Number of groups.
        taken: Whether there are columns of who was taken for the positive class.
        shown: Whether there are columns of who was shown.
    """

    strata: Strata
    models: int
    groups: int
    taken: bool
    shown: bool


def _table(
    predicted: IntArray, codes: CodeArray, n_groups: int, positive: int | None, known: Design
) -> _Table:
    counted = (known.labels != NO_LABEL) & known.counted & (codes >= 0)
    of_class = np.zeros(codes.size, dtype=np.bool_)
    shown = predicted != NOT_SHOWN
    columns = [predicted == known.labels]
    if positive is not None:
        of_class = known.labels == positive
        columns.append(predicted == positive)
    partly = not shown[:, counted].all()
    if partly:
        columns.append(shown)
    cells = np.where(counted, codes * 2 + of_class, -1)
    sums = strata(cells.astype(np.int64), 2 * n_groups, np.concatenate(columns), known.weights)
    return _Table(sums, len(predicted), n_groups, positive is not None, partly)


def _rates(table: _Table, weights: NDArray[np.floating]) -> GroupRates:
    size, total = drawn_sums(table.strata, weights)
    kinds = total.shape[2] // max(table.models, 1)
    cells = total.reshape(len(weights), table.groups, 2, kinds, table.models)
    sums = list(np.moveaxis(cells, (3, 4), (0, 2)))  # each [draws, models, groups, 2]
    shown = sums[-1] if table.shown else size.reshape(-1, 1, table.groups, 2)
    n = shown.sum(axis=-1)
    accuracy = ratio(sums[0].sum(axis=-1), n)
    if not table.taken:
        nothing = np.full_like(accuracy, np.nan)
        return GroupRates(accuracy, nothing, nothing, nothing)
    taken = sums[1]
    return GroupRates(
        accuracy,
        ratio(taken.sum(axis=-1), n),
        ratio(taken[..., 1], shown[..., 1]),
        ratio(taken[..., 0], shown[..., 0]),
    )


def _estimate(
    point: FloatArray, change: FloatArray, pair: Pairs, codes: CodeArray, known: Design
) -> Estimate:
    """The interval of one arm's change, from [parents] observed and [draws, parents] drawn."""
    inside = (codes >= 0) & (known.labels != NO_LABEL) & (pair.pruned != NOT_SHOWN).any(axis=0)
    units = int(inside.sum())
    if known.clusters is not None:
        units = int(np.unique(known.clusters[inside]).size)
    parents = int((~np.isnan(point)).sum())
    if not parents:
        return Estimate()
    weights = unit_weights(len(point), len(change), np.random.default_rng(known.plan.seed))
    alone = _spread_of(_mean(change, np.ones_like(weights)))
    both = _spread_of(_mean(change, weights)) if parents > 1 else alone
    df = units - 1 if parents == 1 else min(units, parents) - 1
    centre, level = float(np.nanmean(point)), 1.0 - known.plan.alpha
    main, own = _interval(centre, both, df, level), _interval(centre, alone, units - 1, level)
    return Estimate(
        change=centre,
        centre=centre,
        n=int(inside.sum()),
        units=units,
        parents=parents,
        discordant=int(((pair.parent != pair.pruned).any(axis=0) & inside).sum()),
        generalises_to="both" if parents > 1 else "examples",
        **main,
        **{f"examples_{name}": own[name] for name in ABOUT_EXAMPLES},
        reason=NO_CHANGE if main["standard_error"] is None else None,
    )


def _interval(centre: float, error: float, df: int, level: float) -> dict[str, float | None]:
    """A t interval; where no draw moved anything, only p, and that is 1 if nothing changed."""
    if not error or df < 1:
        p = 1.0 if centre == 0.0 else None
        return dict.fromkeys(("low", "high", "standard_error", "df", "p_floor", "detectable")) | {
            "p": p
        }
    reach = float(t_quantile(0.5 + level / 2.0, df)) * error
    return {
        "low": centre - reach,
        "high": centre + reach,
        "standard_error": error,
        "df": float(df),
        "p": float(t_two_sided(centre / error, df)),
        "p_floor": 0.0,
        "detectable": reach + float(t_quantile(POWER, df)) * error,
    }


def _mean(change: FloatArray, weights: NDArray[np.floating]) -> FloatArray:
    defined = ~np.isnan(change)
    return ratio((np.where(defined, change, 0.0) * weights).sum(axis=1), (defined * weights).sum(1))


def _spread_of(drawn: FloatArray) -> float:
    """Standard deviation over draws; rounding of single precision is none."""
    defined = drawn[~np.isnan(drawn)]
    error = float(defined.std(ddof=1)) if defined.size > 1 else 0.0
    return error if error > ROUNDING else 0.0
