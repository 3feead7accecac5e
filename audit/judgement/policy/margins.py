"""Inside a limit, beyond it, or not to be told from these data: one-sided bounds of one answer.

An interval is carried to another level by moving its ends by the difference of two t quantiles
times the standard error, so that whatever shaped the interval (a conservative count, a correction
for bias) shapes every bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from audit.judgement.findings import Finding, Outcome
from audit.judgement.inference.one_pair import Flips, flips_of
from audit.judgement.policy.claims import NOT_ABOUT_FILES, WHOM, Interval, denominator, interval_of
from audit.judgement.policy.kinds import CHANGES, Bound
from audit.judgement.policy.limits import StatedLimit


@dataclass(frozen=True)
class Margin:
    """One finding against one limit, on a scale where more is worse.

    Attributes:
        finding: The finding.
        about: The interval that the limit's claim is held to.
        harm: Point value.
        low: Lower end of the harm's two-sided interval.
        high: Upper end.
        threshold: The limit on the same scale.
        flips: What one pair of models did, where it is about one; its bounds come from there.
    """

    finding: Finding
    about: Interval
    harm: float
    low: float
    high: float
    threshold: float
    flips: Flips | None = None


@dataclass(frozen=True)
class Levels:
    """One-sided levels of one verdict.

    Attributes:
        alpha: That of the finding's own two-sided interval.
        within: Of the bound that must lie inside the limit.
        over: Of the bound that must lie beyond it, corrected over the limit's cells.
        clustered: Whether what is independent is a cluster of examples.
    """

    alpha: float
    within: float
    over: float
    clustered: bool = False


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
    findings: Sequence[Finding],
    stated: StatedLimit,
    alpha: float,
    minimum_n: int,
    looks: int = 1,
    clustered: bool = False,
    single: Callable[[Finding], bool] = lambda finding: False,
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
        looks: How often these examples are looked at, over time or over the files that one was
            chosen from: every bound is at alpha / looks.
        clustered: Whether what is independent is a cluster of examples.
        single: Whether a finding is about one pair of models, unweighted and unclustered.
    """
    margins = [margin(finding, stated, minimum_n) for finding in findings]
    margins = [
        replace(m, flips=flips_of(m.finding)) if m and single(m.finding) else m for m in margins
    ]
    claiming = [m for m in margins if m is not None]
    inner = alpha / looks
    levels = iter(_holm_levels([_p_over(m, alpha) for m in claiming], inner))
    return [
        _unjudged(finding, stated, minimum_n)
        if m is None
        else _judged(m, stated, Levels(alpha, inner, next(levels), clustered))
        for finding, m in zip(findings, margins, strict=True)
    ]


def margin(finding: Finding, stated: StatedLimit, minimum_n: int) -> Margin | None:
    """Puts a finding on the scale of a limit where more is worse; None where it makes no claim."""
    bound, limit = stated.kind.bound, stated.limit.limit
    value = finding.change if bound in CHANGES else finding.pruned
    about = interval_of(finding, stated.limit.claim)
    small = finding.n is not None and finding.n < minimum_n
    if finding.outcome == "not_asked" or small or about is None or value is None:
        return None
    upward = bound == "worsening" and finding.worse_direction == "up"
    if upward or bound in ("rise", "ceiling"):
        return Margin(finding, about, value, about.low, about.high, limit)
    threshold = limit if bound in CHANGES else -limit
    return Margin(finding, about, -value, -about.high, -about.low, threshold)


def _unjudged(finding: Finding, stated: StatedLimit, minimum_n: int) -> Judged:
    if finding.outcome == "not_asked":
        return Judged("not_asked", None, None, finding.reason)
    small = finding.n is not None and finding.n < minimum_n
    if (
        not small
        and interval_of(finding, "recipe")
        and not interval_of(finding, stated.limit.claim)
    ):
        return Judged("cannot_tell", None, None, NOT_ABOUT_FILES)
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
    error, df = m.about.standard_error, m.about.df
    if error is None:
        return 0.0
    return (_quantile(level, df) - _quantile(alpha / 2, df)) * error


def _p_over(m: Margin, alpha: float) -> float:
    """One-sided p of harm ≤ threshold."""
    error, df = m.about.standard_error, m.about.df
    if m.flips is not None:
        return m.flips.p_over(m.threshold)
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


def _judged(m: Margin, stated: StatedLimit, levels: Levels) -> Judged:
    worst, least = _bounds(m, levels)
    sign = -1.0 if stated.kind.bound == "floor" else 1.0
    if worst <= m.threshold:
        outcome: Outcome = "within"
    else:
        outcome = "over" if least > m.threshold else "cannot_tell"
    said = _sentence(outcome, m, stated, worst, least, levels)
    return Judged(outcome, sign * worst, sign * least, said)


def _bounds(m: Margin, levels: Levels) -> tuple[float, float]:
    """The most and the least harm that these data leave open."""
    if m.flips is not None:
        return m.flips.most(levels.within), m.flips.least(levels.over)
    worst = m.high + _shift(m, levels.alpha, levels.within)
    return worst, m.low - _shift(m, levels.alpha, levels.over)


def _sentence(
    outcome: Outcome,
    m: Margin,
    stated: StatedLimit,
    worst: float,
    least: float,
    levels: Levels,
) -> str:
    bound, unit = stated.kind.bound, m.finding.unit
    sign = -1.0 if bound == "floor" else 1.0
    most, at_least = ("at least", "at most") if bound == "floor" else ("at most", "at least")
    limit = amount(stated.limit.limit, bound, unit)
    inner, outer = amount(sign * worst, bound, unit), amount(sign * least, bound, unit)
    whom = f", {WHOM[m.about.generalises_to]}" if m.about.generalises_to else ""
    if outcome == "within":
        sure = 100 - 100 * levels.within
        return f"{most} {inner} (one-sided {sure:.4g} %), inside the limit of {limit}{whom}"
    if outcome == "over":
        sure = 100 - 100 * levels.over
        return f"{at_least} {outer} (one-sided {sure:.4g} %), beyond the limit of {limit}{whom}"
    return (
        f"{at_least} {outer} and {most} {inner}, with the limit of {limit} between them{whom}"
        + _what_would_decide(m, levels)
    )


def _what_would_decide(m: Margin, levels: Levels) -> str:
    """Standard errors shrink with the root of the sample, here of examples and parents alike."""
    finding, about = m.finding, m.about
    distance = abs(m.harm - m.threshold)
    if not about.standard_error or not finding.n or distance == 0.0:
        return ""
    needed = _quantile(levels.within if m.harm < m.threshold else levels.over, about.df)
    times = (needed * about.standard_error / distance) ** 2
    if times <= 1.0:  # the interval is wider than its standard error says, on purpose
        return ""
    wanted = []
    if about.generalises_to in ("examples", "both", None):
        where = " in new clusters" if levels.clustered else ""
        wanted.append(f"{math.ceil(times * finding.n):,} such {denominator(finding)}{where}")
    if about.generalises_to in ("seeds", "both") and finding.parents:
        wanted.append(f"{math.ceil(times * finding.parents):,} parents")
    return f": about {' and '.join(wanted)} would decide it"


def amount(value: float, bound: Bound, unit: str) -> str:
    """A quantity as a sentence writes it: changes in points, levels in percent."""
    if unit != "fraction":
        return f"{value:.4g}"
    return f"{100 * value:.2f} points" if bound in CHANGES else f"{100 * value:.2f} %"
