"""How a row of the record of answers is hashed with the one before it; needs no database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

NO_HASH = "0" * 64
HASHED = (
    "sequence",
    "submission",
    "at",
    "reviewer",
    "item",
    "question",
    "value",
    "seconds",
    "label_was_hidden",
    "predictions_were_shown",
    "content_sha256",
    "withdraws",
    "origin",
    "previous_hash",
)
MOST_PROBLEMS = 20


def row_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 of a row's fields, the previous row's hash among them, as canonical JSON."""
    fields = {name: row[name] for name in HASHED}
    return sha256(json.dumps(fields, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def broken_links(rows: Iterable[Mapping[str, Any]]) -> tuple[list[str], int, str]:
    """What is wrong with rows in their order: sentences, the last row's number, and its hash."""
    problems: list[str] = []
    previous, sequence = NO_HASH, 0
    for row in rows:
        problems += _problems(row, sequence, previous)
        sequence, previous = int(row["sequence"]), str(row["hash"])
        if len(problems) >= MOST_PROBLEMS:
            problems.append("There may be more: only the first were looked for.")
            break
    return problems, sequence, previous


def standing_rows(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that stand: of each reviewer, item and question the last that was not taken back."""
    all_rows = list(rows)
    taken_back = {row["withdraws"] for row in all_rows if row["withdraws"] is not None}
    last: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for row in all_rows:
        if row["withdraws"] is None and row["submission"] not in taken_back:
            last[row["reviewer"], row["item"], row["question"]] = row
    stand = [row for row in last.values() if row["value"] != "null"]
    return sorted(stand, key=lambda row: int(row["sequence"]))


def _problems(row: Mapping[str, Any], before: int, previous: str) -> list[str]:
    found = []
    if row["sequence"] != before + 1:
        found.append(f"Row {row['sequence']} comes after row {before}: rows are missing.")
    if row["previous_hash"] != previous:
        found.append(f"Row {row['sequence']} does not follow from the row before it.")
    if row["hash"] != row_hash(row):
        found.append(f"Row {row['sequence']} was changed after it was recorded.")
    return found
