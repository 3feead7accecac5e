"""What moves or hides: translation, rotation, shear, scale, a grey patch.

Every function takes (images [N, C, H, W], stream, *constants) and returns such images: uint8, or
float32 grey levels. Outside the image is black. The affine ones are those of MNIST-C (Mu and
Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", 2019): the centre, (size − 1) / 2,
stays where it is, and pixels are interpolated bilinearly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream
from .exact import Floats, PixelMap, apportion, bilinear, gathered, grey_levels, pixel_map

_OCCLUDER = 128.0  # mid-grey, so that the patch shows on dark and on light ground
# Pixels of a band of rows: its map has some hundreds of bytes for each while it is made. The map of
# an image of one band is kept; the many of a large image would not fit.
_BAND = 2**17


@dataclass(frozen=True)
class Affine:
    """Where pixels come from, relative to the centre: rows from (y, x) by the first three numbers.

    A pixel at (y, x) shows what was at (row_y · y + row_x · x − down,
    column_y · y + column_x · x − right).
    """

    row_y: float = 1.0
    row_x: float = 0.0
    down: float = 0.0
    column_y: float = 0.0
    column_x: float = 1.0
    right: float = 0.0


def translate(images: Tensor, stream: Stream, distance: float) -> Tensor:
    """Shift by ±distance pixels along both axes, both signs at random for each image."""
    signs = stream.codes(2) >= 0
    return _by_variant(
        images,
        signs[:, 0].to(torch.int64) * 2 + signs[:, 1],
        lambda variant: Affine(
            down=distance if variant >= 2 else -distance,
            right=distance if variant % 2 else -distance,
        ),
    )


def rotate(images: Tensor, stream: Stream, degrees: float) -> Tensor:
    """Rotate by ±degrees about the centre, the sign at random for each image."""
    return _by_variant(images, _signs(stream), lambda sign: rotation(degrees if sign else -degrees))


def shear(images: Tensor, stream: Stream, radians: float) -> Tensor:
    """Lean the columns by ±radians, the sign at random for each image.

    As in the library that MNIST-C was made with, the vertical axis is turned by the angle and keeps
    its length, so that the image also grows a little in height.
    """
    return _by_variant(images, _signs(stream), lambda sign: leaning(radians if sign else -radians))


def scale(images: Tensor, stream: Stream, factor: float) -> Tensor:
    """Show the image `factor` times as large about the centre; below 1, black surrounds it."""
    return warped(images, Affine(row_y=1 / factor, column_x=1 / factor))


def rotation(degrees: float) -> Affine:
    """Where pixels of a picture turned by an angle come from."""
    turn = float(np.deg2rad(degrees))
    cosine, sine = float(np.cos(turn)), float(np.sin(turn))
    return Affine(row_y=cosine, row_x=-sine, column_y=sine, column_x=cosine)


def leaning(radians: float) -> Affine:
    """Where pixels of a sheared picture come from: rows y cos a, columns x − y sin a."""
    return Affine(row_y=float(np.cos(radians)), column_y=-float(np.sin(radians)))


def occlusion(images: Tensor, stream: Stream, fraction: float) -> Tensor:
    """Hide a mid-grey rectangle, `fraction` of each side, at a random place; its edges are soft."""
    places = stream.uniform(2).add_(1).div_(2)
    return occluded(images, fraction, places)


def occluded(images: Tensor, fraction: float, places: Tensor) -> Tensor:
    """Blend in the rectangle by how much of each pixel it covers.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        fraction: Side of the rectangle over the image's, 0..1.
        places: float32 [N, 2] in [0, 1): where its top and left lie between the extremes.
    """
    height, width = images.shape[2:]
    down = _covered(height, fraction * height, places[:, 0])[:, None, :, None]
    across = _covered(width, fraction * width, places[:, 1])[:, None, None, :]
    pixels = images.to(torch.float32)
    covered = (_OCCLUDER - pixels).mul_(down).mul_(across).add_(pixels)
    return grey_levels(covered, images.dtype)


def _covered(size: int, length: float, place: Tensor) -> Tensor:
    """How much of each pixel of an axis a segment covers: float32 [N, size]."""
    start = place[:, None] * (size - length)
    pixel = torch.arange(size, dtype=torch.float32, device=place.device)[None, :]
    return (torch.minimum(pixel + 1, start + length) - torch.maximum(pixel, start)).clamp_(0, 1)


def _signs(stream: Stream) -> Tensor:
    """0 or 1 for each image: int64 [N]."""
    return (stream.codes(1)[:, 0] >= 0).to(torch.int64)


def _by_variant(images: Tensor, variants: Tensor, make: Callable[[int], Affine]) -> Tensor:
    """Warp each image as its variant, an int64 [N], says."""
    result = torch.empty_like(images)
    for variant in sorted(set(variants.tolist())):
        members = (variants == variant).nonzero().squeeze(1)
        result[members] = warped(images[members], make(variant))
    return result


def warped(images: Tensor, affine: Affine) -> Tensor:
    """The image that shows at every pixel what was where `affine` says; black from outside.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        affine: Where pixels come from.
    """
    height, width = images.shape[2:]
    if height * width <= _BAND:
        return _whole_map(height, width, affine).levels(images).view(images.shape)
    result = torch.empty_like(images)
    step = max(1, _BAND // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        indices, weights = _neighbours(height, width, affine, rows)
        band = gathered(images.flatten(2), indices, weights)
        result[:, :, rows] = grey_levels(band, images.dtype).view(result[:, :, rows].shape)
    return result


@lru_cache(maxsize=8)
def _whole_map(height: int, width: int, affine: Affine) -> PixelMap:
    return pixel_map(*_neighbours(height, width, affine, slice(0, height)))


def _neighbours(
    height: int, width: int, affine: Affine, rows: slice
) -> tuple[NDArray[np.int64], Floats]:
    """Of each pixel of some rows, the four that it is made of [P, 4] and their exact weights."""
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    steps = np.arange(rows.start, rows.stop) - middle_y, np.arange(width) - middle_x
    y, x = (grid.ravel() for grid in np.meshgrid(*steps, indexing="ij"))
    from_rows = middle_y + affine.row_y * y + affine.row_x * x - affine.down
    from_columns = middle_x + affine.column_y * y + affine.column_x * x - affine.right
    indices, weights = bilinear(from_rows, from_columns, height, width)
    return indices, apportion(weights)
