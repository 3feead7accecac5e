"""Blurs: Gaussian, defocus (a disk), motion (one-sided, at a random angle) and zoom.

Every function takes (images uint8 [N, C, H, W], stream, *constants) and returns such images;
those that draw nothing leave the stream alone.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream
from .exact import (
    UNITS,
    Floats,
    PixelMap,
    Tap,
    apportion,
    bilinear,
    clamped,
    correlate,
    extended,
    grey_levels,
    kernel_taps,
    mirrored,
    pixel_map,
)

# Below this many taps, adding shifted images is faster than a Fourier transform.
_MANY_TAPS = 100


def gaussian_blur(images: Tensor, stream: Stream, sigma: float) -> Tensor:
    """Gaussian of `sigma` pixels, cut at 4 sigma, image continued by its edge pixels.

    Two products with exact weights in double precision: 8 + 16 + 16 bits fit, nothing is rounded.
    """
    height, width = images.shape[2:]
    down = torch.from_numpy(_gaussian_matrix(height, sigma)).to(images.device)
    across = torch.from_numpy(_gaussian_matrix(width, sigma)).to(images.device)
    return grey_levels(down @ images.to(torch.float64) @ across.t())


def defocus_blur(images: Tensor, stream: Stream, radius: float, alias: float) -> Tensor:
    """Correlation with a disk whose rim is softened by `alias` pixels; the border reflects."""
    kernel = disk(radius, alias)
    taps = kernel_taps(kernel)
    if len(taps) <= _MANY_TAPS:
        return grey_levels(correlate(images, taps, mirror=True))
    return grey_levels(_correlate_fourier(images, kernel))


def disk(radius: float, alias: float) -> Floats:
    """The defocus kernel, as published: the disk is blurred inside its own array.

    The array reflects at its border.

    Where the disk fills the array (radius 8 and above) the kernel therefore sums to a little more
    than 1 and brightens the image by about one per cent; the published sets have it so.
    """
    reach, rim = (8, 1) if radius <= 8 else (math.ceil(radius), 2)
    axis = np.arange(-reach, reach + 1)
    solid = (axis[:, None] ** 2 + axis[None, :] ** 2 <= radius**2).astype(np.float64)
    solid /= solid.sum()
    soft = _gaussian(np.arange(-rim, rim + 1), alias)
    index = mirrored(len(axis), rim, rim).numpy()
    padded = solid[np.ix_(index, index)]
    rows = sum(w * padded[k : k + len(axis)] for k, w in enumerate(soft))
    return np.asarray(sum(w * rows[:, k : k + len(axis)] for k, w in enumerate(soft)))


def motion_blur(images: Tensor, stream: Stream, radius: float, sigma: float) -> Tensor:
    """Half a Gaussian along a line at an angle uniform in (−45°, 45°), one angle for each image."""
    width = 2 * round(radius) + 1
    numbers = _path_numbers(width, -45.0, 45.0)
    codes = stream.codes(1)[:, 0].cpu().to(torch.int64) + 2**15
    return motion(images, sigma, numbers.paths, torch.from_numpy(numbers.of_code)[codes])


def motion(images: Tensor, sigma: float, paths: NDArray[np.int64], chosen: Tensor) -> Tensor:
    """Blur each image along its path, as ImageMagick does: nearest pixels, edges repeated.

    Args:
        images: uint8 [N, C, H, W].
        sigma: Spread of the weights along the path, pixels.
        paths: [P, W, 2], the (down, right) offset at which step k of path p reads.
        chosen: int64 [N] on the CPU, the path of each image.
    """
    steps = np.arange(paths.shape[1])
    kernel = apportion(_gaussian(steps, sigma))
    result = torch.empty_like(images)
    for path in sorted(set(chosen.tolist())):
        members = (chosen == path).nonzero().squeeze(1).to(images.device)
        weights: dict[tuple[int, int], float] = {}
        for (down, right), weight in zip(paths[path].tolist(), kernel.tolist(), strict=True):
            weights[down, right] = weights.get((down, right), 0.0) + weight
        taps = [Tap(down, right, weight) for (down, right), weight in weights.items() if weight]
        result[members] = grey_levels(correlate(images.index_select(0, members), taps))
    return result


def path_offsets(width: int, angles: Floats) -> NDArray[np.int64]:
    """The (down, right) offsets, [len(angles), width, 2], of paths at angles in degrees."""
    radians = np.deg2rad(angles)[:, None]
    directions = np.stack([np.sin(radians), np.cos(radians)], axis=-1)
    offsets = np.ceil(np.arange(width)[None, :, None] * directions - 0.5)
    return np.asarray(offsets, dtype=np.int64)


def zoom_blur(images: Tensor, stream: Stream, stop: float, step: float) -> Tensor:
    """The mean of the image and its zooms by 1, 1 + step, … below stop."""
    return grey_levels(_zoom_map(images.shape[2], images.shape[3], stop, step).apply(images))


def _gaussian(offsets: NDArray[np.int64], sigma: float) -> Floats:
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _smooth(length: int) -> int:
    """The next number without prime factors above 5, whose transforms are fast."""
    rest = length
    for prime in (2, 3, 5):
        while rest % prime == 0:
            rest //= prime
    return length if rest == 1 else _smooth(length + 1)


@lru_cache(maxsize=16)
def _gaussian_matrix(size: int, sigma: float) -> Floats:
    """The blur of one axis as a matrix [size, size]."""
    radius = int(4 * sigma + 0.5)
    kernel = apportion(_gaussian(np.arange(-radius, radius + 1), sigma))
    index = clamped(size, radius, radius).numpy()
    matrix = np.zeros((size, size))
    for offset, weight in enumerate(kernel):
        np.add.at(matrix, (np.arange(size), index[offset : offset + size]), weight)
    return matrix


def _correlate_fourier(images: Tensor, kernel: Floats) -> Tensor:
    """What `correlate` gives with a reflecting border, bit for bit, whatever the number of taps.

    In double precision a transform is wrong by far less than half of 2^−16, so rounding to
    multiples of 2^−16 gives the exact sum.
    """
    exact = apportion(kernel.ravel()).reshape(kernel.shape)
    height, width = images.shape[2:]
    reach = kernel.shape[0] // 2
    source = extended(images, mirrored(height, reach, reach), mirrored(width, reach, reach))
    size = [_smooth(length) for length in source.shape[2:]]
    response = torch.fft.rfft2(torch.from_numpy(exact[::-1, ::-1].copy()), s=size)
    spectrum = torch.fft.rfft2(source.to(torch.float64), s=size)
    sums: Tensor = torch.fft.irfft2(spectrum.mul_(response.to(images.device)), s=size)
    valid = sums[:, :, 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]
    return valid.mul(UNITS).round_().div_(UNITS).to(torch.float32)


class _Paths:
    """The distinct paths of a range of angles, and which of them each of 65,536 angles takes."""

    def __init__(self, width: int, low: float, high: float) -> None:
        angles = low + (high - low) * (np.arange(2**16) + 0.5) / 2**16
        offsets = path_offsets(width, angles)
        turns = np.any(offsets[1:] != offsets[:-1], axis=(1, 2))
        self.of_code = np.concatenate([[0], np.cumsum(turns)])
        self.paths = offsets[np.concatenate([[True], turns])]


@lru_cache(maxsize=8)
def _path_numbers(width: int, low: float, high: float) -> _Paths:
    return _Paths(width, low, high)


@lru_cache(maxsize=4)
def _zoom_map(height: int, width: int, stop: float, step: float) -> PixelMap:
    zooms = np.arange(1, stop, step)
    shares = np.rint(apportion(np.full(len(zooms) + 1, 1 / (len(zooms) + 1))) * UNITS)
    indices, weights = (
        [np.arange(height * width)[:, None]],
        [np.full((height * width, 1), shares[0])],
    )
    for zoom, share in zip(zooms, shares[1:], strict=True):
        rows, columns = _zoomed(height, zoom), _zoomed(width, zoom)
        grid = np.meshgrid(rows, columns, indexing="ij")
        index, weight = bilinear(grid[0].ravel(), grid[1].ravel(), height, width)
        indices.append(index)
        weights.append(apportion(weight, int(share)) * UNITS)
    return pixel_map(np.concatenate(indices, axis=1), np.concatenate(weights, axis=1) / UNITS)


def _zoomed(size: int, zoom: float) -> Floats:
    """Where an axis's pixels come from when its centre is enlarged as by SciPy's order-1 zoom."""
    kept = math.ceil(size / zoom)
    enlarged = round(kept * zoom)
    first, trimmed = (size - kept) // 2, (enlarged - size) // 2
    places = (trimmed + np.arange(size)) * (kept - 1) / (enlarged - 1)
    return np.asarray(first + np.minimum(places, kept - 1))
