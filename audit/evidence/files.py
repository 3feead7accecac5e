"""Writes one file whole or not at all, and knows scratch that dead processes left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from audit.evidence.errors import StoreError

# Several machines may share one store, and a process number means something on one of them only.
MACHINE = sha256(socket.gethostname().encode()).hexdigest()[:8]
SCRATCH = re.compile(r"\.scratch-(?P<machine>[0-9a-f]{8})-(?P<pid>[0-9]+)-[0-9a-f]{8}$")
ADVICE = {
    errno.ENOSPC: "free some space there, or choose another folder",
    errno.EDQUOT: "free some of your quota there, or choose another folder",
    errno.EROFS: "it is read-only, so choose another folder",
    errno.EACCES: "allow writing there, or choose another folder",
    errno.EPERM: "allow writing there, or choose another folder",
    errno.ENOTDIR: "part of this path is a file, so choose another folder",
    errno.ENAMETOOLONG: "give the model or the condition a shorter name",
}
CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)


def write_file(path: Path, data: bytes) -> Path:
    """Puts `data` in the place of `path` in one step; a reader sees the old file or the new one.

    Args:
        path: The file; folders above it are made.
        data: What it is to hold.

    Returns:
        `path`.

    Raises:
        StoreError: It cannot be written; whatever was there before still is.
    """

    def fill(scratch: Path) -> None:
        with open(scratch, "wb") as file:
            file.write(data)
            flush(file)

    return _replace(path, fill)


def link_or_copy(source: Path, target: Path) -> Path:
    """Gives `target` the contents of `source`, as a hard link where the file system allows one.

    A linked file is one file with two names: replace it with `write_file`, never write into it.

    Args:
        source: An existing file.
        target: The file to make or to replace; folders above it are made.

    Returns:
        `target`.

    Raises:
        StoreError: `source` cannot be read or `target` cannot be written.
    """
    if target.exists() and target.samefile(source):
        return target

    def fill(scratch: Path) -> None:
        try:
            os.link(source, scratch)
        except OSError as error:
            if error.errno not in CANNOT_LINK:
                raise
            shutil.copyfile(source, scratch)
            with open(scratch, "rb+") as file:
                flush(file)

    return _replace(target, fill)


def scratch_path(target: Path) -> Path:
    """A name beside `target` that nobody else uses, and that tells whose it is."""
    return target.with_name(f"{target.name}.scratch-{MACHINE}-{os.getpid()}-{secrets.token_hex(4)}")


def clear_leftovers(target: Path) -> None:
    """Removes scratch of `target` whose process is dead."""
    prefix = f"{target.name}.scratch-"
    with contextlib.suppress(FileNotFoundError), os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and owner_is_gone(entry.name):
                remove(Path(entry.path))


def owner_is_gone(name: str) -> bool:
    """Tells whether `name` is scratch of a process of this machine that no longer runs."""
    found = SCRATCH.search(name)
    if found is None or found["machine"] != MACHINE or os.name != "posix":
        return False
    try:
        os.kill(int(found["pid"]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def remove(path: Path) -> None:
    """Removes a scratch file or folder if it can; somebody else may be removing it too."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def flush(file: IO[Any]) -> None:
    """Makes sure that what was written to an open file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Makes sure that the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def store_error(path: Path, error: OSError) -> StoreError:
    """Says what the operating system refused, where, and what to do about it."""
    place = SCRATCH.sub("", str(error.filename or path))
    cause = (error.strerror or str(error)).lower() or type(error).__name__
    advice = ADVICE.get(error.errno or 0, "check the disk, or choose another folder")
    return StoreError(f"{place} cannot be written or read ({cause}): {advice}.")


@contextlib.contextmanager
def blaming(path: Path) -> Iterator[None]:
    """Turns what the operating system refuses at or below `path` into a StoreError.

    An error about a file elsewhere (an input that is missing, a picture that cannot be decoded) is
    none of the store's business and passes through.
    """
    try:
        yield
    except OSError as error:
        elsewhere = error.filename is not None and not _is_about(error.filename, path)
        if elsewhere or error.errno is None:
            raise
        raise store_error(path, error) from error


def _is_about(name: object, folder: Path) -> bool:
    """Tells whether `name` is in `folder`, or is a folder above it that could not be made."""
    if not isinstance(name, str | os.PathLike):
        return True  # an open file's number: it is the store that keeps files open
    place, folder = Path(name).absolute(), folder.absolute()
    return place.is_relative_to(folder) or folder.is_relative_to(place)


def _replace(target: Path, fill: Callable[[Path], None]) -> Path:
    scratch = scratch_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(target)
        fill(scratch)
        os.replace(scratch, target)
    except OSError as error:
        raise store_error(target, error) from error
    finally:
        remove(scratch)
    return target
