"""Looks at every image once before any is changed: which can be read, their sizes and colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from audit.evidence.errors import InputError
from audit.study.progress import Watcher
from audit.study.writing.examples import Examples, Pixels, Unreadable

IntArray = NDArray[np.int64]
# Bytes of decoded images that are kept for all units; larger sets are decoded for each.
MOST_KEPT = 2**30
# Bytes, and number, of the images that are changed together.
_BATCH_BYTES, _BATCH_IMAGES = 2**24, 256


@dataclass(frozen=True)
class Survey:
    """What one look at all images tells.

    Attributes:
        images: How many can be read.
        height: Smallest and largest height in pixels.
        width: Smallest and largest width in pixels.
        channels: 1 where all are grey, else 3.
        side: Median of the shorter sides, in pixels.
        largest: Bytes of the largest image, decoded.
        total: Bytes of all of them.
        left_out: Position, name and reason of each that cannot be read.
    """

    images: int
    height: tuple[int, int]
    width: tuple[int, int]
    channels: int
    side: int
    largest: int
    total: int
    left_out: tuple[tuple[int, str, str], ...] = ()

    @property
    def one_size(self) -> bool:
        """Whether all images have the same height and width."""
        return self.height[0] == self.height[1] and self.width[0] == self.width[1]

    @property
    def unread(self) -> list[int]:
        """Positions that were left out."""
        return [position for position, _, _ in self.left_out]

    def to_dict(self) -> dict[str, Any]:
        """The survey in JSON's types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Survey:
        """The inverse of `to_dict`."""
        pairs = {key: tuple(values[key]) for key in ("height", "width")}
        left_out = tuple((int(row), str(name), str(why)) for row, name, why in values["left_out"])
        return cls(**{**values, **pairs, "left_out": left_out})


def survey(examples: Examples, unreadable: str, watch: Watcher) -> Survey:
    """Looks at every image.

    Args:
        examples: Them.
        unreadable: `fail` or `skip`.
        watch: Told of the progress.

    Raises:
        InputError: One cannot be read and `unreadable` is `fail`, or none can.
    """
    watch.stage("look", 0, len(examples))
    shapes: list[tuple[int, ...]] = []
    left_out: list[tuple[int, str, str]] = []
    for position, image in enumerate(examples.images(np.arange(len(examples), dtype=np.int64))):
        watch.advance()
        if not isinstance(image, Unreadable):
            shapes.append(image.shape if image.ndim == 3 else (*image.shape, 1))
            continue
        if unreadable == "fail":
            raise refused(image)
        left_out.append((position, image.name, image.why))
    if not shapes:
        raise InputError("Not one image can be read: give another source.")
    return _summed(np.array(shapes, dtype=np.int64), tuple(left_out))


def refused(image: Unreadable) -> InputError:
    """The error about an image that cannot be read."""
    return InputError(
        f"The image {image.name} cannot be read ({image.why}): mend or remove it, or leave such "
        "images out with --unreadable skip."
    )


def _summed(shapes: IntArray, left_out: tuple[tuple[int, str, str], ...]) -> Survey:
    channels = int(shapes[:, 2].max())
    areas = shapes[:, 0] * shapes[:, 1] * channels
    low, high = shapes.min(axis=0).tolist(), shapes.max(axis=0).tolist()
    return Survey(
        len(shapes),
        (low[0], high[0]),
        (low[1], high[1]),
        channels,
        int(median_low(shapes[:, :2].min(axis=1).tolist())),
        int(areas.max()),
        int(areas.sum()),
        left_out,
    )


def preset_picked(found: Survey) -> str:
    """Whose constants `auto` means for these images, by the median of their shorter sides."""
    return corruptions.preset_for((1, found.side, found.side, found.channels)).name


@dataclass(frozen=True, eq=False)
class Batch:
    """Images that are changed together.

    Attributes:
        start: Position of the first among those that are copied.
        images: uint8 [H, W, C], each of its own size.
        ids: Their ids.
    """

    start: int
    images: list[Pixels]
    ids: NDArray[Any]


class Gallery:
    """The readable images, batch by batch, as often as one asks; kept in memory where they fit."""

    def __init__(self, examples: Examples, found: Survey) -> None:
        self.examples, self.found = examples, found
        everything = np.arange(len(examples), dtype=np.int64)
        self.positions = np.delete(everything, found.unread)
        self.ids, self.labels = examples.ids[self.positions], examples.labels[self.positions]
        self.at_once = max(1, min(_BATCH_IMAGES, _BATCH_BYTES // found.largest))
        self._kept: list[Pixels] | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def batches(self) -> Iterator[Batch]:
        """All images in order.

        Raises:
            InputError: One that could be read before no longer can.
        """
        if self._kept is None and self.found.total <= MOST_KEPT:
            self._kept = list(self._read(self.positions))
        for start in range(0, len(self), self.at_once):
            some = slice(start, start + self.at_once)
            images = self._kept[some] if self._kept else list(self._read(self.positions[some]))
            yield Batch(start, images, self.ids[some])

    def _read(self, positions: IntArray) -> Iterator[Pixels]:
        for image in self.examples.images(positions):
            if isinstance(image, Unreadable):
                raise refused(image)
            grey = image if image.ndim == 3 else image[..., None]
            yield np.repeat(grey, 3, axis=2) if grey.shape[2] < self.found.channels else grey
