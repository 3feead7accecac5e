"""What the corruptions of C-bar share: numbers drawn for an image, and a few images at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..draws import Stream
from ..exact import grey_levels

# Pixels worked on at a time: on a CPU, some fields of doubles of that size stay in the cache.
_PIXELS, _PIXELS_ON_GPU = 2**16, 2**22


def shares(stream: Stream, count: int, purpose: int = 0) -> Tensor:
    """Uniform over the middles of 2^24 steps of (0, 1): float64 [N, count], never 0 nor 1."""
    return stream.uniform(count, purpose).to(torch.float64).add_(1).div_(2).add_(2.0**-25)


def shorter(images: Tensor) -> int:
    """The shorter side of [N, C, H, W], pixels."""
    return min(images.shape[2:])


def pixels(images: Tensor) -> tuple[Tensor, Tensor]:
    """Rows [H, 1] and columns [1, W] of the pixels: float64 on the device of the images."""
    height, width = images.shape[2:]
    rows = torch.arange(height, dtype=torch.float64, device=images.device)
    columns = torch.arange(width, dtype=torch.float64, device=images.device)
    return rows[:, None], columns[None, :]


def planes(numbers: Tensor) -> Tensor:
    """One number for each image, [N], so that it meets fields: [N, 1, 1]."""
    return numbers[:, None, None]


def by_few(images: Tensor, change: Callable[[slice, Tensor], Tensor]) -> Tensor:
    """Change images a few at a time.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        change: (which images, those images) -> their new levels in floats, not clipped yet.

    Returns:
        Shape, dtype and device of `images`.
    """
    result = torch.empty_like(images, memory_format=torch.contiguous_format)
    size = images.shape[2] * images.shape[3]
    step = max(1, (_PIXELS if images.device.type == "cpu" else _PIXELS_ON_GPU) // size)
    for start in range(0, len(images), step):
        some = slice(start, min(start + step, len(images)))
        result[some] = grey_levels(change(some, images[some]), images.dtype)
    return result


def blended(images: Tensor, kept: float, field: Tensor, weight: float) -> Tensor:
    """The sum kept · images + weight · field, in single precision.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        kept: 0..1.
        field: [N, 1 or C, H, W].
        weight: In grey levels for each unit of the field.
    """
    levels = images.to(torch.float32, copy=True)
    if kept != 1:
        levels.mul_(kept)
    # Product and sum are separate steps: fused ones would round differently between machines.
    return levels.add_(field.to(torch.float32).mul_(weight))
