"""Measures of what is saved, and of quality as papers on compression report it."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import PARENT, Measure

BLALOCK = "Blalock et al., arXiv 2003.03033"

OF_COMPRESSION: Mapping[str, Measure] = {
    "relative_error": Measure(
        "relative_error",
        "top-1 error over the parent's: (pruned − parent) / parent",
        "ratio",
        "up",
        BLALOCK,
        PARENT,
    ),
    "top5_accuracy": Measure(
        "top5_accuracy",
        "share of examples whose label is among the five most likely classes",
        "fraction",
        "down",
        BLALOCK,
        ("parent", "more_classes", "probabilities"),
    ),
    "accuracy_deviation": Measure(
        "accuracy_deviation",
        "sample standard deviation of accuracy over training seeds",
        "fraction",
        None,
        BLALOCK,
        ("parent", "parents"),
    ),
    "compression_ratio": Measure(
        "compression_ratio",
        "parameters of the parent over those of the pruned model that are not zero",
        "ratio",
        None,
        BLALOCK,
        ("parent", "parameters"),
    ),
    "theoretical_speedup": Measure(
        "theoretical_speedup",
        "multiply–adds of the parent over those of the pruned model with a weight that is not zero",
        "ratio",
        None,
        BLALOCK,
        ("parent", "macs"),
    ),
}
