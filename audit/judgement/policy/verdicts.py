"""From judged findings to a verdict per pruned model, and how far each method may go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.judgement.design import UNSTATED
from audit.judgement.findings import Finding, Outcome
from audit.judgement.policy.gate import worst

Level = tuple[str | None, float | None]
Subject = tuple[str | None, float | None, str | None]

WAIVED = "waived"
COUNTED = ("within", "over", "cannot_tell", "not_asked", WAIVED)


@dataclass(frozen=True)
class Held:
    """A finding that a limit holds.

    Attributes:
        place: Which of the stated limits.
        of: Index of the finding that it was made of; None for one that nothing answered.
        finding: With its outcome.
    """

    place: int
    of: int | None
    finding: Finding


def verdicts(
    held: Iterable[Held], levels: Sequence[Level], one: Subject | None = None
) -> list[dict[str, Any]]:
    """One row per method and sparsity, then one for the file that would ship.

    Every limit is counted once, by the worst of its cells that nobody has accepted; where all that
    is not within was accepted, it is counted apart, as waived. The row's outcome is what the data
    say, whoever accepts it: whether a waiver still holds is known on the day of the gate alone.

    Args:
        held: Everything that limits hold.
        levels: Every (method, sparsity) audited.
        one: Method, sparsity and name of that file.
    """
    rows: dict[Subject, dict[int, list[Finding]]] = {(m, s, None): {} for m, s in levels}
    if one is not None:
        rows[one] = {}
    for each in held:
        f = each.finding
        row = rows.setdefault((f.method, f.sparsity, f.model), {})
        row.setdefault(each.place, []).append(f)
    ordered = sorted(rows, key=_in_order)
    return [_verdict(subject, rows[subject].values()) for subject in ordered]


def _in_order(subject: Subject) -> tuple[bool, str, str, bool, float]:
    method, sparsity, model = subject
    return model is not None, model or "", method or "", sparsity is None, sparsity or 0.0


def _verdict(subject: Subject, limits: Iterable[Sequence[Finding]]) -> dict[str, Any]:
    """Counts limits, each by the worst of its cells; one not asked leaves the whole untold."""
    cells = list(limits)
    count = Counter(_counted(found) for found in cells)
    overall = worst(f.outcome for found in cells for f in found)
    return {
        "method": subject[0],
        "sparsity": subject[1],
        "model": subject[2],
        "outcome": "cannot_tell" if overall == "not_asked" else overall,
        **{name: count[name] for name in COUNTED},
    }


def _counted(found: Sequence[Finding]) -> str:
    left: Outcome = worst(f.outcome for f in found if f.waiver is None)
    some = any(f.waiver is not None for f in found)
    return WAIVED if some and left in ("within", "no_limit") else left


def largest_within(
    method: str | None, rows: Sequence[Mapping[str, Any]], levels: Sequence[Level]
) -> dict[str, Any]:
    """Fixed sequence: ascending, stopping at the first sparsity that is not within every limit.

    Nobody knows where in it models stand that state no sparsity: they have to be within as well.
    What somebody accepts is not within.
    """
    mine = [
        row
        for row in rows
        if row["method"] == method and row["model"] is None and row["outcome"] != "no_limit"
    ]
    found: dict[str, Any] = {"method": method, "sparsity": None, "reason": None}
    unstated = (method, None) in levels
    if mine and unstated and all(row["sparsity"] is None for row in mine):
        return found | {"reason": UNSTATED}
    for row in mine:
        if row["sparsity"] is None and row["outcome"] != "within":
            what = "models that state no sparsity" if unstated else "a limit on the whole method"
            return found | {"reason": f"{what}: {row['outcome']}"}
    for row in mine:
        if row["sparsity"] is None:
            continue
        if row["outcome"] != "within":
            return found | {"reason": f"stopped at {row['sparsity']:g}: {row['outcome']}"}
        found["sparsity"] = row["sparsity"]
    return found
