"""Reads an image folder: one subfolder per class, below split folders where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.places import existing
from audit.study.sources.pictures import from_file
from audit.study.sources.records import Holdings, IntArray, Picture, Records

SUFFIXES = (*(".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),)


def read_folder(settings: DataSettings, base: Path, scratch: Path) -> Holdings:
    """The images below a folder, by split and class; an image's path is its id.

    The folder has splits where one of `data.splits` names a subfolder of it; otherwise its
    subfolders are classes, and it is one split.

    Raises:
        InputError: It is no folder, holds no images, or a split has a class folder that the
            training split lacks and `classes` does not list.
    """
    del scratch
    root = existing(str(settings.path), base)
    if not root.is_dir():
        raise InputError(f"{root} is a file, and the source 'folder' reads folders: give one.")
    names = settings.splits
    wanted = [name for name in (names.train, names.validation, names.test) if name is not None]
    has_splits = any((root / name).is_dir() for name in wanted)
    splits = {folder.name: folder for folder in _folders(root)} if has_splits else {"all": root}
    classes = {name: [one.name for one in _folders(folder)] for name, folder in splits.items()}
    used = [name for name in splits if name in wanted or not has_splits]
    _check_class_maps({name: classes[name] for name in used}, settings)
    found = {name: _files(splits[name], classes[name]) for name in used}
    records = {name: _records(root, files) for name, (files, _) in found.items()}
    listed = sorted({one for name in used for one in classes[name]})
    if not any(len(one) for one in records.values()):
        raise InputError(
            f"{root} holds no images in class folders (looked for {', '.join(SUFFIXES)}): "
            "put each image in a folder named after its class."
        )
    return Holdings(records, "label", tuple(listed), _other_files(found))


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and one.name[0] not in "._")


def _check_class_maps(classes: dict[str, list[str]], settings: DataSettings) -> None:
    """A class folder that only a test has is a misspelling far more often than a class."""
    train = classes.get(settings.splits.train or "")
    if train is None or settings.classes is not None:
        return
    for split, names in classes.items():
        for name in names:
            if name not in train:
                raise InputError(
                    f"{split} has a class folder {name!r} that {settings.splits.train} lacks "
                    f"({hint(name, train)}) Rename it, or list the names under data.classes."
                )


def _files(folder: Path, classes: list[str]) -> tuple[list[tuple[str, Path]], list[Path]]:
    """(class, image) pairs sorted by path, and the files that are no images by their name."""
    images, others = [], []
    for name in classes:
        for path in sorted(one for one in (folder / name).rglob("*") if one.is_file()):
            if path.suffix.lower() in SUFFIXES:
                images.append((name, path))
            elif not path.name.startswith("."):
                others.append(path)
    return images, others


def _records(root: Path, files: list[tuple[str, Path]]) -> Records:
    names = [path.relative_to(root).as_posix() for _, path in files]
    columns = pd.DataFrame({"label": pd.Series([label for label, _ in files], dtype=object)})
    return Records(
        columns,
        pictures=partial(_pictures, [path for _, path in files], names),
        ids=np.array(names, dtype=str),
    )


def _pictures(paths: list[Path], names: list[str], rows: IntArray) -> Iterator[Picture]:
    for row in rows.tolist():
        yield from_file(paths[row], names[row])


def _other_files(found: dict[str, tuple[list[tuple[str, Path]], list[Path]]]) -> tuple[str, ...]:
    others = [path for _, paths in found.values() for path in paths]
    if not others:
        return ()
    count = "1 file is" if len(others) == 1 else f"{len(others)} files are"
    return (f"{count} no image by name and left out, for example {others[0].name}.",)
