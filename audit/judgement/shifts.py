"""Gathers conditions one by one, and answers the questions that span them once all were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, Block, Condition
from audit.judgement.answers import asked
from audit.judgement.calibration import Calibration, calibration_findings
from audit.judgement.design import UNSTATED, Arm
from audit.judgement.families import Family
from audit.judgement.findings import Finding
from audit.judgement.pairs import Design, by_parent, contrast_of, overall
from audit.judgement.potential import Level, over_conditions, prune_potential, prune_ratios
from audit.judgement.robustness import (
    Tally,
    condition_findings,
    corruption_findings,
    slope_finding,
    tally,
)

FloatArray = NDArray[np.float64]

ONE_SPARSITY = "one sparsity only: prune at two or more to see how far the method goes"
NO_CLEAN = "there are no clean predictions to compare with: add the condition `clean`"


@dataclass(frozen=True, eq=False)
class Gathered:
    """What is kept of the conditions seen so far.

    Attributes:
        clean: float64 [models, examples], errors on clean examples; None before they were seen.
        corruptions: Per corruption, the tally over its severities.
        rises: Per condition, the rise in error of every arm; None where no parent is known, or no
            sparsity is stated.
        families: Findings about single conditions.
    """

    clean: FloatArray | None = None
    corruptions: Mapping[str, Tally] = field(default_factory=dict)
    rises: Mapping[Condition, tuple[Level | None, ...]] = field(default_factory=dict)
    families: tuple[Family, ...] = ()


def gather(
    seen: Gathered,
    block: Block,
    calibrated: Calibration | None,
    arms: Sequence[Arm],
    models: pd.DataFrame,
    known: Design,
) -> Gathered:
    """Adds one condition; clean must come before what is compared with it.

    Args:
        seen: What was gathered before.
        block: The condition's predictions.
        calibrated: Their calibration, None without confidences.
        arms: The pruned models.
        models: `Evidence.models`.
        known: What is known of the examples.
    """
    condition, counted = block.condition, tally(block, known)
    error = counted.error
    found = [
        f for arm in arms for f in condition_findings(condition, error, seen.clean, arm, known)
    ]
    calibrations = calibration_findings(block, calibrated, arms, known)
    families = (*seen.families, *_families(condition, found, calibrations))
    rises = {**seen.rises, condition: _rises(error, arms, models, known)}
    if condition == CLEAN:
        return replace(seen, clean=error, rises=rises, families=families)
    if condition.severity is None:
        return replace(seen, rises=rises, families=families)
    before = seen.corruptions.get(condition.name)
    after = counted if before is None else before + counted
    corruptions = {**seen.corruptions, condition.name: after}
    return replace(seen, corruptions=corruptions, rises=rises, families=families)


def shift_families(
    seen: Gathered, arms: Sequence[Arm], models: pd.DataFrame, known: Design
) -> list[Family]:
    """Everything about shifts, single conditions included, ready for correction.

    Families: `calibration` on clean examples, `corruption` (each corruption and all of them),
    `natural_shift`, and screens of single severities; prune potentials carry no p.

    Args:
        seen: All conditions.
        arms: The pruned models.
        models: `Evidence.models`.
        known: What is known of the examples.
    """
    found: list[Finding] = []
    if seen.corruptions:
        for arm in arms:
            found += corruption_findings(seen.corruptions, seen.clean, arm, known)
    ladders: list[Finding] = []
    methods = list(dict.fromkeys(arm.method for arm in arms))
    for method in methods:
        places = [i for i, arm in enumerate(arms) if arm.method == method]
        own = [arms[i] for i in places]
        ladders += _potentials(seen, places, own, models, known, len(methods))
        if seen.corruptions:
            found += _slope(seen, own, models, known)
    return [*seen.families, Family("corruption", "C", found), Family("potential", "D", ladders)]


def _families(
    condition: Condition, found: Sequence[Finding], calibrations: Sequence[Finding]
) -> tuple[Family, Family]:
    if condition == CLEAN:
        return Family("calibration", "B", calibrations), Family("corruption_screen", "D", found)
    screen = Family("calibration_screen", "D", calibrations)
    if condition.severity is None:
        return Family("natural_shift", "C", found), screen
    return Family("corruption_screen", "D", found), screen


def _rises(
    error: FloatArray, arms: Sequence[Arm], models: pd.DataFrame, known: Design
) -> tuple[Level | None, ...]:
    """Rise err_P − err_D of every arm."""
    ratios, _ = prune_ratios(arms, models)
    out: list[Level | None] = []
    for arm, ratio in zip(arms, ratios, strict=True):
        both = contrast_of(error, arm, known)
        if both is None or ratio is None:
            out.append(None)
        else:
            own = by_parent(both.difference, arm, known.weights)
            out.append(Level(ratio, overall(both).estimate, own))
    return tuple(out)


def _potentials(
    seen: Gathered,
    places: Sequence[int],
    own: Sequence[Arm],
    models: pd.DataFrame,
    known: Design,
    methods: int,
) -> list[Finding]:
    ratios, reason = prune_ratios(own, models)
    if None in ratios or len(own) < 2:
        missing = UNSTATED if None in ratios else ONE_SPARSITY
        return [
            replace(asked(measure, own[0], whole_method=True), outcome="not_asked", reason=missing)
            for measure in ("prune_potential", "mean_prune_potential", "minimum_prune_potential")
        ]
    found = [
        prune_potential(
            condition,
            ladder,
            own[0],
            known.plan,
            conditions=len(seen.rises) * methods,
            reason=reason,
        )
        for condition, levels in seen.rises.items()
        if (ladder := [level for i in places if (level := levels[i]) is not None])
    ]
    shifted = [finding for finding in found if finding.condition != CLEAN.name]
    return found + over_conditions(shifted, own[0])


def _slope(
    seen: Gathered, own: Sequence[Arm], models: pd.DataFrame, known: Design
) -> list[Finding]:
    question = asked("excess_error_slope", own[0], whole_method=True)
    ratios, reason = prune_ratios(own, models)
    stated = [ratio for ratio in ratios if ratio is not None]
    if len(stated) < len(ratios):
        return [replace(question, outcome="not_asked", reason=UNSTATED)]
    if len(own) < 2:
        return [replace(question, outcome="not_asked", reason=ONE_SPARSITY)]
    if seen.clean is None:
        return [replace(question, outcome="not_asked", reason=NO_CLEAN)]
    found = slope_finding(seen.corruptions, seen.clean, own, stated, known, reason)
    return [] if found is None else [found]
