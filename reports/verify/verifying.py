"""Verifies a run folder or a dossier as deep as it is asked to."""

from __future__ import annotations

from pathlib import Path

from audit.evidence.errors import AuditError, InputError
from audit.judgement.findings import FINDINGS_FILE, Findings
from reports.unfinished import unfinished
from reports.verify.again import check_findings, check_settings
from reports.verify.arithmetic import check_arithmetic
from reports.verify.checks import DEPTHS, Check, Depth, Verified, judged
from reports.verify.hashes import MANIFEST, Manifest, check_hashes, read_manifest
from reports.verify.locks import check_lock
from reports.verify.predicting import check_predictions
from reports.verify.recount import check_counts
from reports.verify.reviews import check_answers
from reports.verify.tables import check_table
from reports.wording import say


def verify(
    folder: str | Path,
    depth: Depth = "hashes",
    *,
    key: str | Path | None = None,
    base: str | Path | None = None,
    sample: int = 5,
    seed: int = 0,
) -> Verified:
    """Compares a folder with what was recorded of it. Nothing in it is written.

    Args:
        folder: A run folder or a dossier.
        depth: `hashes` compares files; `counts` also counts and judges the predictions again;
            `predictions` also asks a sample of models again, which runs the code that the recorded
            config names.
        key: A PEM file with the public key that the manifest should be signed by.
        base: Folder of the config file, from which its relative paths and the user's own measures
            are found; None is the current one, and runs no measure of the user's own.
        sample: How many models are asked again.
        seed: Of the draw of these.

    Raises:
        InputError: There is no such folder, nothing in it is finished, or a later version wrote it.
        MissingExtra: A key is given and `cryptography` is not installed.
    """
    place = Path(folder)
    place = place.parent if place.name in (FINDINGS_FILE, MANIFEST) else place
    if not place.is_dir():
        raise InputError(f"There is no folder {place}: name a run folder or a dossier.")
    manifest = read_manifest(place)
    checks = _signature(place, key)
    level = DEPTHS.index(depth)
    own = None if base is None else Path(base)
    if manifest is not None and manifest.dossier:
        checks += _dossier(place, manifest, level)
    else:
        checks += _run(place, manifest, level, own, sample, seed)
    return Verified(str(place), depth, tuple(checks))


def _run(
    folder: Path, manifest: Manifest | None, level: int, base: Path | None, sample: int, seed: int
) -> list[Check]:
    if not (folder / FINDINGS_FILE).is_file() and (
        manifest is None or FINDINGS_FILE not in manifest.files
    ):
        raise InputError(unfinished(folder))
    checks = [check_hashes(folder, manifest)]
    try:
        findings = Findings.read(folder)
    except InputError as error:
        if "later version" in str(error):
            raise
        return [*checks, _unread(error)]
    except (OSError, ValueError) as error:
        return [*checks, _unread(error)]
    lock = check_lock(folder, findings, None if manifest is None else manifest.locks)
    checks += [] if lock is None else [lock]
    checks += check_answers(folder)
    if level >= 1:
        settings = check_settings(findings)
        checks += [check_arithmetic(findings), *([settings] if settings else [])]
        checks += [check_counts(folder, findings), *check_findings(folder, findings, base)]
    if level >= 2:
        found = check_predictions(folder, findings, manifest, base or Path(), sample, seed)
        checks.append(found)
    return checks


def _dossier(folder: Path, manifest: Manifest, level: int) -> list[Check]:
    checks = [check_hashes(folder, manifest)]
    above = folder.parent
    try:
        run = Findings.read(above) if (above / FINDINGS_FILE).is_file() else None
    except (AuditError, OSError, ValueError) as error:
        run = None
        checks.append(_unread(error))
    if run is not None and manifest.run:
        checks.append(_address(above, manifest))
    if level >= 1:
        try:
            checks += check_table(folder, run)
        except InputError as error:
            checks.append(judged(say("verify.table.name"), say("verify.table.said"), [str(error)]))
    return checks


def _address(run: Path, manifest: Manifest) -> Check:
    """Whether the dossier is one of the findings that the folder above it holds."""
    name, said = say("verify.address.name"), say("verify.address.said")
    above = read_manifest(run)
    ours = "" if above is None else str(above.state.get("findings") or "")
    if ours == manifest.run:
        return Check(name, "verified", said)
    problem = say("verify.address.differs", theirs=manifest.run, ours=ours or "–")
    return Check(name, "differs", said, (problem,))


def _unread(error: Exception) -> Check:
    why = str(error).splitlines()[0][:300]
    problem = say("verify.again.unread", why=why)
    return Check(say("verify.again.name"), "differs", say("verify.again.said"), (problem,))


def _signature(folder: Path, key: str | Path | None) -> list[Check]:
    """The manifest's signature, where a key is given; where none is, only that there is one."""
    from reports.signing import holds, signature_path

    path = folder / MANIFEST
    beside, name = signature_path(path), say("verify.signature.name")
    if key is None:
        if not beside.is_file():
            return []
        note = (say("verify.signature.unchecked"),)
        return [Check(name, "cannot_tell", say("verify.signature.means"), note)]
    said = say("verify.signature.said", path=path.name, public=key)
    if not beside.is_file():
        return [Check(name, "differs", said, (say("verify.signature.missing", path=beside.name),))]
    if not holds(path, key):
        return [Check(name, "differs", said, (say("verify.signature.bad"),))]
    return [Check(name, "verified", said, (), (say("verify.signature.means"),))]
