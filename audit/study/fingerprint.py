"""Names what a data section or a checkpoint holds, by content, so that a changed file is noticed.

Torch-free and quick: it runs at the start of every command, also when nothing is left to do.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from audit.evidence.errors import InputError, MissingExtra
from audit.evidence.imports import source_file
from audit.study.data_settings import DataSettings
from audit.study.places import existing, on_hub

# Raised when the same settings and files are read into other arrays than before.
REVISION = 1
# Above this many bytes a folder's files are told apart by name, size and time of change.
LARGEST_READ = 8 * 1024**3

# Endings of the files that `corruptions.frost_bank` reads.
PHOTOGRAPHS = (".png", ".jpg", ".jpeg")

# Where torchvision keeps a data set below its root, which other data sets may share.
TORCHVISION_FOLDERS = {
    "CIFAR10": "cifar-10-batches-py",
    "CIFAR100": "cifar-100-python",
    "EMNIST": "EMNIST",
    "FashionMNIST": "FashionMNIST",
    "KMNIST": "KMNIST",
    "MNIST": "MNIST",
    "QMNIST": "QMNIST",
}

# `location` of an ONNX tensor kept in another file: a StringStringEntryProto, key then value.
_ONNX_LOCATION = re.compile(rb"\x0a\x08location\x12(.)", re.DOTALL)


def fingerprint(settings: DataSettings, base: Path) -> str:
    """SHA-256 over what a data section asks for and what it would read.

    Settings count where they differ from their defaults, and `path` counts by content, so that a
    moved folder keeps its results. `labels` count nothing: no array is made of them. A hub's data
    set counts by name, configuration and arguments (give `revision` there to pin it); the code of a
    `module:function` by the file it is in, and what it reads by `data.path`.

    Args:
        settings: The data section.
        base: Folder of the config file.

    Returns:
        64 hexadecimal digits.

    Raises:
        InputError: A file, folder or module that the settings name is not there.
    """
    digest = hashlib.sha256(f"prune-audit data {REVISION}\n".encode())
    stated = settings.model_dump(mode="json", exclude_defaults=True, exclude={"path", "labels"})
    digest.update(json.dumps(stated, sort_keys=True, default=str).encode())
    for file in _code(settings, base):
        digest.update(b"\ncode ")
        _add_file(digest, file)
    if settings.source == "digits":
        # Unpacked, since packing again would change the file and not the digits.
        digest.update(gzip.decompress(_shipped_digits().read_bytes()))
    if settings.source == "torchvision":
        digest.update(_version("torchvision").encode())
    if settings.path is not None:
        _add_path(digest, settings, base)
    return digest.hexdigest()


def checkpoint_files(path: Path) -> tuple[Path, ...]:
    """A checkpoint and the files that hold its weights where it keeps them apart (ONNX does).

    Raises:
        InputError: One of them is not there.
    """
    if not path.is_file():
        raise InputError(f"There is no checkpoint {path}: mend its path in the config.")
    if path.suffix.lower() != ".onnx":
        return (path,)
    content = path.read_bytes()
    names = {
        content[match.end() : match.end() + match.group(1)[0]].decode("utf-8", "replace")
        for match in _ONNX_LOCATION.finditer(content)
    }
    files = tuple(path.parent / name for name in sorted(names))
    for file in files:
        if not file.is_file():
            raise InputError(
                f"{path} keeps its weights in {file.name}, which is not beside it: copy it there."
            )
    return (path, *files)


def checkpoint_fingerprint(path: Path) -> str:
    """SHA-256 over a checkpoint's content, weights kept in other files included.

    Raises:
        InputError: It is not there.
    """
    digest = hashlib.sha256()
    for file in checkpoint_files(path):
        _add_file(digest, file)
    return digest.hexdigest()


def photographs_fingerprint(folder: Path) -> str:
    """SHA-256 over the pictures in a folder, by name and content.

    Raises:
        InputError: There is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} of photographs: mend shifts.frost.")
    files = sorted(one for one in folder.iterdir() if one.suffix.lower() in PHOTOGRAPHS)
    if not files:
        raise InputError(
            f"{folder} has no photographs ({', '.join(PHOTOGRAPHS)}): mend shifts.frost."
        )
    digest = hashlib.sha256()
    for file in files:
        digest.update(b"\nfile " + file.name.encode() + b"\n")
        _add_file(digest, file)
    return digest.hexdigest()


def _code(settings: DataSettings, base: Path) -> Iterator[Path]:
    """Files of the functions that read the data and measure groups."""
    if settings.reader == "module:function":
        yield source_file(settings.source, base)
    for group in settings.groups:
        if isinstance(group, str) and ":" in group:
            try:
                yield source_file(group, base)
            except InputError:
                continue  # a column may have a colon in its name; reading says if it is neither


def _add_path(digest: hashlib._Hash, settings: DataSettings, base: Path) -> None:
    path = str(settings.path)
    if settings.source == "datasets" and on_hub(path, base):
        digest.update(b"\nhub " + path.encode())
        return
    root = existing(path, base)
    if settings.source == "torchvision":
        root = root / TORCHVISION_FOLDERS.get(str(settings.name), "")
        if not root.exists():  # nothing yet: reading will say so, or download it
            return
    if root.is_file():
        # The name counts: `datasets` reads the split from it.
        digest.update(b"\nfile " + root.name.encode() + b"\n")
        _add_file(digest, root)
        return
    files = sorted(_files(root), key=lambda file: file.relative_to(root).as_posix())
    large = sum(file.stat().st_size for file in files) > LARGEST_READ
    for file in files:
        digest.update(b"\nfile " + file.relative_to(root).as_posix().encode() + b"\n")
        if large:
            state = file.stat()
            digest.update(f"{state.st_size} {state.st_mtime_ns}".encode())
        else:
            _add_file(digest, file)


def _files(root: Path) -> Iterable[Path]:
    for path in root.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and "__pycache__" not in path.parts and path.is_file():
            yield path


def _add_file(digest: hashlib._Hash, path: Path) -> None:
    try:
        with path.open("rb") as stream:
            # Hashed apart first, so that bytes cannot move from one file to the next unnoticed.
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}): mend its permissions.") from error


def _shipped_digits() -> Path:
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("scikit-learn", "torch", "The digits data set")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtra(package, "torch", "This data source") from error
