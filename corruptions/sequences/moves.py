"""Frames in which the picture moves: translation, rotation, tilt, scale, shear, zoom blur.

Every function takes (images [N, C, H, W], draws, frames, *constants) and yields so many batches of
images like the ones given: uint8, or float32 grey levels. Nothing is drawn. The centre stays where
it is and outside the image is black. ImageNet-P moved the picture before it cut out its centre,
so that some of what was around came in; here only what is given is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..exact import Floats, PixelMap, apportion, bilinear, gathered, grey_levels, pixel_map
from ..geometry import Affine, rotation
from .steps import Draws, Frames

# Pixels of a band of rows, as the map to it has some 100 bytes for each while it is made. Maps of a
# whole image are kept for the next batch, one for each frame.
_BAND, _KEPT = 2**17, 32
_HALF = 0.499  # with the thousandth that `grey_levels` adds


@dataclass(frozen=True)
class Flat:
    """An affine map about the centre, as Pillow samples it.

    Attributes:
        affine: Where pixels come from.
        fades: Whether a pixel at the rim is blended with the black outside; else it has its own
            colour up to the rim.
    """

    affine: Affine
    fades: bool = False

    def places(self, height: int, width: int, rows: slice) -> tuple[Floats, Floats]:
        """Source row and column, each [P], of every pixel of some rows of the result."""
        middle_y, middle_x, of = (height - 1) / 2, (width - 1) / 2, self.affine
        y, x = _grid(rows, width)
        y, x = y - middle_y, x - middle_x
        return (
            middle_y + of.row_y * y + of.row_x * x - of.down,
            middle_x + of.column_y * y + of.column_x * x - of.right,
        )


@dataclass(frozen=True)
class Tilted:
    """The picture turned out of its plane about both axes, as OpenCV samples it.

    The eye is as far away as the picture's diagonal is long. The axes cross at (height / 2,
    width / 2), half a pixel from the centre, as published. OpenCV then put every pixel to a 32nd
    part of one; here they are where they belong.
    """

    degrees: float
    fades: bool = True

    def places(self, height: int, width: int, rows: slice) -> tuple[Floats, Floats]:
        """As of `Flat`."""
        y, x = _grid(rows, width)
        there = np.linalg.inv(_perspective(np.deg2rad(self.degrees), height, width))
        column, row, depth = there @ np.stack([x, y, np.ones_like(x)])
        return np.asarray(row / depth), np.asarray(column / depth)


Source = Flat | Tilted


def _grid(rows: slice, width: int) -> tuple[Floats, Floats]:
    steps = np.arange(rows.start, rows.stop, dtype=np.float64), np.arange(width, dtype=np.float64)
    y, x = np.meshgrid(*steps, indexing="ij")
    return y.ravel(), x.ravel()


def _perspective(turn: float, height: int, width: int) -> Floats:
    """From (x, y, 1) in the picture to where it is seen, [3, 3], up to a factor."""
    cosine, sine = np.cos(turn), np.sin(turn)
    away = np.hypot(height, width)
    centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    about_y = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    about_x = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    turned = about_x @ about_y @ centred
    turned[2, 2] += away
    seen = np.array([[away, 0, width / 2], [0, away, height / 2], [0, 0, 1]])
    return np.asarray(seen @ turned)


def translate(images: Tensor, draws: Draws, frames: int, start: float) -> Frames:
    """To the right by `start` pixels, and one more each frame; negative ones are to the left."""
    for frame in range(frames):
        right, width = round(start) + frame, images.shape[3]
        moved = torch.zeros_like(images)
        if abs(right) < width:
            left = max(0, -right)
            visible = images[..., left : width - max(0, right)]
            moved[..., max(0, right) : width - left] = visible
        yield moved


def rotate(images: Tensor, draws: Draws, frames: int, start: float) -> Frames:
    """Turned clockwise by `start` degrees, and one more each frame."""
    for frame in range(frames):
        yield sampled(images, Flat(rotation(start + frame)))


def tilt(images: Tensor, draws: Draws, frames: int, step: float) -> Frames:
    """Turned out of the plane about both axes, from 15 steps (degrees) one way to the other."""
    for frame in range(frames):
        yield sampled(images, Tilted(step * (frame - frames // 2)))


def scale(images: Tensor, draws: Draws, frames: int, start: float, step: float) -> Frames:
    """Shown `start` per cent as large, and `step` more each frame."""
    for frame in range(frames):
        yield sampled(images, _enlarged((start + step * frame) / 100))


def shear(images: Tensor, draws: Draws, frames: int, start: float) -> Frames:
    """The vertical axis turned by `start` degrees, and one more each frame; it keeps its length."""
    for frame in range(frames):
        turn = np.deg2rad(start + frame)
        leaning = Affine(row_y=float(1 / np.cos(turn)), column_y=float(np.tan(turn)))
        yield sampled(images, Flat(leaning))


def zoom_blur(images: Tensor, draws: Draws, frames: int, step: float) -> Frames:
    """The images, then the mean of them and of all enlargements up to now, each `step` larger."""
    total = images.to(torch.float32, copy=True)
    yield images.clone()
    for frame in range(1, frames):
        total.add_(sampled(images, _enlarged(1 + step * frame)))
        yield grey_levels(total / (frame + 1), images.dtype)


def _enlarged(factor: float) -> Flat:
    return Flat(Affine(row_y=1 / factor, column_x=1 / factor))


def sampled(images: Tensor, source: Source) -> Tensor:
    """The images as they look from elsewhere, interpolated bilinearly; black from outside.

    Bytes are truncated, as Pillow does, or rounded where the rim fades, as OpenCV does.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        source: Where pixels come from.
    """
    height, width = images.shape[2:]
    rounded = source.fades and images.dtype == torch.uint8
    if height * width <= _BAND:
        change = _whole_map(height, width, source)
        if not rounded:
            return change.levels(images).view(images.shape)
        return grey_levels(change.apply(images).add_(_HALF)).view(images.shape)
    result, step = torch.empty_like(images), max(1, _BAND // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        band = gathered(images.flatten(2), *_neighbours(height, width, source, rows))
        if rounded:
            band.add_(_HALF)
        result[:, :, rows] = grey_levels(band, images.dtype).view(result[:, :, rows].shape)
    return result


@lru_cache(maxsize=_KEPT)
def _whole_map(height: int, width: int, source: Source) -> PixelMap:
    return pixel_map(*_neighbours(height, width, source, slice(0, height)))


def _neighbours(
    height: int, width: int, source: Source, rows: slice
) -> tuple[NDArray[np.int64], Floats]:
    """Of each pixel of some rows, the four that it is made of [P, 4] and their exact weights."""
    y, x = source.places(height, width, rows)
    outside = np.zeros(len(y), np.bool_)
    if not source.fades:
        # A pixel is the square around its middle, and has its colour up to the rim of the picture.
        for places, size in ((y, height), (x, width)):
            outside |= (places < -0.5) | (places >= size - 0.5)
        y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    indices, weights = bilinear(y, x, height, width)
    weights[outside] = 0
    return indices, apportion(weights)
