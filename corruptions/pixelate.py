"""Fewer, larger pixels: Pillow's BOX filter down, bit for bit on 8 bits, and every pixel repeated.

`pixelate` takes (images [N, C, H, W], stream, fraction): uint8, or float32 levels in 0..255, any
number of channels. It draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream

Levels = NDArray[np.uint8]

_WEIGHT_BITS = 22  # of Pillow's fixed-point weights
_LEVEL_BITS = 20  # of a float's fraction: sums of many pixels then stay exact in float64


def pixelate(images: Tensor, stream: Stream, fraction: float) -> Tensor:
    """Shrink to `fraction` of each side, a pixel being the mean of its box, then repeat pixels.

    8-bit images are rounded after each axis, halves up, as Pillow does. Floats are not rounded
    (but to 2^−20 of a level).
    """
    height, width = images.shape[2:]
    down, across = (_axis(size, max(1, int(size * fraction))) for size in (height, width))
    if images.dtype != torch.uint8:
        small = _means(images, down, across)
    elif images.device.type == "cpu" and images.numel():
        return _pixelated(images, down, across)
    else:
        small = _rounded_means(images, down, across)
    rows, columns = (torch.tensor(axis.repeat, device=images.device) for axis in (down, across))
    return small.index_select(2, rows).index_select(3, columns)


@dataclass(frozen=True)
class Axis:
    """One side of an image cut into boxes; read-only arrays.

    Attributes:
        first: int64 [small], the first pixel of each box.
        count: int64 [small], how many pixels are in it.
        weight: uint32 [small], Pillow's weight of each of them, in units of 2^−22.
        repeat: int64 [size], the box that each pixel shows.
        member: float64 [small, size], 1 where a pixel is in a box.
    """

    first: NDArray[np.int64]
    count: NDArray[np.int64]
    weight: NDArray[np.uint32]
    repeat: NDArray[np.int64]
    member: NDArray[np.float64]


@lru_cache(maxsize=32)
def _axis(size: int, small: int) -> Axis:
    scale = size / small
    pixel = np.arange(size)[None, :]
    centres = (np.arange(small) + 0.5)[:, None] * scale
    # Which pixels are in the box is decided twice, as in Pillow: rounding can make the two differ.
    first = np.floor(centres - 0.5 * scale + 0.5)
    last = np.floor(centres + 0.5 * scale + 0.5)
    place = (pixel - centres + 0.5) * (1 / scale)
    member = (pixel >= first) & (pixel < last) & (place > -0.5) & (place <= 0.5)
    count = member.sum(axis=1)
    weight = np.floor(0.5 + 2.0**_WEIGHT_BITS / count).astype(np.uint32)
    repeat = ((np.arange(size) + 0.5) * small / size).astype(np.int64)
    axis = Axis(member.argmax(axis=1), count, weight, repeat, member.astype(np.float64))
    for array in vars(axis).values():
        array.flags.writeable = False
    return axis


def _pixelated(images: Tensor, down: Axis, across: Axis) -> Tensor:
    """The whole of it on a CPU, by sums and copies of whole rows, with columns turned to rows."""
    planes = images.shape[0] * images.shape[1]
    turned = _turned(images.numpy().reshape(-1, images.shape[3]))
    narrow = _row_means(turned, across)  # [w, planes · H]
    small = _row_means(_turned(narrow.reshape(-1, images.shape[2])), down)  # [h, w · planes]
    columns = _turned(small).reshape(len(narrow), -1)  # [w, planes · h]
    wide = _turned(columns.take(across.repeat, axis=0))  # [planes · h, W]
    tall = wide.reshape(planes, len(small), -1).take(down.repeat, axis=1)
    return torch.from_numpy(tall).view(images.shape)


def _turned(matrix: Levels) -> Levels:
    """Rows for columns; OpenCV copies them several times faster than NumPy."""
    return np.asarray(cv2.transpose(matrix), dtype=np.uint8)


def _row_means(rows: Levels, axis: Axis) -> Levels:
    """The mean of each box of rows, rounded as Pillow does: [size, M] -> [small, M]."""
    total = rows[axis.first].astype(np.uint32)
    for step in range(1, int(axis.count.max())):
        more = axis.count > step
        if more.all():
            total += rows[axis.first + step]
        else:
            total[more] += rows[axis.first[more] + step]
    total *= axis.weight[:, None]
    total += np.uint32(2 ** (_WEIGHT_BITS - 1))
    total >>= np.uint32(_WEIGHT_BITS)
    return total.astype(np.uint8)


def _rounded_means(images: Tensor, down: Axis, across: Axis) -> Tensor:
    """The same means as matrix products, for other devices: uint8 [N, C, h, w]."""
    left, right = (
        torch.from_numpy(axis.member * (axis.weight / 2.0**_WEIGHT_BITS)[:, None])
        for axis in (down, across)
    )
    narrow = _half_up(images.to(torch.float64) @ right.to(images.device).t())
    return _half_up(left.to(images.device) @ narrow).to(torch.uint8)


def _half_up(values: Tensor) -> Tensor:
    return values.add_(0.5).floor_().clamp_(0, 255)


def _means(images: Tensor, down: Axis, across: Axis) -> Tensor:
    """Means of the boxes of float images, their sums exact in any order: [N, C, h, w]."""
    left, right = (torch.tensor(axis.member, device=images.device) for axis in (down, across))
    levels = images.to(torch.float64).mul_(2**_LEVEL_BITS).round_()
    area = torch.from_numpy(np.outer(down.count, across.count)).to(images.device)
    means = (left @ (levels @ right.t())).div_(area * 2**_LEVEL_BITS)
    return means.to(images.dtype)
