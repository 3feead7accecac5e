"""ImageNet-C's mCE and relative mCE, over AlexNet's errors: for ImageNet-C itself and nothing else.

Errors are divided by a network's that everybody shares, so that corruptions weigh alike (Hendrycks
& Dietterich, arXiv 1903.12261, section 4). Its errors say nothing of other data, other sizes or
other constants, so everywhere else corruption errors stay unnormalised, and the parent is the
measure of its pruned models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Condition, Evidence
from audit.judgement.answers import ALL_CONDITIONS, answer_finding, not_asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.families import Family
from audit.judgement.pairs import Design, answers, contrast_of
from audit.judgement.shifts.robustness import EXTRA, Tally

FloatArray = NDArray[np.float64]

SET = "imagenet-c"
SETS = (SET, "imagenet-c-extra")
PRESETS = ("imagenet", "imagenet299")
CLASSES = 1000
SEVERITIES = (1.0, 2.0, 3.0, 4.0, 5.0)
MEASURES = ("imagenet_c_mce", "imagenet_c_relative_mce", "imagenet_c_ce")
APART = "one of the four extra corruptions, no part of mCE"

# Mean top-1 error of AlexNet over the five severities: README of hendrycks/robustness, full 50,000.
ALEXNET: Mapping[str, float] = {
    "brightness": 0.564592,
    "contrast": 0.853204,
    "defocus_blur": 0.819880,
    "elastic_transform": 0.646056,
    "fog": 0.819324,
    "frost": 0.826572,
    "gaussian_blur": 0.787108,
    "gaussian_noise": 0.886428,
    "glass_blur": 0.826268,
    "impulse_noise": 0.922640,
    "jpeg_compression": 0.606500,
    "motion_blur": 0.785948,
    "pixelate": 0.717840,
    "saturate": 0.658248,
    "shot_noise": 0.894468,
    "snow": 0.866816,
    "spatter": 0.717512,
    "speckle_noise": 0.845388,
    "zoom_blur": 0.798360,
}
ALEXNET_CLEAN = 0.435
BENCHMARK = tuple(sorted(set(ALEXNET) - EXTRA))


def imagenet_c_families(
    tallies: Mapping[str, Tally],
    clean: FloatArray | None,
    evidence: Evidence,
    arms: Sequence[Arm],
    known: Design,
    run: Mapping[str, Any],
) -> list[Family]:
    """CE of every corruption, mCE and relative mCE; or why they are not asked.

    Args:
        tallies: Per corruption, the tally over its severities.
        clean: float [models, examples], whether each model was wrong on clean examples.
        evidence: Classes and conditions.
        arms: The pruned models.
        known: What is known of the examples.
        run: What the run says of itself: `set`, or `config.shifts.corruptions`, and `preset`.

    Returns:
        The screen `imagenet_c`, tier D; its questions are those of the family `corruption`, on
        another scale.
    """
    if not tallies or not any(len(arm.paired().pruned) for arm in arms):
        return []
    reason = why_not(evidence, run)
    if reason is None and clean is None:
        reason = "relative mCE takes clean predictions: add the condition `clean`"
    if reason is not None or clean is None:
        return [Family("imagenet_c", "D", not_asked(MEASURES, reason or ""))]
    found = [f for arm in arms for f in _of_arm(tallies, clean, arm, known)]
    return [Family("imagenet_c", "D", found)]


def why_not(evidence: Evidence, run: Mapping[str, Any]) -> str | None:
    """Why AlexNet's errors do not apply to these data; None where they do."""
    normal = "errors are normalised by AlexNet's for ImageNet-C alone, and "
    if set_of(run) not in SETS:
        return f"{normal}the run does not say that its set is {SET}"
    if run.get("preset") not in PRESETS:
        return f"{normal}these corruptions have the constants of {run.get('preset') or 'no preset'}"
    if len(evidence.classes) != CLASSES:
        return f"{normal}these data have {len(evidence.classes):,} classes, not {CLASSES:,}"
    shown = set(evidence.conditions)
    wanted = [Condition(name, severity) for name in BENCHMARK for severity in SEVERITIES]
    missing = [condition for condition in wanted if condition not in shown]
    if missing:
        few = f"{missing[0].name} at severity {missing[0].severity:g}"
        return f"mCE takes 15 corruptions at 5 severities: {len(missing)} are missing, first {few}"
    return None


def set_of(run: Mapping[str, Any]) -> str | None:
    """The set of corruptions that a run names, or that its config asks for."""
    shifts = (run.get("config") or {}).get("shifts") or {}
    named = run.get("set") or shifts.get("corruptions")
    return named if isinstance(named, str) else None


def _of_arm(
    tallies: Mapping[str, Tally], clean: FloatArray, arm: Arm, known: Design
) -> list[Finding]:
    """CE_c = Σ_s E_sc / Σ_s E_sc of AlexNet; the relative one subtracts clean errors from each."""
    shape = next(iter(tallies.values())).wrong.shape
    ce, relative, found = np.zeros(shape), np.zeros(shape), []
    share = 1.0 / len(BENCHMARK)
    for name in sorted(set(tallies) & set(ALEXNET)):
        error, normal = tallies[name].error, ALEXNET[name]
        said = APART if name in EXTRA else None
        condition = Condition(name, None)
        found += _finding("imagenet_c_ce", error / normal, 1 / normal, arm, known, condition, said)
        if name not in EXTRA:
            ce += share * error / normal
            relative += share * (error - clean) / (normal - ALEXNET_CLEAN)
    largest = share * sum(1.0 / ALEXNET[name] for name in BENCHMARK)
    steep = share * sum(1.0 / (ALEXNET[name] - ALEXNET_CLEAN) for name in BENCHMARK)
    found += _finding("imagenet_c_mce", ce, largest, arm, known, ALL_CONDITIONS)
    return found + _finding("imagenet_c_relative_mce", relative, steep, arm, known, ALL_CONDITIONS)


def _finding(
    measure: str,
    values: FloatArray,
    scale: float,
    arm: Arm,
    known: Design,
    condition: Condition,
    reason: str | None = None,
) -> list[Finding]:
    both = contrast_of(values, arm, known)
    if both is None:
        return []
    answer = answers(both, np.zeros(values.shape[1], dtype=np.int64), 1, [scale])[0]
    return [answer_finding(measure, answer, arm, known.plan, condition=condition, reason=reason)]
