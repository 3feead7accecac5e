"""Findings as rows of a table: each shows n, interval, corrected p, reach, limit and outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from audit.judgement.findings import Finding
from audit.judgement.inference.families import SCREEN as SCREEN_REASON
from reports import intervals, quantities
from reports.anchors import anchor, making
from reports.limits import show_limit
from reports.names import short, sparsity_name, title
from reports.page import Cell, Column, ColumnKind, Row, Table
from reports.quantities import UNDEFINED, count, defined
from reports.select import CLEAN, MEANS, family_of, of_arm, whom, worst_first
from reports.wording import known, say, word_for

ROWS = 100  # rows of a table that is open
FOLDED_ROWS = 40  # rows of a table behind a heading


@dataclass(frozen=True)
class Setting:
    """What the cells of one table need to know of the whole table.

    Attributes:
        scale: Ends of the axis that bars are drawn on, by unit; zero lies between them.
        notes: Number of each distinct reason.
        alpha: Level of tests.
        coverage: Confidence level of the intervals, in percent.
        traced: Ids whose making is told in full elsewhere on the page.
    """

    scale: dict[str, tuple[float, float]]
    notes: dict[str, int]
    alpha: float
    coverage: str
    traced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Field:
    """A possible column: its name in the catalogue, its kind, what it shows, when it is there."""

    name: str
    kind: ColumnKind
    show: Callable[[Finding, Setting], Cell]
    there: Callable[[Sequence[Finding]], bool] = lambda findings: True


def claims_table(
    key: str,
    caption: str,
    findings: Iterable[Finding],
    *,
    alpha: float,
    cited: Collection[str] = (),
    rows: int = ROWS,
    folded: bool = False,
) -> Table | None:
    """The table of some findings, worst first, cut aloud; None when there are none.

    Args:
        key: The table's name inside the page.
        caption: What it shows.
        findings: Its rows.
        alpha: Intervals cover 1 - alpha.
        cited: Ids that a sentence links to; their rows are never cut.
        rows: Rows shown at most.
        folded: Whether it waits behind a heading.
    """
    ordered = worst_first(findings)
    if not ordered:
        return None
    shown = _cut(ordered, set(cited), rows)
    notes = {reason: i for i, reason in enumerate(_reasons(shown), start=1)}
    coverage = f"{100 * (1 - alpha):g}"
    setting = Setting(intervals.scale(shown), notes, alpha, coverage, frozenset(cited))
    fields = [field for field in FIELDS if field.there(shown)]
    return Table(
        key=key,
        caption=caption,
        columns=tuple(Column(_heading(field, shown, setting), field.kind) for field in fields),
        rows=tuple(
            Row(tuple(field.show(f, setting) for field in fields), anchor(f)) for f in shown
        ),
        truncated=say("table.truncated", shown=count(len(shown)), total=count(len(ordered)))
        if len(shown) < len(ordered)
        else None,
        notes=tuple(notes),
        folded=folded,
        claims=True,
    )


def _cut(ordered: list[Finding], cited: set[str], rows: int) -> list[Finding]:
    if len(ordered) <= rows:
        return ordered
    kept = {f.id for f in ordered if f.id in cited}
    for finding in ordered:
        if len(kept) >= rows:
            break
        kept.add(finding.id)
    return [f for f in ordered if f.id in kept]


def _reasons(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(reason for f in findings if (reason := _reason(f))))


def _reason(finding: Finding) -> str:
    """What explains the outcome, without what the tier or the next column says of every row."""
    if whom(finding) == "family":
        return ""
    parts = (finding.reason or "").split("; ")
    return quantities.typeset("; ".join(part for part in parts if part and part != SCREEN_REASON))


def _heading(field: Field, findings: Sequence[Finding], setting: Setting) -> str:
    units = {f.unit for f in findings}
    special = f"column.{field.name}_points"
    key = special if units == {"fraction"} and known(special) else f"column.{field.name}"
    return say(key, coverage=setting.coverage)


def _named(name: str | None, empty: str) -> Cell:
    return Cell(empty) if name is None else Cell(short(name), title(name))


def _measure(f: Finding, _: Setting) -> Cell:
    return Cell(word_for("measure", f.measure))


def _class(f: Finding, _: Setting) -> Cell:
    return _named(f.class_, say("who.every_class"))


def _group(f: Finding, _: Setting) -> Cell:
    if whom(f) == "family":
        name = family_of(f)
        return Cell(short(word_for("family", name)), title(name))
    return _named(f.groups, say("who.everybody"))


def _condition(f: Finding, _: Setting) -> Cell:
    return _named(None if f.condition is None else condition_name(f), UNDEFINED)


def condition_name(f: Finding) -> str:
    """The condition in words: its name, or that it is all corruptions or sequences together."""
    if f.condition in {CLEAN, *MEANS}:
        return word_for("condition", f.condition)
    return str(f.condition)


def _bar(f: Finding, setting: Setting) -> Cell:
    return Cell("", bar=intervals.drawn(f, setting.scale[f.unit]))


def _moved(f: Finding, setting: Setting) -> Cell:
    if f.p_adjusted is None:
        return Cell(UNDEFINED)
    return Cell(say("column.yes" if f.p_adjusted <= setting.alpha else "column.not_shown"))


def _n(f: Finding, _: Setting) -> Cell:
    return Cell(count(f.n))


def _outcome(f: Finding, setting: Setting) -> Cell:
    note = setting.notes.get(_reason(f))
    return Cell(word_for("outcome", f.outcome), outcome=f.outcome, note=note)


def _some(name: str) -> Callable[[Sequence[Finding]], bool]:
    return lambda findings: any(getattr(f, name) is not None for f in findings)


def _several(name: str) -> Callable[[Sequence[Finding]], bool]:
    return lambda findings: len({getattr(f, name) for f in findings}) > 1


def _people(who: str) -> Callable[[Sequence[Finding]], bool]:
    return lambda findings: any(who in whom(f) for f in findings)


def _families(findings: Sequence[Finding]) -> bool:
    """Whether all ask if anything moved, and of nobody in particular."""
    return {*map(whom, findings)} == {"family"}


def _groups(findings: Sequence[Finding]) -> bool:
    """Whether some are about a group, or about a column of groups among others that are not."""
    about = {*map(whom, findings)}
    return any("group" in who for who in about) or ("family" in about and len(about) > 1)


# In reading order: who, where, verdict, how much, how sure, against what, from which levels.
FIELDS: tuple[Field, ...] = (
    Field("measure", "text", _measure, _several("measure")),
    Field("family", "text", _group, _families),
    Field("moved", "text", _moved, _families),
    Field("group", "text", _group, _groups),
    Field("class", "text", _class, _people("class")),
    Field("model", "text", lambda f, _: _named(f.model, UNDEFINED), _some("model")),
    Field("method", "text", lambda f, _: _named(f.method, UNDEFINED), _several("method")),
    Field("condition", "text", _condition, _several("condition")),
    Field(
        "severity",
        "number",
        lambda f, _: Cell(quantities.severity(None if f.condition == CLEAN else f.severity)),
        _several("severity"),
    ),
    Field(
        "sparsity",
        "number",
        lambda f, _: Cell(sparsity_name(f.sparsity) if of_arm(f) else UNDEFINED),
        lambda findings: any(map(of_arm, findings)),
    ),
    Field("outcome", "outcome", _outcome, lambda findings: not _families(findings)),
    Field(
        "pruned",
        "number",
        lambda f, _: Cell(quantities.level(f.pruned, f.unit)),
        _some("pruned"),
    ),
    Field(
        "change",
        "number",
        lambda f, _: Cell(quantities.bare_change(f.change, f.unit)),
        _some("change"),
    ),
    Field("bar", "bar", _bar, _some("low")),
    Field("interval", "number", lambda f, _: Cell(intervals.interval(f)), _some("low")),
    Field(
        "files",
        "number",
        lambda f, _: Cell(intervals.of_these_files(f)),
        lambda findings: any(
            f.generalises_to == "both" and defined(f.examples_low) for f in findings
        ),
    ),
    Field("n", "number", _n, _some("n")),
    Field("discordant", "number", lambda f, _: Cell(count(f.discordant)), _some("discordant")),
    Field("p", "number", lambda f, _: Cell(quantities.probability(f.p_adjusted))),
    Field("tier", "text", lambda f, _: Cell(f.tier or UNDEFINED)),
    Field(
        "generalises_to",
        "text",
        lambda f, _: Cell(
            UNDEFINED if f.generalises_to is None else word_for("estimand", f.generalises_to)
        ),
        lambda findings: not _families(findings),
    ),
    Field("limit", "number", lambda f, _: Cell(show_limit(f)), _some("limit")),
    Field(
        "parent",
        "number",
        lambda f, _: Cell(quantities.level(f.parent, f.unit)),
        _some("parent"),
    ),
    Field(
        "control",
        "number",
        lambda f, _: Cell(quantities.level(f.control, f.unit)),
        _some("control"),
    ),
    Field("waiver", "text", lambda f, _: _named(f.waiver, UNDEFINED), _some("waiver")),
    Field("id", "link", lambda f, setting: Cell(f.id, href=making(f, setting.traced))),
)
