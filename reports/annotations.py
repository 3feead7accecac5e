"""The gate as GitHub shows it: annotations beside the run, and a table in the job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.judgement.findings import Finding
from audit.judgement.policy.gate import Gated
from reports.junit import CannotTell, fate_of, message, subject, title

_LEVEL = {"failure": "error", "error": "error", "skipped": "warning"}
_ORDER = ("error", "warning", "notice")


def github_annotations(chosen: Sequence[Gated], cannot_tell: CannotTell) -> list[str]:
    """Workflow commands, a line each, worst first: GitHub shows the first ten of each kind.

    What fails the gate is an error, what passes without being known a warning, and what somebody
    accepts a notice.

    Args:
        chosen: The verdicts on the day of the gate.
        cannot_tell: Whether not knowing fails.
    """
    found = []
    for each, finding in _told(chosen):
        fate = fate_of(finding, each, cannot_tell)
        if fate == "passed":
            continue
        level = "notice" if finding.id in each.waived else _LEVEL[fate]
        name = _property(f"{subject(each)}: {title(finding)}")
        line = f"::{level} title={name}::{_data(message(finding, each))}"
        found.append((_ORDER.index(level), line))
    return [line for _, line in sorted(found, key=lambda pair: pair[0])]


def step_summary(chosen: Sequence[Gated], cannot_tell: CannotTell) -> str:
    """A Markdown section: a table of the verdicts, and one of everything that is not within."""
    lines = ["### prune-audit", "", "| models | outcome | accepted |", "| --- | --- | --- |"]
    for each in chosen:
        outcome = each.outcome.replace("_", " ")
        lines.append(f"| {_cell(subject(each))} | {outcome} | {len(each.waived)} |")
    rows = [
        f"| {_cell(subject(each))} | {_cell(title(finding))} | {_cell(message(finding, each))} |"
        for each, finding in _told(chosen)
        if fate_of(finding, each, cannot_tell) != "passed"
    ]
    if rows:
        lines += ["", "| models | limit | what the data say |", "| --- | --- | --- |", *rows]
    return "\n".join(lines) + "\n"


def _told(chosen: Sequence[Gated]) -> Iterator[tuple[Gated, Finding]]:
    return ((each, finding) for each in chosen for finding in each.findings)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Text in a table cell: nothing in it ends the cell, or is taken for markup."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    for mark in ("\\", "|", "`", "*", "_", "[", "]"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain
