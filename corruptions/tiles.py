"""Cut a batch into parts that are worked on one by one: a few images, or a strip of a large one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .images import channels_of, height_and_width, planes

# Elements (pixels × channels) of a part; more on a GPU. Half as many stay nearer to a CPU's cache,
# and yet are a tenth to a third slower, because fewer share the tables, calls and fresh pages.
PART, PART_ON_GPU = 2**20, 2**26
# Above this many elements an image is cut into strips, where its corruption allows that.
STRIP = 2**22
# Fewer than this many elements for each thread are not worth starting it.
_WORTH_A_THREAD = 2**15


# How many rows above and below it a pixel depends on, given a corruption's constants.
Reach = Callable[..., int]


def pixel_alone(*constants: float) -> int:
    """A pixel depends on no other."""
    return 0


def gaussian_rows(sigma: float) -> int:
    """The radius of a Gaussian that is cut at four sigma."""
    return int(4 * sigma + 0.5)


def disk_rows(radius: float, alias: float) -> int:
    """Half the array that a disk is drawn in."""
    return max(8, math.ceil(radius))


def path_rows(radius: float, sigma: float) -> int:
    """The length of a motion blur's path."""
    return 2 * round(radius) + 1


@dataclass(frozen=True)
class Part:
    """Some images of a batch, or a strip of one image.

    Attributes:
        images: Which images.
        channels: Which channels.
        rows: Which rows are written.
        read: Which rows are read: those, and as many around them as the corruption reaches.
        offset: How many elements of the image come before the first one, counted [C, H, W].
    """

    images: slice
    channels: slice
    rows: slice
    read: slice
    offset: int = 0

    def cut_from(self, images: NDArray[Any] | Tensor) -> Tensor:
        """The rows to read as a tensor [N, C, rows, W]; a view where that can be."""
        if isinstance(images, np.ndarray):
            some = images[self.images, self.read]
            return planes(some if some.ndim == 3 else some[..., self.channels])
        return planes(images[self.images])[:, self.channels, self.read]

    def cut_to_rows(self, changed: Tensor) -> Tensor:
        """What was made of the rows read, less those that are not written."""
        first = self.rows.start - self.read.start
        return changed[:, :, first : first + self.rows.stop - self.rows.start]


def cut(
    images: NDArray[Any] | Tensor, reach: int | None, *, per_element: bool, threads: int
) -> Iterator[Part]:
    """The parts of a batch, in order; together they write every element once.

    Args:
        images: Checked.
        reach: Rows above and below that a pixel depends on; None if it may be any.
        per_element: Whether every element is changed by draws of its own and by nothing else.
        threads: Among how many the parts will be shared out.
    """
    height, width = height_and_width(images)
    channels = channels_of(images)
    one = channels * height * width
    if on_cpu(images) and reach is not None and one > STRIP:
        for image in range(len(images)):
            yield from _strips(image, (channels, height, width), reach, per_element=per_element)
        return
    step = max(1, (PART if on_cpu(images) else PART_ON_GPU) // one)
    if threads > 1 and len(images) * one > threads * _WORTH_A_THREAD:
        step = min(step, math.ceil(len(images) / threads))
    everything = slice(0, height)
    for start in range(0, len(images), step):
        some = slice(start, min(start + step, len(images)))
        yield Part(some, slice(0, channels), everything, everything)


def _strips(
    image: int, shape: tuple[int, int, int], reach: int, *, per_element: bool
) -> Iterator[Part]:
    """Strips of rows of one image.

    Draws for every element are counted channel by channel, so that a strip of all channels would
    need draws from several places; such strips have one channel each.
    """
    channels, height, width = shape
    together = 1 if per_element else channels
    # A strip is at least as high as what is read around it, or most of the work would be twice;
    # where nothing is read around it, a low one does.
    elements = STRIP if reach else min(PART, STRIP)
    step = max(1, 2 * reach, elements // (together * width))
    for first in range(0, channels, together):
        for top in range(0, height, step):
            rows = slice(top, min(top + step, height))
            read = slice(max(0, rows.start - reach), min(height, rows.stop + reach))
            yield Part(
                slice(image, image + 1),
                slice(first, first + together),
                rows,
                read,
                (first * height + top) * width if per_element else 0,
            )


def on_cpu(images: NDArray[Any] | Tensor) -> bool:
    """Whether the images lie in the main memory."""
    return isinstance(images, np.ndarray) or images.device.type == "cpu"
