"""Checks the answers of a run folder against the chain that they were recorded in; writes nothing.

The run folder holds the answers that stand (`review/answers.parquet`, which reports read), every
row there ever was with its hash (`review/record.parquet`), and often the database itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError
from reports.review.exported import ANSWERS, FOLDER, QUEUE, RECORD, read_about, read_export
from reports.review.links import HASHED, MOST_PROBLEMS, broken_links, standing_rows

DATABASE = "review.db"
_COMPARED = (
    *("submission", "at", "reviewer", "item", "question", "value", "seconds"),
    *("label_was_hidden", "predictions_were_shown", "content_sha256"),
)
_DRAWN = ("item", "content_sha256", "kind", "probability", "label")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class ReviewCheck:
    """What came of checking a review.

    Attributes:
        rows: Rows of the record that were hashed again.
        files: What was read, as paths in the run folder.
        problems: What differs from what was recorded, a sentence each.
        unknown: What could not be checked and why, a sentence each.
    """

    rows: int
    files: tuple[str, ...]
    problems: tuple[str, ...]
    unknown: tuple[str, ...]


def check_review(run: Path) -> ReviewCheck | None:
    """Hash every recorded answer again, and compare the answers that stand with the record.

    Someone who can write the folder can make the whole chain anew, so this shows a change only
    as far as one copy (the files, the database, an export kept elsewhere) was left alone.

    Args:
        run: The run folder.

    Returns:
        What came of it; None where nobody reviewed.
    """
    paths = {name: run / FOLDER / name for name in (RECORD, ANSWERS, QUEUE)} | {
        DATABASE: run / DATABASE
    }
    there = [name for name, path in paths.items() if path.is_file()]
    if not there or there == [QUEUE]:
        return None
    problems: list[str] = []
    unknown: list[str] = []
    files = [name if name == DATABASE else f"{FOLDER}/{name}" for name in there]
    records: dict[str, list[Row]] = {}
    for name in (RECORD, DATABASE):
        if name in there:
            found = _read_record(paths[name], problems)
            if found is not None:
                records[name] = found
                broken, _, _ = broken_links(found)
                problems += [f"{name}: {each}" for each in broken]
    if not records:
        unknown.append(
            f"{FOLDER}/{RECORD} is not there, so nothing tells whether an answer was changed: "
            "`prune-audit review RUN --export-answers FILE` writes it again."
        )
        return ReviewCheck(0, tuple(files), tuple(problems), tuple(unknown))
    problems += _parted(records)
    rows = records.get(RECORD) or records[DATABASE]
    if ANSWERS in there:
        problems += _answers(paths[ANSWERS], rows)
    if QUEUE in there and DATABASE in records:
        problems += _queue(paths[QUEUE], paths[DATABASE])
    cut = problems[:MOST_PROBLEMS]
    return ReviewCheck(max(map(len, records.values())), tuple(files), tuple(cut), tuple(unknown))


def _read_record(path: Path, problems: list[str]) -> list[Row] | None:
    """Rows of the record in their order; a problem where they cannot be read."""
    try:
        if path.name == DATABASE:
            return _of_database(path, problems)
        rows, about = read_export(path), read_about(path)
    except (InputError, sqlite3.Error, ValueError, KeyError) as error:
        problems.append(f"{path.name} is corrupt and cannot be read ({_why(error)}).")
        return None
    ended = about.get("chain") or {}
    last = rows[-1]["hash"] if rows else None
    if ended.get("rows") != len(rows) or (rows and ended.get("sha256") != last):
        problems.append(
            f"{path.name} ends at row {len(rows)}, and says of itself that it has "
            f"{ended.get('rows')} rows of another end."
        )
    return list(rows)


def _of_database(path: Path, problems: list[str]) -> list[Row]:
    columns = ", ".join((*HASHED, "hash"))
    with closing(_opened(path)) as database:
        database.row_factory = sqlite3.Row
        rows = [
            {**dict(row), **{key: bool(row[key]) for key in _FLAGS}}
            for row in database.execute(f"SELECT {columns} FROM review_answers ORDER BY sequence")
        ]
        end = database.execute("SELECT sequence, hash FROM review_head").fetchone()
    if end is not None and end["sequence"] != (rows[-1]["sequence"] if rows else 0):
        problems.append(
            f"{path.name}: the record ends at row {len(rows)}, but {end['sequence']} rows were "
            "acknowledged."
        )
    return list(rows)


def _opened(path: Path) -> sqlite3.Connection:
    """The database, read only: where no desk has it open, not even a journal is put beside it."""
    beside = path.with_name(f"{path.name}-wal")
    quiet = not beside.is_file() or beside.stat().st_size == 0
    how = "immutable=1" if quiet else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)


def _parted(records: Mapping[str, Sequence[Row]]) -> list[str]:
    """Where the exported record and the database, which may have gone on, do not say the same."""
    if len(records) < 2:
        return []
    one, other = records[RECORD], records[DATABASE]
    if len(one) > len(other):
        return [f"{RECORD} has {len(one)} rows and {DATABASE} only {len(other)}."]
    for ours, theirs in zip(one, other, strict=False):
        if ours["hash"] != theirs["hash"]:
            return [f"{RECORD} and {DATABASE} part at row {ours['sequence']}."]
    return []


def _answers(path: Path, rows: Sequence[Row]) -> list[str]:
    """Answers that reports read, and that the record does not have so."""
    try:
        given, about = read_export(path), read_about(path)
    except InputError as error:
        return [f"{path.name} is corrupt and cannot be read ({_why(error)})."]
    until = int((about.get("chain") or {}).get("rows") or len(rows))
    if until > len(rows):
        return [f"{path.name} was made of {until} recorded rows, and there are {len(rows)}."]
    stand = {int(row["sequence"]): row for row in standing_rows(rows[:until])}
    problems = []
    for answer in given:
        recorded = stand.pop(int(answer["sequence"]), None)
        if recorded is None:
            problems.append(f"{path.name} has {_named(answer)}, which nobody gave, or took back.")
            continue
        what = {**recorded, "value": json.loads(recorded["value"])}
        wrong = [name for name in _COMPARED if answer[name] != what[name]]
        problems += [
            f"{path.name}, {_named(answer)}: {name} is {_cut(answer[name])}, and was recorded as "
            f"{_cut(what[name])}."
            for name in wrong
        ]
    return problems + [f"{path.name} lacks {_named(row)}." for row in stand.values()]


def _queue(path: Path, database: Path) -> list[str]:
    """Items whose kind or draw is not the one that the database has."""
    try:
        with closing(_opened(database)) as opened:
            columns = ", ".join(_DRAWN)
            drawn = {row[0]: row for row in opened.execute(f"SELECT {columns} FROM review_items")}
        given = {row["item"]: tuple(row[name] for name in _DRAWN) for row in read_export(path)}
    except (InputError, sqlite3.Error) as error:
        return [f"{path.name} cannot be compared with {database.name} ({_why(error)})."]
    return [
        f"{path.name} has item {name[:60]!r} otherwise than it was drawn."
        for name in sorted(given.keys() | drawn.keys())
        if given.get(name) != drawn.get(name)
    ]


def _named(row: Row) -> str:
    who, item, question = (str(row[key])[:60] for key in ("reviewer", "item", "question"))
    return f"row {row['sequence']} ({who} on item {item}, question {question})"


def _cut(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def _why(error: Exception) -> str:
    lines: Iterable[str] = str(error).splitlines()
    return next(iter(lines), type(error).__name__)[:200].rstrip(".")


_FLAGS = ("label_was_hidden", "predictions_were_shown")
