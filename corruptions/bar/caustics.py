"""Caustic refraction: seen through waves of water that bend the light and gather it."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..draws import Stream
from ..exact import Floats
from .drawn import by_few, pixels, planes, shares, shorter
from .warps import resampled

_TURN = 6.28318530718  # as published
_TURNS, _BRIGHT = 5, 0.005
_DENSITY = 4.0  # refractive index
_FLAT = 1 - 1e-3  # cosine of the slope up to which light goes straight
_REACH = 4  # standard deviations and pixels of the Gaussian


def caustic_refraction(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Bend by 0.05 · level sides and light by 0.2 · level through a water's surface of `caustics`.

    The surface has a size of 0.75 to 1.25 sides and a time of 0.5 to 2. Outside the image is black.
    """
    drawn = shares(stream, 2)
    time = drawn[:, 0].mul(1.5).add_(0.5)
    size = drawn[:, 1].mul(0.5).add_(0.75).mul_(shorter(images))
    return refracted(images, level, time, size)


def refracted(images: Tensor, level: float, time: Tensor, size: Tensor) -> Tensor:
    """The same with a given time and size, pixels: float64 [N] each.

    A normal (a, b, 1) of unit length, whose slopes are the differences of the surface between the
    neighbours below and above, right and left, moves what is seen by (a, b) · (√(1 − s² / 16) −
    c / 4) · lens, with s and c the sine and cosine of the slope and the lens 0.05 · level sides:
    Snell's law for light from straight above. It is brightened by the sum of the differences right
    to left and above to below, signed as published, times 0.2 · level.
    """
    lens, light = 0.05 * level * shorter(images), 0.2 * level * 255
    rows, columns = pixels(images)

    def change(some: slice, levels: Tensor) -> Tensor:
        surface = _smooth(caustics(levels, time[some], size[some]))
        around = torch.nn.functional.pad(surface, (1, 1, 1, 1))
        down = around[:, 2:, 1:-1] - around[:, :-2, 1:-1]
        right = around[:, 1:-1, 2:] - around[:, 1:-1, :-2]
        moved = _refraction(down, right)
        from_rows, from_columns = (
            (slope * moved).mul_(lens).round_(decimals=3).add_(axis)
            for slope, axis in ((down, rows), (right, columns))
        )
        lit = down.sub_(right).mul_(light)
        return resampled(levels, from_rows, from_columns).add_(lit[:, None])

    return by_few(images, change)


def caustics(images: Tensor, time: Tensor, size: Tensor) -> Tensor:
    """The light on the ground of a pool, before it is smoothed: float64 [N, H, W], 0..1.

    Five turns of waves, each of them from where the last one led; |1.17 − c^1.4|^8 of their mean c.
    """
    shape = (len(images), *images.shape[2:])
    start = [(((axis / planes(size)) % 1) * _TURN - 250).expand(shape) for axis in pixels(images)]
    total = torch.ones(shape, dtype=torch.float64, device=images.device)
    down, right = start
    for turn in range(_TURNS):
        shift = planes(time * (1 - 3.5 / (turn + 1)))
        down, right = (
            start[0] + (shift - down).cos_().add_((shift + right).sin_()),
            start[1] + (shift - right).sin_().add_((shift + down).cos_()),
        )
        sine, cosine = (down + shift).sin_(), (right + shift).cos_()
        # One over the length of (p / sine, q / cosine), without dividing by what may be 0.
        length = (start[0] * cosine).square_().add_((start[1] * sine).square_()).sqrt_()
        total.add_(sine.mul_(cosine).abs_().div_(length.mul_(_BRIGHT)))
    return total.div_(_TURNS).pow_(1.4).sub_(1.17).abs_().pow_(8).clamp_(0, 1)


def _refraction(down: Tensor, right: Tensor) -> Tensor:
    """What slopes are multiplied by, to be a shift in units of the lens; 0 where it is flat."""
    steep = down.square().add_(right.square())
    cosine = steep.add(1).rsqrt_()
    sine_squared = steep.mul_(cosine.square())
    bent = sine_squared.div_(_DENSITY**2).neg_().add_(1).sqrt_().sub_(cosine / _DENSITY)
    return bent.mul_(cosine).masked_fill_(cosine >= _FLAT, 0)


def _smooth(field: Tensor) -> Tensor:
    """A Gaussian of one pixel, the field reflecting about its edges."""
    down, across = (torch.from_numpy(_matrix(size)).to(field.device) for size in field.shape[1:])
    return down @ field @ across.t()


@lru_cache(maxsize=8)
def _matrix(size: int) -> Floats:
    """The Gaussian along an axis as a matrix: [size, size]."""
    weights = np.array([math.exp(-0.5 * k**2) for k in range(-_REACH, _REACH + 1)])
    weights /= weights.sum()
    matrix = np.zeros((size, size))
    for offset, weight in zip(range(-_REACH, _REACH + 1), weights, strict=True):
        index = np.arange(offset, size + offset) % (2 * size)
        np.add.at(matrix, (np.arange(size), np.minimum(index, 2 * size - 1 - index)), weight)
    return matrix
