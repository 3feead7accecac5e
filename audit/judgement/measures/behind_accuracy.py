"""Measures of everybody, of classes and of exemplars, on clean examples."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import (
    COHEN,
    GROUPS,
    HOOKER,
    OURS,
    Measure,
)

PARENTS = ("parent", "parents")
TRAINING = ("parent", "training")

BEHIND_ACCURACY: Mapping[str, Measure] = {
    "omnibus": Measure(
        "omnibus",
        "did anything in a family of questions move",
        "fraction",
        None,
        OURS,
        (),
        spans=True,
    ),
    "accuracy": Measure(
        "accuracy", "share of examples given their own label", "fraction", "down", OURS
    ),
    "accuracy_level": Measure(
        "accuracy_level",
        "accuracy of the pruned models, held to a floor",
        "fraction",
        "down",
        OURS,
        (),
        level=True,
        on_demand=True,
    ),
    "recall": Measure(
        "recall", "share of a class's examples given its label", "fraction", "down", OURS
    ),
    "recall_level": Measure(
        "recall_level",
        "recall of the pruned models, held to a floor",
        "fraction",
        "down",
        OURS,
        (),
        level=True,
        on_demand=True,
    ),
    "normalised_recall_shift": Measure(
        "normalised_recall_shift",
        "change of a class's recall less the change of accuracy",
        "fraction",
        "down",
        HOOKER,
    ),
    "precision": Measure(
        "precision", "share of those taken for a class that are of it", "fraction", "down", OURS
    ),
    "class_fpr": Measure(
        "class_fpr",
        "share of the examples of other classes taken for a class",
        "fraction",
        "up",
        OURS,
    ),
    "classes_losing": Measure(
        "classes_losing",
        "share of the classes whose recall falls",
        "fraction",
        "up",
        OURS,
        level=True,
    ),
    "classes_gaining": Measure(
        "classes_gaining",
        "share of the classes whose recall rises",
        "fraction",
        None,
        OURS,
        level=True,
    ),
    "frequency_slope": Measure(
        "frequency_slope",
        "change of recall per tenfold of a class's training examples, by least squares",
        "fraction",
        "up",
        HOOKER,
        TRAINING,
    ),
    "frequency_rank_correlation": Measure(
        "frequency_rank_correlation",
        "rank correlation of a class's change of recall with its training examples",
        "ratio",
        "up",
        HOOKER,
        TRAINING,
        level=True,
    ),
    "cell_frequency_slope": Measure(
        "cell_frequency_slope",
        "change of accuracy per tenfold of the training examples of a class within a group",
        "fraction",
        "up",
        HOOKER,
        ("parent", "groups", "training"),
    ),
    "pie_count": Measure(
        "pie_count",
        "examples whose modal label differs between parents and pruned models",
        "count",
        "up",
        HOOKER,
    ),
    "pie_harmed": Measure(
        "pie_harmed",
        "exemplars that parents get right and pruned models wrong",
        "count",
        "up",
        OURS,
    ),
    "pie_mended": Measure(
        "pie_mended",
        "exemplars that parents get wrong and pruned models right",
        "count",
        None,
        OURS,
    ),
    "pie_moved": Measure(
        "pie_moved", "exemplars that move from one wrong label to another", "count", None, OURS
    ),
    "pie_undecided": Measure(
        "pie_undecided",
        "examples whose vote changed and begins or ends in a tie",
        "count",
        None,
        OURS,
    ),
    "pie_excess": Measure(
        "pie_excess",
        "share of examples that are exemplars, beyond what chance makes",
        "fraction",
        "up",
        OURS,
    ),
    "pie_over_representation": Measure(
        "pie_over_representation",
        "rate of exemplars in a class or group over their rate among all",
        "ratio",
        None,
        HOOKER,
        level=True,
    ),
    "accuracy_on_pies": Measure(
        "accuracy_on_pies", "accuracy on the exemplars", "fraction", "down", HOOKER
    ),
    "accuracy_off_pies": Measure(
        "accuracy_off_pies",
        "accuracy on the examples that are no exemplars",
        "fraction",
        "down",
        HOOKER,
    ),
    "flip_rate": Measure(
        "flip_rate",
        "share of examples on which a pruned model and its parent differ",
        "fraction",
        "up",
        OURS,
    ),
    "harmed_rate": Measure(
        "harmed_rate",
        "share of examples that the parent gets right and its pruned model wrong",
        "fraction",
        "up",
        OURS,
    ),
    "mended_rate": Measure(
        "mended_rate",
        "share of examples that the parent gets wrong and its pruned model right",
        "fraction",
        None,
        OURS,
    ),
    "net_harm_rate": Measure("net_harm_rate", "harmed less mended", "fraction", "up", OURS),
    "agreement": Measure(
        "agreement",
        "share of examples on which a pruned model and its parent agree",
        "fraction",
        "down",
        OURS,
    ),
    "kappa": Measure(
        "kappa",
        "agreement beyond what chance makes, as a share of what is possible",
        "ratio",
        "down",
        COHEN,
    ),
    "group_flip_rate": Measure(
        "group_flip_rate",
        "share of a group's examples on which a pruned model and its parent differ",
        "fraction",
        "up",
        OURS,
        GROUPS,
    ),
    "parents_flip_rate": Measure(
        "parents_flip_rate",
        "share of examples on which two parents differ, trained alike",
        "fraction",
        None,
        OURS,
        PARENTS,
        spans=True,
    ),
    "parents_agreement": Measure(
        "parents_agreement",
        "share of examples on which two parents agree, trained alike",
        "fraction",
        None,
        OURS,
        PARENTS,
        spans=True,
    ),
    "parents_harmed_rate": Measure(
        "parents_harmed_rate",
        "share of examples that one parent gets right and another, trained alike, wrong",
        "fraction",
        None,
        OURS,
        PARENTS,
        spans=True,
    ),
    "parents_kappa": Measure(
        "parents_kappa",
        "agreement of two parents beyond what chance makes, as a share of what is possible",
        "ratio",
        None,
        COHEN,
        PARENTS,
        spans=True,
    ),
}
