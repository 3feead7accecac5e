"""Blurs: Gaussian, defocus (a disk) and motion (one-sided, at a random angle).

Every function takes (images [N, C, H, W], stream, *constants) and returns such images: uint8, or
float32 grey levels. Those that draw nothing leave the stream alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .correlation import Kernel, Tap, correlated, kernel_of, kernel_taps
from .draws import Stream
from .exact import Floats, apportion, grey_levels, mirrored
from .scratch import scratch

# Rows that are blurred together: a product with a matrix of this many rows, and as many columns
# more as the kernel reaches, wastes little on its zeros.
_ROWS = 56
# Pixels worked on at a time, so that they stay in the cache.
_PIXELS = 2**18


def gaussian_blur(images: Tensor, stream: Stream, sigma: float) -> Tensor:
    """Gaussian of `sigma` pixels, cut at 4 sigma, image continued by its edge pixels.

    Exact for bytes: 8 + 16 bits along the rows fit a float32, and 16 more along the columns a
    float64.
    """
    height, width = images.shape[2:]
    result = torch.empty_like(images, memory_format=torch.contiguous_format)
    source, target = images.contiguous().view(-1, height, width), result.view(-1, height, width)
    step = max(1, (_PIXELS if images.device.type == "cpu" else 2**26) // (height * width))
    for start in range(0, len(source), step):
        across = _blurred_across(source[start : start + step], sigma)
        levels = grey_levels(_blurred_down(across, sigma), images.dtype)
        target[start : start + step] = levels
    return result


def _blurred_across(planes: Tensor, sigma: float) -> Tensor:
    """Blur along the rows of [P, H, W]: float64."""
    if planes.device.type != "cpu":
        return _blurred_down(planes.to(torch.float64).transpose(1, 2), sigma).transpose(1, 2)
    rows = planes.reshape(-1, planes.shape[2])
    blurred = cv2.sepFilter2D(
        rows.numpy(),
        cv2.CV_32F,
        _gaussian_weights(sigma).astype(np.float32),
        np.ones(1, np.float32),
        dst=scratch("blurred rows", tuple(rows.shape)),
        borderType=cv2.BORDER_REPLICATE,
    )
    return torch.from_numpy(blurred).view(planes.shape).to(torch.float64)


def _blurred_down(planes: Tensor, sigma: float) -> Tensor:
    """Blur along the columns of float64 [P, H, W], some rows at a time."""
    count, height, width = planes.shape
    result = torch.empty((count, height, width), dtype=torch.float64, device=planes.device)
    for start, stop, first, last in _bands(height, sigma):
        weights = torch.from_numpy(_band_matrix(height, sigma, start)).to(planes.device)
        matrices = weights.expand(count, -1, -1)
        torch.bmm(matrices, planes[:, first:last], out=result[:, start:stop])
    return result


def _bands(size: int, sigma: float) -> list[tuple[int, int, int, int]]:
    """Bands start..stop of an axis, and the pixels first..last that they are made of."""
    radius = int(4 * sigma + 0.5)
    stops = [(start, min(start + _ROWS, size)) for start in range(0, size, _ROWS)]
    return [(a, b, max(0, a - radius), min(size, b + radius)) for a, b in stops]


@lru_cache(maxsize=256)
def _band_matrix(size: int, sigma: float, start: int) -> Floats:
    """The blur of the band of an axis that begins at `start`: float64 [stop − start, pixels]."""
    kernel = _gaussian_weights(sigma)
    radius = len(kernel) // 2
    _, stop, first, last = _bands(size, sigma)[start // _ROWS]
    matrix = np.zeros((stop - start, last - first))
    rows = np.arange(stop - start)
    for offset, weight in enumerate(kernel):
        columns = np.clip(start + rows + offset - radius, 0, size - 1) - first
        np.add.at(matrix, (rows, columns), weight)
    return matrix


@lru_cache(maxsize=64)
def _gaussian_weights(sigma: float) -> Floats:
    """Exact weights at offsets −radius..radius, cut at 4 sigma."""
    radius = int(4 * sigma + 0.5)
    return apportion(_gaussian(np.arange(-radius, radius + 1), sigma))


def defocus_blur(images: Tensor, stream: Stream, radius: float, alias: float) -> Tensor:
    """Correlation with a disk whose rim is softened by `alias` pixels; the border reflects."""
    return correlated(images, [_disk_kernel(radius, alias)], mirror=True)


@lru_cache(maxsize=32)
def _disk_kernel(radius: float, alias: float) -> Kernel:
    return kernel_of(kernel_taps(disk(radius, alias)))


def disk(radius: float, alias: float) -> Floats:
    """The defocus kernel, as published: the disk is blurred inside its own array.

    The array reflects at its border. Where the disk fills the array (radius 8 and above) the kernel
    therefore sums to a little more than 1 and brightens the image by about one per cent; the
    published sets have it so.
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
    numbers = paths_between(width, -45.0, 45.0)
    return motion(images, sigma, numbers.paths, numbers.drawn(stream))


def motion(images: Tensor, sigma: float, paths: NDArray[np.int64], chosen: Tensor) -> Tensor:
    """Blur each image along its path, as ImageMagick does: nearest pixels, edges repeated.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        sigma: Spread of the weights along the path, pixels.
        paths: [P, W, 2], the (down, right) offset at which step k of path p reads.
        chosen: int64 [N] on the CPU, the path of each image.
    """
    kernels = [_path_kernel(paths[path].tobytes(), sigma) for path in chosen.tolist()]
    return correlated(images, kernels)


# Some thousand paths of a few kilobytes each: those that a batch takes are taken again.
@lru_cache(maxsize=2**11)
def _path_kernel(path: bytes, sigma: float) -> Kernel:
    """The kernel of a path, given as the bytes of its offsets, int64 [W, 2]."""
    offsets = np.frombuffer(path, np.int64).reshape(-1, 2)
    weights = apportion(_gaussian(np.arange(len(offsets)), sigma))
    steps = zip(offsets.tolist(), weights.tolist(), strict=True)
    return kernel_of([Tap(down, right, weight) for (down, right), weight in steps])


def path_offsets(width: int, angles: Floats) -> NDArray[np.int64]:
    """The (down, right) offsets, [len(angles), width, 2], of paths at angles in degrees."""
    radians = np.deg2rad(angles)[:, None]
    directions = np.stack([np.sin(radians), np.cos(radians)], axis=-1)
    offsets = np.ceil(np.arange(width)[None, :, None] * directions - 0.5)
    return np.asarray(offsets, dtype=np.int64)


def _gaussian(offsets: NDArray[np.int64], sigma: float) -> Floats:
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True, eq=False)
class Paths:
    """The distinct paths of a range of angles, and which of them each of 65,536 angles takes.

    Attributes:
        paths: int64 [P, W, 2], as `motion` takes them.
        of_code: int64 [65536], never decreasing.
    """

    paths: NDArray[np.int64]
    of_code: NDArray[np.int64]

    def drawn(self, stream: Stream, purpose: int = 0) -> Tensor:
        """A path for each image, at an angle drawn evenly: int64 [N] on the CPU."""
        codes = stream.codes(1, purpose)[:, 0].cpu().to(torch.int64) + 2**15
        return torch.from_numpy(self.of_code)[codes]


@lru_cache(maxsize=16)
def paths_between(width: int, low: float, high: float) -> Paths:
    """The paths of `width` steps at angles from `low` to `high`, degrees."""
    angles = low + (high - low) * (np.arange(2**16) + 0.5) / 2**16
    offsets = path_offsets(width, angles)
    turns = np.any(offsets[1:] != offsets[:-1], axis=(1, 2))
    return Paths(offsets[np.concatenate([[True], turns])], np.concatenate([[0], np.cumsum(turns)]))
