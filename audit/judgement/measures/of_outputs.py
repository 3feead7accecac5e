"""Measures of confidence, of inputs that are none of the classes, of noise and of attacks."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import (
    CONFIDENCE,
    CORRUPTIONS,
    HENDRYCKS,
    LIEBENWEIN,
    OURS,
    PROBABILITIES,
    Measure,
)

BRIER = "Brier 1950"
HENDRYCKS_GIMPEL = "Hendrycks & Gimpel, arXiv 1610.02136"
LIU = "Liu et al., arXiv 2010.03759"
MADRY = "Madry et al., arXiv 1706.06083"
NIXON = "Nixon et al., arXiv 1904.01685"

OF_OUTPUTS: Mapping[str, Measure] = {
    "ece_adaptive": Measure(
        "ece_adaptive",
        "expected calibration error, in bins of confidence that hold equally many",
        "fraction",
        "up",
        NIXON,
        CONFIDENCE,
    ),
    "ece_adaptive_expected": Measure(
        "ece_adaptive_expected",
        "the adaptive calibration error that perfect calibration would show",
        "fraction",
        None,
        OURS,
        CONFIDENCE,
    ),
    "brier": Measure(
        "brier",
        "squared distance of the probabilities from the label, 0 to 2",
        "distance",
        "up",
        BRIER,
        PROBABILITIES,
    ),
    "top_label_brier": Measure(
        "top_label_brier",
        "squared distance of the confidence from being right, 0 to 1",
        "distance",
        "up",
        BRIER,
        CONFIDENCE,
    ),
    "uncertain_share": Measure(
        "uncertain_share",
        "share of predictions with a confidence below a stated level",
        "fraction",
        None,
        OURS,
        CONFIDENCE,
    ),
    "ood_auroc": Measure(
        "ood_auroc",
        "chance that of a clean input and one of no class the clean one has the higher confidence",
        "fraction",
        "down",
        HENDRYCKS_GIMPEL,
        ("parent", "ood", "confidence"),
    ),
    "ood_aupr_in": Measure(
        "ood_aupr_in",
        "mean precision of finding clean inputs by confidence",
        "fraction",
        "down",
        HENDRYCKS_GIMPEL,
        ("parent", "ood", "confidence"),
    ),
    "ood_aupr_out": Measure(
        "ood_aupr_out",
        "mean precision of finding inputs out of distribution by confidence",
        "fraction",
        "down",
        HENDRYCKS_GIMPEL,
        ("parent", "ood", "confidence"),
    ),
    "ood_fpr95": Measure(
        "ood_fpr95",
        "share of other inputs let in where confidence lets in 95 % of the clean",
        "fraction",
        "up",
        HENDRYCKS_GIMPEL,
        ("parent", "ood", "confidence"),
    ),
    "ood_auroc_energy": Measure(
        "ood_auroc_energy",
        "chance that of a clean input and one of no class the clean one has the lower energy",
        "fraction",
        "down",
        LIU,
        ("parent", "ood", "energy"),
    ),
    "ood_aupr_in_energy": Measure(
        "ood_aupr_in_energy",
        "mean precision of finding clean inputs by energy",
        "fraction",
        "down",
        LIU,
        ("parent", "ood", "energy"),
    ),
    "ood_aupr_out_energy": Measure(
        "ood_aupr_out_energy",
        "mean precision of finding inputs out of distribution by energy",
        "fraction",
        "down",
        LIU,
        ("parent", "ood", "energy"),
    ),
    "ood_fpr95_energy": Measure(
        "ood_fpr95_energy",
        "share of other inputs let in where energy lets in 95 % of the clean",
        "fraction",
        "up",
        LIU,
        ("parent", "ood", "energy"),
    ),
    "ood_auroc_level": Measure(
        "ood_auroc_level",
        "detection of inputs out of distribution by the pruned models' confidence",
        "fraction",
        "down",
        HENDRYCKS_GIMPEL,
        ("parent", "ood", "confidence"),
        level=True,
    ),
    "noise_match": Measure(
        "noise_match",
        "share of answers under uniform noise that match the parent's",
        "fraction",
        "down",
        LIEBENWEIN,
        ("parent", "noise"),
    ),
    "noise_distance": Measure(
        "noise_distance",
        "mean L2 distance of softmax outputs to the parent's under uniform noise",
        "distance",
        "up",
        LIEBENWEIN,
        ("parent", "noise", "probabilities"),
    ),
    "adversarial_accuracy": Measure(
        "adversarial_accuracy",
        "accuracy on what an attack made of the examples for each model",
        "fraction",
        "down",
        MADRY,
        ("parent", "attacks"),
    ),
    "adversarial_excess_error": Measure(
        "adversarial_excess_error",
        "error that an attack adds beyond what it adds for the parents",
        "fraction",
        "up",
        LIEBENWEIN,
        ("parent", "attacks"),
    ),
    "imagenet_c_mce": Measure(
        "imagenet_c_mce",
        "mean over 15 corruptions of the error over AlexNet's, on ImageNet-C alone",
        "ratio",
        "up",
        HENDRYCKS,
        CORRUPTIONS,
    ),
    "imagenet_c_relative_mce": Measure(
        "imagenet_c_relative_mce",
        "mean over 15 corruptions of the error added over what AlexNet's adds",
        "ratio",
        "up",
        HENDRYCKS,
        CORRUPTIONS,
    ),
    "imagenet_c_ce": Measure(
        "imagenet_c_ce",
        "error under one corruption of ImageNet-C over AlexNet's",
        "ratio",
        "up",
        HENDRYCKS,
        CORRUPTIONS,
    ),
}
