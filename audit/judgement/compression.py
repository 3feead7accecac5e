"""What pruning saves, beside quality as papers on compression should report it (Blalock et al.)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import Block, Evidence
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.families import Family
from audit.judgement.pairs import (
    Contrast,
    by_parent,
    contrast,
    correct,
    design,
    overall,
    pairs,
)
from audit.judgement.plan import Plan
from audit.judgement.shifts.robustness import relative_to_parent

FloatArray = NDArray[np.float64]

SAME_QUESTION = "the same question as accuracy, on the parent's scale: it is tested there"
WITH_ZEROS = (
    "multiply–adds as the model stands, those by zero included: add `macs_nonzero` to the models"
)
PERFECT = "the parent makes no error, so nothing can be said relative to it"


def compression_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Relative error, spread over seeds, compression ratio and theoretical speed-up of every arm.

    Args:
        block: Predictions on clean examples.
        evidence: Labels, and what was measured of the models.
        arms: The pruned models.
        plan: The plan.

    Returns:
        The screen `compression`, tier D; none of it carries a p.
    """
    known = design(evidence, plan)
    found: list[Finding] = []
    for arm in arms:
        beside = pairs(block, arm, known)
        if beside is not None:
            right = contrast(beside, correct(known.labels))
            found += [*_relative_error(right, arm, plan), *_deviation(right, arm.paired())]
        found += _saved("compression_ratio", kept_of_parent(evidence.models, arm), arm)
        work, reason = work_of_parent(evidence.models, arm)
        found += _saved("theoretical_speedup", work, arm, reason)
    return [Family("compression", "D", found)]


def kept_of_parent(models: pd.DataFrame, arm: Arm) -> FloatArray:
    """Parameters of each pruned model that are not zero, over the parent's parameters.

    Counted where `nonzero` and the parent's `parameters` are known, else 1 − `sparsity_all`, of all
    parameters and not of those that may be pruned.

    Args:
        models: `Evidence.models`.
        arm: The pruned models.

    Returns:
        float64 [models of the arm], NaN where neither is known.
    """
    arm = arm.paired()
    nonzero, parameters = _numbers(models, "nonzero"), _numbers(models, "parameters")
    counted = nonzero[arm.pruned] / parameters[arm.parent]
    return np.where(np.isnan(counted), 1.0 - _numbers(models, "sparsity_all")[arm.pruned], counted)


def work_of_parent(models: pd.DataFrame, arm: Arm) -> tuple[FloatArray, str | None]:
    """Multiply–adds of each pruned model over its parent's, and how to read that.

    Those with a weight of zero are left out where `macs_nonzero` is known: that is what a kernel
    which skips zeros could save. Otherwise `macs` is what the model does as it stands.

    Returns:
        float64 [models of the arm], NaN where not known, and the reason, if any.
    """
    arm = arm.paired()
    macs, skipped = _numbers(models, "macs"), _numbers(models, "macs_nonzero")
    share = skipped[arm.pruned] / macs[arm.parent]
    if not np.isnan(share).any():
        return share, None
    return np.asarray(macs[arm.pruned] / macs[arm.parent]), WITH_ZEROS


def _numbers(models: pd.DataFrame, column: str) -> FloatArray:
    if column not in models:
        return np.full(len(models), np.nan)
    found = pd.to_numeric(models[column]).to_numpy(np.float64, na_value=np.nan)
    return np.where(found >= 0.0, found, np.nan)


def _saved(measure: str, share: FloatArray, arm: Arm, reason: str | None = None) -> list[Finding]:
    """The parent over what is left, for the mean of what is left; nothing where not known."""
    if not share.size or np.isnan(share).any() or share.mean() <= 0.0:
        return []
    ratio = float(1.0 / share.mean())
    question = asked(measure, arm)
    return [replace(question, parent=1.0, pruned=ratio, parents=len(arm.parents), reason=reason)]


def _relative_error(right: Contrast, arm: Arm, plan: Plan) -> list[Finding]:
    wrong = Contrast(
        1.0 - right.parent,
        1.0 - right.pruned,
        None if right.control is None else 1.0 - right.control,
        right.design,
    )
    ratio = relative_to_parent(wrong)
    if ratio is not None:
        finding = answer_finding("relative_error", ratio, arm, plan, reason=SAME_QUESTION)
        return [replace(finding, p=None, p_floor=None, examples_p=None)]
    if overall(right).estimate.n == 0:
        return []
    return [replace(asked("relative_error", arm), outcome="not_asked", reason=PERFECT)]


def _deviation(right: Contrast, arm: Arm) -> list[Finding]:
    """Sample standard deviation over parents; nothing with one."""
    weights = right.design.weights
    parents = list(by_parent(right.parent, arm, weights).values())
    if len(parents) < 2:
        return []
    pruned = list(by_parent(right.pruned, arm, weights).values())
    control = None
    if right.control is not None and len(arm.controlled().parents) > 1:
        control = list(by_parent(right.control, arm.controlled(), weights).values())
    return [
        replace(
            asked("accuracy_deviation", arm),
            parent=float(np.std(parents, ddof=1)),
            pruned=float(np.std(pruned, ddof=1)),
            control=None if control is None else float(np.std(control, ddof=1)),
            n=overall(right).estimate.n,
            parents=len(parents),
            reason=f"over {len(parents)} parents, replicates averaged",
        )
    ]
