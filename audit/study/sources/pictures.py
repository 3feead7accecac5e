"""Decodes pictures into uint8 arrays: one size, grey or colour, unreadable ones named."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings
from audit.study.sources.records import Picture

MOST_NAMED = 5  # unreadable pictures that a sentence lists
_GREY_MODES = ("1", "L", "LA", "La")
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True)
class Decoded:
    """The pictures of one part.

    Attributes:
        images: uint8 arrays, [H, W] where grey and [H, W, 3] where coloured.
        kept: bool [asked for], false where a picture was unreadable.
        unreadable: Name and reason of each that was.
    """

    images: list[NDArray[np.uint8]]
    kept: NDArray[np.bool_]
    unreadable: tuple[tuple[str, str], ...]


def decode(pictures: Iterable[Picture], settings: DataSettings, key: str = "data") -> Decoded:
    """Reads pictures one after another; `key` is where in a config the settings are.

    A picture is turned as its EXIF orientation says, transparency is dropped, and 16-bit grey is
    scaled to 8 bits.

    Raises:
        InputError: One is unreadable or larger than Pillow's limit, and `unreadable` is `fail`.
    """
    images, kept, unreadable = list[NDArray[np.uint8]](), list[bool](), list[tuple[str, str]]()
    with _one_limit():
        for picture in pictures:
            try:
                images.append(_read(picture, settings))
                kept.append(True)
            except _Unreadable as error:
                if settings.unreadable == "fail":
                    raise InputError(
                        f"The image {picture.name} cannot be read ({error}): mend or remove it, or "
                        f"set {key}.unreadable to skip."
                    ) from error
                kept.append(False)
                unreadable.append((picture.name, str(error)))
    return Decoded(images, np.array(kept, dtype=bool), tuple(unreadable))


def skipped(unreadable: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The note on pictures that were left out; none where all were read."""
    names = [name for name, _ in unreadable]
    if not names:
        return ()
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    count = "1 image was" if len(names) == 1 else f"{len(names)} images were"
    return (f"{count} unreadable and left out: {', '.join(names[:MOST_NAMED])}{more}.",)


def stack(
    parts: dict[str, list[NDArray[np.uint8]]],
    settings: DataSettings,
    shape: tuple[int, ...] | None = None,
) -> dict[str, NDArray[np.uint8]]:
    """Joins the images of each part, with one size and one number of channels for all parts.

    Args:
        parts: Images by part; the lists are emptied, so that memory holds them once.
        settings: May ask for grey or colour.
        shape: (H, W, C) that they must have; None where this data set decides.

    Returns:
        uint8 [N, H, W, C] by part.

    Raises:
        InputError: Sizes differ.
    """
    everything = [(name, image) for name, images in parts.items() for image in images]
    if not everything:
        return {name: np.empty((0, *(shape or (1, 1, 1))), np.uint8) for name in parts}
    height, width = shape[:2] if shape is not None else everything[0][1].shape[:2]
    channels = (
        shape[2]
        if shape is not None and settings.mode is None
        else _channels(settings, (image for _, image in everything))
    )
    for name, image in everything:
        if image.shape[:2] != (height, width):
            other = "the trained models' images are" if shape is not None else "the first one is"
            raise InputError(
                f"An image of the {name} part is {_size(image)} and {other} {height}×{width} "
                "pixels: set data.image_size."
            )
    del everything
    return {name: _join(images, height, width, channels) for name, images in parts.items()}


def from_bytes(name: str, content: bytes) -> Picture:
    """A picture in memory."""
    return Picture(name, lambda: Image.open(io.BytesIO(content)))


def from_file(path: Path, name: str | None = None) -> Picture:
    """A picture in a file."""
    return Picture(name or path.name, lambda: Image.open(path))


class _Unreadable(Exception):
    """Why a picture cannot be used."""


@contextmanager
def _one_limit() -> Iterator[None]:
    """Pillow warns of a bomb up to twice its limit and refuses beyond: here it refuses at once."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")  # on metadata; nobody can act on it
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _read(picture: Picture, settings: DataSettings) -> NDArray[np.uint8]:
    try:
        with picture.open() as image:
            return _to_array(image, settings)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _Unreadable(
            f"it has more than the {Image.MAX_IMAGE_PIXELS:,} pixels that Pillow takes for safe"
        ) from error
    except UnidentifiedImageError as error:
        raise _Unreadable("it is in no image format that Pillow knows") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _Unreadable(str(error)) from error


def _to_array(image: Image.Image, settings: DataSettings) -> NDArray[np.uint8]:
    if image.mode in _DEEP_MODES:
        # Pillow's own conversion clips 16 bits at 255 instead of scaling them.
        deep = np.asarray(image, dtype=np.float64)
        image = Image.fromarray(np.rint(deep / 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise _Unreadable(f"its mode {image.mode} has no fixed range to scale to 8 bits")
    image.load()
    image = ImageOps.exif_transpose(image)
    grey = settings.mode == "grey" or (settings.mode is None and image.mode in _GREY_MODES)
    mode = "L" if grey else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    if settings.image_size is not None:
        size = settings.image_size
        height, width = (size, size) if isinstance(size, int) else size
        image = _cover(image, height, width)
    return np.asarray(image, dtype=np.uint8)


def _cover(image: Image.Image, height: int, width: int) -> Image.Image:
    """Scales until the frame is covered, then crops the centre: nothing is stretched."""
    scale = max(height / image.height, width / image.width)
    if scale != 1.0:
        scaled = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _channels(settings: DataSettings, images: Iterable[NDArray[np.uint8]]) -> int:
    if settings.mode is not None:
        return 1 if settings.mode == "grey" else 3
    return 3 if any(image.ndim == 3 for image in images) else 1


def _join(
    images: list[NDArray[np.uint8]], height: int, width: int, channels: int
) -> NDArray[np.uint8]:
    joined = np.empty((len(images), height, width, channels), dtype=np.uint8)
    images.reverse()
    for position in range(len(joined)):
        image: NDArray[Any] = images.pop()
        if channels == 1 and image.ndim == 3:
            image = np.asarray(Image.fromarray(image).convert("L"))
        joined[position] = image if image.ndim == 3 else image[..., None]
    return joined


def _size(image: NDArray[np.uint8]) -> str:
    return f"{image.shape[0]}×{image.shape[1]}"
