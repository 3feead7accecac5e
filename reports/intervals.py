"""Intervals of findings as a table shows them: in words, and drawn on an axis that rows share."""

from __future__ import annotations

from collections.abc import Sequence

from audit.judgement.findings import Finding
from reports import quantities
from reports.limits import is_level
from reports.page import Bar
from reports.quantities import UNDEFINED, defined
from reports.select import of_level
from reports.wording import say

SHORTEST = 1e-9
WIDTH = 200


def scale(findings: Sequence[Finding]) -> dict[str, tuple[float, float]]:
    """The ends of the axis of each unit, so that every interval fits; zero lies between them."""
    found: dict[str, tuple[float, float]] = {}
    for f in findings:
        ends = [] if _of_level(f) else [x for x in (f.low, f.high, f.change) if defined(x)]
        low, high = found.get(f.unit, (0.0, SHORTEST))
        found[f.unit] = min([low, *ends]), max([high, *ends])
    return found


def drawn(f: Finding, axis: tuple[float, float]) -> Bar | None:
    """The interval of a change as a bar on an axis; None where there is none to draw."""
    start, end = axis
    if _of_level(f) or not (defined(f.change) and defined(f.low) and defined(f.high)):
        return None

    def place(value: float) -> int:
        return round(WIDTH * (value - start) / (end - start))

    edge = None
    if defined(f.limit) and f.worse_direction is not None and not is_level(f.limit_name):
        edge = place(f.limit if f.worse_direction == "up" else -f.limit)
    inside = edge is not None and 0 <= edge <= WIDTH
    return Bar(place(0.0), place(f.low), place(f.high), place(f.change), edge if inside else None)


def interval(f: Finding) -> str:
    """The interval in words: from one value to another, or from one change to another."""
    if _of_level(f) and defined(f.low):
        low, high = quantities.level(f.low, f.unit), quantities.level(f.high, f.unit)
        key = "grammar.from_to" if defined(f.high) else "grammar.at_least"
        return say(key, low=low, high=high)
    return quantities.interval(f.low, f.high, f.unit)


def of_these_files(f: Finding) -> str:
    """The interval about these very files, where the other is about new trainings too."""
    if f.generalises_to == "examples" or f.examples_low is None:
        return UNDEFINED
    if _of_level(f):
        low = quantities.level(f.examples_low, f.unit)
        return say("grammar.from_to", low=low, high=quantities.level(f.examples_high, f.unit))
    return quantities.interval(f.examples_low, f.examples_high, f.unit)


def _of_level(f: Finding) -> bool:
    """Whether the interval is of a value: where nothing changed, it is of the parents' own."""
    return of_level(f) or (f.change is None and f.pruned is None)
