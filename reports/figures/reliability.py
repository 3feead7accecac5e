"""The reliability diagram: how often right, by how sure, in bins of confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from reports.figures.canvas import CONTROL, GRID, PARENT, PRUNED, draw
from reports.names import method_name, sparsity_name
from reports.page import Figure
from reports.quantities import percent
from reports.wording import listing, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROLES = {"parent": (PARENT, "s"), "control": (CONTROL, "D"), "pruned": (PRUNED, "o")}


def reliability_diagram(
    key: str, rows: pd.DataFrame, method: str, sparsity: float | None
) -> Figure | None:
    """Accuracy against mean confidence, bin by bin; on the diagonal the two are equal.

    Args:
        key: The figure's name inside the page.
        rows: `role, confidence, accuracy` of one method, sparsity and condition; may be empty.
        method: The method drawn.
        sparsity: The sparsity drawn.
    """
    if rows.empty:
        return None
    own = rows[rows["role"] == "pruned"]
    told = [
        say("figure.reliability.told", sure=percent(sure), right=percent(right))
        for sure, right in zip(own["confidence"], own["accuracy"], strict=True)
    ]
    return Figure(
        key,
        say("figure.reliability.heading"),
        say(
            "figure.reliability.caption",
            method=method_name(method),
            sparsity=sparsity_name(sparsity),
        ),
        say("figure.reliability.alternative", values=listing(told)),
        draw(key, lambda ax: _plot(ax, rows)),
    )


def _plot(ax: Axes, rows: pd.DataFrame) -> None:
    ax.plot([0, 100], [0, 100], color=GRID, linestyle="--", linewidth=1)
    for role, (color, marker) in _ROLES.items():
        some = rows[rows["role"] == role]
        if len(some):
            ax.plot(
                100 * some["confidence"],
                100 * some["accuracy"],
                color=color,
                marker=marker,
                markersize=4,
                label=say(f"figure.role.{role}"),
            )
    ax.set_xlabel(say("figure.reliability.across"))
    ax.set_ylabel(say("figure.reliability.up"))
    ax.legend(frameon=False)
