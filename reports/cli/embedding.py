"""Which pictures and texts of examples a report holds: said now, in the config, or last time."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from reports.pictures import Embed as Name


class Embed(StrEnum):
    """Which pictures of examples a report holds."""

    NONE = "none"
    THUMBNAILS = "thumbnails"
    FULL = "full"


EmbedOption = Annotated[
    Embed | None,
    typer.Option(
        "--embed",
        help="Pictures and texts of examples inside the report; goes before report.embed.",
    ),
]


def noted(folder: Path) -> Name | None:
    """What the folder's report was last made to hold; None where nobody chose."""
    said = (_record(folder).get("report") or {}).get("embed")
    return Embed(said).value if said in list(Embed) else None


def note(folder: Path, embed: Name) -> None:
    """Keeps the choice in run.json, so that a report made again shows no more than this one did.

    Raises:
        StoreError: The file cannot be written.
    """
    from audit.evidence.files import write_file
    from audit.study.publish import as_json

    if embed != (noted(folder) or Embed.THUMBNAILS.value):
        write_file(folder / "run.json", as_json({**_record(folder), "report": {"embed": embed}}))


def _record(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # reading the run folder says what is wrong with it
    return found if isinstance(found, dict) else {}
