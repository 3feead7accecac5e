"""Measures of what wrong labels do to an audit: suspected ones and corrected ones."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import NORTHCUTT, PROBABILITIES, Measure

CORRECTED = ("parent", "corrected_label")

OF_LABELS: Mapping[str, Measure] = {
    "label_error_share": Measure(
        "label_error_share",
        "share of the labels that the dense population suspects to be wrong",
        "fraction",
        None,
        NORTHCUTT,
        PROBABILITIES,
        spans=True,
    ),
    "accuracy_off_suspects": Measure(
        "accuracy_off_suspects",
        "accuracy on the examples whose label nobody suspects",
        "fraction",
        "down",
        NORTHCUTT,
        PROBABILITIES,
    ),
    "accuracy_on_suspects": Measure(
        "accuracy_on_suspects",
        "accuracy on the suspected label errors, by their given labels",
        "fraction",
        "down",
        NORTHCUTT,
        PROBABILITIES,
    ),
    "corrected_accuracy": Measure(
        "corrected_accuracy",
        "share of examples given their corrected label",
        "fraction",
        "down",
        NORTHCUTT,
        CORRECTED,
    ),
    "accuracy_on_right_labels": Measure(
        "accuracy_on_right_labels",
        "accuracy where the given label is right",
        "fraction",
        "down",
        NORTHCUTT,
        CORRECTED,
    ),
    "accuracy_on_wrong_labels": Measure(
        "accuracy_on_wrong_labels",
        "accuracy by the corrected label where the given one is wrong",
        "fraction",
        "down",
        NORTHCUTT,
        CORRECTED,
    ),
    "overtaking_prevalence": Measure(
        "overtaking_prevalence",
        "prevalence of label errors at which pruned models draw level with their parents",
        "fraction",
        None,
        NORTHCUTT,
        CORRECTED,
        level=True,
    ),
    "rank_by_corrected_labels": Measure(
        "rank_by_corrected_labels",
        "Kendall's tau between the models' accuracies by given and by corrected labels",
        "ratio",
        None,
        NORTHCUTT,
        ("corrected_label",),
        spans=True,
    ),
}
