"""Measures of robustness and calibration."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import (
    CONFIDENCE,
    CORRUPTIONS,
    CORRUPTIONS_SPARSITIES,
    GUO,
    HENDRYCKS,
    LIEBENWEIN,
    OURS,
    SPARSITIES,
    Measure,
)

UNDER_SHIFT: Mapping[str, Measure] = {
    "corruption_error": Measure(
        "corruption_error",
        "error, mean over severities, then over corruptions",
        "fraction",
        "up",
        HENDRYCKS,
        CORRUPTIONS,
    ),
    "relative_corruption_error": Measure(
        "relative_corruption_error",
        "corruption error over the parent's",
        "ratio",
        "up",
        HENDRYCKS,
        CORRUPTIONS,
    ),
    "excess_error": Measure(
        "excess_error",
        "error that a shift adds beyond what it adds to the parents",
        "fraction",
        "up",
        LIEBENWEIN,
        CORRUPTIONS,
    ),
    "excess_error_slope": Measure(
        "excess_error_slope",
        "excess error per unit of prune ratio, by least squares",
        "fraction",
        "up",
        LIEBENWEIN,
        CORRUPTIONS_SPARSITIES,
        spans=True,
    ),
    "prune_potential": Measure(
        "prune_potential",
        "largest prune ratio whose error exceeds the parent's by at most delta",
        "sparsity",
        "down",
        LIEBENWEIN,
        SPARSITIES,
        level=True,
        spans=True,
    ),
    "mean_prune_potential": Measure(
        "mean_prune_potential",
        "mean prune potential over the shifted conditions",
        "sparsity",
        "down",
        LIEBENWEIN,
        CORRUPTIONS_SPARSITIES,
        level=True,
        spans=True,
    ),
    "minimum_prune_potential": Measure(
        "minimum_prune_potential",
        "smallest prune potential over the shifted conditions",
        "sparsity",
        "down",
        LIEBENWEIN,
        CORRUPTIONS_SPARSITIES,
        level=True,
        spans=True,
    ),
    "ece": Measure(
        "ece",
        "expected calibration error, in equal-width bins of confidence",
        "fraction",
        "up",
        GUO,
        CONFIDENCE,
    ),
    "ece_expected": Measure(
        "ece_expected",
        "the calibration error that perfect calibration would show",
        "fraction",
        None,
        OURS,
        CONFIDENCE,
    ),
    "ece_level": Measure(
        "ece_level",
        "calibration error of the pruned models, held to a ceiling",
        "fraction",
        "up",
        GUO,
        ("confidence",),
        level=True,
        on_demand=True,
    ),
    "overconfidence": Measure(
        "overconfidence", "mean confidence less accuracy", "fraction", "up", GUO, CONFIDENCE
    ),
    "nll": Measure("nll", "mean cross-entropy", "nats", "up", GUO, ("parent", "loss")),
}
