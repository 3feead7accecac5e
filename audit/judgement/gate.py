"""The gate of a pipeline: the worst verdict of the selected pruned models as an exit status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from audit.evidence.errors import InputError
from audit.judgement.findings import Findings, Outcome

WORST_FIRST: tuple[Outcome, ...] = ("over", "cannot_tell", "not_asked", "within", "no_limit")
STATUS: Mapping[str, int] = {"within": 0, "over": 1, "cannot_tell": 3, "not_asked": 3}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some outcomes: over, then cannot tell, then not asked, then within."""
    return min(outcomes, key=WORST_FIRST.index, default="no_limit")


def check(
    findings: Findings,
    method: str | None = None,
    sparsity: float | None = None,
    cannot_tell: Literal["fail", "pass"] = "fail",
) -> tuple[int, Outcome]:
    """Exit status and outcome of the worst of the selected pruned models, for a pipeline.

    Args:
        findings: What was found.
        method: Only this method; None for every one.
        sparsity: Only this sparsity; None for every one. Limits on a whole method, such as its
            prune potential, and models that state no sparsity belong to every selection of it.
        cannot_tell: Whether an outcome that these data cannot tell fails; a limit that could not be
            asked is one.

    Returns:
        0 within, 1 over, 3 cannot tell (0 where that passes); and the outcome.

    Raises:
        InputError: The run has no limits, or nothing was audited under that name.
    """
    verdicts = findings.policy.get("verdicts", [])
    if not findings.policy.get("limits"):
        raise InputError("This run states no limits: add a `policy:` and judge it again.")
    of_method = [v for v in verdicts if method is None or v["method"] == method]
    if not of_method:
        raise InputError(
            f"No method is called {method!r} in this run: there is {_names(verdicts, 'method')}."
        )
    chosen = [v for v in of_method if sparsity is None or v["sparsity"] in (None, sparsity)]
    if sparsity is not None and all(v["sparsity"] is None for v in chosen):
        raise InputError(
            f"No model was audited at sparsity {sparsity:g}: "
            f"there is {_names(of_method, 'sparsity')}."
        )
    outcome = worst(verdict["outcome"] for verdict in chosen)
    if outcome == "no_limit":
        raise InputError("No limit covers what was selected: choose another, or state a limit.")
    status = STATUS[outcome]
    return (0 if status == 3 and cannot_tell == "pass" else status), outcome


def _names(verdicts: Iterable[Mapping[str, Any]], key: str) -> str:
    values = dict.fromkeys(v[key] for v in verdicts if v[key] is not None)
    return ", ".join(f"{value!r}" for value in values) or "none"
