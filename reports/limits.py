"""A policy's limits in words and numbers: which bound a change, which a level, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.judgement.findings import Finding
from audit.judgement.policy.limits import LIMITS, LimitKind
from reports.names import in_prose
from reports.quantities import UNDEFINED, defined, number, percent, points, severity, sparsity
from reports.wording import known, listing, say

_SCOPES = ("groups", "class", "condition", "severity", "sparsity", "method", "claim", "owner")


def is_level(limit_name: str | None) -> bool:
    """Whether the limit bounds how high or low a measure stands; otherwise it bounds a change."""
    kind = LIMITS.get(limit_name or "")
    return kind is not None and kind.bound in {"floor", "ceiling"}


def show_limit(finding: Finding) -> str:
    """A finding's limit for a table: a level in percent, a change in points or counts."""
    return _show(finding.limit, finding.limit_name, finding.unit, prose=False)


def limit_in_prose(finding: Finding) -> str:
    """A finding's limit for a sentence, with its unit."""
    return _show(finding.limit, finding.limit_name, finding.unit, prose=True)


def least_in_prose(finding: Finding) -> str | None:
    """How large a bounded change is at least, corrected for the questions; None of a level."""
    if is_level(finding.limit_name) or not defined(finding.bound_over):
        return None
    return _show(finding.bound_over, finding.limit_name, finding.unit, prose=True)


def describe(limit: Mapping[str, Any]) -> str:
    """A limit of the policy as a sentence: `Accuracy falls by at most 1.0 point`."""
    name, value = str(limit.get("name")), limit.get("limit")
    value = float(value) if isinstance(value, int | float) else None
    key = f"limit.{name}"
    sentence = say(
        key if known(key) else "limit.other",
        name=name.replace("_", " "),
        points=points(value),
        percent=percent(value),
        number=UNDEFINED if value is None else f"{value:g}",
    )
    return f"{sentence}{_scope(limit)}"


def _scope(limit: Mapping[str, Any]) -> str:
    kind = LIMITS.get(str(limit.get("name")))
    usual = {} if kind is None else _usual(kind)
    told = [
        say(f"scope.{axis}", value=_scope_value(axis, limit[axis]))
        for axis in _SCOPES
        if limit.get(axis) is not None and limit[axis] != usual.get(axis)
    ]
    return say("scope.all", scopes=", ".join(told)) if told else ""


def _usual(kind: LimitKind) -> dict[str, str | None]:
    """Whom the limit is about where nothing else is said; its sentence says so already."""
    usual = {"groups": kind.groups, "class": kind.class_, "condition": kind.condition}
    return {**usual, "claim": "recipe"}


def _scope_value(axis: str, value: object) -> str:
    if isinstance(value, list | tuple):
        return listing(_scope_value(axis, each) for each in value)
    if isinstance(value, int | float):
        return sparsity(value) if axis == "sparsity" else severity(value)
    return say("scope.any") if value == "any" else in_prose(value)


def _show(value: float | None, name: str | None, unit: str, *, prose: bool) -> str:
    if not defined(value):
        return UNDEFINED
    if unit == "fraction" and is_level(name):
        return percent(value)
    if unit == "fraction":
        return points(value) if prose else number(100 * value)
    return f"{value:g}"
