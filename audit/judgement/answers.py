"""Makes findings of answers: one place that names them and says when too few are behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.design import Arm
from audit.judgement.findings import Finding, finding_id
from audit.judgement.measures import MEASURES, Measure
from audit.judgement.pairs import Answer
from audit.judgement.plan import Plan

ALL_CONDITIONS = Condition("all", None)


def answer_finding(
    measure: str | Measure,
    answer: Answer,
    arm: Arm,
    plan: Plan,
    *,
    condition: Condition = CLEAN,
    class_: str | None = None,
    groups: str | None = None,
    reason: str | None = None,
    whole_method: bool = False,
) -> Finding:
    """The finding that an estimate answers.

    Where fewer than `plan.minimum_n` independent units are in the denominator, values and interval
    stay, and everything that a claim would need is taken away.

    Args:
        measure: A name in `MEASURES`, or a measure itself.
        answer: Estimate and values.
        arm: The pruned models.
        plan: The plan.
        condition: The condition.
        class_: The class it is about.
        groups: The group it is about.
        reason: How the number is to be read.
        whole_method: Whether it is about every sparsity of the method at once.
    """
    found = answer.estimate
    said = [text for text in (reason, found.reason) if text]
    finding = replace(
        asked(
            measure,
            arm,
            condition=condition,
            class_=class_,
            groups=groups,
            whole_method=whole_method,
        ),
        parent=answer.parent,
        pruned=answer.pruned,
        control=answer.control,
        change=found.change,
        low=found.low,
        high=found.high,
        standard_error=found.standard_error,
        df=found.df,
        n=found.n,
        parents=found.parents,
        discordant=found.discordant,
        generalises_to=found.generalises_to,
        p=found.p,
        p_floor=found.p_floor,
        detectable=found.detectable,
        examples_low=found.examples_low,
        examples_high=found.examples_high,
        examples_standard_error=found.examples_standard_error,
        examples_df=found.examples_df,
        examples_p=found.examples_p,
        relative_change=found.change / answer.parent if found.change and answer.parent else None,
        reason="; ".join(said) or None,
    )
    if _known(measure).level:
        finding = replace(
            finding,
            change=None,
            relative_change=None,
            p=None,
            examples_p=None,
            p_floor=None,
            detectable=None,
        )
    if found.n == 0:
        return replace(finding, outcome="not_asked", parents=None, generalises_to=None)
    return too_small(finding, found.units, plan) if found.units < plan.minimum_n else finding


def too_small(finding: Finding, units: int, plan: Plan) -> Finding:
    """A finding that makes no claim, because too few independent units are in its denominator."""
    kind = "examples" if units == finding.n else "clusters"
    small = f"{units} {kind} in the denominator, of the {plan.minimum_n} that a claim needs"
    return without_claim(finding, small)


def without_claim(finding: Finding, why: str) -> Finding:
    """The finding with its values and interval, and without all that a claim would need."""
    said = [text for text in (finding.reason, why) if text]
    return replace(
        finding,
        p=None,
        p_floor=None,
        standard_error=None,
        df=None,
        detectable=None,
        examples_standard_error=None,
        examples_df=None,
        examples_p=None,
        reason="; ".join(said),
    )


def _known(measure: str | Measure) -> Measure:
    return measure if isinstance(measure, Measure) else MEASURES[measure]


def asked(
    measure: str | Measure,
    arm: Arm | None,
    *,
    condition: Condition = CLEAN,
    class_: str | None = None,
    groups: str | None = None,
    subject: str | None = None,
    whole_method: bool = False,
) -> Finding:
    """A finding with its question and no answer yet."""
    known = _known(measure)
    method = (arm.method or None) if arm else None
    sparsity = arm.sparsity if arm and not whole_method else None
    subject = subject or groups or class_
    model = arm.model if arm else None
    one = {} if model is None else {"model": model}  # others keep the names they always had
    return Finding(
        id=finding_id(
            measure=known.name,
            method=method,
            sparsity=sparsity,
            condition=condition.name,
            severity=condition.severity,
            class_=class_,
            groups=groups,
            subject=subject,
            **one,
        ),
        measure=known.name,
        unit=known.unit,
        method=method,
        sparsity=sparsity,
        model=model,
        condition=condition.name,
        severity=condition.severity,
        subject=subject,
        class_=class_,
        groups=groups,
        worse_direction=known.worse_direction,
    )


def not_asked(measures: Sequence[str], reason: str, arm: Arm | None = None) -> list[Finding]:
    """Findings for questions that these data cannot answer; the reason says what to add."""
    return [
        replace(asked(measure, arm), outcome="not_asked", reason=reason) for measure in measures
    ]
