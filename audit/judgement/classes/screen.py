"""Precision and false positive rate of every class as findings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.judgement.answers import answer_finding
from audit.judgement.classes.rates import ClassRate, class_rates, rates_of
from audit.judgement.findings import Finding
from audit.judgement.pairs import Answer, Pairs

FloatArray = NDArray[np.float64]

LINEARISED = "its denominator differs between models: the interval is of the linearised ratio"


def rate_findings(found: Pairs, classes: Sequence[str]) -> list[Finding]:
    """`class_fpr` and `precision` of every class, each class against the rest, for one arm.

    Args:
        found: The pairs.
        classes: Class names.
    """
    rates = class_rates(found, len(classes))
    nowhere = np.full(len(classes), np.nan)
    beside: Sequence[FloatArray] = (nowhere, nowhere)
    if found.control is not None:
        beside = rates_of(found.control, found.control_parent, found.design, len(classes))
    read = (None, LINEARISED)
    return [
        _finding(measure, rate, control, found, classes, i, reason)
        for measure, rate, control, reason in zip(
            ("class_fpr", "precision"), rates, beside, read, strict=True
        )
        for i in range(len(classes))
    ]


def _finding(
    measure: str,
    rate: ClassRate,
    control: FloatArray,
    found: Pairs,
    classes: Sequence[str],
    i: int,
    reason: str | None,
) -> Finding:
    before, after, beside = (
        float(side[i]) if np.isfinite(side[i]) else None
        for side in (rate.parent, rate.pruned, control)
    )
    answer = Answer(rate.estimates[i], before, after, beside)
    plan, condition = found.design.plan, found.condition
    return answer_finding(
        measure, answer, found.arm, plan, condition=condition, class_=classes[i], reason=reason
    )
