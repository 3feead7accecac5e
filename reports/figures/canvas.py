"""A figure's frame: one size, one style, colours that follow the theme, and byte-stable SVG."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any

from reports.figures.svg import themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that nothing else uses: `svg.themed` swaps each for a variable of the page's style sheet,
# so that one drawing is legible in light and in dark.
INK = "#010101"
SOFT = "#020202"
GRID = "#030303"
PARENT = "#040404"
CONTROL = "#050505"
PRUNED = "#060606"
THIRD = "#070707"
FOURTH = "#080808"
HARM = "#090909"
GAIN = "#0a0a0a"
PAPER = "#0b0b0b"
VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--grid)",
    PARENT: "var(--parent)",
    CONTROL: "var(--control)",
    PRUNED: "var(--pruned)",
    THIRD: "var(--third)",
    FOURTH: "var(--fourth)",
    HARM: "var(--harm)",
    GAIN: "var(--gain)",
    PAPER: "var(--paper)",
}

# A drawing this wide fits a phone without shrinking; wider screens set several side by side.
WIDTH, HEIGHT = 4.4, 3.0  # inches of 72 SVG points

# Any: the stubs type each key of matplotlib's settings, which a mapping of ours cannot match.
_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": SOFT,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "font.family": ["DejaVu Sans"],  # ships with matplotlib: metrics agree on every machine
    "font.size": 11,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "legend.labelcolor": INK,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "prune-audit",
    "text.color": INK,
    "xtick.color": GRID,
    "xtick.labelcolor": SOFT,
    "xtick.labelsize": 10.5,
    "ytick.color": GRID,
    "ytick.labelcolor": SOFT,
    "ytick.labelsize": 10.5,
    "ytick.major.size": 0,
    "text.parse_math": False,  # a class may be called "$x$"
}


def draw(
    key: str,
    plot: Callable[[Axes], None],
    *,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> str:
    """Draws on fresh axes and returns the markup of an `<svg>` element.

    Args:
        key: The figure's name inside the page; it keeps identifiers of two figures apart.
        plot: What draws on the axes it is given.
        width: Inches.
        height: Inches.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # The page's own fonts draw the letters; matplotlib's only measures them.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        plot(figure.add_subplot())
        out = StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(out, format="svg", metadata=nothing)
    return themed(out.getvalue(), key, VARIABLES)
