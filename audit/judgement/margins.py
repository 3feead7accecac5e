"""Inside a limit, beyond it, or not to be told from these data: one-sided bounds of one answer.

An interval is carried to another level by moving its ends by the difference of two t quantiles
times the standard error, so that whatever shaped the interval (a conservative count, a correction
for bias) shapes every bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from audit.judgement.findings import Finding, Outcome
from audit.judgement.limits import Bound, StatedLimit


@dataclass(frozen=True)
class Margin:
    """One finding against one limit, on a scale where more is worse.

    Attributes:
        finding: The finding.
        harm: Point value.
        low: Lower end of the harm's two-sided interval.
        high: Upper end.
        threshold: The limit on the same scale.
    """

    finding: Finding
    harm: float
    low: float
    high: float
    threshold: float


@dataclass(frozen=True)
class Judged:
    """The verdict on one finding against one limit; bounds in the limit's own unit and direction.

    Attributes:
        outcome: The verdict.
        bound_within: What must lie inside the limit: the uncorrected one-sided bound.
        bound_over: What must lie beyond it: the one-sided bound corrected over the limit's cells.
        reason: One sentence with the bounds, and with what would decide it where they do not.
    """

    outcome: Outcome
    bound_within: float | None
    bound_over: float | None
    reason: str | None


def judge_cells(
    findings: Sequence[Finding], stated: StatedLimit, alpha: float, minimum_n: int
) -> list[Judged]:
    """Judges every finding that answers one limit.

    Within is claimed cell by cell without correction, because a limit on any group passes only if
    every group passes (an intersection–union test); over is claimed for one cell among many, so it
    is corrected by Holm's procedure over the cells.

    Args:
        findings: The cells of the limit.
        stated: The limit.
        alpha: One-sided level; the findings' intervals cover 1 - alpha.
        minimum_n: Smallest denominator that may make a claim.
    """
    margins = [margin(finding, stated, minimum_n) for finding in findings]
    claiming = [m for m in margins if m is not None]
    levels = iter(_holm_levels([_p_over(m, alpha) for m in claiming], alpha))
    return [
        _unjudged(finding, minimum_n) if m is None else _judged(m, stated, alpha, next(levels))
        for finding, m in zip(findings, margins, strict=True)
    ]


def margin(finding: Finding, stated: StatedLimit, minimum_n: int) -> Margin | None:
    """Puts a finding on the scale of a limit where more is worse; None where it makes no claim."""
    bound, limit = stated.kind.bound, stated.limit.limit
    value = finding.change if bound in ("drop", "rise") else finding.pruned
    small = finding.n is not None and finding.n < minimum_n
    # Only a sparsity is bounded without a standard error: by a fixed sequence of tests.
    loose = finding.standard_error is None and finding.unit != "sparsity"
    if finding.outcome == "not_asked" or small or loose:
        return None
    if value is None or finding.low is None or finding.high is None:
        return None
    if bound in ("rise", "ceiling"):
        return Margin(finding, value, finding.low, finding.high, limit)
    threshold = limit if bound == "drop" else -limit
    return Margin(finding, -value, -finding.high, -finding.low, threshold)


def _unjudged(finding: Finding, minimum_n: int) -> Judged:
    if finding.outcome == "not_asked":
        return Judged("not_asked", None, None, finding.reason)
    small = finding.n is not None and finding.n < minimum_n
    reason = (
        f"{finding.n} examples, of {minimum_n} that a claim needs"
        if small and not finding.reason
        else finding.reason or "these data give no bound"
    )
    return Judged("cannot_tell", None, None, reason)


def _quantile(level: float, df: float | None) -> float:
    """The t that is exceeded with probability `level`; normal where df is None."""
    return float(-special.ndtri(level) if df is None else -special.stdtrit(df, level))


def _shift(m: Margin, alpha: float, level: float) -> float:
    """How much further out the one-sided bound at `level` lies than the two-sided one at alpha."""
    error, df = m.finding.standard_error, m.finding.df
    if error is None:
        return 0.0
    return (_quantile(level, df) - _quantile(alpha / 2, df)) * error


def _p_over(m: Margin, alpha: float) -> float:
    """One-sided p of harm ≤ threshold."""
    error, df = m.finding.standard_error, m.finding.df
    if not error:
        return 0.0 if m.low > m.threshold else 1.0
    t = _quantile(alpha / 2, df) + (m.low - m.threshold) / error
    return float(special.ndtr(-t) if df is None else special.stdtr(df, -t))


def _holm_levels(p: Sequence[float], alpha: float) -> list[float]:
    """The level at which Holm's procedure holds each p: alpha / (number not yet rejected)."""
    levels = [0.0] * len(p)
    left, going = len(p), True
    for place in np.argsort(p, kind="stable").tolist():
        levels[place] = alpha / left
        going = going and p[place] <= alpha / left
        left -= going
    return levels


def _judged(m: Margin, stated: StatedLimit, alpha: float, level: float) -> Judged:
    worst = m.high + _shift(m, alpha, alpha)
    least = m.low - _shift(m, alpha, level)
    sign = -1.0 if stated.kind.bound == "floor" else 1.0
    if worst <= m.threshold:
        outcome: Outcome = "within"
    else:
        outcome = "over" if least > m.threshold else "cannot_tell"
    return Judged(
        outcome,
        sign * worst,
        sign * least,
        _sentence(outcome, m, stated, worst, least, alpha, level),
    )


def _sentence(
    outcome: Outcome,
    m: Margin,
    stated: StatedLimit,
    worst: float,
    least: float,
    alpha: float,
    level: float,
) -> str:
    bound, unit = stated.kind.bound, m.finding.unit
    sign = -1.0 if bound == "floor" else 1.0
    most, at_least = ("at least", "at most") if bound == "floor" else ("at most", "at least")
    limit = amount(stated.limit.limit, bound, unit)
    inner, outer = amount(sign * worst, bound, unit), amount(sign * least, bound, unit)
    if outcome == "within":
        return f"{most} {inner} (one-sided {100 - 100 * alpha:.4g} %), inside the limit of {limit}"
    if outcome == "over":
        return (
            f"{at_least} {outer} (one-sided {100 - 100 * level:.4g} %), beyond the limit of {limit}"
        )
    return (
        f"{at_least} {outer} and {most} {inner}, with the limit of {limit} between them"
        + _what_would_decide(m, alpha, level)
    )


def _what_would_decide(m: Margin, alpha: float, level: float) -> str:
    """Standard errors shrink with the root of the sample, here of examples and parents alike."""
    finding = m.finding
    distance = abs(m.harm - m.threshold)
    if not finding.standard_error or not finding.n or distance == 0.0:
        return ""
    needed = _quantile(alpha if m.harm < m.threshold else level, finding.df)
    times = (needed * finding.standard_error / distance) ** 2
    if times <= 1.0:  # the interval is wider than its standard error says, on purpose
        return ""
    wanted = []
    if finding.generalises_to in ("examples", "both", None):
        wanted.append(f"{math.ceil(times * finding.n):,} such examples")
    if finding.generalises_to in ("seeds", "both") and finding.parents:
        wanted.append(f"{math.ceil(times * finding.parents):,} parents")
    return f": about {' and '.join(wanted)} would decide it"


def amount(value: float, bound: Bound, unit: str) -> str:
    """A quantity as a sentence writes it: changes in points, levels in percent."""
    if unit != "fraction":
        return f"{value:.4g}"
    return f"{100 * value:.2f} points" if bound in ("drop", "rise") else f"{100 * value:.2f} %"
