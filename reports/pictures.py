"""Which pictures of examples a report holds: none, small ones, or those at full resolution."""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reports.originals import originals
from reports.page import Picture

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from PIL.Image import Image as Drawn

    from reports.document import Document

Embed = Literal["none", "thumbnails", "full"]
EMBEDS: tuple[Embed, ...] = ("none", "thumbnails", "full")

# Of all pictures together, before base64 adds a third.
BYTES: dict[Embed, int] = {"none": 0, "thumbnails": 400_000, "full": 6_000_000}
LONGEST_SIDE = 768  # pixels of a full picture: what a screen shows of a card that is opened

_OF_A_STUDY = "evidence/study.json"
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Pictures:
    """A picture or None for each example, and what became of those that were asked for.

    Attributes:
        found: The pictures, in the order of the examples.
        left_out: How many did not fit at all.
        gone: How many files are not where the examples table says.
        whole: How many are at full resolution; counted only where that was asked for.
        small: How many are small although full resolution was asked for.
    """

    found: tuple[Picture | None, ...]
    left_out: int = 0
    gone: int = 0
    whole: int = 0
    small: int = 0


def pictures_of(document: Document, examples: pd.Series) -> Pictures:
    """The pictures of some examples, in order, as many as the budget allows.

    One that does not fit at full resolution is shown small.
    """
    if document.embed == "none":
        return Pictures((None,) * len(examples))
    full = document.embed == "full"
    whole, gone = _whole_ones(document, examples) if full else ([None] * len(examples), 0)
    large = _within("full", [picture(data) for data in whole])
    thumbnails = [picture(value(document.examples, each, "thumbnail")) for each in examples]
    wanted = [None if one else other for one, other in zip(large, thumbnails, strict=True)]
    small = _within("thumbnails", wanted)
    return Pictures(
        found=tuple(one or other for one, other in zip(large, small, strict=True)),
        left_out=_count(wanted) - _count(small),
        gone=gone,
        whole=_count(large),
        small=_count(small) if full else 0,
    )


def _within(kind: Embed, pictures: Sequence[Picture | None]) -> list[Picture | None]:
    """The pictures, but for those that the budget of their kind has no room for."""
    kept: list[Picture | None] = []
    left = 4 * BYTES[kind] // 3  # as base64
    for each in pictures:
        fits = each is not None and len(each.uri) <= left
        kept.append(each if fits else None)
        left -= len(each.uri) if fits and each is not None else 0
    return kept


def _count(pictures: Sequence[Picture | None]) -> int:
    return sum(each is not None for each in pictures)


def picture(data: object) -> Picture | None:
    """A PNG's bytes as a data URI with its size in pixels; None if they are no PNG."""
    if not isinstance(data, bytes) or not data.startswith(_PNG) or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    uri = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return Picture(uri, width, height)


def value(examples: pd.DataFrame, example: object, column: str) -> object:
    """What the examples table says in a column; None where it says nothing."""
    if column not in examples or example not in examples.index:
        return None
    found = examples.at[example, column]
    return None if isinstance(found, float) else found  # a missing value reads NaN


def _whole_ones(document: Document, examples: pd.Series) -> tuple[list[bytes | None], int]:
    """Examples at full resolution as PNG, where there is one, and how many files are gone."""
    shown = originals(document.folder)
    found, gone = list[bytes | None](), 0
    for example in examples:
        path = value(document.examples, example, "path")
        data = _file(path, document.folder) if isinstance(path, str) else None
        gone += isinstance(path, str) and data is None
        if data is None and (pixels := shown(example)) is not None:
            data = _array(pixels)
        found.append(
            data or _never_shrunk(document, value(document.examples, example, "thumbnail"))
        )
    return found, gone


def _never_shrunk(document: Document, data: object) -> bytes | None:
    """A small picture that a study made of one as small: then it is the picture itself."""
    from audit.study.prepare import THUMBNAIL_SIDE

    ours = document.folder is not None and (document.folder / _OF_A_STUDY).is_file()
    drawn = picture(data) if ours else None
    whole = drawn is not None and max(drawn.width, drawn.height) < THUMBNAIL_SIDE
    return data if whole and isinstance(data, bytes) else None


def _file(path: str, folder: Path | None) -> bytes | None:
    """A file's picture as PNG, no larger than a screen shows; drawn anew, so nothing but pixels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open((folder or Path()) / path) as image:
            return _png(image)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def _array(pixels: NDArray[Any]) -> bytes:
    from PIL import Image

    return _png(Image.fromarray(pixels))


def _png(image: Drawn) -> bytes:
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    image.convert("L" if image.mode == "L" else "RGB").save(out, "PNG", optimize=True)
    return out.getvalue()
