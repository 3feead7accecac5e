"""Threshold drift told from bias: group rates after every model's threshold is re-set.

Pruning may move all scores a little, so that a threshold left where it was selects more or fewer.
Re-set on validation data so that as many are predicted positive as are positive, each model is
seen at the operating point that its owner would have chosen; what a group still loses is not drift
(Iofinova, Peste & Alistarh, arXiv 2304.12622, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit.evidence.blocks import Block, Evidence
from audit.evidence.errors import InputError
from audit.judgement.answers import not_asked
from audit.judgement.decisions import decide, prevalence_thresholds
from audit.judgement.design import Arm
from audit.judgement.groups.divisions import groupings
from audit.judgement.groups.subgroups import main_rates, rate_findings
from audit.judgement.inference.families import Family
from audit.judgement.pairs import design, pairs
from audit.judgement.plan import Plan

FAMILY = "threshold_drift"
READ = "thresholds re-set on validation: beside the plain rate, what is left is not drift"


def drift_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Accuracy, FPR, FNR and selection rate of every group at re-set thresholds, screened.

    Args:
        block: Predictions on clean examples.
        evidence: Labels, groups, scores, and validation examples on which thresholds are set.
        arms: The pruned models.
        plan: Groups and positive class; without a positive class nothing is asked.
    """
    if plan.positive is None or not arms or evidence.validation is None:
        return []
    positive = evidence.classes.index(plan.positive)
    thresholds = prevalence_thresholds(evidence, positive)
    if thresholds is None:
        return []
    if np.isnan(thresholds).any():
        return [Family(FAMILY, "D", not_asked(_measures(), NO_EXAMPLES))]
    try:
        moved = decide(block, evidence, positive, thresholds)
    except (
        InputError
    ):  # validation has scores and these examples do not: `unasked` says what to add
        return []
    known = design(evidence, plan)
    found = [pair for arm in arms if (pair := pairs(moved, arm, known)) is not None]
    return [
        Family(
            FAMILY,
            "D",
            [
                finding
                for pair in found
                for division in groupings(evidence.examples, plan)
                for rate in main_rates(known, division, evidence.classes)
                for finding in rate_findings(
                    pair,
                    division,
                    replace(rate, measure=f"{rate.measure}_recalibrated", reason=READ),
                )
            ],
        )
    ]


NO_EXAMPLES = (
    "no validation example is labelled and shown to every model: add some of the split `validation`"
)


def _measures() -> list[str]:
    rates = ("accuracy", "fnr", "fpr", "selection_rate")
    return [f"group_{rate}_recalibrated" for rate in rates]
