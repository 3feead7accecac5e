"""The figure of measured sparsity per layer, where the evidence holds it."""

from __future__ import annotations

import pandas as pd

from reports.figures.canvas import draw
from reports.figures.data import of_tiles
from reports.figures.people import MARGIN, ROW_HEIGHT, distinct
from reports.figures.plots import tiles
from reports.names import in_prose, method_name
from reports.page import Figure
from reports.quantities import number, sparsity
from reports.wording import listing, say

MOST_LAYERS = 30
_NEEDED = {"model", "layer", "parameters", "nonzero"}


def layer_tiles(key: str, layers: pd.DataFrame, models: pd.DataFrame, method: str) -> Figure | None:
    """Share of each layer's weights that is zero, by sparsity, averaged over replicates.

    Args:
        key: The figure's name inside the page.
        layers: `model, layer, parameters, nonzero`, in the order of the network; may be empty.
        models: `model, method, sparsity`.
        method: The method drawn.
    """
    if not set(layers.columns) >= _NEEDED or not {"method", "sparsity"} <= set(models.columns):
        return None
    chosen = models[models["method"] == method][["model", "sparsity"]]
    joined = layers.merge(chosen, on="model")
    if joined.empty:
        return None
    share = 1 - joined["nonzero"] / joined["parameters"].where(joined["parameters"] > 0)
    table = joined.assign(share=share).pivot_table(
        index="layer", columns="sparsity", values="share", aggfunc="mean", sort=False
    )
    if table.empty:  # no model states a sparsity
        return None
    shown = table.head(MOST_LAYERS).sort_index(axis=1)
    labels = distinct(list(map(str, shown.index)))
    levels = [float(each) for each in shown.columns]
    last = levels[-1]
    drawn = shown.set_axis(list(labels.values())).set_axis(list(map(sparsity, levels)), axis=1)
    return Figure(
        key,
        say("figure.layers.heading"),
        say("figure.layers.caption", method=method_name(method)),
        say(
            "figure.layers.alternative",
            sparsity=sparsity(last),
            values=listing(
                say("figure.potential.told", name=in_prose(name), value=number(value, 2))
                for name, value in shown.iloc[:, -1].items()
            ),
        ),
        draw(
            key,
            lambda ax: tiles(ax, drawn, say("figure.axis.sparsity_plain"), digits=2, show=number),
            height=MARGIN + ROW_HEIGHT * 1.1 * len(drawn),
        ),
        of_tiles(key, drawn, say("column.layer"), digits=3),
    )
