"""One row per method and sparsity: the few numbers that the first table and the terminal show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.judgement.design import in_order
from audit.judgement.findings import Finding, Findings, Outcome
from audit.judgement.plan import Plan
from reports.names import in_prose, sparsity_name
from reports.quantities import bare_change, count
from reports.select import EVERY_CORRUPTION, Who, harm, of_arm, pick, worse_outcome, worst
from reports.wording import say

# Where several measures could fill a column, the first that was asked does.
CLASS_MEASURES = ("recall", "class_recall", "normalised_recall_shift")
GROUP_MEASURES = ("group_accuracy", "excess_gap", "group_fnr", "group_fpr")
CORRUPTED_MEASURES = ("corruption_error", "accuracy")


@dataclass(frozen=True)
class Judged:
    """The policy's verdict on one method and sparsity: the outcome, and limits by outcome."""

    outcome: Outcome
    within: int = 0
    over: int = 0
    cannot_tell: int = 0
    not_asked: int = 0
    waived: int = 0

    @property
    def limits(self) -> int:
        """How many limits were counted."""
        return self.within + self.over + self.cannot_tell + self.not_asked + self.waived


@dataclass(frozen=True)
class Overview:
    """What happened at one method and sparsity; None where it was not asked.

    Attributes:
        method: The pruning method; "" where the table gives it no name.
        sparsity: The sparsity; None where the models state none.
        accuracy: Accuracy over all clean examples.
        worst_class: The class that lost most.
        worst_group: The group that lost most.
        corrupted: The mean over corruptions.
        pies: The count of exemplars; its `control` is what churn alone makes.
        judged: The policy's verdict.
    """

    method: str
    sparsity: float | None
    accuracy: Finding | None
    worst_class: Finding | None
    worst_group: Finding | None
    corrupted: Finding | None
    pies: Finding | None
    judged: Judged


def arms(findings: Findings) -> tuple[tuple[str, float | None], ...]:
    """(method, sparsity) pairs, sorted; a method without a name is "", an unstated sparsity None.

    Where nothing that was found tells of any, the count of pruned models still does.
    """
    found = {(f.method or "", f.sparsity) for f in findings.findings if of_arm(f)}
    if not found and findings.run.get("pruned"):
        return (("", None),)
    return tuple(sorted(found, key=lambda arm: in_order(*arm)))


def overviews(findings: Findings) -> list[Overview]:
    """One row per method and sparsity, sorted."""
    asked: dict[tuple[str, float | None], list[Finding]] = {arm: [] for arm in arms(findings)}
    for finding in findings.findings:
        if of_arm(finding) and finding.outcome != "not_asked":
            asked[finding.method or "", finding.sparsity].append(finding)
    return [
        _overview(
            method, sparsity, of_arm, judged(findings.policy, method, sparsity), minimum_n(findings)
        )
        for (method, sparsity), of_arm in asked.items()
    ]


def overview_cells(row: Overview, names: int = 28) -> tuple[str, ...]:
    """A row's sparsity, accuracy, worst class, worst group, corrupted and exemplars as text.

    Names are cut to so many characters.
    """

    def moved(f: Finding | None) -> str:
        return bare_change(None if f is None else f.change, "fraction" if f is None else f.unit)

    def named(f: Finding | None) -> str:
        if f is None:
            return moved(None)
        who = " & ".join(in_prose(x, names) for x in (f.groups, f.class_) if x is not None)
        return say("overview.named", who=who, change=moved(f))

    def exemplar_count(f: Finding | None) -> str:
        if f is None:
            return moved(None)
        key = "overview.pies_no_floor" if f.control is None else "overview.pies_floor"
        return say(key, pies=count(f.pruned), churn=count(f.control))

    return (
        sparsity_name(row.sparsity),
        moved(row.accuracy),
        named(row.worst_class),
        named(row.worst_group),
        _lost_accuracy(row.corrupted),
        exemplar_count(row.pies),
    )


def _lost_accuracy(f: Finding | None) -> str:
    """An error that rose by two points is an accuracy that fell by two."""
    worse = None if f is None else harm(f)
    return bare_change(None if worse is None else -worse, "fraction")


def minimum_n(findings: Findings) -> int:
    """The smallest denominator that may make a claim, as the plan of the run says."""
    plan = findings.run.get("plan") or {}
    return int(plan.get("minimum_n", Plan().minimum_n))


def judged(policy: Mapping[str, Any], method: str, sparsity: float | None) -> Judged:
    """The verdict on one method and sparsity; with limits but no verdict, it cannot tell.

    A sparsity of None asks for the limits on the method as a whole, and for models that state none.

    An outcome never reads better than its own counts: nothing turns green by absence.
    """
    for verdict in policy.get("verdicts") or ():
        same = (verdict.get("method") or "") == method and verdict.get("sparsity") == sparsity
        if same and verdict.get("model") is None:
            return counts_of(verdict)
    return Judged("cannot_tell" if policy.get("limits") else "no_limit")


def counts_of(verdict: Mapping[str, Any]) -> Judged:
    """A row of the policy's verdicts, whose outcome never reads better than its own counts."""
    counts = {
        name: int(verdict.get(name) or 0) for name in ("within", "over", "cannot_tell", "not_asked")
    }
    stated: Outcome = verdict.get("outcome") or "cannot_tell"
    outcome = worse_outcome(stated, _from_counts(**counts))
    return Judged(outcome, **counts, waived=int(verdict.get("waived") or 0))


def _from_counts(within: int, over: int, cannot_tell: int, not_asked: int) -> Outcome:
    if over:
        return "over"
    if cannot_tell or not_asked:
        return "cannot_tell"
    return "within" if within else "no_limit"


def _overview(
    method: str, sparsity: float | None, findings: list[Finding], verdict: Judged, least: int
) -> Overview:
    return Overview(
        method=method,
        sparsity=sparsity,
        accuracy=_first(pick(findings, "accuracy")),
        worst_class=_worst_of(findings, CLASS_MEASURES, ("class",), least),
        worst_group=_worst_of(findings, GROUP_MEASURES, ("group", "class in group"), least),
        corrupted=_corrupted(findings),
        pies=_first(pick(findings, "pie_count")),
        judged=verdict,
    )


def _worst_of(
    findings: list[Finding], measures: tuple[str, ...], who: tuple[Who, ...], minimum_n: int
) -> Finding | None:
    for measure in measures:
        found = [f for each in who for f in pick(findings, measure, who=each)]
        # A cell of three examples that loses one would always come first, and it makes no claim.
        if (most := worst(f for f in found if f.n is None or f.n >= minimum_n)) is not None:
            return most
    return None


def _corrupted(findings: list[Finding]) -> Finding | None:
    for measure in CORRUPTED_MEASURES:
        found = pick(findings, measure, condition=EVERY_CORRUPTION)
        if found:
            return found[0]
    return None


def _first(findings: list[Finding]) -> Finding | None:
    return findings[0] if findings else None
