"""Which evidence a run really holds, key by key, with the findings and the section that show it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from audit.judgement.findings import Finding
from audit.judgement.measures import MEASURES
from reports.dossier.composition import EVERYBODY, Composition
from reports.dossier.impact import Impact
from reports.dossier.overlap import Overlap
from reports.dossier.person import PersonSection
from reports.dossier.subject import Subject, natural_conditions
from reports.select import worst_first
from reports.wording import say

_MADE = ("fgsm", "pgd", "uniform_noise")  # conditions that somebody computed
CITED = 3  # findings cited for a key at most


@dataclass(frozen=True, eq=False)
class Holdings:
    """Everything that was made of a run, for the keys to look at.

    Attributes:
        subject: The run, as it may be shown.
        tables: Compositions.
        overlap: What splits share.
        impact: Selection rates and ratios.
        people: The person's sections.
        risks: Rows of the risk register.
        lock: The lock's record; empty where nothing was locked.
        signed: Whether the dossier is being signed.
    """

    subject: Subject
    tables: tuple[Composition, ...]
    overlap: Overlap
    impact: Impact
    people: tuple[PersonSection, ...]
    risks: int
    lock: Mapping[str, Any]
    signed: bool


@dataclass(frozen=True)
class Supply:
    """One kind of evidence.

    Attributes:
        key: Its name in the crosswalk.
        words: Its name for readers.
        there: Whether this run holds it.
        section: The section of the dossier that shows it.
        findings: Findings that it rests on, worst first, a few.
        how: How to get it where it is not there.
    """

    key: str
    words: str
    there: bool
    section: str
    findings: tuple[Finding, ...] = ()
    how: str = ""


def _needing(need: str) -> frozenset[str]:
    return frozenset(name for name, measure in MEASURES.items() if need in measure.needs)


# Key -> measures of which one must have been answered.
_BY_MEASURE: Mapping[str, Collection[str]] = {
    "accuracy": frozenset({"accuracy", "accuracy_level"}),
    "adversarial": _needing("attacks"),
    "calibration": _needing("confidence") & {"ece", "ece_level", "overconfidence", "nll"},
    "classes": frozenset({"recall", "normalised_recall_shift"}),
    "exemplars": frozenset({"pie_count", "pie_excess"}),
    "group_rates": frozenset({"group_selection_rate", "group_fpr", "group_fnr"}),
    "groups": frozenset({"group_accuracy", "group_fnr", "group_fpr", "excess_gap"}),
    "label_issues": frozenset({"label_error_share", "corrected_accuracy"}),
    "robustness": frozenset({"corruption_error", "excess_error"}),
}
_SECTIONS: Mapping[str, str] = {
    "baseline": "outcomes", "composition": "data", "composition_groups": "data",
    "dated": "tested", "definitions": "findings", "detectable": "findings", "impact": "impact",
    "label_issues": "findings", "limits": "outcomes", "lock": "lock", "methods": "models",
    "overlap": "overlap", "provenance": "tested", "review": "review", "review_agreement": "review",
    "risk_register": "risks", "seeds": "models", "settings": "tested", "signed": "tested",
    "tradeoff": "findings", "unasked": "gaps", "verdicts": "outcomes", "versions": "tested",
    "aggregate": "sharing",
}  # fmt: skip


def supplies(held: Holdings) -> dict[str, Supply]:
    """Every key of the crosswalk with what the run holds of it."""
    out = {}
    for key in KEYS:
        cited = tuple(_CITES[key](held)) if key in _CITES else ()
        there = _THERE[key](held) if key in _THERE else bool(cited)
        shown = tuple(worst_first(cited)[:CITED])
        section = _SECTIONS.get(key, "findings")
        words, how = say(f"dossier.supply.{key}"), say(f"dossier.how.{key}")
        out[key] = Supply(key, words, there, section, shown if there else (), how)
    for person in held.people:
        key = f"person:{person.key}"
        words = say("dossier.supply_of_person", section=person.heading.lower())
        how = say("dossier.how_of_person", file=f"person/{person.key}.md")
        out[key] = Supply(key, words, person.filled, f"person-{person.key}", (), how)
    return out


def _answered(held: Holdings, measures: Collection[str]) -> list[Finding]:
    return [
        f
        for f in held.subject.document.asked
        if f.measure in measures and any(v is not None for v in (f.change, f.pruned, f.parent))
    ]


def _parents(held: Holdings) -> int:
    return max((f.parents or 0 for f in held.subject.document.asked), default=0)


def _natural(held: Holdings) -> list[Finding]:
    """Answers on natural shifts; an attack has no severity either, and is none."""
    natural = {
        name for name in natural_conditions(held.subject)
        if not name.startswith(_MADE) and "@" not in name
    }  # fmt: skip
    asked = held.subject.document.asked
    return [f for f in asked if f.condition in natural and f.n is not None]


def _versions(held: Holdings) -> bool:
    machine = held.subject.document.times.get("machine") or {}
    return bool(machine.get("versions"))


def _agreed(held: Holdings) -> bool:
    """Whether two reviewers or more answered about the same items."""
    found = held.subject.review
    return found is not None and any(each.share is not None for each in found.agreements)


def _finished(held: Holdings) -> bool:
    times = held.subject.document.times
    return bool(times.get("finished") or (times.get("stages") or {}).get("finished"))


def _of_arms(held: Holdings) -> list[Finding]:
    """Accuracy at two sparsities or more; of one alone there is no trade-off to see."""
    found = [f for f in _answered(held, {"accuracy"}) if f.sparsity is not None]
    return found if len({(f.method, f.sparsity) for f in found}) > 1 else []


_CITES: Mapping[str, Callable[[Holdings], list[Finding]]] = {
    **{key: (lambda held, m=names: _answered(held, m)) for key, names in _BY_MEASURE.items()},  # type: ignore[misc]
    "baseline": lambda held: _answered(held, {"accuracy", "accuracy_level", "value"}),
    "detectable": lambda held: [f for f in held.subject.document.asked if f.detectable is not None],
    "limits": lambda held: list(held.subject.document.held),
    "natural_shift": _natural,
    "seeds": lambda held: (
        [f for f in held.subject.document.asked if f.generalises_to in {"seeds", "both"}]
        if _parents(held) > 1
        else []
    ),
    "tradeoff": _of_arms,
}
_THERE: Mapping[str, Callable[[Holdings], bool]] = {
    "aggregate": lambda held: held.subject.sharing.aggregate_only,
    "composition": lambda held: bool(held.tables),
    "composition_groups": lambda held: any(t.column != EVERYBODY for t in held.tables),
    "dated": _finished,
    "definitions": lambda held: bool(held.subject.document.asked),
    "impact": lambda held: bool(held.impact.rows),
    "limits": lambda held: bool(held.subject.document.policy.get("limits")),
    "lock": lambda held: bool(held.lock),
    "methods": lambda held: any(m and s is not None for m, s in held.subject.document.arms),
    "overlap": lambda held: held.overlap.asked,
    "provenance": lambda held: bool(held.subject.document.address),
    "review": lambda held: held.subject.answers is not None and len(held.subject.answers) > 0,
    "review_agreement": _agreed,
    "risk_register": lambda held: held.risks > 0 or bool(held.subject.document.held),
    "settings": lambda held: bool(held.subject.run.get("config") or held.subject.run.get("plan")),
    "signed": lambda held: held.signed,
    "unasked": lambda held: bool(held.subject.document.asked),
    "verdicts": lambda held: bool(held.subject.document.policy.get("verdicts")),
    "versions": _versions,
}
KEYS = tuple(sorted({*_CITES, *_THERE}))
