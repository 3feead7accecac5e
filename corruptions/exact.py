"""Weighted sums of pixels whose result does not depend on the order of the additions.

Weights are rounded to multiples of 2^−16 that keep their sum. A pixel has 8 bits, so a sum of
weighted pixels needs 24, which is what a float32 holds: every partial sum is exact, and batch
size, number of threads, fused multiply-add and kind of device cannot change a byte. (Sums above
256 may round; they are clipped to 255 anyway.) The price is at most 2^−16 per weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

UNITS = 2**16

Floats = NDArray[np.float64]


def apportion(weights: Floats, total: int | None = None) -> Floats:
    """Round non-negative weights to multiples of 2^−16 by largest remainder along the last axis.

    Args:
        weights: [..., K], non-negative.
        total: What they must sum to, in units of 2^−16; None keeps the sum they have (rounded).

    Returns:
        Rounded weights, same shape, each less than 2^−16 from where it was when `total` is None.
        Ties go to the lower index.
    """
    sums = weights.sum(axis=-1, keepdims=True)
    wanted = np.rint(sums * UNITS) if total is None else np.full_like(sums, total)
    shares = weights / np.where(sums == 0, 1, sums) * wanted
    whole = np.floor(shares)
    order = np.argsort(whole - shares, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    rounded: Floats = (whole + (rank < wanted - whole.sum(axis=-1, keepdims=True))) / UNITS
    return rounded


@dataclass(frozen=True)
class Tap:
    """One term of a correlation: out[y, x] gets weight · in[y + down, x + right]."""

    down: int
    right: int
    weight: float


def kernel_taps(kernel: Floats) -> list[Tap]:
    """The non-zero taps of a centred [2a+1, 2b+1] kernel, weights made exact."""
    rounded = apportion(kernel.ravel()).reshape(kernel.shape)
    middle_y, middle_x = kernel.shape[0] // 2, kernel.shape[1] // 2
    return [
        Tap(int(y) - middle_y, int(x) - middle_x, float(rounded[y, x]))
        for y, x in np.argwhere(rounded)
    ]


def clamped(size: int, before: int, after: int) -> Tensor:
    """Index that extends an axis by repeating its ends: int64 [before + size + after]."""
    return torch.arange(-before, size + after).clamp_(0, size - 1)


def mirrored(size: int, before: int, after: int) -> Tensor:
    """Index that extends an axis by reflection about its end pixels (…2 1 0 1 2…), any distance."""
    period = 2 * (size - 1)
    index = torch.arange(-before, size + after).remainder_(period)
    return torch.minimum(index, period - index)


def extended(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The pixels at rows × columns, as float32 [N, C, rows, columns]."""
    rows, columns = rows.to(images.device), columns.to(images.device)
    return images.index_select(2, rows).index_select(3, columns).to(torch.float32)


def correlate(images: Tensor, taps: Sequence[Tap], *, mirror: bool = False) -> Tensor:
    """Sum of shifted images: float32 [N, C, H, W] of uint8 images, exact.

    Args:
        images: uint8 [N, C, H, W].
        taps: Exact weights.
        mirror: Outside the image, reflect about the end pixels; else repeat them.
    """
    border = mirrored if mirror else clamped
    height, width = images.shape[2:]
    up, left = -min(0, *(t.down for t in taps)), -min(0, *(t.right for t in taps))
    rows = border(height, up, max(0, *(t.down for t in taps)))
    columns = border(width, left, max(0, *(t.right for t in taps)))
    source = extended(images, rows, columns)
    result = torch.zeros(images.shape, device=images.device)
    for tap in taps:
        y, x = up + tap.down, left + tap.right
        result.add_(source[:, :, y : y + height, x : x + width], alpha=tap.weight)
    return result


@dataclass(frozen=True)
class PixelMap:
    """A linear map of every image, as one sparse matrix with exact weights.

    Attributes:
        matrix: float32 [H·W, H·W], CSR.
    """

    matrix: scipy.sparse.csr_array

    def apply(self, images: Tensor) -> Tensor:
        """Map uint8 [N, C, H, W] to float32 of the same shape."""
        count, pixels = images.shape[0] * images.shape[1], images.shape[2] * images.shape[3]
        columns = images.reshape(count, pixels).t().to(torch.float32).contiguous()
        if images.device.type == "cpu":
            mapped = torch.from_numpy(self.matrix @ columns.numpy())
        else:
            mapped = self._on(images.device) @ columns
        return mapped.t().reshape(images.shape)

    def _on(self, device: torch.device) -> Tensor:
        # Coordinates, not rows: torch warns that its compressed rows are in beta.
        entries = self.matrix.tocoo()
        places = torch.from_numpy(np.stack([entries.row, entries.col]))
        values = torch.from_numpy(entries.data)
        size = list(self.matrix.shape)
        return torch.sparse_coo_tensor(places, values, size, device=device, check_invariants=False)


def pixel_map(indices: NDArray[np.int64], weights: Floats) -> PixelMap:
    """The map whose output pixel p is the sum over k of weights[p, k] · input[indices[p, k]].

    Args:
        indices: [H·W, K] into the flattened image.
        weights: [H·W, K], exact (from `apportion`); zero weights are dropped.
    """
    pixels, width = indices.shape
    starts = np.arange(0, pixels * width + 1, width)
    matrix = scipy.sparse.csr_array(
        (weights.ravel().astype(np.float32), indices.ravel(), starts), shape=(pixels, pixels)
    )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return PixelMap(matrix)


def bilinear(
    rows: Floats, columns: Floats, height: int, width: int
) -> tuple[NDArray[np.int64], Floats]:
    """The four neighbours of each place and their weights; outside the image weighs nothing.

    Args:
        rows: Source row of each output pixel, [P], in pixels.
        columns: Source column, [P].
        height: Rows of the image.
        width: Columns of the image.

    Returns:
        Indices [P, 4] into the flattened image and weights [P, 4] (not rounded yet).
    """
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    down, right = rows - top, columns - left
    y = np.stack([top, top, top + 1, top + 1], axis=-1)
    x = np.stack([left, left + 1, left, left + 1], axis=-1)
    weights = np.stack(
        [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], axis=-1
    )
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    flat = np.clip(y, 0, height - 1) * width + np.clip(x, 0, width - 1)
    return flat, np.where(inside, weights, 0.0)


def grey_levels(values: Tensor, dtype: torch.dtype = torch.uint8) -> Tensor:
    """Clip to 0..255 and, for uint8, truncate as the published generators do; works in place.

    A thousandth of a level is added first, so that a sum which is an integer but for a rounding
    error does not fall to the level below. Images that are no bytes are floats on the same scale,
    which are clipped and keep their fractions.
    """
    if dtype != torch.uint8:
        return values.clamp_(0, 255).to(dtype)
    return values.add_(1e-3).clamp_(0, 255).to(torch.uint8)
