"""Holds findings to a person's limits: an outcome per finding, a verdict per pruned model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from audit.judgement.design import UNSTATED
from audit.judgement.families import SCREEN
from audit.judgement.findings import Finding, Outcome, finding_id
from audit.judgement.gate import check, worst
from audit.judgement.groups import canonical_group
from audit.judgement.limits import ALL, ANY, LIMITS, Limit, LimitKind, Policy, StatedLimit
from audit.judgement.margins import Judged, judge_cells
from audit.judgement.measures import MEASURES
from audit.judgement.plan import Plan

__all__ = ["LIMITS", "Limit", "LimitKind", "Policy", "StatedLimit", "apply", "check"]

Level = tuple[str | None, float | None]


@dataclass(frozen=True)
class Scope:
    """What a policy is applied to.

    Attributes:
        levels: Every (method, sparsity) audited, ascending; last, a sparsity of None: not stated.
        groups: Names of the groups of single columns: what `groups: any` means. Crossings are
            screens, and are held to a limit only when it names them.
        plan: The plan: level, smallest denominator, positive class.
    """

    levels: tuple[Level, ...]
    groups: Collection[str]
    plan: Plan


def apply(
    findings: Sequence[Finding], policy: Policy, scope: Scope
) -> tuple[list[Finding], dict[str, Any]]:
    """Attaches every limit to the findings that answer it, and draws the verdicts.

    A finding that a second limit holds too is repeated under an id of its own; a limit that nothing
    answers for some (method, sparsity) becomes a finding that was not asked.

    Returns:
        The findings, and the `policy` part of `findings.json`.
    """
    judged: dict[int, list[Finding]] = {}
    unanswered: list[Finding] = []
    tally: dict[Level, list[Outcome]] = {level: [] for level in scope.levels}
    for place, stated in enumerate(policy.stated()):
        cells = [i for i, finding in enumerate(findings) if _answers(finding, stated, scope)]
        verdicts = judge_cells(
            [findings[i] for i in cells], stated, scope.plan.alpha, scope.plan.minimum_n
        )
        held = []
        for i, verdict in zip(cells, verdicts, strict=True):
            attached = _attach(findings[i], stated, verdict, bool(judged.get(i)), place)
            judged.setdefault(i, []).append(attached)
            held.append(attached)
        missing = _unanswered(findings, stated, held, scope, place)
        unanswered += missing
        for level, outcomes in _by_level([*held, *missing]).items():
            tally.setdefault(level, []).append(worst(outcomes))
    kept = [copy for i, finding in enumerate(findings) for copy in judged.get(i, [finding])]
    return [*kept, *unanswered], _document(policy, tally, scope)


def _answers(finding: Finding, stated: StatedLimit, scope: Scope) -> bool:
    limit = stated.limit
    return (
        finding.measure == stated.kind.measure
        and (finding.method is not None or finding.outcome != "not_asked")
        and limit.method in (None, finding.method)
        and (limit.sparsity in (None, finding.sparsity) or MEASURES[finding.measure].spans)
        and _same_condition(finding.condition, stated.condition)
        and (limit.severity is None or limit.severity == finding.severity)
        and _same_groups(finding.groups, stated.groups, scope)
        and _same_class(finding.class_, stated.class_, scope)
    )


def _same_condition(found: str | None, wanted: str) -> bool:
    return found != ALL if wanted == ANY else found == wanted


def _same_groups(found: str | None, wanted: str | None, scope: Scope) -> bool:
    if wanted is None or found is None:
        return wanted == found
    return found in scope.groups if wanted == ANY else found == canonical_group(wanted)


def _same_class(found: str | None, wanted: str | None, scope: Scope) -> bool:
    if wanted == ANY:
        return found is not None
    # With a positive class, the one binary question is about it.
    return found == wanted or (wanted is None and found == scope.plan.positive)


def _attach(
    finding: Finding, stated: StatedLimit, judged: Judged, again: bool, place: int
) -> Finding:
    name = stated.kind.name
    # A limit makes a claim of what was a screen: its words go.
    said = (finding.reason or "").replace(SCREEN, "").strip("; ")
    reasons = [r for r in (said, judged.reason) if r]
    return replace(
        finding,
        id=finding_id(of=finding.id, limit_name=name, place=place) if again else finding.id,
        tier="A",
        limit=stated.limit.limit,
        limit_name=name,
        outcome=judged.outcome,
        bound_within=judged.bound_within,
        bound_over=judged.bound_over,
        reason="; ".join(dict.fromkeys(reasons)) or None,
    )


def _unanswered(
    findings: Sequence[Finding],
    stated: StatedLimit,
    held: Sequence[Finding],
    scope: Scope,
    place: int,
) -> list[Finding]:
    """One finding per (method, sparsity) that the limit covers and nothing answers."""
    answered = {(f.method, f.sparsity) for f in held}
    whole = {f.method for f in held if MEASURES[f.measure].spans}
    limit = stated.limit
    wanted: list[Level] = [
        (method, sparsity)
        for method, sparsity in scope.levels
        if limit.method in (None, method) and limit.sparsity in (None, sparsity)
    ]
    left = [level for level in wanted if level not in answered and level[0] not in whole]
    if not wanted:
        methods = dict.fromkeys(method for method, _ in scope.levels)
        left = [
            (method, limit.sparsity)
            for method in ([limit.method] if limit.method or not methods else methods)
        ]
    reason = _why_unanswered(findings, stated, scope, bool(wanted))
    return [_not_asked(stated, method, sparsity, reason, place) for method, sparsity in left]


def _why_unanswered(
    findings: Sequence[Finding], stated: StatedLimit, scope: Scope, covered: bool
) -> str:
    if not covered:
        there = ", ".join(_named(level) for level in scope.levels)
        return f"no pruned model is of this method and sparsity: there is {there or 'none'}"
    wanted = stated.groups
    if wanted not in (None, ANY) and canonical_group(wanted) not in {f.groups for f in findings}:
        folded = {group.casefold(): group for group in scope.groups}
        near = get_close_matches(canonical_group(wanted).casefold(), folded, n=1, cutoff=0.0)
        hint = f": did you mean {folded[near[0]]!r}?" if near else ""
        return f"nobody is in the group {wanted!r}{hint}"
    for finding in findings:
        if finding.measure == stated.kind.measure and finding.outcome == "not_asked":
            return finding.reason or "these data cannot answer it"
    return "no finding answers this limit: see the condition, severity, class and groups it names"


def _named(level: Level) -> str:
    method, sparsity = level
    at = "no stated sparsity" if sparsity is None else f"{sparsity:g}"
    return f"{method or 'a method without a name'} at {at}"


def _not_asked(
    stated: StatedLimit, method: str | None, sparsity: float | None, reason: str, place: int
) -> Finding:
    measure = MEASURES[stated.kind.measure]
    asked = {"measure": measure.name, "method": method, "sparsity": sparsity}
    return Finding(
        id=finding_id(**asked, limit_name=stated.kind.name, place=place),
        measure=measure.name,
        unit=measure.unit,
        method=method,
        sparsity=sparsity,
        condition=stated.condition,
        severity=stated.limit.severity,
        class_=stated.class_,
        groups=stated.groups,
        subject=stated.groups or stated.class_,
        worse_direction=measure.worse_direction,
        tier="A",
        limit=stated.limit.limit,
        limit_name=stated.kind.name,
        outcome="not_asked",
        reason=reason,
    )


def _by_level(held: Iterable[Finding]) -> dict[Level, list[Outcome]]:
    found: dict[Level, list[Outcome]] = {}
    for finding in held:
        found.setdefault((finding.method, finding.sparsity), []).append(finding.outcome)
    return found


def _document(
    policy: Policy, tally: Mapping[Level, Sequence[Outcome]], scope: Scope
) -> dict[str, Any]:
    ordered = sorted(tally, key=lambda level: (level[0] or "", level[1] is None, level[1] or 0.0))
    verdicts = [_verdict(level, tally[level]) for level in ordered]
    methods = list(dict.fromkeys(level[0] for level in ordered))
    return {
        "limits": [stated.record() for stated in policy.stated()],
        "verdicts": verdicts,
        "largest_within": [_largest_within(method, verdicts, scope) for method in methods],
    }


def _verdict(level: Level, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Counts limits, each by the worst of its cells; one not asked leaves the whole untold."""
    count = Counter(outcomes)
    overall = worst(outcomes)
    return {
        "method": level[0],
        "sparsity": level[1],
        "outcome": "cannot_tell" if overall == "not_asked" else overall,
        **{name: count[name] for name in ("within", "over", "cannot_tell", "not_asked")},
    }


def _largest_within(
    method: str | None, verdicts: Sequence[Mapping[str, Any]], scope: Scope
) -> dict[str, Any]:
    """Fixed sequence: ascending, stopping at the first sparsity that is not within every limit.

    Nobody knows where in it models stand that state no sparsity: they have to be within as well.
    """
    mine = [v for v in verdicts if v["method"] == method and v["outcome"] != "no_limit"]
    found: dict[str, Any] = {"method": method, "sparsity": None, "reason": None}
    unstated = (method, None) in scope.levels
    if mine and unstated and all(v["sparsity"] is None for v in mine):
        return found | {"reason": UNSTATED}
    for verdict in mine:
        if verdict["sparsity"] is None and verdict["outcome"] != "within":
            what = "models that state no sparsity" if unstated else "a limit on the whole method"
            return found | {"reason": f"{what}: {verdict['outcome']}"}
    for verdict in mine:
        if verdict["sparsity"] is None:
            continue
        if verdict["outcome"] != "within":
            stopped = f"stopped at {verdict['sparsity']:g}: {verdict['outcome']}"
            return found | {"reason": stopped}
        found["sparsity"] = verdict["sparsity"]
    return found
