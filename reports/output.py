"""Where a report goes, and how it gets there: whole or not at all, and the path comes back."""

from __future__ import annotations

from pathlib import Path

from audit.evidence.errors import InputError
from audit.evidence.store import write_file
from reports.document import Document


def target(document: Document, path: str | Path | None, name: str) -> Path:
    """The file to write: as asked, or by its usual name in the folder asked or in the run folder.

    Raises:
        InputError: Neither a path nor a run folder says where.
    """
    if path is None:
        if document.folder is None:
            raise InputError(
                f"Findings in memory have no folder to put {name} in: give a path as well."
            )
        return document.folder / name
    given = Path(path)
    return given / name if given.is_dir() else given


def write(path: Path, text: str) -> Path:
    """Writes UTF-8 text atomically, making folders as needed; returns the path.

    Raises:
        StoreError: The file cannot be written.
    """
    return write_file(path, text.encode("utf-8"))
