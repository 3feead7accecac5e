"""The store: a result is a folder named by its recipe, and it is whole or absent.

A folder is built as scratch beside its target, its files are flushed to disk, its manifest is
written last, and one rename publishes it. Whatever kills a process in between leaves scratch, which
nobody mistakes for a result and the next one to ask clears away. The rename itself is not flushed:
losing it in a power cut loses the whole folder, which is then asked for again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.evidence.address import address_of, as_json, canonical_json
from audit.evidence.errors import StoreError
from audit.evidence.files import (
    blaming,
    clear_leftovers,
    flush,
    flush_folder,
    link_or_copy,
    owner_is_gone,
    remove,
    scratch_path,
    store_error,
    write_file,
)

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Store:
    """A folder of results, each in a folder named by its recipe's address.

    Attributes:
        root: The folder; made when the first result is.
    """

    root: Path

    def folder(self, recipe: object) -> Path:
        """Where the result of `recipe` is, or will be."""
        return self.root / address_of(type(recipe), canonical_json(recipe))

    def done(self, recipe: object) -> bool:
        """Tells whether the result of `recipe` is there: done means that the manifest is there.

        Raises:
            StoreError: The manifest is broken or was written for another recipe.
        """
        text = canonical_json(recipe)
        return _done(self.root / address_of(type(recipe), text), text)

    def make(self, recipe: object, build: Callable[[Path], object]) -> Path:
        """Returns the folder of `recipe`, building it first if it is not there.

        Args:
            recipe: What the result depends on.
            build: Fills the empty folder it is given. Whatever it raises leaves nothing behind.

        Raises:
            StoreError: The store cannot be written, or what it holds disagrees with `recipe`.
        """
        text = canonical_json(recipe)
        target = self.root / address_of(type(recipe), text)
        if _done(target, text):
            return target
        scratch = scratch_path(target)
        try:
            with blaming(self.root):
                clear_leftovers(target)
                scratch.mkdir(parents=True)
                build(scratch)
                seal(scratch, target.name, text)
                published = publish(scratch, target)
        except BaseException:
            remove(scratch)
            raise
        if not published:
            remove(scratch)
            if not _done(target, text):
                raise StoreError(
                    f"{target} is in the way: it holds files but no {MANIFEST}; "
                    "move it away and run again."
                )
        return target

    def verify(self, recipe: object, contents: bool = False) -> None:
        """Checks that the files of a result are those its manifest lists.

        Args:
            recipe: The recipe of a result that is done.
            contents: Also compare SHA-256 sums, which reads every byte.

        Raises:
            StoreError: The result is absent, or a file is missing or is not what was written.
        """
        folder = self.folder(recipe)
        if not self.done(recipe):
            raise StoreError(f"{folder} is not there: run again to make it.")
        for name, expected in _manifest(folder).files.items():
            problem = _difference(folder / name, expected, contents)
            if problem:
                raise StoreError(f"{folder / name} {problem}: delete {folder} and run again.")

    def sweep(self) -> int:
        """Removes the scratch that dead processes of this machine left; returns how many folders.

        Raises:
            StoreError: The store cannot be read.
        """
        if not self.root.is_dir():
            return 0
        with blaming(self.root):
            gone = [path for path in self.root.iterdir() if owner_is_gone(path.name)]
            for path in gone:
                remove(path)
        return len(gone)


def publish(scratch: Path, target: Path) -> bool:
    """Makes a finished folder visible under its name: create-if-absent, in one step.

    Args:
        scratch: The finished folder, on the same file system as `target`.
        target: Its final name.

    Returns:
        True when `scratch` became `target`; False when a twin was there first and nothing changed.

    Raises:
        OSError: The file system refuses for another reason.
    """
    try:
        os.rename(scratch, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def seal(scratch: Path, address: str, recipe_json: str) -> None:
    """Flushes every file of `scratch` to disk and then writes its manifest.

    Args:
        scratch: A folder that holds a whole result.
        address: The result's address.
        recipe_json: Canonical JSON of the result's recipe.

    Raises:
        OSError: A file cannot be read, written or flushed.
    """
    listed: dict[str, dict[str, Any]] = {}
    folders = [scratch]
    for path in sorted(scratch.rglob("*")):
        if path.is_dir():
            folders.append(path)
        else:
            listed[path.relative_to(scratch).as_posix()] = _fingerprint(path)
    recipe = json.loads(recipe_json)
    text = as_json({"recipe": recipe, "address": address, "files": listed})
    with open(scratch / MANIFEST, "wb") as file:
        file.write(text.encode())
        flush(file)
    for folder in reversed(folders):
        flush_folder(folder)


def _fingerprint(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": file.tell(), "sha256": digest}


def _difference(path: Path, expected: dict[str, Any], contents: bool) -> str | None:
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != expected["bytes"]:
        return f"has {size} bytes instead of {expected['bytes']}"
    if contents:
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected["sha256"]:
                return "was changed after it was made"
    return None


@dataclass(frozen=True)
class Manifest:
    """What a result's manifest says: its recipe, and the bytes and SHA-256 of each file."""

    recipe_json: str
    files: dict[str, dict[str, Any]]


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_bytes())
        return Manifest(as_json(found["recipe"]), dict(found["files"]))
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is not a manifest: delete {folder} and run again.") from error


def _done(folder: Path, recipe_json: str) -> bool:
    try:
        manifest = _manifest(folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise store_error(folder, error) from error
    if manifest.recipe_json != recipe_json:
        raise StoreError(
            f"{folder / MANIFEST} was written for another recipe than the one asked for: "
            f"delete {folder} and run again."
        )
    return True


__all__ = ["MANIFEST", "Store", "link_or_copy", "publish", "seal", "write_file"]
