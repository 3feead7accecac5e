"""Whether a lock is the one that was written, and what was done otherwise than it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from audit.evidence.errors import InputError
from audit.judgement.findings import Findings
from audit.judgement.policy.locking import LOCK, deviations, read_lock
from reports.verify.checks import Check, judged
from reports.wording import say


def check_lock(
    folder: Path, findings: Findings, sealed: Mapping[str, str] | None = None
) -> Check | None:
    """The lock against its own hash, the locks before it, and those sealed with the results.

    What was done otherwise than locked is no fault of the files: it is said, as a note.

    Args:
        folder: The run folder.
        findings: What it holds.
        sealed: Name -> SHA-256 of the locks that the manifest knows; None where it tells of none.

    Returns:
        The check; None where nothing was locked.
    """
    try:
        lock = read_lock(folder)
    except InputError as error:
        if "later version" in str(error):
            raise
        return judged(say("verify.lock.name"), say("verify.lock.said"), [str(error)])
    if lock is None:
        gone = [say("verify.lock.gone", path=name) for name in sorted(sealed or ())]
        return judged(say("verify.lock.name"), say("verify.lock.said"), gone) if gone else None
    problems, notes = _sealed(folder, lock, sealed), []
    for each in deviations(lock, findings):
        if each.kind == "edited":
            problems.append(say("verify.lock.edited"))
        else:
            notes.append(say("verify.lock.deviation", what=each))
    record, seen = lock, {LOCK}
    while record.get("previous"):
        name = Path(str(record["previous"].get("file"))).name
        path = folder / name
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if name in seen or digest != record["previous"].get("sha256"):
            problems.append(say("verify.lock.previous", path=name))
            break
        seen.add(name)
        record = json.loads(path.read_bytes())
    return judged(say("verify.lock.name"), say("verify.lock.said"), problems, tuple(notes))


def _sealed(
    folder: Path, lock: Mapping[str, object], sealed: Mapping[str, str] | None
) -> list[str]:
    """Whether a lock was there with the results: under its name, or kept under a later one."""
    if sealed is None:
        return []
    if not sealed:
        claims = not lock.get("results_existed")
        return [say("verify.lock.later")] if claims else []
    there = {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("lock*.json")
    }  # fmt: skip
    return [say("verify.lock.changed", path=n) for n, d in sorted(sealed.items()) if d not in there]
