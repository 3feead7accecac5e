"""What resamples by cubic B-splines: colours of different sizes, and a blur along circles."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..draws import Stream
from ..exact import Floats
from .drawn import by_few, shares

_ORDERS = tuple(permutations(range(3)))
_TURNS = 21
# Pixels of the result whose map is made and kept at a time: up to 336 weights each.
_BAND = 2**12


def transverse_chromatic_abberation(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Enlarge one channel by level / 20, another by half as much and none the third, at random.

    As published, the resampling is by cubic B-splines without their prefilter, so that even the
    channel that keeps its size is a little blurred; and levels of 8 bits are rounded.
    """
    order = shares(stream, 1)[:, 0].mul_(len(_ORDERS)).floor_().to(torch.int64)
    orders = torch.tensor(_ORDERS, device=images.device)
    return aberrant(images, level, orders[order])


def aberrant(images: Tensor, level: float, channels: Tensor) -> Tensor:
    """The same with given channels: int64 [N, 3], those of no, half and full enlargement."""
    scales = [1.0, 1 + 0.025 * level, 1 + 0.05 * level]
    nearest = 0.5 if images.dtype == torch.uint8 else 0.0

    def change(some: slice, levels: Tensor) -> Tensor:
        result = torch.empty(levels.shape, dtype=torch.float64, device=levels.device)
        index = torch.arange(len(levels), device=levels.device)
        for scale, channel in zip(scales, channels[some].unbind(1), strict=True):
            result[index, channel] = _enlarged(levels[index, channel], scale)
        return result.add_(nearest)

    return by_few(images, change)


def _enlarged(planes: Tensor, scale: float) -> Tensor:
    """The middle of the enlarged [N, H, W]: float64, as large."""
    for axis in (1, 2):
        size = planes.shape[axis]
        indices, weights = _zoom(size, scale)
        shape = [-1 if k == axis else 1 for k in range(3)]
        total = torch.zeros(planes.shape, dtype=torch.float64, device=planes.device)
        for tap in range(4):
            taken = planes.index_select(axis, torch.from_numpy(indices[:, tap]).to(planes.device))
            weight = torch.from_numpy(weights[:, tap]).view(shape).to(planes.device)
            total.add_(taken.to(torch.float64).mul_(weight))
        planes = total
    return planes


@lru_cache(maxsize=32)
def _zoom(size: int, scale: float) -> tuple[NDArray[np.int64], Floats]:
    """Where pixels of an axis come from: [size, 4] and weights; ends on ends, then the middle."""
    enlarged = round(size * scale)
    first = (enlarged - size) // 2
    places = np.asarray(first + np.arange(size), dtype=np.float64) * (size - 1) / (enlarged - 1)
    return _taps(places, size)


def circular_motion_blur(images: Tensor, stream: Stream, level: float) -> Tensor:
    """The mean of 21 images turned by −1.5 · level to 1.5 · level degrees, black around them.

    An image turned by a share u of the angle has the weight exp(−2 u²). Turning is by cubic
    B-splines with their prefilter. Draws nothing. The weights of all turns together are kept for
    each severity; of images of more than 65,536 pixels they are worked out anew for every image.
    """
    height, width = images.shape[2:]
    before = [torch.from_numpy(_prefilter(size)) for size in (height, width)]
    step = max(1, _BAND // width)

    def change(some: slice, levels: Tensor) -> Tensor:
        splines = before[0] @ levels.cpu().to(torch.float64) @ before[1].t()
        columns = splines.to(torch.float32).view(-1, height * width).t().contiguous().numpy()
        tops = range(0, height, step)
        bands = [_turned(height, width, level, top, step) @ columns for top in tops]
        result = torch.from_numpy(np.concatenate(bands)).t()
        return result.reshape(levels.shape).to(levels.device)

    return by_few(images, change)


@lru_cache(maxsize=16)
def _turned(height: int, width: int, level: float, top: int, step: int) -> scipy.sparse.csr_array:
    """The map from splines to `step` rows of the blurred image: float32 [step · W, H · W]."""
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    steps = np.arange(top, min(top + step, height)) - middle_y, np.arange(width) - middle_x
    y, x = (grid.ravel() for grid in np.meshgrid(*steps, indexing="ij"))
    turns = np.linspace(-1, 1, _TURNS)
    amounts = np.exp(-2 * turns**2)
    indices, weights = [], []
    for turn, amount in zip(turns, amounts / amounts.sum(), strict=True):
        angle = np.deg2rad(1.5 * level * turn)
        rows = middle_y + np.cos(angle) * y + np.sin(angle) * x
        columns = middle_x - np.sin(angle) * y + np.cos(angle) * x
        inside = (rows >= 0) & (rows <= height - 1) & (columns >= 0) & (columns <= width - 1)
        (down, by_row), (right, by_column) = _taps(rows, height), _taps(columns, width)
        indices.append((down[:, :, None] * width + right[:, None]).reshape(-1, 16))
        product = (by_row[:, :, None] * by_column[:, None]).reshape(-1, 16)
        weights.append(product * (amount * inside)[:, None])
    of_row = 16 * _TURNS
    starts = np.arange(0, len(y) * of_row + 1, of_row, dtype=np.int32)
    taken, weight = np.concatenate(indices, axis=1).ravel(), np.concatenate(weights, axis=1).ravel()
    matrix = scipy.sparse.csr_array(
        (weight.astype(np.float32), taken.astype(np.int32), starts),
        shape=(len(y), height * width),
    )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _taps(places: Floats, size: int) -> tuple[NDArray[np.int64], Floats]:
    """The cubic B-spline at places of an axis: indices [P, 4], reflected about the end pixels."""
    whole = np.floor(places)
    t = places - whole
    index = np.abs(whole.astype(np.int64)[:, None] + np.arange(-1, 3)) % (2 * size - 2)
    weights = np.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3], axis=1
    )
    return np.minimum(index, 2 * size - 2 - index), weights / 6


@lru_cache(maxsize=8)
def _prefilter(size: int) -> Floats:
    """From the values along an axis to the weights of its B-splines: [size, size]."""
    eye = np.eye(size)
    indices, weights = _taps(np.arange(size, dtype=np.float64), size)
    values = np.einsum("pk,pkn->pn", weights, eye[indices])
    return np.asarray(np.linalg.inv(values))
