"""Encodes one image as the bytes of a file, and gives every image a file name of its own."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.study.writing.examples import Examples, Pixels
from corruptions.requantise import QUALITY

# Noise hardly compresses, and deflating harder takes longer than most corruptions do.
_PNG_LEVEL = 1
# Of a JPEG file's name; the published sets end in .JPEG, and so does what came so.
_JPEG = (".jpg", ".jpeg")


def encoded(image: Pixels, requantised: bool) -> bytes:
    """One image [H, W, C] as a PNG file, or as the JPEG file that the published sets hold."""
    file = io.BytesIO()
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    if requantised:
        picture.save(file, "JPEG", quality=QUALITY, optimize=True)
    else:
        picture.save(file, "PNG", compress_level=_PNG_LEVEL)
    return file.getvalue()


def file_names(
    examples: Examples, ids: NDArray[Any], labels: NDArray[np.int64], requantised: bool
) -> tuple[str, ...]:
    """A path for each image below its corruption's folder: class folder and file.

    Images of a folder keep their names, with another ending where the format changes; others are
    named by their ids.
    """
    folders = _distinct([_plain(name) for name in examples.classes])
    paths = []
    for one, label in zip(ids.tolist(), labels.tolist(), strict=True):
        inside = _inside(str(one), examples, label)
        paths.append(f"{folders[label]}/{_ending(inside, requantised)}")
    counts = Counter(path.casefold() for path in paths)
    # Where a.png and a.jpg would become one file, both keep their whole names.
    suffix = ".jpg" if requantised else ".png"
    return tuple(
        path
        if counts[path.casefold()] == 1
        else f"{folders[label]}/{_inside(str(one), examples, label)}-{place}{suffix}"
        for place, (path, one, label) in enumerate(
            zip(paths, ids.tolist(), labels.tolist(), strict=True)
        )
    )


def _inside(one: str, examples: Examples, label: int) -> str:
    """The name of an image below its class folder."""
    if examples.settings.source != "folder":
        return _plain(one)
    name = examples.classes[label]
    for start in (f"{examples.split}/{name}/", f"{name}/"):
        if one.startswith(start):
            return one.removeprefix(start)
    return _plain(one)


def _ending(path: str, requantised: bool) -> str:
    pure = PurePosixPath(path)
    if pure.suffix.lower() in _JPEG:
        return path if requantised else str(pure.with_suffix(".png"))
    known = pure.suffix.lower() in Image.registered_extensions()
    stem = str(pure.with_suffix("")) if known else path
    return stem + (".jpg" if requantised else ".png")


def _plain(name: str) -> str:
    """A name that every file system takes and no tool hides."""
    kept = "".join(one if one.isalnum() or one in "._- ()+" else "_" for one in name).strip()
    return f"_{kept}" if not kept or kept.startswith(".") else kept


def _distinct(names: Sequence[str]) -> list[str]:
    counts = Counter(name.casefold() for name in names)
    return [
        name if counts[name.casefold()] == 1 else f"{name}-{place}"
        for place, name in enumerate(names)
    ]
