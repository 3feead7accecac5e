"""Zoom blur: the mean of an image and its enlargements about the centre.

It is the same linear map of every image. For images of usual size that map is one sparse matrix;
for large ones, where the matrix would not fit, and off the CPU, rows and columns are interpolated
one after the other, for one zoom after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream
from .exact import UNITS, Floats, PixelMap, apportion, bilinear, grey_levels, pixel_map

# Pixels of an image up to which the matrix is made: it has some 300 bytes for each.
_FEW_PIXELS = 2**17
# Elements of a band of rows: a few buffers of 8 bytes each for all of them are in use.
_BAND, _BAND_ON_GPU = 2**18, 2**26


def zoom_blur(images: Tensor, stream: Stream, stop: float, step: float) -> Tensor:
    """The mean of the image and its zooms by 1, 1 + step, … below stop."""
    height, width = images.shape[2:]
    if images.device.type == "cpu" and height * width <= _FEW_PIXELS:
        return _zoom_map(height, width, stop, step).levels(images).view(images.shape)
    return zoomed_by_axes(images, stop, step)


@lru_cache(maxsize=4)
def _zoom_map(height: int, width: int, stop: float, step: float) -> PixelMap:
    zooms = np.arange(1, stop, step)
    shares = np.rint(apportion(np.full(len(zooms) + 1, 1 / (len(zooms) + 1))) * UNITS)
    indices, weights = (
        [np.arange(height * width)[:, None]],
        [np.full((height * width, 1), shares[0])],
    )
    for zoom, share in zip(zooms, shares[1:], strict=True):
        rows, columns = _places(height, zoom), _places(width, zoom)
        grid = np.meshgrid(rows, columns, indexing="ij")
        index, weight = bilinear(grid[0].ravel(), grid[1].ravel(), height, width)
        indices.append(index)
        weights.append(apportion(weight, int(share)) * UNITS)
    return pixel_map(np.concatenate(indices, axis=1), np.concatenate(weights, axis=1) / UNITS)


def _places(size: int, zoom: float) -> Floats:
    """Where an axis's pixels come from when its centre is enlarged as by SciPy's order-1 zoom."""
    kept = math.ceil(size / zoom)
    enlarged = round(kept * zoom)
    first, trimmed = (size - kept) // 2, (enlarged - size) // 2
    places = (trimmed + np.arange(size)) * (kept - 1) / (enlarged - 1)
    return np.asarray(first + np.minimum(places, kept - 1))


@dataclass(frozen=True)
class _Between:
    """Linear interpolation along an axis: two neighbours of every pixel, exact weights.

    Attributes:
        index: int64 [2, size].
        weight: float64 [2, size], multiples of 2^−16.
    """

    index: NDArray[np.int64]
    weight: Floats

    def part(self, rows: slice, device: torch.device) -> list[tuple[Tensor, Tensor]]:
        """(index, weight) of either neighbour, for some of the pixels."""
        return [
            (torch.from_numpy(i[rows]).to(device), torch.from_numpy(w[rows]).to(device))
            for i, w in zip(self.index, self.weight, strict=True)
        ]


@lru_cache(maxsize=128)
def _between(size: int, zoom: float) -> _Between:
    places = _places(size, zoom)
    first = np.minimum(places.astype(np.int64), max(size - 2, 0))
    second = np.rint((places - first) * UNITS) / UNITS
    return _Between(np.stack([first, first + 1]), np.stack([1 - second, second]))


def zoomed_by_axes(images: Tensor, stop: float, step: float) -> Tensor:
    """Zoom blur a band of rows at a time, in double precision.

    Of bytes, all sums are exact (8 + 16 + 16 bits and the number of zooms); only the division by
    how many there are rounds.
    """
    zooms = np.arange(1, stop, step).tolist()
    height, width = images.shape[2:]
    result = torch.empty_like(images)
    band = _BAND if images.device.type == "cpu" else _BAND_ON_GPU
    step_down = max(1, band // max(1, images.shape[0] * images.shape[1] * width))
    for top in range(0, height, step_down):
        rows = slice(top, min(top + step_down, height))
        total = images[:, :, rows].to(torch.float64)
        for zoom in zooms:
            down = _between(height, zoom).part(rows, images.device)
            across = _between(width, zoom).part(slice(0, width), images.device)
            total.add_(_interpolated(_interpolated(images, 2, down), 3, across))
        result[:, :, rows] = grey_levels(total.div_(len(zooms) + 1), images.dtype)
    return result


def _interpolated(images: Tensor, axis: int, neighbours: list[tuple[Tensor, Tensor]]) -> Tensor:
    # Products and sums are separate steps: fused ones would round differently between machines.
    shape = (-1, 1) if axis == 2 else (-1,)
    (first, low), (second, high) = neighbours
    near = images.index_select(axis, first).to(torch.float64).mul_(low.view(shape))
    return near.add_(images.index_select(axis, second).to(torch.float64).mul_(high.view(shape)))
