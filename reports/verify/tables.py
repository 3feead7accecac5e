"""A dossier's table of findings: in its own arithmetic, and against the run that it lies in."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError
from audit.judgement.findings import RECORD_KEYS, Findings
from reports.dossier.telling import NUMBERS
from reports.verify.arithmetic import check_rows
from reports.verify.checks import Check, judged
from reports.wording import say

TABLE = Path("tables") / "findings.csv"
HIDDEN = "hidden: "  # begins the reason of a finding whose numbers are
_NUMBERS = ("parent", "pruned", "change", "low", "high", "limit", "bound_within", "sparsity")


def check_table(dossier: Path, run: Findings | None) -> list[Check]:
    """The numbers of the table against each other, and against the findings of the run."""
    path = dossier / TABLE
    if not path.is_file():
        return []
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        numbers = [_numbers(row) for row in rows]
    except (ValueError, KeyError, OSError) as error:
        raise InputError(f"{path} is no table of findings ({error}): put it back.") from error
    checks = [check_rows(numbers, ())]
    if run is not None:
        checks.append(_against(rows, run))
    return checks


def _numbers(row: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {key: value or None for key, value in row.items()}
    return found | {key: float(row[key]) if row[key] else None for key in _NUMBERS}


def _against(rows: list[dict[str, str]], run: Findings) -> Check:
    """Every number that the table shows against the run's; in aggregate some are not shown."""
    name, said = say("verify.table.name"), say("verify.table.said")
    theirs = [[row[key] for key in _KEYS] for row in rows]
    ours = [[_text(f.record()[key]) for key in _KEYS] for f in run.findings]
    hidden = [row["reason"].startswith(HIDDEN) for row in rows]
    aggregate = any(hidden) or (theirs != ours and not any(row["discordant"] for row in rows))
    if not aggregate:
        return judged(name, said, [] if theirs == ours else [say("verify.table.differs")])
    same = len(theirs) == len(ours) and all(map(_shown_of, theirs, ours, hidden))
    problems = [] if same else [say("verify.table.differs")]
    return judged(name, said, problems, (say("verify.table.aggregate"),))


def _shown_of(theirs: list[str], ours: list[str], hidden: bool) -> bool:
    """Whether one row shows nothing but what the run has: all but `discordant`, or no number."""
    return all(
        left == ("" if hidden and key in NUMBERS else right)
        for key, left, right in zip(_KEYS, theirs, ours, strict=True)
        if key != "discordant" or left
    )


# Names that somebody gave are made fit for spreadsheets in the table; numbers are not.
_KEYS = tuple(
    key
    for key in RECORD_KEYS
    if key not in ("subject", "class", "groups", "method", "model", "condition", "reason", "waiver")
)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
