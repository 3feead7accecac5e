"""What frameworks ask, laid beside what a run holds; it never says that anything is met."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from reports.dossier.supplies import Supply

FILE = "crosswalk.toml"
SCHEMA = "prune-audit/crosswalk/1"

Status = Literal["supplied", "partial", "absent", "not_covered"]
STATUSES: tuple[Status, ...] = ("supplied", "partial", "absent", "not_covered")


@dataclass(frozen=True)
class Entry:
    """One item of a framework with its status in this run.

    Attributes:
        framework: The framework's name.
        version: Its version.
        date: Its date.
        clause: Where it stands.
        claim: What it asks, in our words.
        status: `supplied`, `partial`, `absent` (this run holds none of it) or `not_covered`.
        there: Evidence that this run holds.
        lacking: Evidence that it does not.
        why: What the tool leaves to others; empty where nothing more is to be said.
        note: That the official text decides.
        checked: How clause and claim were compared with a text.
        differs: Whether that is otherwise than for the framework as a whole.
    """

    framework: str
    version: str
    date: str
    clause: str
    claim: str
    status: Status
    there: tuple[Supply, ...]
    lacking: tuple[Supply, ...]
    why: str
    note: str
    checked: str
    differs: bool


@dataclass(frozen=True)
class Framework:
    """A framework and its items; `checked` says how they were compared with a text."""

    key: str
    name: str
    version: str
    date: str
    retired: str | None
    remark: str
    checked: str
    entries: tuple[Entry, ...]


@cache
def data() -> Mapping[str, Any]:
    """The shipped file, as it is."""
    return tomllib.loads(files("reports.dossier").joinpath(FILE).read_text(encoding="utf-8"))


def crosswalk(held: Mapping[str, Supply]) -> tuple[Framework, ...]:
    """Every framework with the status of each of its items, computed from what the run holds."""
    return tuple(
        Framework(
            key=each["key"],
            name=each["name"],
            version=each["version"],
            date=each["date"],
            retired=each.get("retired"),
            remark=each.get("remark", ""),
            checked=each["checked"],
            entries=tuple(_entry(each, entry, held) for entry in each["entry"]),
        )
        for each in data()["framework"]
    )


def record(frameworks: tuple[Framework, ...], sha256: str, asserted_by: str) -> dict[str, Any]:
    """The crosswalk as `crosswalk.json` holds it.

    Args:
        frameworks: With their statuses.
        sha256: Of the file of findings that the evidence is in.
        asserted_by: Who says so: the tool and its version.
    """
    entries = [
        {
            "framework": entry.framework,
            "version": entry.version,
            "date": entry.date,
            "clause": entry.clause,
            "claim": entry.claim,
            "evidence": [
                {"key": s.key, "section": s.section, "findings": [f.id for f in s.findings]}
                for s in entry.there
            ],
            "lacking": [{"key": s.key, "how": s.how} for s in entry.lacking],
            "sha256": sha256 if entry.there else None,
            "status": entry.status,
            "asserted_by": asserted_by,
            "note": entry.note,
            "checked": entry.checked,
        }
        for framework in frameworks
        for entry in framework.entries
    ]
    about = data()
    return {
        "schema": SCHEMA,
        "version": about["version"],
        "date": about["date"],
        "note": about["note"],
        "entries": entries,
    }


def status(covered: bool, most: Status, there: int, lacking: int) -> Status:
    """What evidence there is of an item: never more than the tool can supply at all."""
    if not covered:
        return "not_covered"
    if not there:
        return "absent"
    return "partial" if lacking else most


def _entry(
    framework: Mapping[str, Any], entry: Mapping[str, Any], held: Mapping[str, Supply]
) -> Entry:
    wanted = [held[key] for key in entry.get("evidence", ())]
    there = tuple(s for s in wanted if s.there)
    lacking = tuple(s for s in wanted if not s.there)
    most: Status = entry.get("most", "supplied")
    return Entry(
        framework=framework["name"],
        version=framework["version"],
        date=framework["date"],
        clause=entry["clause"],
        claim=entry["claim"],
        status=status(entry.get("covered", True), most, len(there), len(lacking)),
        there=there,
        lacking=lacking,
        why=entry.get("why", ""),
        note=data()["note"],
        checked=entry.get("checked", framework["checked"]),
        differs="checked" in entry,
    )
