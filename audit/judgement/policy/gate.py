"""The gate of a pipeline: the worst verdict of the selected pruned models as an exit status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from audit.evidence.errors import InputError
from audit.judgement.findings import Finding, Findings, Outcome
from audit.judgement.policy.waivers import expired, in_force

WORST_FIRST: tuple[Outcome, ...] = ("over", "cannot_tell", "not_asked", "within", "no_limit")
STATUS: Mapping[str, int] = {"within": 0, "over": 1, "cannot_tell": 3, "not_asked": 3}


@dataclass(frozen=True)
class Gated:
    """One verdict on the day of the gate.

    Attributes:
        verdict: The row of `findings.json`; its own outcome knows no waiver.
        findings: Every finding that a limit holds for it.
        outcome: The worst of what nobody accepts on that day.
        waived: Ids of the findings that somebody accepts on that day.
        expired: By the finding's id, the last day of the waivers that hold no longer.
    """

    verdict: Mapping[str, Any]
    findings: tuple[Finding, ...]
    outcome: Outcome
    waived: frozenset[str]
    expired: Mapping[str, str]


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some outcomes: over, then cannot tell, then not asked, then within."""
    return min(outcomes, key=WORST_FIRST.index, default="no_limit")


def check(
    findings: Findings,
    method: str | None = None,
    sparsity: float | None = None,
    cannot_tell: Literal["fail", "pass"] = "fail",
    *,
    model: str | None = None,
    today: date | None = None,
) -> tuple[int, Outcome]:
    """Exit status and outcome of the worst of the selected pruned models, for a pipeline.

    Args:
        findings: What was found.
        method: As for `gated`.
        sparsity: As for `gated`.
        cannot_tell: Whether an outcome that these data cannot tell fails; a limit that could not be
            asked is one.
        model: As for `gated`.
        today: As for `gated`.

    Returns:
        0 within, 1 over, 3 cannot tell (0 where that passes); and the outcome.

    Raises:
        InputError: The run has no limits, or nothing was audited under that name.
    """
    chosen = gated(findings, method, sparsity, model=model, today=today)
    return status_of(chosen, cannot_tell)


def gated(
    findings: Findings,
    method: str | None = None,
    sparsity: float | None = None,
    *,
    model: str | None = None,
    today: date | None = None,
) -> list[Gated]:
    """The selected verdicts as they stand on a day.

    Args:
        findings: What was found.
        method: Only this method; None for every one.
        sparsity: Only this sparsity; None for every one. Limits on a whole method, such as its
            prune potential, and models that state no sparsity belong to every selection of it.
        model: Only the candidate of this name; None for the populations and the candidate.
        today: The day on which waivers must hold; None is the day on which this is called.

    Raises:
        InputError: The run has no limits, or nothing was audited under that name.
    """
    rows = list(findings.policy.get("verdicts", []))
    if not findings.policy.get("limits"):
        raise InputError("This run states no limits: add a `policy:` and judge it again.")
    of_model = [row for row in rows if model is None or row.get("model") == model]
    if not of_model:
        raise InputError(
            f"No candidate is called {model!r} in this run: there is {_names(rows, 'model')}."
        )
    of_method = [row for row in of_model if method is None or row["method"] == method]
    if not of_method:
        raise InputError(
            f"No method is called {method!r} in this run: there is {_names(of_model, 'method')}."
        )
    chosen = [row for row in of_method if sparsity is None or row["sparsity"] in (None, sparsity)]
    if sparsity is not None and all(row["sparsity"] is None for row in chosen):
        raise InputError(
            f"No model was audited at sparsity {sparsity:g}: "
            f"there is {_names(of_method, 'sparsity')}."
        )
    return _on_a_day(findings, chosen, today or date.today())


def status_of(chosen: Iterable[Gated], cannot_tell: Literal["fail", "pass"]) -> tuple[int, Outcome]:
    """Exit status and outcome of the worst of some verdicts.

    Raises:
        InputError: No limit covers any of them.
    """
    outcome = worst(each.outcome for each in chosen)
    if outcome == "no_limit":
        raise InputError("No limit covers what was selected: choose another, or state a limit.")
    status = STATUS[outcome]
    return (0 if status == 3 and cannot_tell == "pass" else status), outcome


def _on_a_day(findings: Findings, rows: Iterable[Mapping[str, Any]], today: date) -> list[Gated]:
    waivers = findings.policy.get("waivers", [])
    held, late = in_force(waivers, today), expired(waivers, today)
    of: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings.findings:
        if finding.limit_name is not None:
            key = (finding.method, finding.sparsity, finding.model)
            of.setdefault(key, []).append(finding)
    out = []
    for row in rows:
        mine = tuple(of.get((row["method"], row["sparsity"], row.get("model")), ()))
        waived = frozenset(f.id for f in mine if f.id in held)
        # Without a waiver in force the row itself says it.
        outcome = _left(mine, waived) if waived else row["outcome"]
        gone = {f.id: late[f.id] for f in mine if f.id in late}
        out.append(Gated(row, mine, outcome, waived, gone))
    return out


def _left(findings: Iterable[Finding], waived: frozenset[str]) -> Outcome:
    """The worst of what nobody accepts; all accepted is as good as within."""
    outcome = worst(f.outcome for f in findings if f.id not in waived)
    if outcome == "no_limit":
        return "within"
    return "cannot_tell" if outcome == "not_asked" else outcome


def _names(verdicts: Iterable[Mapping[str, Any]], key: str) -> str:
    values = dict.fromkeys(v[key] for v in verdicts if v.get(key) is not None)
    return ", ".join(f"{value!r}" for value in values) or "none"
