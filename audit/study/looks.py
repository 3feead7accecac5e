"""Counts how often the same test examples were audited: a ledger in the store, a file per audit.

Whoever audits again and again, and keeps what came out best, has chosen by the test examples; each
audit after the first therefore says which one it is.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from audit.evidence.address import as_json
from audit.evidence.errors import StoreError
from audit.evidence.files import (
    CANNOT_LINK,
    blaming,
    clear_leftovers,
    flush,
    remove,
    scratch_path,
)

LEDGER = "ledger"


def fingerprint_of_test(data: Path) -> str:
    """SHA-256 over the ids and labels of the test examples in a prepared data folder.

    Training settings play no part: other models on the same examples are another look at these.
    """
    frame = pd.read_parquet(data / "examples.parquet", columns=["example", "split", "label"])
    test = frame[frame["split"] == "test"].sort_values("example")
    labels = test["label"].astype("Int64").astype(str)
    rows = as_json([test["example"].astype(str).tolist(), labels.tolist()])
    return hashlib.sha256(rows.encode()).hexdigest()


def note_look(store: Path, name: str, data: str, judged: Mapping[str, Any]) -> int:
    """Which audit of these test examples this is, 1 for the first; written down if it is new.

    Judging the same evidence by the same plan and policy again is the same look. Of two new audits
    at the same moment neither may see the other, and both then have one number.

    Args:
        store: The store's folder.
        name: The config's name.
        data: What tells these test examples from others.
        judged: What is judged, by what: JSON values.

    Raises:
        StoreError: The ledger cannot be read or written.
    """
    folder = store / LEDGER
    entry = {"data": data, "name": name, "judged": _hash(as_json(dict(judged)))}
    path = folder / f"look-{_hash(as_json(entry))[:16]}.json"
    with blaming(folder):
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            before = sum(_read(one)["data"] == data for one in folder.glob("look-*.json"))
            _create(path, as_json({**entry, "look": before + 1}).encode())
        return int(_read(path)["look"])


def say_look(look: int, planned: int) -> str | None:
    """The sentence for the report; None for the first look.

    Args:
        look: Which audit of these test examples this is.
        planned: How many looks the policy's bounds allow for.
    """
    if look <= 1:
        return None
    if look <= planned:
        return (
            f"This is audit number {look:,} of the {planned:,} of these test examples that the "
            "policy's bounds allow for."
        )
    return (
        f"This is audit number {look:,} of these test examples, and the policy's bounds allow for "
        f"{planned:,} (policy.looks): what was chosen after an earlier one looks better here than "
        "it is."
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        entry = dict(json.loads(path.read_text()))
        return {"data": str(entry["data"]), "look": int(entry["look"])}
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is no entry of the ledger: delete it and run again.") from error


def _create(path: Path, content: bytes) -> None:
    """Writes a file whole, unless there is one already."""
    clear_leftovers(path)
    scratch = scratch_path(path)
    try:
        with open(scratch, "xb") as file:
            file.write(content)
            flush(file)
        try:
            os.link(scratch, path)
        except FileExistsError:
            pass  # somebody wrote down the same audit: theirs counts
        except OSError as error:
            if error.errno not in CANNOT_LINK:
                raise
            os.replace(scratch, path)
    finally:
        remove(scratch)
