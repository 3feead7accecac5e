"""What exports of a review hold, and how they are read back; needs no database library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError

FORMAT = "prune-audit review"
FOLDER = "review"
ANSWERS, QUEUE, RECORD = "answers.parquet", "queue.parquet", "record.parquet"
ANSWER_COLUMNS = {
    "sequence": "int",
    "submission": "int",
    "at": "text",
    "reviewer": "text",
    "item": "text",
    "example": "id",
    "question": "text",
    "value": "json",
    "seconds": "float",
    "label_was_hidden": "bool",
    "predictions_were_shown": "bool",
    "content_sha256": "text",
    "withdraws": "int",
}
QUEUE_COLUMNS = {
    "item": "text",
    "example": "id",
    "content_sha256": "text",
    "kind": "text",
    "stratum": "json",
    "probability": "float",
    "order_score": "float",
    "label": "text",
}
# As it is hashed: `value` is the text that was.
RECORD_COLUMNS = {
    **{name: kind for name, kind in ANSWER_COLUMNS.items() if name != "example"},
    "value": "text",
    "origin": "text",
    "previous_hash": "text",
    "hash": "text",
}
COLUMNS_OF = {"answers": ANSWER_COLUMNS, "queue": QUEUE_COLUMNS, "record": RECORD_COLUMNS}


def read_export(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a Parquet or JSON export, each value as it was answered.

    Raises:
        InputError: The file is not there, or is no export.
    """
    given = Path(path)
    try:
        if given.suffix == ".json":
            rows: list[dict[str, Any]] = json.loads(given.read_text(encoding="utf-8"))["rows"]
            return rows
        return _from_parquet(given)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unread(given, error) from error


def read_about(path: Path) -> dict[str, Any]:
    """What an export in Parquet says of itself: its study, and the end of the chain it was made of.

    Raises:
        InputError: The file cannot be read.
    """
    import pyarrow.parquet as pq

    try:
        about: dict[str, Any] = json.loads((pq.read_schema(path).metadata or {})[b"prune_audit"])
    except (OSError, ValueError, KeyError) as error:
        raise _unread(path, error) from error
    return about


def _unread(path: Path, error: Exception) -> InputError:
    cause = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return InputError(
        f"{path} cannot be read as an export of a review ({cause}): write it again with "
        "`prune-audit review RUN --export-answers`."
    )


def _from_parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    about = json.loads((table.schema.metadata or {})[b"prune_audit"])
    columns = COLUMNS_OF[about["kind"]]
    as_json = [name for name, kind in columns.items() if kind == "json"]
    rows: list[dict[str, Any]] = table.to_pylist()
    return [{**row, **{name: json.loads(row[name]) for name in as_json}} for row in rows]
