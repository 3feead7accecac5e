"""Warps: cells that are pinched and twirled, and ripples along both axes."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ..draws import Stream
from .drawn import by_few, pixels, planes, shares, shorter

_CELLS, _CELLS_LARGE, _LARGE = 3, 5, 224  # cells along the side, and along one of 224 pixels
_NO_DISTANCE = 5e-4  # pixels; nearer to the centre of a cell, a pixel stays


def pinch_and_twirl(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Twirl the circles in a grid of cells by ±0.05π · level and pinch them by 0.04 · level + 0.1.

    There are 3 × 3 cells (5 × 5 from 224 pixels on; along a longer side as many as fit), each with
    a sign of its own.
    """
    grid = _grid(images)
    signs = torch.where(stream.codes(grid[0] * grid[1]) >= 0, 1.0, -1.0).to(torch.float64)
    return pinched(images, level, signs.view(-1, *grid))


def pinched(images: Tensor, level: float, signs: Tensor) -> Tensor:
    """The same with given signs.

    A pixel at a distance of d radii (d up to 1) from the centre of its cell shows what was at
    d · sin(π d / 2)^−amount, turned by ±angle · (1 − d)².

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        level: 0 to 10.
        signs: float64 [N, cells down, cells right], 1 or −1.
    """
    rows, columns = pixels(images)
    cell = max(1, shorter(images) // _cells(images))
    down, right = ((axis % cell) - cell / 2 for axis in (rows, columns))
    far = (down.square() + right.square()).sqrt_() / (cell / 2)
    which = [(axis // cell).to(torch.int64) for axis in (rows, columns)]
    moved = (far <= 1) & (far > _NO_DISTANCE / (cell / 2))
    for place, count in zip(which, signs.shape[1:], strict=True):
        moved &= place < count
        place.clamp_(max=count - 1)
    stretch = torch.where(moved, far, 1).mul_(math.pi / 2).sin_().pow_(-(0.04 * level + 0.1))
    turn = torch.where(moved, 1 - far, 0).square_().mul_(0.05 * math.pi * level)
    # A sign turns only the sine, so that all but that is the same for every image.
    straight = [axis * stretch * turn.cos() for axis in (down, right)]
    across = [axis * stretch * turn.sin() for axis in (down, right)]

    def change(some: slice, levels: Tensor) -> Tensor:
        sign = signs[some][:, which[0], which[1]]
        from_rows = rows - down + straight[0] - sign * across[1]
        from_columns = columns - right + straight[1] + sign * across[0]
        return resampled(levels, from_rows, from_columns)

    return by_few(images, change)


def ripple(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Show at every row what was at row + A · sin(2π · row / wavelength + phase); columns alike.

    A is level / 400 sides; wavelengths are 0.1 to 0.3 sides. Outside the image is black.
    """
    drawn = shares(stream, 4)
    lengths = drawn[:, :2].mul(0.2).add_(0.1).mul_(shorter(images))
    return rippled(images, level, lengths, drawn[:, 2:] * (2 * math.pi))


def rippled(images: Tensor, level: float, lengths: Tensor, phases: Tensor) -> Tensor:
    """The same with given waves: float64 [N, 2], (down, right), pixels and radians."""
    amplitude = 0.0025 * level * shorter(images)

    def change(some: slice, levels: Tensor) -> Tensor:
        moved = [
            torch.sin(axis * planes(2 * math.pi / lengths[some, k]) + planes(phases[some, k]))
            .mul_(amplitude)
            .add_(axis)
            for k, axis in enumerate(pixels(levels))
        ]
        return resampled(levels, *moved)

    return by_few(images, change)


def resampled(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Interpolate bilinearly in double precision; outside the image is black.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        rows: Where the pixels come from: float64 [N, H, W], or so that it broadcasts; pixels.
        columns: The same along the other axis.

    Returns:
        float64 [N, C, H, W].
    """
    height, width = images.shape[2:]
    grid = torch.empty(len(images), height, width, 2, dtype=torch.float64, device=images.device)
    grid[..., 0] = columns.mul(2 / (width - 1)).sub_(1)
    grid[..., 1] = rows.mul(2 / (height - 1)).sub_(1)
    return functional.grid_sample(
        images.to(torch.float64), grid, mode="bilinear", padding_mode="zeros", align_corners=True
    )


def _cells(images: Tensor) -> int:
    return _CELLS_LARGE if shorter(images) >= _LARGE else _CELLS


def _grid(images: Tensor) -> tuple[int, int]:
    """How many cells there are along the height and along the width."""
    side, cells = shorter(images), _cells(images)
    down, right = (cells * size // side for size in images.shape[2:])
    return down, right
