"""Writes answers and queue as CSV for a spreadsheet, Parquet for a program, or JSON for both."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError
from audit.evidence.store import write_file
from reports.review.chain import chain_end
from reports.review.exported import (
    ANSWERS,
    COLUMNS_OF,
    FOLDER,
    FORMAT,
    QUEUE,
    QUEUE_COLUMNS,
    RECORD,
)
from reports.review.questions import questions_to_json
from reports.review.reading import every_row, latest_answers, recorded_rows, unblinded
from reports.review.records import Records
from reports.review.study import study_of

# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_answers(records: Records, path: str | Path, *, every: bool = False) -> Path:
    """Write the answers, in the format that the file's name ends on.

    Args:
        records: Open records.
        path: Ends on `.csv`, `.parquet` or `.json`. In Parquet `value` is JSON text; in CSV it is
            plain, what several were chosen joined by " | ", and a text that a spreadsheet would
            run as a formula begins with an apostrophe.
        every: Every row of the append-only record, rather than the answers that stand.

    Returns:
        The path.

    Raises:
        InputError: The name ends on something else.
        StoreError: The file cannot be written.
    """
    with records.reading():  # one state: the answers, and the end of their chain
        rows = every_row(records) if every else latest_answers(records)
        return _write(records, Path(path), "answers", [asdict(each) for each in rows])


def export_queue(records: Records, path: str | Path) -> Path:
    """Write what each item is and how it was drawn: for whoever owns the study, never for pages.

    Raises:
        InputError: The name ends on none of `.csv`, `.parquet`, `.json`.
        StoreError: The file cannot be written.
    """
    rows = [_queued(each) for each in unblinded(records, while_open=True)]
    return _write(records, Path(path), "queue", rows)


def export_review(records: Records, run: str | Path) -> Path:
    """Write `answers`, `queue` and `record.parquet` into `review/` of a run folder.

    The report reads the first two; the third is every recorded row with its hash, by which
    `prune-audit verify` tells whether an answer was changed.

    Returns:
        The folder.

    Raises:
        StoreError: A file cannot be written.
    """
    folder = Path(run) / FOLDER
    with records.reading():
        export_queue(records, folder / QUEUE)
        export_answers(records, folder / ANSWERS)
        _write(records, folder / RECORD, "record", recorded_rows(records))
    return folder


def _queued(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in QUEUE_COLUMNS}


def _write(records: Records, path: Path, kind: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    if path.suffix not in _WRITERS:
        raise InputError(f"{path.name} ends on no known format: give {', '.join(_WRITERS)}.")
    about = _about(records, kind)
    return write_file(path, _WRITERS[path.suffix](about, COLUMNS_OF[kind], rows))


def _about(records: Records, kind: str) -> dict[str, Any]:
    study = study_of(records)
    length, end = chain_end(records)
    return {
        "format": FORMAT,
        "version": 1,
        "kind": kind,
        "study": {
            "name": study.name,
            "findings": study.findings,
            "created": study.created,
            "closed": study.closed,
            "items": study.items,
            "order": study.settings.order,
            "label_hidden": study.settings.label_hidden,
            "questions": questions_to_json(study.questions),
        },
        # Kept outside the database, these two show a record that was rewritten later.
        "chain": {"rows": length, "sha256": end},
    }


def _as_json(
    about: Mapping[str, Any], columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> bytes:
    whole = {**about, "rows": [{name: row[name] for name in columns} for row in rows]}
    return (json.dumps(whole, ensure_ascii=False, indent=1, default=dict) + "\n").encode()


def _as_csv(
    about: Mapping[str, Any], columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _cell(json.dumps(dict(value), sort_keys=True, ensure_ascii=False))
    if isinstance(value, list | tuple):
        return _cell(" | ".join(str(each) for each in value))
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _as_parquet(
    about: Mapping[str, Any], columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    arrays = {}
    for name, kind in columns.items():
        values = [row[name] for row in rows]
        if kind == "json":
            values = [_canonical(each) for each in values]
        elif kind == "id" and not all(isinstance(each, int) for each in values):
            values = [str(each) for each in values]
        elif kind == "id":
            kind = "int"
        arrays[name] = pa.array(values, types.get(kind, pa.string()))
    table = pa.table(arrays).replace_schema_metadata({"prune_audit": json.dumps(about)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=dict)


_WRITERS: dict[
    str, Callable[[Mapping[str, Any], Mapping[str, str], Sequence[Mapping[str, Any]]], bytes]
] = {".csv": _as_csv, ".parquet": _as_parquet, ".json": _as_json}
