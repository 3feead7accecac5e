"""Measures of groups beyond accuracy, FPR and FNR: further rates, gaps, ranking, costs, drift."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.findings import Direction
from audit.judgement.measures.measure import (
    FAIRLEARN,
    GROUPS,
    GROUPS_POSITIVE,
    HARDT,
    HASHEMIZADEH,
    OURS,
    Measure,
)

DELONG = "DeLong et al. 1988"
ELKAN = "Elkan 2001"
IOFINOVA = "Iofinova et al., arXiv 2304.12622"
ZHAO = "Zhao et al., arXiv 1707.09457"

SCORES = ("parent", "positive", "scores")
GROUPS_SCORES = ("parent", "groups", "positive", "scores")
COSTS = ("parent", "positive", "costs")
TRAINED_GROUPS = ("parent", "groups", "training")
RECALIBRATED = ("parent", "groups", "positive", "scores", "validation")


def _gap(name: str, definition: str) -> Measure:
    return Measure(name, definition, "fraction", "up", HASHEMIZADEH, GROUPS_POSITIVE)


def _between(
    name: str, definition: str, worse: Direction, source: str = FAIRLEARN, ratio: bool = False
) -> Measure:
    return Measure(
        name, definition, "ratio" if ratio else "fraction", worse, source, GROUPS_POSITIVE
    )


def _recalibrated(name: str, what: str, worse: Direction | None) -> Measure:
    definition = (
        f"{what} inside a group, each model's threshold re-set on validation so that as many are "
        "predicted positive as are"
    )
    return Measure(name, definition, "fraction", worse, IOFINOVA, RECALIBRATED)


_LISTED = (
    Measure(
        "group_base_rate",
        "share of a group's examples that are of a class, whatever any model says",
        "fraction",
        None,
        OURS,
        GROUPS,
        level=True,
        spans=True,
    ),
    Measure("group_tpr", "true positive rate inside a group", "fraction", "down", OURS, GROUPS),
    Measure(
        "group_precision",
        "share of those in a group taken for a class that are of it",
        "fraction",
        "down",
        OURS,
        GROUPS,
    ),
    _gap("excess_gap_tpr", "true positive rate that a group loses beyond what everybody loses"),
    _gap("excess_gap_fpr", "rise of a group's false positive rate beyond everybody's rise"),
    _gap("excess_gap_fnr", "rise of a group's false negative rate beyond everybody's rise"),
    _gap("worst_excess_gap_fpr", "excess gap of FPR of the group that falls furthest behind"),
    _gap("worst_excess_gap_fnr", "excess gap of FNR of the group that falls furthest behind"),
    Measure(
        "excess_gap_spread",
        "largest less smallest change of accuracy over the groups of a column",
        "fraction",
        "up",
        HASHEMIZADEH,
        GROUPS,
    ),
    _gap("excess_gap_fpr_spread", "largest less smallest change of FPR over the groups"),
    _gap("excess_gap_fnr_spread", "largest less smallest change of FNR over the groups"),
    _between(
        "demographic_parity_ratio",
        "smallest over largest selection rate of the groups",
        "down",
        ratio=True,
    ),
    _between(
        "equalised_odds_ratio",
        "the smaller of the groups' ratios in TPR and in FPR",
        "down",
        HARDT,
        ratio=True,
    ),
    _between(
        "equal_opportunity_difference", "largest less smallest TPR of the groups", "up", HARDT
    ),
    _between("fpr_group_max", "largest FPR of the groups", "up"),
    _between("fnr_group_max", "largest FNR of the groups", "up"),
    Measure(
        "accuracy_difference",
        "largest less smallest accuracy of the groups",
        "fraction",
        "up",
        FAIRLEARN,
        GROUPS,
    ),
    Measure(
        "accuracy_group_min",
        "smallest accuracy of the groups",
        "fraction",
        "down",
        FAIRLEARN,
        GROUPS,
    ),
    Measure(
        "auroc",
        "probability that a positive scores above a negative, ties one half",
        "fraction",
        "down",
        DELONG,
        SCORES,
    ),
    Measure(
        "auprc",
        "average precision: mean precision at the scores of the positives",
        "fraction",
        "down",
        OURS,
        SCORES,
    ),
    Measure("group_auroc", "AUROC inside a group", "fraction", "down", DELONG, GROUPS_SCORES),
    Measure(
        "group_auprc", "average precision inside a group", "fraction", "down", OURS, GROUPS_SCORES
    ),
    Measure(
        "expected_cost",
        "mean cost of an answer, by what the plan says that errors cost",
        "cost",
        "up",
        ELKAN,
        COSTS,
        on_demand=True,
    ),
    Measure(
        "bias_amplification",
        "share of those taken for a class that are of the groups which training ties to it, less "
        "their share of those who are of it",
        "fraction",
        "up",
        ZHAO,
        TRAINED_GROUPS,
    ),
    _recalibrated("group_accuracy_recalibrated", "accuracy", "down"),
    _recalibrated("group_fnr_recalibrated", "false negative rate", "up"),
    _recalibrated("group_fpr_recalibrated", "false positive rate", "up"),
    _recalibrated("group_selection_rate_recalibrated", "share taken for the class", None),
)

OF_RATES: Mapping[str, Measure] = {measure.name: measure for measure in _LISTED}
