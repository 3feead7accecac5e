"""Measures of everybody, of classes and of exemplars, on clean examples."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import (
    COHEN,
    HOOKER,
    OURS,
    Measure,
)

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
}
