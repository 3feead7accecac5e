"""Measures that only a limit asks for: how often the pruned models answer otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import OURS, PARENT, Measure

HELD_LEVELS: Mapping[str, Measure] = {
    "flip_level": Measure(
        "flip_level",
        "share of examples that a pruned model answers differently from its parent, held to a "
        "ceiling",
        "fraction",
        "up",
        OURS,
        PARENT,
        level=True,
        on_demand=True,
    ),
    "harmed_level": Measure(
        "harmed_level",
        "share of examples that a parent gets right and its pruned model wrong, held to a ceiling",
        "fraction",
        "up",
        OURS,
        PARENT,
        level=True,
        on_demand=True,
    ),
}
