"""The kinds of drawing that the figures are made of: lines, dots with whiskers, tiles and bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reports.figures.canvas import GAIN, GRID, HARM, INK, PAPER, PRUNED, SOFT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

NEAREST_TICKS = 0.075  # of the axis: labels nearer than this would touch
NEAREST_NAMES = 0.075  # of the axis: names of lines nearer than this would touch


@dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
        label: Its name, written where it ends.
        x: Positions.
        y: Heights.
        low: Lower ends of the band around it, or empty.
        high: Upper ends.
        color: Its colour, of `canvas`.
        marker: Its marker, so that colour is never the only difference.
        dash: Its dash pattern.
        opacity: From 0 to 1.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    color: str = PRUNED
    marker: str = "o"
    dash: str = "-"
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    """One dot of a dot plot: its row, its place, its whisker, shade, focus and level."""

    row: str
    x: float
    low: float | None
    high: float | None
    opacity: float
    focus: bool
    level: int = 0


def removed(sparsity: float) -> float:
    """Place of a sparsity on an axis that is logarithmic in the weights that remain."""
    return -math.log(max(1.0 - sparsity, 1e-6))


def sparsity_axis(ax: Axes, sparsities: Sequence[float], label: str) -> None:
    """Ticks at the audited sparsities, labelled where there is room."""
    places = [removed(s) for s in sparsities]
    span = max(places) - min(places) or 1.0
    ax.set_xlim(min(places) - 0.05 * span, max(places) + 0.05 * span)
    labels: list[str] = []
    last = -math.inf
    for place, sparsity in zip(places, sparsities, strict=True):
        near = place - last < NEAREST_TICKS * span
        labels.append("" if near else f"{sparsity:.4g}")
        last = last if near else place
    ax.set_xticks(places, labels)
    ax.set_xlabel(label)


def lines(ax: Axes, series: Sequence[Series], ylabel: str) -> None:
    """Lines with bands, each named at its end; a line of a single point shows as its marker."""
    import seaborn as sns

    for each in series:
        sns.lineplot(
            x=list(each.x),
            y=list(each.y),
            ax=ax,
            color=each.color,
            marker=each.marker,
            markeredgecolor=PAPER,
            markeredgewidth=0.8,
            linestyle=each.dash,
            alpha=each.opacity,
            errorbar=None,
            legend=False,
        )
        if each.low:
            ax.fill_between(each.x, each.low, each.high, color=each.color, alpha=0.18, linewidth=0)
    ax.set_ylabel(ylabel)
    ax.set_xlabel("")
    whole = all(float(y).is_integer() for each in series for y in each.y)
    ax.yaxis.set_major_locator(_ticks(whole))
    _name_ends(ax, [each for each in series if each.x])


def _name_ends(ax: Axes, series: Sequence[Series]) -> None:
    """Names each line where it ends, moved apart so that no two names touch."""
    low, high = ax.get_ylim()
    gap = (high - low) * NEAREST_NAMES
    ordered = sorted(series, key=lambda each: each.y[-1])
    places: list[float] = []
    for each in ordered:
        places.append(max(each.y[-1], places[-1] + gap) if places else each.y[-1])
    for i in reversed(range(len(places))):  # what was pushed out at the top comes back down
        ceiling = high if i == len(places) - 1 else places[i + 1] - gap
        places[i] = min(places[i], ceiling)
    for each, place in zip(ordered, places, strict=True):
        ax.annotate(
            each.label,
            (each.x[-1], place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=each.color,
            fontsize=10.5,
            annotation_clip=False,
        )


def _ticks(whole: bool = False) -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=whole)


def dots(ax: Axes, values: Sequence[Dot], rows: Sequence[str], xlabel: str) -> None:
    """Dots by row around a zero line; the focus is solid and has its whisker."""
    import seaborn as sns

    order = {row: place for place, row in enumerate(rows)}
    for dot in values:
        if dot.focus and dot.low is not None and dot.high is not None:
            ax.plot(
                [dot.low, dot.high], [order[dot.row]] * 2, color=PRUNED, linewidth=1.6, zorder=2
            )
    for focus in (False, True):
        some = [dot for dot in values if dot.focus is focus]
        if not some:
            continue
        sns.scatterplot(
            x=[dot.x for dot in some],
            y=[order[dot.row] for dot in some],
            alpha=None if focus else [dot.opacity for dot in some],
            color=PRUNED,
            s=42 if focus else 22,
            edgecolor=PAPER,
            linewidth=0.6,
            ax=ax,
            legend=False,
            zorder=3,
        )
    ax.axvline(0, color=SOFT, linewidth=0.9, zorder=1)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(visible=True, axis="both", color=GRID)
    ax.xaxis.set_major_locator(_ticks())
    ax.set_xlabel(xlabel)
    ax.set_ylabel("")


def signed(value: float, digits: int) -> str:
    """A signed number for a tile; nothing where undefined."""
    if not math.isfinite(value):
        return ""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def tiles(
    ax: Axes,
    values: pd.DataFrame,
    xlabel: str,
    digits: int = 1,
    show: Callable[[float, int], str] = signed,
) -> None:
    """A heat map around zero: harm in one hue, gain in another, the numbers inside.

    Args:
        ax: Where to draw.
        values: A row and a column per tile.
        xlabel: What the columns are.
        digits: After the point.
        show: Writes a tile's number; changes have a sign, shares have none.
    """
    import seaborn as sns
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    # Strength is opacity, not lightness, so that the same tiles work on light and on dark paper.
    shades = [to_rgba(GAIN, 0.6), to_rgba(GAIN, 0), to_rgba(HARM, 0), to_rgba(HARM, 0.6)]
    reach = float(np.nanmax(np.abs(values.to_numpy()))) or 1.0
    sns.heatmap(
        values,
        ax=ax,
        cmap=LinearSegmentedColormap.from_list("harm", shades),
        vmin=-reach,
        vmax=reach,
        cbar=False,
        annot=values.map(lambda value: show(value, digits)).to_numpy(),
        fmt="",
        annot_kws={"color": INK, "fontsize": 10.5},
        linewidths=1.5,
        linecolor=PAPER,
    )
    ax.grid(visible=False)
    ax.set_xlabel(xlabel)
    ax.set_ylabel("")
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0)
    ax.spines[:].set_visible(False)


def bars(
    ax: Axes,
    names: Sequence[str],
    values: Sequence[float],
    bounds: Sequence[float | None],
    xlabel: str,
) -> None:
    """A horizontal bar to each lower bound, and a dot with its number at each value."""
    import seaborn as sns

    lengths = [
        value if bound is None else bound for value, bound in zip(values, bounds, strict=True)
    ]
    sns.barplot(
        x=lengths,
        y=list(names),
        ax=ax,
        color=PRUNED,
        errorbar=None,
        saturation=1,
        width=0.3,
        alpha=0.55,
    )
    sns.scatterplot(
        x=list(values),
        y=list(range(len(values))),
        ax=ax,
        color=PRUNED,
        edgecolor=PAPER,
        linewidth=0.6,
        s=42,
        legend=False,
        zorder=3,
    )
    for place, value in enumerate(values):
        ax.annotate(
            f"{value:.3g}",
            (value, place),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=10.5,
        )
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x", color=GRID)
    ax.set_xlim(0, 1)
    ax.set_xlabel(xlabel)
    ax.set_ylabel("")
