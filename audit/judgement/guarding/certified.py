"""Looks for a guard of every arm: chosen on validation examples, certified once on test ones.

Selective classification (El-Yaniv & Wiener, JMLR 2010) asks how accurate a model is where it
answers; here what is handed back is answered too, by the parent or a person, and the system of both
is held to the limits that the pruned model alone would be held to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.evidence.blocks import CLEAN, Block, Evidence
from audit.judgement.answers import answer_finding, not_asked
from audit.judgement.decisions import decided
from audit.judgement.design import Arm, arms
from audit.judgement.findings import Finding, Findings
from audit.judgement.guarding.choice import Choice, choose
from audit.judgement.guarding.curve import Seen, curve, seen, share_among
from audit.judgement.guarding.deferral import (
    NO_CONFIDENCE,
    NO_MARGIN,
    answered,
    signals,
    with_guards,
)
from audit.judgement.guarding.result import Guarded, GuardResult, Held
from audit.judgement.pairs import Answer, design
from audit.judgement.plan import Guard, Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.wanted import covers

MEASURES = ("guard_deferred", "guard_recovered")
NO_VALIDATION = (
    "a guard is chosen on validation examples and there are none: add examples of the split "
    "`validation`, with predictions of these models and their parents"
)
NO_PARENT = "no pruned model names its parent, to hand back to: add the column `parent`"
NOTHING = "limits hold without handing anything back"
NO_CLEAN = "there are no predictions on clean examples: add the condition `clean`"


@dataclass(frozen=True, eq=False)
class _Look:
    """One arm before certification."""

    arm: Arm
    guarded: Guarded
    who: Seen | None = None


def guard(
    evidence: Evidence, plan: Plan, policy: Policy, before: Findings | None = None
) -> GuardResult:
    """The smallest rule, per arm, that hands inputs back so that every limit holds.

    The rule is *hand back when the signal is below a threshold*, one threshold for all models of an
    arm; it sees no group. It is chosen on validation examples; the system it makes is then judged
    on test examples as the pruned models were, under every condition.

    Args:
        evidence: Test evidence, and `validation`; its decisions are those of the plan.
        plan: `guard` (None takes the defaults), and what the judge takes.
        policy: The limits.
        before: What the judge found without a guard; None asks it.

    Raises:
        InputError: The plan names something that is not there.
    """
    return guarded_findings(evidence, plan, policy, before)[0]


def guarded_findings(
    evidence: Evidence, plan: Plan, policy: Policy, before: Findings | None = None
) -> tuple[GuardResult, list[Finding]]:
    """The same with its findings: what each guard hands back, and what that recovers."""
    from audit.judgement.judging import judge  # which asks for guards in turn

    asked = plan.guard or Guard()
    bare = plan.model_copy(update={"guard": None, "search": None})
    before = before or judge(evidence, bare, policy)
    acted = decided(evidence, plan).evidence
    bare = bare.model_copy(update={"decision": "argmax"})  # it is in `acted` already
    audited = arms(acted.models)
    looks = _look(acted, audited, bare.model_copy(update={"guard": asked}), policy)
    found = [_findings(look, plan) for look in looks]
    rules = {
        place: look.guarded.threshold
        for place, look in enumerate(looks)
        if look.guarded.threshold is not None
    }
    if rules:
        system = with_guards(acted, rules, audited, asked)
        after = judge(system, bare, policy)
        looks = [
            replace(look, guarded=_certified(look.guarded, before, after))
            if place in rules
            else look
            for place, look in enumerate(looks)
        ]
    result = GuardResult(asked, tuple(look.guarded for look in looks))
    return result, [finding for some in found for finding in some]


def _look(evidence: Evidence, audited: Sequence[Arm], plan: Plan, policy: Policy) -> list[_Look]:
    """Every arm's rule and curve."""
    asked = plan.guard or Guard()
    if CLEAN not in evidence.conditions:
        return [_without(arm, NO_CLEAN) for arm in audited]
    block = evidence.load(CLEAN)
    held_out, blocks = evidence.validation, []
    if held_out is not None and CLEAN in held_out.conditions and len(held_out.examples):
        blocks = _blocks(held_out, policy)
    return [_one(block, evidence, blocks, answered(arm, asked), plan, policy) for arm in audited]


def _blocks(validation: Evidence, policy: Policy) -> list[Block]:
    """Clean, then the conditions that limits name; validation examples are few."""
    stated = policy.stated()
    wanted = [
        condition
        for condition in validation.conditions
        if condition != CLEAN and any(covers(each, condition) for each in stated)
    ]
    return [validation.load(condition) for condition in (CLEAN, *wanted)]


def _one(
    block: Block,
    evidence: Evidence,
    blocks: Sequence[Block],
    arm: Arm,
    plan: Plan,
    policy: Policy,
) -> _Look:
    asked = plan.guard or Guard()
    if not len(arm.pruned):
        return _without(arm, NO_PARENT)
    signal = signals(block, evidence, arm.pruned, asked)
    if signal is None:
        return _without(arm, NO_CONFIDENCE if asked.signal == "confidence" else NO_MARGIN)
    who = seen(block, evidence, arm, signal, design(evidence, plan))
    guarded = replace(_without(arm, NO_VALIDATION).guarded, curve=curve(who))
    if evidence.validation is None or not blocks:
        return _Look(arm, guarded, who)
    choice = choose(evidence.validation, blocks, arm, plan, policy)
    return _Look(arm, _chosen(guarded, choice, who, evidence.validation, policy), who)


def _chosen(
    guarded: Guarded, choice: Choice, who: Seen, validation: Evidence, policy: Policy
) -> Guarded:
    stated = sorted({each.kind.name for each in policy.stated()})
    guarded = replace(
        guarded,
        threshold=choice.threshold,
        met=choice.met,
        steered_by=choice.steered_by,
        left_out=tuple(name for name in stated if name not in choice.steered_by),
        validation_n=len(validation.examples),
        validation_share=choice.share,
        reason=choice.reason,
    )
    if choice.threshold is None:
        return guarded
    everybody = share_among(who, choice.threshold, who.shown)
    harmed = share_among(who, choice.threshold, who.harmed)
    return replace(
        guarded,
        share=everybody.share,
        share_low=everybody.low,
        share_high=everybody.high,
        recovered=harmed.share,
        recovered_low=harmed.low,
        recovered_high=harmed.high,
    )


def _without(arm: Arm, reason: str) -> _Look:
    return _Look(arm, Guarded(method=arm.method or None, sparsity=arm.sparsity, reason=reason))


def _findings(look: _Look, plan: Plan) -> list[Finding]:
    """What the guard hands back of everybody, and of those whom pruning harms."""
    threshold, who = look.guarded.threshold, look.who
    if threshold is None or who is None:
        return not_asked(MEASURES, look.guarded.reason or NO_VALIDATION, look.arm)
    signal = (plan.guard or Guard()).signal
    n = look.guarded.validation_n or 0
    rule = f"hand back where {signal} is below {threshold:g}" if threshold else NOTHING
    read = [f"{rule}, chosen on {n:,} validation examples"]
    read += [look.guarded.reason] if look.guarded.reason else []
    out = []
    for measure, among in zip(MEASURES, (who.shown, who.harmed), strict=True):
        level = share_among(who, threshold, among)
        answer = Answer(level.estimate, None, level.share, None)
        finding = answer_finding(measure, answer, look.arm, plan, reason="; ".join(read))
        out.append(replace(finding, tier="D", low=level.low, high=level.high))
    return out


def _certified(guarded: Guarded, before: Findings, after: Findings) -> Guarded:
    """The verdicts on test, and what became of every limit."""
    now = {_limit_key(f): f for f in _held(after, guarded)}
    limits = tuple(
        Held(
            limit_name=f.limit_name or "",
            limit=f.limit or 0.0,
            condition=f.condition,
            severity=f.severity,
            class_=f.class_,
            groups=f.groups,
            before=f.outcome,
            after=now[_limit_key(f)].outcome,
        )
        for f in _held(before, guarded)
        if _limit_key(f) in now
    )
    return replace(
        guarded,
        before=_verdict(before, guarded),
        after=_verdict(after, guarded),
        limits=limits,
    )


def _held(findings: Findings, guarded: Guarded) -> list[Finding]:
    return [
        f
        for f in findings.findings
        if f.limit_name is not None
        and f.model is None
        and (f.method, f.sparsity) == (guarded.method, guarded.sparsity)
    ]


def _limit_key(finding: Finding) -> tuple[object, ...]:
    f = finding
    return f.limit_name, f.limit, f.measure, f.condition, f.severity, f.class_, f.groups


def _verdict(findings: Findings, guarded: Guarded) -> str | None:
    return next(
        (
            str(row["outcome"])
            for row in findings.policy["verdicts"]
            if row.get("model") is None
            and (row["method"], row["sparsity"]) == (guarded.method, guarded.sparsity)
        ),
        None,
    )
