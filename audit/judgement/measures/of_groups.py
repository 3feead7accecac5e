"""Measures of groups of examples."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import (
    FAIRLEARN,
    GROUPS,
    GROUPS_POSITIVE,
    HARDT,
    HASHEMIZADEH,
    OURS,
    Measure,
)

OF_GROUPS: Mapping[str, Measure] = {
    "worst_excess_gap": Measure(
        "worst_excess_gap",
        "excess gap of the group of a column that falls furthest behind",
        "fraction",
        "up",
        HASHEMIZADEH,
        GROUPS,
    ),
    "excess_gap": Measure(
        "excess_gap",
        "accuracy that a group loses beyond what everybody loses",
        "fraction",
        "up",
        HASHEMIZADEH,
        GROUPS,
    ),
    "group_accuracy": Measure(
        "group_accuracy", "accuracy inside a group", "fraction", "down", OURS, GROUPS
    ),
    "group_fnr": Measure(
        "group_fnr", "false negative rate inside a group", "fraction", "up", OURS, GROUPS
    ),
    "group_fpr": Measure(
        "group_fpr",
        "false positive rate inside a group, among the true negatives",
        "fraction",
        "up",
        OURS,
        GROUPS,
    ),
    "group_selection_rate": Measure(
        "group_selection_rate", "share of a group taken for a class", "fraction", None, OURS, GROUPS
    ),
    "demographic_parity_difference": Measure(
        "demographic_parity_difference",
        "largest less smallest selection rate of the groups",
        "fraction",
        "up",
        FAIRLEARN,
        GROUPS_POSITIVE,
    ),
    "equalised_odds_difference": Measure(
        "equalised_odds_difference",
        "the larger of the groups' spreads in TPR and in FPR",
        "fraction",
        "up",
        HARDT,
        GROUPS_POSITIVE,
    ),
}
