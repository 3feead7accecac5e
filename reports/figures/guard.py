"""The figure of a guard: harm recovered against inputs handed back, a line per sparsity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audit.judgement.guarding.result import Guarded, Point
from reports.figures.canvas import CONTROL, FOURTH, PARENT, PRUNED, THIRD, draw
from reports.figures.plots import Series, lines
from reports.names import method_name, sparsity_name
from reports.page import Figure
from reports.quantities import defined, number, percent
from reports.wording import listing, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 5
_LOOKS = ((PRUNED, "o", "-"), (CONTROL, "s", "--"), (THIRD, "D", "-."), (FOURTH, "^", ":"))
_LAST = (PARENT, "v", "-")
_TOLD = (0.05, 0.1, 0.2)  # the shares whose numbers the alternative tells


def recovery(key: str, method: str, arms: Sequence[Guarded], focus: float | None) -> Figure | None:
    """Share of the harmed examples handed back, up to five sparsities, the largest of them.

    Args:
        key: The figure's name inside the page.
        method: The method.
        arms: Its guards.
        focus: The sparsity whose interval is drawn.
    """
    shown = [arm for arm in arms if any(defined(p.recovered) for p in arm.curve)][-MOST_LINES:]
    if not shown:
        return None
    looks = (*_LOOKS, _LAST)
    series = [
        _series(arm, *look, band=arm.sparsity == focus)
        for arm, look in zip(reversed(shown), looks, strict=False)
    ]

    def plot(ax: Axes) -> None:
        lines(ax, series, say("figure.guard.axis"))
        ax.set_xlabel(say("figure.guard.shares"))
        ax.set_ylim(0, 104)

    return Figure(
        key,
        say("figure.guard.heading"),
        say("figure.guard.caption", method=method_name(method)),
        " ".join(_told(arm) for arm in shown),
        draw(key, plot),
    )


def _series(arm: Guarded, color: str, marker: str, dash: str, *, band: bool) -> Series:
    points = [p for p in arm.curve if defined(p.recovered)]
    whole = band and all(defined(p.low) and defined(p.high) for p in points)
    return Series(
        sparsity_name(arm.sparsity),
        [100 * p.asked for p in points],
        [100 * (p.recovered or 0.0) for p in points],
        low=[100 * (p.low or 0.0) for p in points] if whole else (),
        high=[100 * (p.high or 0.0) for p in points] if whole else (),
        color=color,
        marker=marker,
        dash=dash,
    )


def _told(arm: Guarded) -> str:
    points: list[Point] = [p for p in arm.curve if p.asked in _TOLD and defined(p.recovered)]
    values = listing(
        say("figure.guard.told", share=number(100 * p.asked, 0), recovered=percent(p.recovered))
        for p in points
    )
    return say("figure.guard.alternative", sparsity=sparsity_name(arm.sparsity), values=values)
