"""Measures of slices that a search found, of guards, and of what nobody has labelled."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import CONFIDENCE, OURS, PARENT, Measure

SLICES = "SliceLine, Sagadeeva & Boehm 2021, on halves"

OF_SEARCH: Mapping[str, Measure] = {
    "searched_slice": Measure(
        "searched_slice",
        "accuracy that a slice nobody named loses beyond what everybody loses, on the half of the "
        "examples that played no part in finding it",
        "fraction",
        "up",
        SLICES,
        PARENT,
        on_demand=True,
    ),
    "found_slice": Measure(
        "found_slice",
        "the same on the half of the examples on which the slice was found",
        "fraction",
        "up",
        SLICES,
        PARENT,
        on_demand=True,
    ),
    "guard_deferred": Measure(
        "guard_deferred",
        "share of the inputs that the guard hands back",
        "fraction",
        None,
        OURS,
        CONFIDENCE,
        level=True,
        on_demand=True,
    ),
    "guard_recovered": Measure(
        "guard_recovered",
        "share of the examples that pruning harms which the guard hands back",
        "fraction",
        "down",
        OURS,
        CONFIDENCE,
        level=True,
        on_demand=True,
    ),
    "unlabelled": Measure(
        "unlabelled",
        "share of the examples whose label nobody knows",
        "fraction",
        None,
        OURS,
        (),
        level=True,
        on_demand=True,
        spans=True,
    ),
}
