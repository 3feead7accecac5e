"""Weighted sums of pixels whose result does not depend on the order of the additions.

Weights are rounded to multiples of 2^−16 that keep their sum. A pixel has 8 bits, so a sum of
weighted pixels needs 24, which is what a float32 holds: every partial sum is exact, and batch
size, number of threads, fused multiply-add and kind of device cannot change a byte. (Sums above
256 may round; they are clipped to 255 anyway.) The price is at most 2^−16 per weight.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

UNITS = 2**16

_LESS = -0.499

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


def clamped(size: int, before: int, after: int) -> Tensor:
    """Index that extends an axis by repeating its ends: int64 [before + size + after]."""
    return torch.arange(-before, size + after).clamp_(0, size - 1)


def mirrored(size: int, before: int, after: int) -> Tensor:
    """Index that extends an axis by reflection about its end pixels (…2 1 0 1 2…), any distance."""
    period = 2 * (size - 1)
    index = torch.arange(-before, size + after).remainder_(period)
    return torch.minimum(index, period - index)


@dataclass(frozen=True)
class PixelMap:
    """A linear map of every image, as one sparse matrix with exact weights.

    Attributes:
        matrix: float32 [H·W, H·W], CSR.
        fast: The same for torch on the CPU, sharing its memory.
    """

    matrix: scipy.sparse.csr_array
    fast: Tensor

    def apply(self, images: Tensor) -> Tensor:
        """Map uint8 or float32 levels [N, C, H, W] to float32 [N, C, H·W]."""
        count, pixels = images.shape[0] * images.shape[1], images.shape[2] * images.shape[3]
        columns = _transposed(images.reshape(count, pixels)).to(torch.float32)
        if images.device.type != "cpu":
            mapped = self._on(images.device) @ columns
        elif images.dtype == torch.uint8:
            mapped = self.fast @ columns
        else:
            # Sums of fractions round, and SciPy's order does not depend on how many images there
            # are, which is not known of the library behind torch.
            mapped = torch.from_numpy(self.matrix @ columns.numpy())
        return mapped.t().reshape(*images.shape[:2], self.matrix.shape[0])

    def levels(self, images: Tensor) -> Tensor:
        """The grey levels of `apply`, of the dtype of the images: [N, C, H·W]."""
        if images.device.type != "cpu" or images.dtype != torch.uint8 or not images.numel():
            return grey_levels(self.apply(images), images.dtype)
        count = images.shape[0] * images.shape[1]
        columns = _transposed(images.reshape(count, -1)).to(torch.float32)
        return _transposed(grey_levels(self.fast @ columns)).view(*images.shape[:2], -1)

    def _on(self, device: torch.device) -> Tensor:
        # Coordinates, not rows: torch warns that its compressed rows are in beta.
        entries = self.matrix.tocoo()
        places = torch.from_numpy(np.stack([entries.row, entries.col]))
        values = torch.from_numpy(entries.data)
        size = list(self.matrix.shape)
        return torch.sparse_coo_tensor(places, values, size, device=device, check_invariants=False)


def _transposed(matrix: Tensor) -> Tensor:
    """The transpose in new memory, fast for bytes."""
    if matrix.device.type != "cpu" or matrix.dtype != torch.uint8 or not matrix.numel():
        return matrix.t().contiguous()
    return torch.from_numpy(cv2.transpose(matrix.numpy()))


def pixel_map(indices: NDArray[np.int64], weights: Floats) -> PixelMap:
    """The map whose output pixel p is the sum over k of weights[p, k] · input[indices[p, k]].

    Args:
        indices: [H·W, K] into the flattened image.
        weights: [H·W, K], exact (from `apportion`); zero weights are dropped.
    """
    pixels, width = indices.shape
    starts = np.arange(0, pixels * width + 1, width, dtype=np.int32)
    matrix = scipy.sparse.csr_array(
        (weights.ravel().astype(np.float32), indices.ravel().astype(np.int32), starts),
        shape=(pixels, pixels),
    )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    begins, places, values = (
        torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data)
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support", UserWarning)
        fast = torch.sparse_csr_tensor(
            begins, places, values, size=list(matrix.shape), check_invariants=False
        )
    return PixelMap(matrix, fast)


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


def gathered(pixels: Tensor, indices: NDArray[np.int64], weights: Floats) -> Tensor:
    """Weighted sums of pixels, for images too large for a `PixelMap`: float32 [N, C, P].

    Args:
        pixels: uint8 or float32 [N, C, H·W].
        indices: [P, K] into an image.
        weights: [P, K], exact.
    """
    total = torch.zeros(*pixels.shape[:2], len(indices), device=pixels.device)
    for index, weight in zip(indices.T, weights.T, strict=True):
        places = torch.from_numpy(index.copy()).to(pixels.device)
        shares = torch.from_numpy(weight.astype(np.float32)).to(pixels.device)
        total.add_(pixels.index_select(2, places).to(torch.float32).mul_(shares))
    return total


def grey_levels(values: Tensor, dtype: torch.dtype = torch.uint8) -> Tensor:
    """Clip to 0..255 and, for uint8, truncate as the published generators do; may work in place.

    A thousandth of a level is added first, so that a sum which is an integer but for a rounding
    error does not fall to the level below. Images that are no bytes are floats on the same scale,
    which are clipped and keep their fractions.

    Args:
        values: Finite, below 2^31; floats.
        dtype: What the images are.
    """
    if dtype != torch.uint8:
        return values.clamp_(0, 255).to(dtype)
    if values.device.type != "cpu" or not values.numel():
        return values.add_(1e-3).clamp_(0, 255).to(torch.uint8)
    # Rounding what is 0.499 less is truncating what is 0.001 more, in one pass over the memory.
    flat = values.contiguous().view(1, -1).numpy()
    shifted = cv2.add(flat, _LESS, dtype=cv2.CV_8U)  # type: ignore[call-overload]
    return torch.from_numpy(shifted).view(values.shape)
