"""Measures of who the exemplars are: how sure of, how lasting, in which groups, how labelled."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import (
    CONFIDENCE,
    GROUPS,
    HOOKER,
    OURS,
    PROBABILITIES,
    SPARSITIES,
    Measure,
)

OF_EXEMPLARS: Mapping[str, Measure] = {
    "group_pie_excess": Measure(
        "group_pie_excess",
        "share of a group's examples that are exemplars, beyond what chance makes",
        "fraction",
        "up",
        OURS,
        GROUPS,
    ),
    "pie_onset": Measure(
        "pie_onset",
        "examples that become exemplars at this sparsity and stay ones at every larger one",
        "count",
        None,
        OURS,
        SPARSITIES,
    ),
    "pie_staying": Measure(
        "pie_staying",
        "share of a sparsity's exemplars that are exemplars at every larger one",
        "fraction",
        None,
        OURS,
        SPARSITIES,
        level=True,
    ),
    "confidence_on_pies": Measure(
        "confidence_on_pies", "mean confidence on the exemplars", "fraction", None, OURS, CONFIDENCE
    ),
    "confidence_off_pies": Measure(
        "confidence_off_pies",
        "mean confidence on the examples that are no exemplars",
        "fraction",
        None,
        OURS,
        CONFIDENCE,
    ),
    "pie_confidence_gap": Measure(
        "pie_confidence_gap",
        "the parents' mean confidence on the exemplars less elsewhere",
        "fraction",
        None,
        OURS,
        CONFIDENCE,
        level=True,
    ),
    "margin_on_pies": Measure(
        "margin_on_pies",
        "mean gap between the two largest probabilities on the exemplars",
        "fraction",
        None,
        OURS,
        PROBABILITIES,
    ),
    "margin_off_pies": Measure(
        "margin_off_pies",
        "mean gap between the two largest probabilities on the examples that are no exemplars",
        "fraction",
        None,
        OURS,
        PROBABILITIES,
    ),
    "pie_margin_gap": Measure(
        "pie_margin_gap",
        "the parents' mean margin on the exemplars less elsewhere",
        "fraction",
        None,
        OURS,
        PROBABILITIES,
        level=True,
    ),
    "label_errors_on_pies": Measure(
        "label_errors_on_pies",
        "share of the exemplars that are suspected label errors",
        "fraction",
        None,
        HOOKER,
        PROBABILITIES,
        level=True,
    ),
    "label_errors_off_pies": Measure(
        "label_errors_off_pies",
        "share of the other examples that are suspected label errors",
        "fraction",
        None,
        HOOKER,
        PROBABILITIES,
        level=True,
    ),
}
