"""Writes a guard where a program can use it: as JSON, and as a few lines of Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError
from audit.evidence.files import write_file
from audit.judgement.guarding.result import Guarded
from audit.judgement.plan import Guard

SCHEMA = "prune-audit/guard/1"
JSON_FILE, PYTHON_FILE = "guard.json", "guard.py"

_PYTHON = '''"""Says where a pruned model's own answer stands, and where {stand_in} answers instead.

{provenance}
"""

import numpy as np

THRESHOLD = {threshold!r}


def keep({signal}):
    """Whether the answer stands: booleans in the shape of `{signal}`, {what}."""
    return np.asarray({signal}) >= THRESHOLD
'''
_WHAT = {
    "confidence": "the largest class probability",
    "margin": "the largest class probability less the second",
}
_STAND_IN = {"parent": "its parent", "person": "a person"}


def export_guard(
    guarded: Guarded, asked: Guard, folder: str | Path, provenance: Mapping[str, Any]
) -> tuple[Path, Path]:
    """Writes `guard.json` and `guard.py`.

    Args:
        guarded: The guard of one method and sparsity.
        asked: Its signal, and who answers instead.
        folder: Where to.
        provenance: What it was made from: the run, its address, the version.

    Raises:
        InputError: There is no rule to write.
        StoreError: The folder cannot be written.
    """
    if guarded.threshold is None:
        raise InputError(f"There is no guard to write: {guarded.reason}.")
    folder = Path(folder)
    document = json.dumps(_record(guarded, asked, provenance), indent=1, ensure_ascii=False)
    return (
        write_file(folder / JSON_FILE, f"{document}\n".encode()),
        write_file(folder / PYTHON_FILE, _python(guarded, asked, provenance).encode()),
    )


def _record(guarded: Guarded, asked: Guard, provenance: Mapping[str, Any]) -> dict[str, Any]:
    limits = [
        {"limit_name": h.limit_name, "limit": h.limit, "condition": h.condition}
        | {"severity": h.severity, "class": h.class_, "groups": h.groups}
        | {"before": h.before, "after": h.after}
        for h in guarded.limits
    ]
    return {
        "schema": SCHEMA,
        "rule": {"signal": asked.signal, "keep_at_or_above": guarded.threshold, "else": asked.to},
        "method": guarded.method,
        "sparsity": guarded.sparsity,
        "chosen_on": {
            "examples": guarded.validation_n,
            "share_handed_back": guarded.validation_share,
            "limits": list(guarded.steered_by),
            "met_by": guarded.met,
        },
        "certified_on_test": {
            "share_handed_back": guarded.share,
            "low": guarded.share_low,
            "high": guarded.share_high,
            "harm_recovered": guarded.recovered,
            "verdict_before": guarded.before,
            "verdict": guarded.after,
            "limits": limits,
        },
        "provenance": dict(provenance),
    }


def _python(guarded: Guarded, asked: Guard, provenance: Mapping[str, Any]) -> str:
    share = "unknown" if guarded.share is None else f"{100 * guarded.share:.1f} %"
    lines = [
        f"Made for method {guarded.method or 'without a name'} at sparsity {guarded.sparsity}.",
        f"Chosen on {guarded.validation_n} validation examples by {', '.join(guarded.steered_by)}.",
        f"On test examples it hands back {share}; the verdict on the whole is "
        f"{(guarded.after or 'not asked').replace('_', ' ')} "
        f"(without it: {(guarded.before or 'not asked').replace('_', ' ')}).",
        *(f"{name}: {value}" for name, value in provenance.items()),
        "What is not known (NaN) is handed back.",
    ]
    return _PYTHON.format(
        stand_in=_STAND_IN[asked.to],
        provenance="\n".join(map(_quoted, lines)),
        threshold=guarded.threshold,
        signal=asked.signal,
        what=_WHAT[asked.signal],
    )


def _quoted(text: str) -> str:
    """Text that cannot end the docstring that it stands in, on one line."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())
