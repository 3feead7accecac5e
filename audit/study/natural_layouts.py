"""Tells by its files what a natural shift on disk is, so that it needs no settings of its own."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audit.study.data_settings import DataSettings
from audit.study.places import located

Kind = Literal["arrays", "numbers", "wordnet", "objectnet", "folders"]

# CIFAR-10.1 as its authors give it: the images in one file, and the labels in another.
ARRAYS = re.compile(r"cifar10\.1_(v[46])_data\.npy")
_WORDNET = re.compile(r"n\d{8}")
# What a bare path may be read by although `data` names another reader.
_ELSEWHERE = ("torchvision", "datasets", "digits")
_KEPT = ("limit", "split_seed", "unreadable", "image_size", "mode")

SAID = {
    "arrays": "Recognised as CIFAR-10.1 by its file names",
    "numbers": "Its class folders are numbers, as those of ImageNet-V2 are",
    "wordnet": "Its class folders are WordNet ids, as those of ImageNet-A and -R are",
    "objectnet": "Its folders are those of ObjectNet",
    "folders": "",
}


@dataclass(frozen=True)
class Natural:
    """A folder of another data set.

    Attributes:
        kind: What it was recognised as; `folders` for class folders of any other name.
        root: Where its class folders, or its arrays, are.
        images: The array of images, where there is one; beside it are the labels.
    """

    kind: Kind
    root: Path
    images: Path | None = None

    @property
    def names(self) -> list[str]:
        """Names of the folders in it."""
        return _folders(self.root)

    @property
    def labels(self) -> Path | None:
        """The labels of the array."""
        one = self.images
        return None if one is None else one.with_name(one.name.replace("_data", "_labels"))


def natural_layout(path: Path, splits: Collection[str] = ()) -> Natural | None:
    """What lies at a path; None where it is no folder and no array that is known.

    Args:
        path: A folder, also one around the folder that matters, or CIFAR-10.1's array of images.
        splits: Names of folders that hold class folders of their own.
    """
    if path.is_file():
        return Natural("arrays", path.parent, path) if ARRAYS.fullmatch(path.name) else None
    if not path.is_dir():
        return None
    root = path
    while True:
        arrays = [one for one in root.glob("*.npy") if ARRAYS.fullmatch(one.name)]
        if arrays:
            return Natural("arrays", root, max(arrays))  # v6 before v4
        names = _folders(root)
        if set(names) & set(splits):
            return Natural("folders", root)
        if "images" in names and "mappings" in names:
            return Natural("objectnet", root / "images")
        if len(names) != 1 or not _around(root / names[0]):
            return Natural(_kind(names), root)
        root = root / names[0]


def read_elsewhere(data: DataSettings, path: str, base: Path) -> DataSettings | None:
    """The section that reads a bare path where `data` is from elsewhere; None to read it alike.

    A torchvision set or a hub's is no folder of class folders: what is recognised by its files is
    read as one.
    """
    if data.reader not in _ELSEWHERE or data.kind == "text":
        return None
    found = natural_layout(located(path, base))
    if found is None or found.kind == "folders":
        return None
    kept = {key: getattr(data, key) for key in _KEPT if key in data.model_fields_set}
    return DataSettings(source="folder", path=path, **kept)


def _kind(names: list[str]) -> Kind:
    if names and all(one.isascii() and one.isdigit() and str(int(one)) == one for one in names):
        return "numbers"
    return "wordnet" if names and all(map(_WORDNET.fullmatch, names)) else "folders"


def _folders(root: Path) -> list[str]:
    return sorted(one.name for one in root.iterdir() if one.is_dir() and one.name[0] not in "._")


def _around(folder: Path) -> bool:
    """Whether a folder holds nothing but folders, or the arrays: then it is no class."""
    inside = [one for one in folder.iterdir() if one.name[0] not in "._"]
    return any(one.is_dir() for one in inside) or any(ARRAYS.fullmatch(one.name) for one in inside)
