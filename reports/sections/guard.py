"""The section on guards: what to hand back, what that saves, and whether limits then hold."""

from __future__ import annotations

from collections.abc import Sequence

from audit.judgement.findings import Outcome
from audit.judgement.guarding.result import Guarded, GuardResult, Point, read_guard
from reports.figures.guard import recovery
from reports.names import method_name, sparsity_name
from reports.page import Cell, Column, Figure, Row, Section, Table
from reports.quantities import UNDEFINED, defined, number, percent
from reports.sections.context import Context, section
from reports.wording import say, word_for

_RULES = ("method", "sparsity", "rule", "chosen", "share", "recovered", "before", "after")
_TEXT = frozenset({"method", "rule"})
_OUTCOMES: dict[str, Outcome] = {
    "within": "within",
    "over": "over",
    "cannot_tell": "cannot_tell",
    "not_asked": "not_asked",
    "no_limit": "no_limit",
}


def guard(context: Context) -> Section:
    """Rules with their verdicts, and the curve of what handing back recovers."""
    result = read_guard(context.document.findings)
    if result is None:
        return section(context, "guard")

    def draw(method: str) -> Sequence[Figure | None]:
        arms = [arm for arm in result.arms if (arm.method or "") == method]
        key = context.key("guard", method)
        return [recovery(key, method, arms, context.focus[method])]

    lead = [say(f"guard.lead_{result.guard.to}", signal=say(f"guard.signal.{result.guard.signal}"))]
    return section(
        context,
        "guard",
        figures=context.figures(draw),
        tables=[_rules(result), _curves(result)],
        lead=lead,
    )


def _rules(result: GuardResult) -> Table | None:
    arms = [arm for arm in result.arms if arm.threshold is not None]
    if not arms:
        return None
    notes = list(dict.fromkeys(arm.reason for arm in arms if arm.reason))
    return Table(
        key="guard-rules",
        caption=say("guard.rules"),
        columns=tuple(
            Column(say(f"guard.column.{name}"), _kind(name))  # type: ignore[arg-type]
            for name in _RULES
        ),
        rows=tuple(_rule(arm, result, notes) for arm in arms),
        notes=tuple(notes),
    )


def _kind(name: str) -> str:
    if name in {"before", "after"}:
        return "outcome"
    return "text" if name in _TEXT else "number"


def _rule(arm: Guarded, result: GuardResult, notes: Sequence[str]) -> Row:
    rule = say("guard.nothing")
    if arm.threshold:
        signal = say(f"guard.signal.{result.guard.signal}")
        rule = say("guard.rule", signal=signal, threshold=f"{arm.threshold:g}")
    note = notes.index(arm.reason) + 1 if arm.reason else None
    return Row(
        (
            Cell(method_name(arm.method or "")),
            Cell(sparsity_name(arm.sparsity)),
            Cell(rule, note=note),
            Cell(percent(arm.validation_share)),
            Cell(_spread(arm.share, arm.share_low, arm.share_high)),
            Cell(_spread(arm.recovered, arm.recovered_low, arm.recovered_high)),
            _verdict(arm.before),
            _verdict(arm.after),
        )
    )


def _spread(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return percent(value)
    return say("grammar.spread", mean=percent(value), low=percent(low), high=percent(high))


def _verdict(outcome: str | None) -> Cell:
    known = _OUTCOMES.get(outcome or "")
    return Cell(UNDEFINED if known is None else word_for("outcome", known), outcome=known)


def _curves(result: GuardResult) -> Table | None:
    """The figures' numbers: harm recovered at every share handed back."""
    arms = [arm for arm in result.arms if any(defined(p.recovered) for p in arm.curve)]
    if not arms:
        return None
    shares = [point.asked for point in arms[0].curve]
    names = [say("guard.column.method"), say("guard.column.sparsity")]
    columns = [Column(names[0]), Column(names[1], "number")]
    columns += [Column(say("guard.at", share=number(100 * share, 0)), "number") for share in shares]
    return Table(
        key="guard-curves",
        caption=say("guard.curves"),
        columns=tuple(columns),
        rows=tuple(
            Row(
                (
                    Cell(method_name(arm.method or "")),
                    Cell(sparsity_name(arm.sparsity)),
                    *(Cell(_at(point)) for point in arm.curve),
                )
            )
            for arm in arms
        ),
    )


def _at(point: Point) -> str:
    return _spread(point.recovered, point.low, point.high)
