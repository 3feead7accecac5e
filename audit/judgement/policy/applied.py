"""Holds findings to a person's limits: an outcome per finding, a verdict per pruned model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from audit.judgement.findings import Finding, finding_id
from audit.judgement.groups.divisions import canonical_group
from audit.judgement.inference.families import SCREEN
from audit.judgement.measures import MEASURES, Measure
from audit.judgement.plan import Plan
from audit.judgement.policy import waivers
from audit.judgement.policy.gate import check, worst
from audit.judgement.policy.limits import ALL, ANY, LIMITS, Limit, LimitKind, Policy, StatedLimit
from audit.judgement.policy.margins import Judged, judge_cells
from audit.judgement.policy.verdicts import Held, Level, largest_within, verdicts

__all__ = ["LIMITS", "Limit", "LimitKind", "Policy", "StatedLimit", "apply", "check", "worst"]


@dataclass(frozen=True)
class One:
    """The one file that would ship, beside the population that it was chosen from.

    Attributes:
        model: Its name.
        level: Its method and sparsity.
        of: Out of how many it was chosen by these test examples.
    """

    model: str
    level: Level
    of: int


@dataclass(frozen=True)
class Scope:
    """What a policy is applied to.

    Attributes:
        levels: Every (method, sparsity) audited, ascending; last, a sparsity of None: not stated.
        groups: Names of the groups of single columns: what `groups: any` means. Crossings are
            screens, and are held to a limit only when it names them.
        plan: The plan: level, smallest denominator, positive class.
        one: The file that would ship; None where none is named.
        own: Measures of the user's own, by name.
        clustered: Whether what is independent is a cluster of examples.
        weighted: Whether examples have weights.
        alone: Of `levels`, those of one pruned model.
        model: The file that is judged at present; None while the population is.
    """

    levels: tuple[Level, ...]
    groups: Collection[str]
    plan: Plan
    one: One | None = None
    own: Mapping[str, Measure] = field(default_factory=dict)
    clustered: bool = False
    weighted: bool = False
    alone: Collection[Level] = ()
    model: str | None = None

    def of_one(self) -> Scope:
        """The same, of the file that would ship alone."""
        if self.one is None:
            return self
        return replace(self, levels=(self.one.level,), model=self.one.model)

    def single(self, finding: Finding) -> bool:
        """Whether it is about one pair of models, whose examples count once each."""
        alone = self.model is not None or (finding.method, finding.sparsity) in self.alone
        return alone and not (self.clustered or self.weighted)

    def measure(self, name: str) -> Measure:
        """A measure of the catalogue, or of the user's own."""
        return self.own[name] if name in self.own else MEASURES[name]


def apply(
    findings: Sequence[Finding], policy: Policy, scope: Scope
) -> tuple[list[Finding], dict[str, Any]]:
    """Attaches every limit to the findings that answer it, and draws the verdicts.

    A finding that a second limit holds too is repeated under an id of its own; a limit that nothing
    answers for some (method, sparsity) becomes a finding that was not asked.

    Returns:
        The findings, and the `policy` part of `findings.json`.
    """
    held: list[Held] = []
    for place, stated in enumerate(policy.stated(scope.own)):
        held += _hold(findings, stated, scope, place, policy.looks, held)
        if scope.one is not None and not scope.measure(stated.kind.measure).spans:
            looks = policy.looks * scope.one.of
            held += _hold(findings, stated, scope.of_one(), place, looks, held)
    accepted, records = waivers.waived([each.finding for each in held], policy.waivers)
    copies: dict[int | None, list[Finding]] = {}
    for each, finding in zip(held, accepted, strict=True):
        copies.setdefault(each.of, []).append(finding)
    kept = [copy for i, finding in enumerate(findings) for copy in copies.get(i, [finding])]
    held = [replace(each, finding=f) for each, f in zip(held, accepted, strict=True)]
    return [*kept, *copies.get(None, [])], _document(policy, held, scope, records)


def _hold(
    findings: Sequence[Finding],
    stated: StatedLimit,
    scope: Scope,
    place: int,
    looks: int,
    before: Sequence[Held],
) -> list[Held]:
    """One limit, on what answers it and on what nothing does; all of one correction."""
    cells = [i for i, finding in enumerate(findings) if _answers(finding, stated, scope)]
    plan = scope.plan
    judged = judge_cells(
        [findings[i] for i in cells],
        stated,
        plan.alpha,
        plan.minimum_n,
        looks,
        scope.clustered,
        scope.single,
    )
    again = {each.of for each in before}
    held = [
        Held(place, i, _attach(findings[i], stated, verdict, i in again, place))
        for i, verdict in zip(cells, judged, strict=True)
    ]
    missing = _unanswered(findings, stated, [h.finding for h in held], scope, place)
    return held + [Held(place, None, finding) for finding in missing]


def _answers(finding: Finding, stated: StatedLimit, scope: Scope) -> bool:
    limit = stated.limit
    return (
        finding.measure == stated.kind.measure
        and finding.model == scope.model
        and (finding.method is not None or finding.outcome != "not_asked")
        and limit.method in (None, finding.method)
        and (limit.sparsity in (None, finding.sparsity) or scope.measure(finding.measure).spans)
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
    whole = {f.method for f in held if scope.measure(f.measure).spans}
    limit = stated.limit
    wanted: list[Level] = [
        (method, sparsity)
        for method, sparsity in scope.levels
        if limit.method in (None, method) and limit.sparsity in (None, sparsity)
    ]
    left = [level for level in wanted if level not in answered and level[0] not in whole]
    if not wanted and scope.model is None:
        methods = dict.fromkeys(method for method, _ in scope.levels)
        left = [
            (method, limit.sparsity)
            for method in ([limit.method] if limit.method or not methods else methods)
        ]
    reason = _why_unanswered(findings, stated, scope, bool(wanted))
    return [_not_asked(stated, level, scope, reason, place) for level in left]


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


def _not_asked(stated: StatedLimit, level: Level, scope: Scope, reason: str, place: int) -> Finding:
    measure = scope.measure(stated.kind.measure)
    asked = {"measure": measure.name, "method": level[0], "sparsity": level[1]}
    if scope.model is not None:
        asked["model"] = scope.model
    return Finding(
        id=finding_id(**asked, limit_name=stated.kind.name, place=place),
        measure=measure.name,
        unit=measure.unit,
        method=level[0],
        sparsity=level[1],
        model=scope.model,
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


def _document(
    policy: Policy, held: Sequence[Held], scope: Scope, records: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    one = None if scope.one is None else (*scope.one.level, scope.one.model)
    rows = verdicts(held, scope.levels, one)
    methods = list(dict.fromkeys(row["method"] for row in rows if row["model"] is None))
    return {
        "limits": [stated.record() for stated in policy.stated(scope.own)],
        "looks": policy.looks,
        "waivers": [dict(record) for record in records],
        "verdicts": rows,
        "largest_within": [largest_within(method, rows, scope.levels) for method in methods],
    }
