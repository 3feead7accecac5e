"""Perlin noise: an image mixed with clouds of several octaves of gradient noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..draws import Stream
from ..exact import Floats
from .drawn import blended, by_few, shorter

_CELLS = 7  # of the coarsest lattice along the side: 224 / 32
_OCTAVES = (1, 2, 4, 8, 16)
_TABLE = 256  # gradients, and the period of the lattice


def perlin_noise(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Mix with clouds: (1 − a) · v + 255 · a · min(1, ½ + ½ turbulence), a = level / 20.

    The turbulence is the sum of |noise| / f over lattices of 7 · f cells along the side, f = 1, 2,
    4, 8, 16, and the noise is 1.5 times that of Perlin, "An image synthesizer", 1985. Gradients
    point to places drawn from a square grid; at (0, 0), where the published code is undefined, the
    gradient is 0. The permutation is uniform (that of the published code is not quite).
    """
    order = stream.words(_TABLE).argsort(dim=1, stable=True)
    corners = stream.codes(2 * _TABLE, purpose=1).bitwise_and(511).sub_(256).to(torch.float64)
    places = corners.reshape(-1, _TABLE, 2)
    gradients = places / places.square().sum(dim=2, keepdim=True).sqrt_().clamp_(min=1)
    return clouded(images, level, order, gradients)


def clouded(images: Tensor, level: float, order: Tensor, gradients: Tensor) -> Tensor:
    """The mixture with given gradients.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        level: 0 to 20.
        order: int64 [N, 256], a permutation of 0..255.
        gradients: float64 [N, 256, 2], (down, right).
    """
    share = 0.05 * level

    def change(some: slice, levels: Tensor) -> Tensor:
        clouds = turbulence(levels, order[some], gradients[some])
        clouds = clouds.mul_(0.5).add_(0.5).clamp_(max=1)
        return blended(levels, 1 - share, clouds[:, None], 255 * share)

    return by_few(images, change)


def turbulence(images: Tensor, order: Tensor, gradients: Tensor) -> Tensor:
    """The sum of the octaves of noise for every image: float64 [N, H, W], at least 0."""
    height, width = images.shape[2:]
    total = torch.zeros(len(images), height, width, dtype=torch.float64, device=images.device)
    for octave in _OCTAVES:
        cells = octave * _CELLS / shorter(images)
        rows, rows_times = (torch.from_numpy(w).to(images.device) for w in _weights(height, cells))
        columns, columns_times = (
            torch.from_numpy(w).to(images.device) for w in _weights(width, cells)
        )
        down, right = _lattice(order, gradients, rows.shape[1], columns.shape[1]).unbind(3)
        noise = rows_times @ down @ columns.t() + rows @ right @ columns_times.t()
        total.add_(noise.abs_(), alpha=1.5 / octave)
    return total


def _lattice(order: Tensor, gradients: Tensor, rows: int, columns: int) -> Tensor:
    """The gradients at the corners of the lattice: float64 [N, rows, columns, 2]."""
    down = order[:, torch.arange(rows, device=order.device) % _TABLE]
    right = torch.arange(columns, device=order.device)
    place = (down[:, :, None] + right).remainder_(_TABLE).flatten(1)
    which = order.gather(1, place)[:, :, None].expand(-1, -1, 2)
    return gradients.gather(1, which).view(len(order), rows, columns, 2)


@lru_cache(maxsize=32)
def _weights(size: int, cells: float) -> tuple[Floats, Floats]:
    """How much the corners weigh in every pixel of an axis: [size, corners], two of them not 0.

    A gradient's product with the way from its corner, blended by 3 t² − 2 t³, is a sum of products
    of one matrix for each axis; the second matrix is the first times the way.
    """
    places = np.arange(size) * cells
    corner = np.floor(places).astype(np.int64)
    way = places - corner
    blend = way**2 * (3 - 2 * way)
    plain, times = np.zeros((2, size, corner[-1] + 2))
    pixel = np.arange(size)
    plain[pixel, corner], plain[pixel, corner + 1] = 1 - blend, blend
    times[pixel, corner], times[pixel, corner + 1] = (1 - blend) * way, blend * (way - 1)
    return plain, times
