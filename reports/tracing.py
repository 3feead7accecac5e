"""Where a number comes from: definition, n, interval, test, correction, rows and commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from audit.evidence.blocks import Condition
from audit.evidence.conditions import folder_name
from audit.evidence.parts import PREDICTIONS
from audit.judgement.findings import Finding
from audit.judgement.measures import MEASURES
from reports.anchors import MEASURE, TRACE
from reports.background import alpha_of, command
from reports.claims import condition_name
from reports.document import Document
from reports.limits import show_limit
from reports.names import in_prose, short
from reports.page import Cell, Column, Row, Section, Table, Trace
from reports.quantities import (
    bare_change,
    count,
    defined,
    interval,
    level,
    number,
    probability,
    severity,
    sparsity,
    typeset,
)
from reports.select import CLEAN, MEANS, family_of, of_level, whom, worst_first
from reports.wording import capital, listing, measure_alone, say, word_for

_DIRECTIONS = {"up": "definitions.up", "down": "definitions.down", None: "definitions.neither"}


def evidence(document: Document, cited: Iterable[str]) -> Section:
    """The section that claims lead to: a trace for each cited finding, and every definition."""
    wanted = frozenset(cited)
    every = (*document.asked, *document.candidate)
    traces = tuple(trace(document, f) for f in worst_first(every) if f.id in wanted)
    return Section(
        key="evidence",
        heading=say("section.evidence.heading"),
        lead=(say("evidence.lead"),),
        tables=tuple(t for t in (definitions({f.measure for f in every}),) if t is not None),
        traces=traces,
    )


def trace(document: Document, finding: Finding) -> Trace:
    """Everything that it takes to check one finding."""
    alpha = alpha_of(document)
    return Trace(f"{TRACE}{finding.id}", _summary(finding), tuple(_facts(document, finding, alpha)))


def text_of(document: Document, finding: Finding) -> str:
    """The same as lines of plain text, for a terminal."""
    told = trace(document, finding)
    return "\n".join((told.summary, *(f"  {term}: {fact}" for term, fact in told.facts)))


def definitions(measures: Iterable[str]) -> Table | None:
    """What every measure of the page is, in one row each."""
    known = sorted(name for name in measures if name in MEASURES)
    if not known:
        return None
    names = ("measure", "definition", "unit", "worse", "source")
    return Table(
        key="definitions",
        caption=say("table.definitions"),
        columns=tuple(Column(say(f"definitions.{name}")) for name in names),
        rows=tuple(_definition(name) for name in known),
        folded=True,
    )


def _definition(name: str) -> Row:
    measure = MEASURES[name]
    texts = (
        measure_alone(name),
        measure.definition,
        measure.unit,
        say(_DIRECTIONS[measure.worse_direction]),
        measure.source,
    )
    return Row(tuple(map(Cell, texts)), f"{MEASURE}{name}")


def _summary(f: Finding) -> str:
    """Measure, who, where and how much, in a line."""
    value = bare_change(f.change, f.unit) if defined(f.change) else level(f.pruned, f.unit)
    where = [f.method, None if f.sparsity is None else say("trace.at", at=sparsity(f.sparsity))]
    where += [None if f.condition in {CLEAN, None} else condition_name(f), f.model]
    where += [say("trace.severity", at=severity(f.severity)) if f.severity else None]
    told = [_who(f), *(in_prose(each) for each in where if each is not None)]
    if defined(f.change) or defined(f.pruned):
        told.append(value)
    return f"{capital(measure_alone(f.measure))}: {', '.join(told)}"


def _facts(document: Document, f: Finding, alpha: float) -> Iterator[tuple[str, str]]:
    measure = MEASURES.get(f.measure)
    if measure is not None:
        yield say("trace.definition"), measure.definition
    if values := _values(f):
        yield say("trace.values"), values
    if defined(f.low) or defined(f.high):
        yield say("trace.interval", coverage=f"{100 * (1 - alpha):g}"), _interval(f)
    if defined(f.examples_low) and f.generalises_to != "examples":
        ends = _ends(f, f.examples_low, f.examples_high)
        yield say("trace.files", coverage=f"{100 * (1 - alpha):g}"), ends
    if counts := _counts(f):
        yield say("trace.n"), counts
    yield say("trace.test"), _test(f)
    if f.tier is not None and f.family is not None:
        yield say("trace.correction"), _correction(f)
    if f.limit_name is not None:
        yield (
            say("trace.limit"),
            say("trace.held", limit=show_limit(f), outcome=word_for("outcome", f.outcome)),
        )
    if f.reason:
        yield say("trace.note"), short(typeset(f.reason), 600)
    yield say("trace.rows"), rows_of(document, f)
    yield say("trace.record"), say("trace.in_findings", id=f.id)
    yield say("trace.command"), say("trace.commands", id=f.id, command=command(document))


def rows_of(document: Document, f: Finding) -> str:
    """Which rows of which tables the number was made from."""
    if document.models.empty:
        return say("trace.no_evidence")
    return say("trace.tables", parts=_parts(f), models=_models(f), examples=_examples(f))


def _parts(f: Finding) -> str:
    if f.condition is None:
        return f"evidence/{PREDICTIONS}/*/*.parquet"
    if f.condition in MEANS:
        return f"evidence/{PREDICTIONS}/*@*/*.parquet"
    name = f"{quote(f.condition, safe='')}@*"
    if f.severity is not None:
        name = folder_name(Condition(f.condition, f.severity))
    return f"evidence/{PREDICTIONS}/{short(name, 120)}/*.parquet"


def _models(f: Finding) -> str:
    if f.model is not None:
        return f"model = {_quoted(f.model)}"
    wanted = [] if f.method is None else [f"method = {_quoted(f.method)}"]
    wanted += [] if f.sparsity is None else [f"sparsity = {sparsity(f.sparsity)}"]
    return " and ".join(wanted) or say("trace.every_model")


def _examples(f: Finding) -> str:
    wanted = ["split = 'test'"]
    if f.class_ is not None:
        wanted.append(say("trace.class", name=_quoted(f.class_)))
    if f.groups is not None:
        wanted.append(say("trace.group", name=_quoted(f.groups)))
    return " and ".join(wanted)


def _quoted(name: str) -> str:
    return "'" + short(name, 80) + "'"


def _who(f: Finding) -> str:
    if whom(f) == "family":
        return word_for("family", family_of(f))
    names = [short(name) for name in (f.groups, f.class_) if name is not None]
    return listing(names) if names else say("who.everybody")


def _values(f: Finding) -> str:
    told = [
        say(f"trace.{role}", value=level(value, f.unit))
        for role, value in (("parent", f.parent), ("control", f.control), ("pruned", f.pruned))
        if defined(value)
    ]
    if defined(f.change):
        told.append(say("trace.change", value=bare_change(f.change, f.unit)))
    return "; ".join(told)


def _interval(f: Finding) -> str:
    ends = _ends(f, f.low, f.high)
    if f.generalises_to is None:
        return ends
    return say("trace.about", interval=ends, whom=say(f"sentence.estimand_{f.generalises_to}"))


def _ends(f: Finding, low: float | None, high: float | None) -> str:
    if not of_level(f):
        return interval(low, high, f.unit)
    if not defined(high):
        return say("grammar.at_least", low=level(low, f.unit))
    return say("grammar.from_to", low=level(low, f.unit), high=level(high, f.unit))


def _counts(f: Finding) -> str:
    named = (("n", f.n), ("parents", f.parents), ("discordant", f.discordant))
    return "; ".join(
        say(f"trace.count_{key}", n=count(value)) for key, value in named if value is not None
    )


def _test(f: Finding) -> str:
    if f.p is None:
        return say("trace.untested")
    told = [say("trace.p", p=probability(f.p))]
    if defined(f.standard_error) and defined(f.df):
        error = number(100 * f.standard_error if f.unit == "fraction" else f.standard_error, 3)
        unit = say("trace.points") if f.unit == "fraction" else ""
        told.append(say("trace.student", error=f"{error}{unit}", df=number(f.df, 1)))
    return "; ".join(told)


def _correction(f: Finding) -> str:
    return say(
        "trace.corrected",
        family=word_for("family", f.family or ""),
        n=count(f.family_size),
        tier=f.tier,
        how=word_for("tier", f.tier or "none"),
        p=probability(f.p_adjusted),
    )
