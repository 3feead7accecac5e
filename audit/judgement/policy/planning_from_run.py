"""What would decide each limit of a finished run: more examples, or more parents, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from audit.judgement.findings import Finding, Findings
from audit.judgement.plan import Plan
from audit.judgement.policy.claims import denominator, interval_of
from audit.judgement.policy.limits import LIMITS
from audit.judgement.policy.needs import Need, planned, target_of
from audit.judgement.policy.sample_size import Spread

# Where the parents' own level is found, which an unchanged model would have.
PARENTS_LEVEL = {"accuracy_level": "accuracy", "recall_level": "recall", "ece_level": "ece"}
UNKNOWN_LEVEL = "the run does not tell how high an unchanged model would stand"
NO_ERROR = "the run gives no standard error for it"


def plan_from_run(findings: Findings, power: float = 0.8) -> list[Need]:
    """What would decide each limit of a finished run, from its own standard errors.

    The variance over examples is taken as shared by all parents, so that more parents help less
    here than they may in truth: the numbers are on the safe side.

    Args:
        findings: The run, with limits.
        power: Probability of finding an unchanged model within all cells of a limit.
    """
    held = [f for f in findings.findings if f.limit_name is not None and f.limit is not None]
    plan = Plan.model_validate(findings.run.get("plan") or {})
    looks = int(findings.policy.get("looks", 1))
    chosen = findings.run.get("candidate") or {}
    limits = findings.policy.get("limits", ())
    sizes = Counter(_together(f) for f in held)
    levels = _levels(findings.findings)
    out = []
    for f in held:
        of = int(chosen.get("of", 1)) if f.model is not None else 1
        claim = _claim(f, limits)
        need = _of_finding(f, claim, sizes[_together(f)])
        margin, spread = _margin(f, levels), _spread(f)
        if margin is None or spread is None:
            why = f.reason if f.outcome == "not_asked" else None
            out.append(replace(need, reason=why or (NO_ERROR if margin else UNKNOWN_LEVEL)))
            continue
        target = target_of(margin, plan.alpha / looks / of, power, need.cells, claim)
        out.append(planned(need, spread, target, plan.minimum_n))
    return out


def _together(f: Finding) -> tuple[Any, ...]:
    """Cells that must pass together for one limit at one level."""
    return f.limit_name, f.limit, f.method, f.sparsity, f.model


def _claim(f: Finding, limits: Sequence[Mapping[str, Any]]) -> Literal["recipe", "files"]:
    """The claim of the limit that holds the finding: the first of its name that covers it."""
    for entry in limits:
        same = (entry["name"], entry["limit"]) == (f.limit_name, f.limit)
        scope = ((entry["method"], f.method), (entry["sparsity"], f.sparsity))
        if same and all(wanted in (None, there) for wanted, there in scope):
            return "files" if entry.get("claim") == "files" else "recipe"
    return "recipe"


def _of_finding(f: Finding, claim: Literal["recipe", "files"], cells: int) -> Need:
    return Need(
        name=f.limit_name or "",
        limit=f.limit or 0.0,
        claim=claim,
        method=f.method,
        sparsity=f.sparsity,
        model=f.model,
        condition=f.condition,
        severity=f.severity,
        class_=f.class_,
        groups=f.groups,
        cells=cells,
        counted=denominator(f),
        parents=f.parents,
        examples=f.n,
    )


def _margin(f: Finding, levels: Mapping[tuple[Any, ...], float]) -> float | None:
    """How far a model with the parents' own level is from the limit."""
    kind = LIMITS.get(f.limit_name or "")
    limit = f.limit or 0.0
    if kind is None or kind.bound in ("drop", "rise"):
        return limit
    level = levels.get((PARENTS_LEVEL.get(kind.measure), *_where(f)))
    if level is None:
        return None
    return level - limit if kind.bound == "floor" else limit - level


def _levels(every: Sequence[Finding]) -> Mapping[tuple[Any, ...], float]:
    wanted = set(PARENTS_LEVEL.values())
    return {
        (f.measure, *_where(f)): f.parent
        for f in every
        if f.measure in wanted and f.parent is not None
    }


def _where(f: Finding) -> tuple[Any, ...]:
    return f.method, f.sparsity, f.model, f.condition, f.severity, f.class_, f.groups


def _spread(f: Finding) -> Spread | None:
    """Standard errors back to variances per example and per parent."""
    main, files = interval_of(f, "recipe"), interval_of(f, "files")
    of_examples = files.standard_error if files else main.standard_error if main else None
    if of_examples is None or not f.n:
        return None
    whole = main.standard_error if main and main.standard_error is not None else of_examples
    return Spread(
        examples=of_examples**2 * f.n,
        seeds=max(whole**2 - of_examples**2, 0.0) * (f.parents or 1),
        discordance=1.0 if f.discordant is None else f.discordant / f.n,
    )
