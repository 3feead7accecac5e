"""`corruption.json`: how a copy was made, so that whoever reads it or goes on with it can tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError
from audit.evidence.files import blaming, owner_is_gone, write_file
from audit.study.writing.survey import Survey

FILE = "corruption.json"
REQUANTISED = "JPEG, quality 85, 4:2:0"
# What a person is told first where two settings differ; the source's digest differs with any of
# those that choose examples.
_ORDER = (
    *("made_by", "layout", "set", "corruptions", "severities", "preset_asked", "seed"),
    *("requantised", "frost", "split", "limit", "label", "image_size", "unreadable", "column"),
    *("id", "reference", "source"),
)


def made_by() -> str:
    """This tool and its version."""
    return f"prune-audit {metadata.version('prune-audit')}"


def found_in(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a folder says of the copy in it; None where there is nothing yet.

    Args:
        folder: Where a copy is to be, or is begun.
        settings: What is asked for now.

    Raises:
        InputError: The folder holds something else, or a copy made with other settings.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder as --out.")
    # Of a process that was killed before it could write anything, scratch is left.
    if not folder.exists() or all(owner_is_gone(one.name) for one in folder.iterdir()):
        return None
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            f"{folder} is not empty and has no {FILE}, so it is no copy of ours: name another "
            "folder as --out."
        )
    try:
        record = json.loads(path.read_bytes())
        asked = dict(record["settings"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read: name another folder as --out.") from error
    for key in _ORDER:
        if asked.get(key) != (now := _plain(settings.get(key))):
            raise InputError(
                f"{folder} was made with {_said(key, asked.get(key))}, and this asks for "
                f"{_said(key, now)}: name another folder as --out, or ask for the same."
            )
    return dict(record)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Writes the file, whole or not at all.

    Raises:
        StoreError: The folder cannot be written.
    """
    with blaming(folder):
        folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(record), indent=1, sort_keys=True, ensure_ascii=False)
    write_file(folder / FILE, (text + "\n").encode())


def survey_of(record: Mapping[str, Any]) -> Survey:
    """What a look at the images told when the copy was begun."""
    return Survey.from_dict(record["images"])


def _plain(value: Any) -> Any:
    """As JSON gives it back: tuples are lists."""
    return json.loads(json.dumps(value))


def _said(key: str, value: Any) -> str:
    if key == "source":
        return "other source data" if value is None else f"the source data {value[:12]}…"
    if key == "reference" and value is not None:
        return f"the reference {value[:12]}…"
    shown = ", ".join(str(one) for one in value) if isinstance(value, list) else value
    return f"{key.replace('_', ' ')} {'unset' if shown in (None, '') else shown}"
