"""Elastic transform: a random affine map, then a smooth random displacement of every pixel."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .draws import Stream
from .exact import Floats, grey_levels

# A code has 16 bits and gets 7 more before it is smoothed along the second axis; with weights of 30
# bits, sums are then exact in double precision and do not depend on their order.
_CODE_UNITS = 2**15
_FINER = 2**7
_WEIGHT_UNITS = 2**30


def elastic_transform(
    images: Tensor, stream: Stream, alpha: float, sigma: float, affine: float, side: float
) -> Tensor:
    """Move three points and the image with them, then every pixel by a smooth random field.

    Hendrycks and Dietterich's `elastic_transform`, 2019, after Simard, Steinkraus and Platt, "Best
    practices for convolutional neural networks applied to visual document analysis", 2003. Both
    resamplings are bilinear. What lies outside the image is its reflection, at the affine map about
    its edge pixels, at the displacement about its edges.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        stream: The draws.
        alpha: By how much the field is multiplied, in sides.
        sigma: Of the Gaussian that smooths the field (it is cut at 3 sigma), in sides.
        affine: The points move by up to this along both axes, in sides.
        side: Pixels that the others are multiples of: a constant of the preset, as every distance
            in pixels is, and not the side of these images. (ImageNet-C has 244 for images of 224,
            a slip that its images contain.)

    Returns:
        Shape, dtype and device of `images`.
    """
    count, _, height, width = images.shape
    if not images.numel():
        return images.clone()
    jitter = stream.uniform(6).reshape(count, 3, 2).to(torch.float64).mul_(affine * side)
    field = None
    if alpha:
        field = stream.codes(2 * height * width, purpose=1).reshape(count, height, width, 2)
    return elastic(images, jitter, field, alpha * side, sigma * side)


def elastic(
    images: Tensor, jitter: Tensor, field: Tensor | None, alpha: float, sigma: float
) -> Tensor:
    """The transform with given draws.

    Args:
        images: uint8 or float32 levels [N, C, H, W], at least one.
        jitter: float64 [N, 3, 2], how far (right, down) the points move, pixels. They lie a third
            of the shorter side from the centre: below right, above right, above left of it.
        field: int16 [N, H, W, 2], the field of (right, down), in units of 2^−15 after adding ½;
            None for no displacement.
        alpha: By how much the smoothed field is multiplied, pixels.
        sigma: Of the Gaussian that smooths it, pixels.
    """
    height, width = images.shape[2:]
    levels = _resampled(images.to(torch.float32), affine_grid(jitter, height, width), edges=False)
    if field is not None:
        # Normalised coordinates run from −1 to 1 from edge to edge; 2/W of them are a pixel.
        pixel = torch.tensor([2 / width, 2 / height], dtype=torch.float64)
        unit = pixel * (alpha / _CODE_UNITS)
        start = torch.from_numpy(_centres(height, width)) + unit / 2
        unit, start = (t.to(torch.float32).to(images.device) for t in (unit, start))
        moved = torch.addcmul(start, smoothed(field, sigma), unit.expand_as(start).contiguous())
        levels = _resampled(levels, moved, edges=True)
    return grey_levels(levels, images.dtype)


def affine_grid(jitter: Tensor, height: int, width: int) -> Tensor:
    """Where the pixels come from when the three points move.

    Returns:
        float32 [N, H, W, 2], (right, down) from −1 to 1 between the centres of the edge pixels. A
        map without inverse takes everything from one point.
    """
    third = max(1, min(height, width) // 3)
    corner = torch.tensor([width // 2 + third, height // 2 - third], dtype=torch.float64)
    below, above, left = jitter.cpu().unbind(1)
    across = torch.tensor([1.0, 0.0]) + (above - left) / (2 * third)
    down = torch.tensor([0.0, 1.0]) + (below - above) / (2 * third)
    determinant = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
    scale = torch.where(determinant == 0, 0.0, 1 / determinant)[:, None]
    per_column = torch.stack([down[:, 1], -across[:, 1]], dim=1) * scale
    per_row = torch.stack([-down[:, 0], across[:, 0]], dim=1) * scale
    columns = torch.arange(width) - (corner[0] + above[:, :1])
    rows = torch.arange(height) - (corner[1] + above[:, 1:])
    pixel = torch.tensor([2 / (width - 1), 2 / (height - 1)], dtype=torch.float64)
    from_column = per_column[:, None] * columns[..., None] * pixel
    from_row = (per_row[:, None] * rows[..., None] + corner) * pixel - 1
    # As complex numbers, right and down are added in one go.
    first, second = (
        torch.view_as_complex(terms.to(torch.float32).to(jitter.device))
        for terms in (from_row, from_column)
    )
    return torch.view_as_real(first[:, :, None] + second[:, None])


def smoothed(field: Tensor, sigma: float) -> Tensor:
    """A Gaussian cut at 3 sigma, the field reflecting about its edges: float32, shaped like it.

    Args:
        field: int16 [N, H, W, 2].
        sigma: Pixels; 0 leaves the field as it is.
    """
    height, width = field.shape[1:3]
    kernel = _kernel(sigma)
    if field.device.type == "cpu" and len(kernel) <= max(height, width):
        reach = len(kernel) // 2
        rows = _reflected(height, reach)
        tall = field.numpy().take(rows, axis=1).reshape(-1, width, 2)
        sums = cv2.sepFilter2D(tall, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        sums = sums.reshape(len(field), len(rows), width, 2)
        return torch.from_numpy(sums[:, reach : reach + height])
    down, across = (torch.from_numpy(_matrix(size, sigma)) for size in (height, width))
    planes = field.permute(0, 3, 1, 2).to(torch.float64)
    product = (down.to(field.device) @ planes).mul_(_FINER).round_() @ across.to(field.device).t()
    return product.permute(0, 2, 3, 1).div(_FINER).to(torch.float32)


def _resampled(levels: Tensor, grid: Tensor, *, edges: bool) -> Tensor:
    """Bilinear, reflecting about the image's edges or else about the centres of its edge pixels."""
    return functional.grid_sample(
        levels, grid, mode="bilinear", padding_mode="reflection", align_corners=not edges
    )


@lru_cache(maxsize=8)
def _centres(height: int, width: int) -> Floats:
    """Pixel centres [H, W, 2], (right, down), from −1 to 1 between the image's edges."""
    right, down = ((2 * np.arange(size) + 1) / size - 1 for size in (width, height))
    return np.stack(np.meshgrid(right, down), axis=-1)


@lru_cache(maxsize=8)
def _kernel(sigma: float) -> Floats:
    reach = int(3 * sigma + 0.5)
    if not reach:
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _reflected(size: int, reach: int) -> np.ndarray:
    """Index that extends an axis by reflection about its edges (…1 0 0 1…), any distance."""
    index = np.arange(-reach, size + reach) % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


@lru_cache(maxsize=8)
def _matrix(size: int, sigma: float) -> Floats:
    """The smoothing of one axis as a matrix [size, size], in whole units of 2^−30."""
    kernel = _kernel(sigma)
    index = _reflected(size, len(kernel) // 2)
    matrix = np.zeros((size, size))
    for offset, weight in enumerate(kernel):
        np.add.at(matrix, (np.arange(size), index[offset : offset + size]), weight)
    return np.rint(matrix * _WEIGHT_UNITS) / _WEIGHT_UNITS
