"""The first depth: every file of a run folder or a dossier against the manifest beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from audit.evidence.errors import InputError
from audit.evidence.files import write_file
from reports.verify.checks import Check, judged
from reports.wording import say, say_count

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
DOSSIER = "prune-audit/dossier/"
# No results of the run: a dossier has a manifest of its own, answers are chained in their database,
# locks by their hashes, and the time of the last run changes with every run.
LATER = ("dossier/", "dossier.key", "lock", "review/", "review.", "run.json", SIGNATURE, MANIFEST)
# Files that are read when the folder is judged again: a stranger among them changes the outcome.
READ = ("evidence/", "population/")
MOST = 50  # files that are named


@dataclass(frozen=True)
class Manifest:
    """A manifest: of a run folder, or of a dossier.

    Attributes:
        files: Path -> its size and hash.
        state: Addresses of what a run folder was made of.
        dossier: Whether it is that of a dossier.
        run: Address of the findings that a dossier was made of.
        locks: Name -> SHA-256 of the locks that were there with the results; None if unrecorded.
    """

    files: Mapping[str, Mapping[str, Any]]
    state: Mapping[str, Any]
    dossier: bool
    run: str
    locks: Mapping[str, str] | None = None


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder; None where there is none.

    Raises:
        InputError: It is no manifest, or a later version wrote it.
    """
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no manifest ({error}): put the original back.") from error
    schema = str(found.get("schema") or "") if isinstance(found, dict) else ""
    if schema.startswith(DOSSIER):
        version = schema.removeprefix(DOSSIER)
        if version != "1":
            raise InputError(
                f"{path} was written by a later version (schema {version}): upgrade with "
                "`pip install --upgrade prune-audit`."
            )
        try:
            rows = {str(row["path"]): dict(row) for row in found["files"]}
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{path} is no manifest ({error!r}): put the original back."
            ) from error
        return Manifest(rows, {}, True, str(found.get("run") or ""))
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise InputError(f"{path} is no manifest: put the original back.")
    return Manifest(found["files"], found.get("state") or {}, False, "", found.get("locks"))


def check_hashes(folder: Path, manifest: Manifest | None) -> Check:
    """Missing, changed and unlisted files, each by name."""
    name = say("verify.hashes.name")
    if manifest is None:
        problems = [say("verify.hashes.none", path=folder / MANIFEST), *_unreadable(folder)]
        return Check(name, "cannot_tell", say("verify.hashes.no_manifest"), tuple(problems))
    listed = {k: v for k, v in manifest.files.items() if manifest.dossier or not _later(k)}
    problems = [p for k, v in sorted(listed.items()) if (p := _problem(folder, k, v)) is not None]
    strangers, beside = _unlisted(folder, manifest)
    problems += [say("verify.hashes.extra", path=path) for path in strangers]
    notes = [say("verify.hashes.beside", path=path) for path in beside]
    return judged(
        name, say_count("verify.hashes.said", len(listed)), _cut(problems), tuple(_cut(notes))
    )


def relist(folder: Path, paths: Iterable[Path]) -> None:
    """Writes the hashes of files that were just made into the manifest, and leaves all others.

    Sealing the whole folder anew would take whatever somebody changed in it for the original.
    """
    path = folder / MANIFEST
    manifest = read_manifest(folder)
    if manifest is None or manifest.dossier:
        return
    files = dict(manifest.files)
    for each in paths:
        if each.resolve().is_relative_to(folder.resolve()):
            content = each.read_bytes()
            key = each.resolve().relative_to(folder.resolve()).as_posix()
            files[key] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    known = json.loads(path.read_bytes())
    text = json.dumps({**known, "files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    write_file(path, (text + "\n").encode())


def _problem(folder: Path, name: str, expected: Mapping[str, Any]) -> str | None:
    """What is wrong with one listed file; None where nothing is."""
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        return say("verify.hashes.outside", path=name)
    path = folder / name
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return say("verify.hashes.missing", path=name)
    except OSError as error:
        return say("verify.hashes.unread", path=name, why=error.strerror)
    if digest == expected.get("sha256"):
        return None
    broken = _broken(path)
    if broken is not None:
        return say("verify.hashes.corrupt", path=name, why=broken)
    return say("verify.hashes.changed", path=name)


def _broken(path: Path) -> str | None:
    """Why a file cannot be read any more; None where it can, or where nobody can tell."""
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            pq.read_table(path)
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        return str(error).splitlines()[0][:200] or type(error).__name__
    return None


def _unreadable(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (why := _broken(path)) is not None:
            name = path.relative_to(folder).as_posix()
            found.append(say("verify.hashes.corrupt", path=name, why=why))
    return found[:MOST]


def _unlisted(folder: Path, manifest: Manifest) -> tuple[list[str], list[str]]:
    """Files that no manifest lists: those that would be read with the others, and the rest."""
    there = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    )
    known = (MANIFEST, SIGNATURE) if manifest.dossier else LATER
    unlisted = [k for k in there if k not in manifest.files and not k.startswith(known)]
    strange = [k for k in unlisted if manifest.dossier or k.startswith(READ)]
    return strange, [k for k in unlisted if k not in strange]


def _later(name: str) -> bool:
    return name.startswith(LATER)


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= MOST:
        return lines
    return [*lines[:MOST], say("verify.more", n=len(lines) - MOST)]
