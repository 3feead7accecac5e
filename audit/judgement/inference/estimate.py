"""A change with its doubt, and what can be read off it: bounds, detectable effects, shifts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.judgement.findings import Estimand
from audit.judgement.inference.student import t_quantile, t_two_sided

FloatArray = NDArray[np.float64]

POWER = 0.8
ANSWER = (
    "change",
    "low",
    "high",
    "standard_error",
    "df",
    "n",
    "parents",
    "discordant",
    "generalises_to",
    "p",
    "p_floor",
    "detectable",
    "examples_low",
    "examples_high",
    "examples_standard_error",
    "examples_df",
    "examples_p",
    "reason",
)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A change with its doubt; None wherever undefined, and then `reason` says why.

    Attributes:
        change: Mean over parents of (pruned − parent), as observed.
        low: Lower end of the two-sided interval, centred on `centre` and not clipped.
        high: Upper end.
        p: Two-sided p-value of no change.
        n: Distinct examples in the denominator.
        units: What is independent among them: clusters, or the examples themselves.
        parents: Distinct parents with a denominator.
        discordant: Examples on which any parent and its pruned model differ.
        generalises_to: Who the interval is about.
        centre: `change`, shrunk towards 0 where pseudo-examples were added.
        standard_error: Standard error of `centre`.
        df: Degrees of freedom of its t distribution.
        p_floor: The smallest p that so many units could have given.
        detectable: Smallest true change found with 80 % power at this level.
        examples_low: Lower end of the interval about these very models and new examples, around the
            same `centre`, where `low` is about new training runs too.
        examples_high: Its upper end.
        examples_standard_error: Its standard error.
        examples_df: Its degrees of freedom.
        examples_p: Its two-sided p.
        reason: Why something is None, or what was added; None if there is nothing to say.
    """

    change: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int = 0
    units: int = 0
    parents: int = 0
    discordant: int = 0
    generalises_to: Estimand | None = None
    centre: float | None = None
    standard_error: float | None = None
    df: float | None = None
    p_floor: float | None = None
    detectable: float | None = None
    examples_low: float | None = None
    examples_high: float | None = None
    examples_standard_error: float | None = None
    examples_df: float | None = None
    examples_p: float | None = None
    reason: str | None = None

    def answer(self) -> dict[str, Any]:
        """The estimate as keyword arguments of a `Finding`."""
        return {name: getattr(self, name) for name in ANSWER}


def one_sided_bounds(estimate: Estimate, alpha: float) -> tuple[float | None, float | None]:
    """Lower and upper one-sided bounds at level 1 − alpha each; None where undefined."""
    if estimate.centre is None or estimate.standard_error is None or estimate.df is None:
        return None, None
    reach = float(t_quantile(1.0 - alpha, estimate.df)) * estimate.standard_error
    return estimate.centre - reach, estimate.centre + reach


def detectable_change(standard_error: float, df: float, alpha: float) -> float:
    """Smallest true change that a two-sided test at alpha finds with 80 % power.

    (t_{1−α/2} + t_{0.8}) standard errors. The standard error is about the mean and has a floor (see
    `crossed.components`), so that the observed change itself plays no part.
    """
    return float(detectable_changes(np.array([standard_error]), np.array([df]), alpha)[0])


def detectable_changes(standard_error: FloatArray, df: FloatArray, alpha: float) -> FloatArray:
    """`detectable_change` of many at once, float64 [questions]."""
    reach = np.asarray(t_quantile(1.0 - alpha / 2.0, df) + t_quantile(POWER, df))
    return reach * standard_error


def shifted(estimate: Estimate, by: float) -> Estimate:
    """The estimate of change − by, for a `by` that is taken as known: same width, another p."""
    if estimate.change is None:
        return estimate
    moved = replace(estimate, change=estimate.change - by)
    if estimate.centre is None:
        return moved
    centre = estimate.centre - by
    return replace(
        moved,
        centre=centre,
        low=_less(estimate.low, by),
        high=_less(estimate.high, by),
        p=_p(centre, estimate.standard_error, estimate.df),
        examples_low=_less(estimate.examples_low, by),
        examples_high=_less(estimate.examples_high, by),
        examples_p=_p(centre, estimate.examples_standard_error, estimate.examples_df),
    )


def _less(value: float | None, by: float) -> float | None:
    return None if value is None else value - by


def _p(centre: float, error: float | None, df: float | None) -> float | None:
    return float(t_two_sided(centre / error, df)) if error and df else None
