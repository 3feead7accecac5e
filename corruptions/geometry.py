"""What moves or hides: translation, rotation, a grey patch.

Every function takes (images uint8 [N, C, H, W], stream, *constants) and returns such images.
Outside the image is black. MNIST-C (Mu and Gilmer, 2019) has translation and rotation with random
signs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .draws import Stream
from .exact import PixelMap, apportion, bilinear, grey_levels, pixel_map

_OCCLUDER = 128.0  # mid-grey, so that the patch shows on dark and on light ground


def translate(images: Tensor, stream: Stream, distance: float) -> Tensor:
    """Shift by ±distance pixels along both axes, both signs at random for each image; bilinear."""
    signs = stream.codes(2) >= 0
    return _by_variant(
        images,
        signs[:, 0].to(torch.int64) * 2 + signs[:, 1],
        lambda variant, height, width: _translation(
            height,
            width,
            distance if variant >= 2 else -distance,
            distance if variant % 2 else -distance,
        ),
    )


def rotate(images: Tensor, stream: Stream, degrees: float) -> Tensor:
    """Rotate by ±degrees about the centre, the sign at random for each image; bilinear."""
    clockwise = stream.codes(1)[:, 0] >= 0
    return _by_variant(
        images,
        clockwise.to(torch.int64),
        lambda variant, height, width: _rotation(height, width, degrees if variant else -degrees),
    )


def occlusion(images: Tensor, stream: Stream, fraction: float) -> Tensor:
    """Hide a mid-grey rectangle, `fraction` of each side, at a random place; its edges are soft."""
    places = stream.uniform(2).add_(1).div_(2)
    return occluded(images, fraction, places)


def occluded(images: Tensor, fraction: float, places: Tensor) -> Tensor:
    """Blend in the rectangle by how much of each pixel it covers.

    Args:
        images: uint8 [N, C, H, W].
        fraction: Side of the rectangle over the image's, 0..1.
        places: float32 [N, 2] in [0, 1): where its top and left lie between the extremes.
    """
    height, width = images.shape[2:]
    down = _covered(height, fraction * height, places[:, 0])[:, None, :, None]
    across = _covered(width, fraction * width, places[:, 1])[:, None, None, :]
    pixels = images.to(torch.float32)
    return grey_levels((_OCCLUDER - pixels).mul_(down).mul_(across).add_(pixels))


def _covered(size: int, length: float, place: Tensor) -> Tensor:
    """How much of each pixel of an axis a segment covers: float32 [N, size]."""
    start = place[:, None] * (size - length)
    pixel = torch.arange(size, dtype=torch.float32, device=place.device)[None, :]
    return (torch.minimum(pixel + 1, start + length) - torch.maximum(pixel, start)).clamp_(0, 1)


def _by_variant(
    images: Tensor, variants: Tensor, make: Callable[[int, int, int], PixelMap]
) -> Tensor:
    """Apply to each image the map of its variant, an int64 [N]."""
    result = torch.empty_like(images)
    for variant in sorted(set(variants.tolist())):
        members = (variants == variant).nonzero().squeeze(1)
        mapped = make(variant, images.shape[2], images.shape[3]).apply(images[members])
        result[members] = grey_levels(mapped)
    return result


@lru_cache(maxsize=8)
def _translation(height: int, width: int, down: float, right: float) -> PixelMap:
    rows, columns = np.meshgrid(np.arange(height) - down, np.arange(width) - right, indexing="ij")
    indices, weights = bilinear(rows.ravel(), columns.ravel(), height, width)
    return pixel_map(indices, apportion(weights))


@lru_cache(maxsize=4)
def _rotation(height: int, width: int, degrees: float) -> PixelMap:
    angle = np.deg2rad(degrees)
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    y, x = np.meshgrid(np.arange(height) - middle_y, np.arange(width) - middle_x, indexing="ij")
    rows = middle_y + y * np.cos(angle) - x * np.sin(angle)
    columns = middle_x + y * np.sin(angle) + x * np.cos(angle)
    indices, weights = bilinear(rows.ravel(), columns.ravel(), height, width)
    return pixel_map(indices, apportion(weights))
