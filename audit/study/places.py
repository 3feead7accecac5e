"""Where the data of a config are: beside the config file, elsewhere on the machine, on a hub."""

from __future__ import annotations

import os
import re
from pathlib import Path

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_FILE_SUFFIXES = (".parquet", ".csv", ".tsv", ".json", ".jsonl", ".arrow", ".zip", ".tar", ".gz")


def located(path: str, base: Path) -> Path:
    """A path relative to the config's folder; `~` and `$VARIABLE` mean what they do in a shell."""
    return base / Path(os.path.expandvars(path)).expanduser()


def existing(path: str, base: Path) -> Path:
    """A file or folder that is there.

    Raises:
        InputError: There is none; the nearest name beside it is offered, or the variable that is
            not set.
    """
    found = located(path, base)
    unset = re.search(r"\$\w+|\$\{\w+\}", str(found))
    if unset is not None and not found.exists():
        raise InputError(f"The path {path} names {unset[0]}, which is not set: set it, or mend it.")
    if found.exists():
        return found
    beside = sorted(one.name for one in found.parent.glob("*")) if found.parent.is_dir() else []
    near = hint(found.name, beside) if beside else "mend the path."
    raise InputError(f"There is no file or folder {found}: {near}")


def on_hub(path: str, base: Path) -> bool:
    """Whether a path can only be a hub's name: `name` or `owner/name`, and nothing here has it.

    Where there is a folder `owner` here, `owner/name` is taken for a misspelt path.
    """
    is_name = _HUB_NAME.fullmatch(path) is not None and not path.lower().endswith(_FILE_SUFFIXES)
    if not is_name or (base / path).exists():
        return False
    return "/" not in path or not (base / path).parent.exists()
