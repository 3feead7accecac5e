"""Puts a run's results where a person looks for them: `runs/<name>/`, linked from the store."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from audit.evidence.address import address
from audit.evidence.files import blaming, link_or_copy, write_file
from audit.judgement.findings import RELIABILITY_FILE
from audit.study.layout import Study
from audit.study.recipes import Dense, Gathered, Judged, Pruned

MANIFEST = "manifest.json"
VERSIONS = ("prune-audit", "torch", "torchvision", "numpy", "pandas", "pyarrow", "scipy")


@dataclass(frozen=True)
class Published:
    """A run folder.

    Attributes:
        folder: Where it is.
        fresh: Whether its findings changed, so that a report of them has to be made again.
    """

    folder: Path
    fresh: bool


def publish_run(
    study: Study,
    evidence: Gathered | None,
    judged: Judged | None,
    missing: tuple[str, ...],
    record: Mapping[str, Any],
) -> Published:
    """Links evidence, models and findings into the run folder and records how they were made.

    What the folder holds already and is still true is left alone; a file is replaced whole or not
    at all, so a reader never sees half of one.

    Raises:
        StoreError: The run folder cannot be written.
    """
    folder = study.output
    with blaming(folder):
        return _publish(study, folder, evidence, judged, missing, record)


def _publish(
    study: Study,
    folder: Path,
    evidence: Gathered | None,
    judged: Judged | None,
    missing: tuple[str, ...],
    record: Mapping[str, Any],
) -> Published:
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        "evidence": None if evidence is None else address(evidence),
        "findings": None if judged is None else address(judged),
        "models": {name: address(model) for name, model in study.models.items()},
    }
    known, before = read_manifest(folder), standing(folder)
    fresh = known.get("state") != state or not _all_there(folder, known)
    if fresh:
        (folder / MANIFEST).unlink(missing_ok=True)  # a kill from here on is seen as unfinished
        _link_population(study, folder / "population")
        if evidence is not None:
            _link_tree(study.store.folder(evidence), folder / "evidence")
        if judged is not None:
            for name in ("findings.json", "exemplars.parquet"):
                link_or_copy(study.store.folder(judged) / name, folder / name)
            bins = study.store.folder(judged) / RELIABILITY_FILE
            (folder / RELIABILITY_FILE).unlink(missing_ok=True)
            if bins.exists():  # only where there are confidences
                link_or_copy(bins, folder / RELIABILITY_FILE)
    if fresh or any(record["stages"]["made"].values()):
        written = {**record, "missing": list(missing), "machine": machine()}
        write_file(folder / "run.json", as_json(written))
    if fresh:
        _seal(folder, state, known, before)
    return Published(folder, fresh)


def read_manifest(folder: Path) -> dict[str, Any]:
    """A run folder's manifest; empty where there is none."""
    try:
        return dict(json.loads((folder / MANIFEST).read_text()))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def standing(folder: Path) -> dict[str, tuple[int, int]]:
    """File -> its number on the disk and when it was changed: whether it is written from now on."""
    return {str(path.relative_to(folder)): _stamp(path) for path in _results(folder)}


def seal(folder: Path, before: Mapping[str, tuple[int, int]] | None = None) -> Path:
    """Writes the manifest anew, after results were written into the folder.

    Args:
        folder: A run folder.
        before: What was `standing` there before they were written. A file that is the same since
            keeps the hash that the manifest has of it: hashed anew, one that somebody changed would
            pass for the original.
    """
    known = read_manifest(folder)
    return _seal(folder, known.get("state", {}), known, before or {})


def _seal(
    folder: Path,
    state: Mapping[str, Any],
    known: Mapping[str, Any],
    before: Mapping[str, tuple[int, int]],
) -> Path:
    kept = known.get("files", {}) if known.get("state") == dict(state) else {}
    files: dict[str, Any] = {}
    for path in _results(folder):
        name = str(path.relative_to(folder))
        if name in kept and before.get(name) == _stamp(path):
            files[name] = kept[name]
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files[name] = {"bytes": path.stat().st_size, "sha256": digest}
    about = {"state": dict(state), "files": files, "locks": _locks(folder, state, known)}
    return write_file(folder / MANIFEST, as_json(about))


def _results(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".tmp" and _is_the_runs(path.relative_to(folder))
    ]


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def _locks(folder: Path, state: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    """Name -> SHA-256 of the locks that were there when these results were sealed first."""
    if known.get("state") == dict(state) and "locks" in known:
        return dict(known["locks"])
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("lock*.json"))
    }


def _is_the_runs(path: Path) -> bool:
    """Whether a file is a result of the run, and not what people make of it afterwards.

    A review goes on and a dossier is made again without the run having changed; run.json tells the
    time of the last run, which may do nothing but look.
    """
    own = path.parts[0] in ("dossier", "dossier.key", "review") or path.parts[0].startswith(
        ("lock", "review.")
    )
    return not own and path.name not in (MANIFEST, "run.json")


def _all_there(folder: Path, manifest: Mapping[str, Any]) -> bool:
    files: Mapping[str, Mapping[str, int]] = manifest.get("files", {})
    sizes = {name: _size(folder / name) for name in files}
    return bool(files) and all(sizes[name] == about["bytes"] for name, about in files.items())


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _link_population(study: Study, folder: Path) -> None:
    wanted = {
        f"{name}.safetensors": study.store.folder(model) / "weights.safetensors"
        for name, model in study.models.items()
        if isinstance(model, Dense | Pruned) and study.store.done(model)
    }
    if not wanted:
        return
    folder.mkdir(exist_ok=True)
    for stale in set(os.listdir(folder)) - set(wanted):
        (folder / stale).unlink()
    for name, source in wanted.items():
        link_or_copy(source, folder / name)


def _link_tree(source: Path, target: Path) -> None:
    """Makes `target` hold exactly the files of `source`."""
    wanted = {
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    for path in list(target.rglob("*")) if target.exists() else []:
        if path.is_file() and path.relative_to(target) not in wanted:
            path.unlink()
    for path in sorted(wanted):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(source / path, target / path)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)


def machine() -> dict[str, Any]:
    """What a run was made on: platform, cores, versions."""
    versions: dict[str, str | None] = {}
    for package in VERSIONS:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "versions": versions,
    }


def as_json(value: Any) -> bytes:
    """JSON as people read it, in a fixed order."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
