"""The dossier's sections about what was found: outcomes, risks, gaps and the lock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from audit.judgement.findings import Finding
from reports import background
from reports.claims import claims_table
from reports.dossier.sections import table
from reports.dossier.supplies import Holdings, Supply
from reports.limits import describe
from reports.names import method_name, short, sparsity_name
from reports.page import Cell, Column, Row, Section, Table
from reports.quantities import count
from reports.select import worst_first
from reports.wording import listing, measure_alone, say, say_count, word_for

FINDINGS = 150  # findings shown; all of them are in the CSV


def outcomes(held: Holdings) -> Section:
    """Limits, and the verdict at each method and sparsity."""
    policy = held.subject.document.policy
    limits = [describe(limit) for limit in policy.get("limits") or ()]
    rows = [_verdict_row(verdict) for verdict in policy.get("verdicts") or ()]
    heads = ("method", "requested", "outcome", "within", "over", "cannot_tell", "not_asked")
    columns = tuple(
        Column(say(f"dossier.column.{name}"), "text" if name == "method" else "number")
        if name != "outcome"
        else Column(say("dossier.column.outcome"), "outcome")
        for name in heads
    )
    caption = say("dossier.outcomes.caption")
    return Section(
        key="outcomes",
        heading=say("dossier.outcomes.heading"),
        lead=tuple(limits) or (say("dossier.outcomes.none"),),
        tables=(Table("outcomes-table", caption, columns, tuple(rows)),) if rows else (),
        how_to_ask=None if limits else say("dossier.how.limits"),
        not_asked=() if limits else (say("dossier.outcomes.none"),),
    )


def cited(held: Holdings, supplied: Iterable[Supply]) -> list[Finding]:
    """The findings that anything in the dossier rests on, and those that a limit judges."""
    found = {f.id: f for supply in supplied for f in supply.findings}
    for finding in worst_first(risks(held)):
        found.setdefault(finding.id, finding)
    for finding in worst_first(held.subject.document.held):
        if len(found) >= FINDINGS:
            break
        found.setdefault(finding.id, finding)
    return list(found.values())


def findings_section(held: Holdings, findings: Sequence[Finding]) -> Section:
    """These findings, each with n, interval and limit."""
    document = held.subject.document
    made = claims_table(
        "cited",
        say("dossier.findings.caption"),
        findings,
        alpha=background.alpha_of(document),
        cited={f.id for f in findings if f.outcome != "not_asked"},
        rows=len(findings),
    )
    total = count(len(document.findings.findings))
    return Section(
        key="findings",
        heading=say("dossier.findings.heading"),
        lead=(say("dossier.findings.lead", shown=count(len(findings)), total=total),),
        tables=() if made is None else (made,),
    )


def risks(held: Holdings) -> list[Finding]:
    """Findings that a limit does not let pass: over it, cannot tell, or not asked at all."""
    failing = {"over", "cannot_tell", "not_asked"}
    every = held.subject.document.findings.findings
    return worst_first(f for f in every if f.limit_name is not None and f.outcome in failing)


def risk_section(held: Holdings) -> Section:
    """How many rows the risk register has, by outcome."""
    found = risks(held)
    counts = {o: sum(f.outcome == o for f in found) for o in ("over", "cannot_tell", "not_asked")}
    lead = [
        say("dossier.risks.lead", **{name: count(n) for name, n in counts.items()}),
        say("dossier.risks.waived", n=count(sum(f.waiver is not None for f in found))),
    ]
    return Section(key="risks", heading=say("dossier.risks.heading"), lead=tuple(lead))


def gaps(held: Holdings) -> Section:
    """What was not asked, each reason once with the measures that wait for it."""
    waiting: dict[str, set[str]] = defaultdict(set)
    for finding in held.subject.document.not_asked:
        waiting[finding.reason or say("dossier.gaps.no_reason")].add(finding.measure)
    rows = [
        (listing(sorted(map(measure_alone, names))[:8]), _more(names), reason)
        for reason, names in sorted(waiting.items())
    ]
    heads = [(say(f"dossier.column.{name}"), "text") for name in ("questions", "more", "why")]
    made = table("gaps-table", say("dossier.gaps.caption"), heads, rows)  # type: ignore[arg-type]
    return Section(
        key="gaps",
        heading=say("dossier.gaps.heading"),
        lead=(say_count("dossier.gaps.lead", len(held.subject.document.not_asked)),),
        tables=(made,) if rows else (),
    )


def lock_section(held: Holdings, deviations: Sequence[str]) -> Section:
    """When limits were fixed, and what was done otherwise."""
    if not held.lock:
        return Section(
            key="lock",
            heading=say("dossier.lock.heading"),
            lead=(say("dossier.lock.none"),),
            not_asked=(say("dossier.lock.none"),),
            how_to_ask=say("dossier.how.lock"),
        )
    when = short(held.lock.get("locked_at") or "–")
    digest = short(held.lock.get("config_sha256") or "–", 80)
    lead = [say("dossier.lock.lead", when=when, sha256=digest)]
    lead.append(say_count("dossier.lock.deviations", len(deviations)))
    return Section(
        key="lock",
        heading=say("dossier.lock.heading"),
        lead=(*lead, *(short(each, 400) for each in deviations)),
    )


def _verdict_row(verdict: dict[str, object]) -> Row:
    outcome = str(verdict["outcome"])
    named = verdict.get("model")
    sparsity = verdict.get("sparsity")
    level = sparsity if isinstance(sparsity, int | float) else None
    counts = [
        Cell(count(float(str(verdict.get(name) or 0))))
        for name in ("within", "over", "cannot_tell", "not_asked")
    ]
    method = short(named) if named else method_name(str(verdict.get("method") or ""))
    shown = Cell(word_for("outcome", outcome), outcome=outcome)  # type: ignore[arg-type]
    return Row((Cell(method), Cell(sparsity_name(level)), shown, *counts))


def _more(names: set[str]) -> str:
    return say("dossier.gaps.more", n=count(len(names) - 8)) if len(names) > 8 else ""
