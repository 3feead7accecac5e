"""Pictures as the models were shown them, from the arrays that a run keeps beside its folder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.study.prepare import Arrays

_GATHERED = re.compile(r"gathered-[0-9a-f]{16}")  # a folder may come from anybody: no path in it


def originals(folder: Path | None) -> Callable[[object], NDArray[Any] | None]:
    """What finds the pixels of an example, uint8 [H, W] or [H, W, 3]; or None where it cannot.

    A run folder that was copied has no store beside it, and tables and texts have no pixels.
    """
    data = None if folder is None else _arrays(folder)
    if data is None or data.meta.get("kind") != "image" or not data.has("test"):
        return lambda example: None
    inputs = data.inputs("test")
    rows = {example: row for row, example in enumerate(data.ids("test"))}

    def of(example: object) -> NDArray[Any] | None:
        if example not in rows or inputs.shape[-1] not in (1, 3):
            return None
        pixels: NDArray[Any] = inputs[rows[example]]
        return pixels[..., 0] if pixels.shape[-1] == 1 else pixels

    return of


def _arrays(folder: Path) -> Arrays | None:
    """The prepared data that the evidence was gathered from, if the store still has them."""
    from audit.evidence.address import address_of, as_json
    from audit.study.layout import STORE
    from audit.study.prepare import Arrays
    from audit.study.recipes import Data

    store = folder.resolve().parent / STORE
    gathered = str((_json(folder / "manifest.json").get("state") or {}).get("evidence"))
    if not _GATHERED.fullmatch(gathered):
        return None
    recipe = (_json(store / gathered / "manifest.json").get("recipe") or {}).get("data")
    arrays = Arrays(store / address_of(Data, as_json(recipe)))
    return arrays if (arrays.folder / "meta.json").is_file() else None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
