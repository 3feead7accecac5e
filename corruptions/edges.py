"""Canny's edges of a whole batch, as scikit-image finds them, which MNIST-C was made with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .exact import Floats

_LOW, _HIGH = 0.1, 0.2


def canny(images: Floats, sigma: float) -> NDArray[np.bool_]:
    """Where edges are (Canny, "A Computational Approach to Edge Detection", 1986).

    Args:
        images: [..., H, W] in [0, 1].
        sigma: Of the Gaussian that smooths first, pixels; beyond the border is nothing.

    Returns:
        bool, shaped like `images`; a border of one pixel has no edges. Thresholds of the gradient
        (Sobel's, not normalised) are 0.1 and 0.2.
    """
    flat = images.reshape(-1, *images.shape[-2:])
    # Weighing each pixel by how much of its window is inside keeps the border from looking dark.
    inside = _smoothed(np.ones_like(flat[:1]), sigma) + np.finfo(np.float64).eps
    smooth = _smoothed(flat, sigma) / inside
    down, right = _sobel(smooth, 1), _sobel(smooth, 2)
    size = np.hypot(down, right)
    thin = _is_ridge(down, right, size) & (size >= _LOW)
    thin[:, [0, -1], :] = False
    thin[:, :, [0, -1]] = False
    return _connected(thin, size >= _HIGH).reshape(images.shape)


def _smoothed(images: Floats, sigma: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter(images, (0, sigma, sigma), mode="constant"))


def _sobel(images: Floats, axis: int) -> Floats:
    """The difference along one axis, smoothed along the other; SciPy's would smooth the batch."""
    difference = ndimage.correlate1d(images, [-1, 0, 1], axis)
    return np.asarray(ndimage.correlate1d(difference, [1, 2, 1], 3 - axis))


def _is_ridge(down: Floats, right: Floats, size: Floats) -> NDArray[np.bool_]:
    """Whether the gradient is at least as large as on both sides along its own direction.

    The sides lie between two neighbours each, between which the gradient is interpolated.
    """
    steep, flat = np.abs(down), np.abs(right)
    larger = np.maximum(steep, flat)
    share = np.minimum(steep, flat) / np.where(larger == 0, 1, larger)
    padded = np.pad(size, ((0, 0), (1, 1), (1, 1)))
    height, width = size.shape[1:]

    def beside(rows: int, columns: int) -> Floats:
        return padded[:, 1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    same = ((down >= 0) & (right >= 0)) | ((down <= 0) & (right <= 0))
    upright = steep > flat
    ridge = size > 0
    for sign in (1, -1):
        straight = np.where(upright, beside(sign, 0), beside(0, sign))
        falling = beside(sign, sign)
        rising = np.where(upright, beside(sign, -sign), beside(-sign, sign))
        slanted = np.where(same, falling, rising)
        ridge &= slanted * share + straight * (1 - share) <= size
    return np.asarray(ridge)


def _connected(thin: NDArray[np.bool_], strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected lines with at least one strong pixel; neighbours touch by corners too."""
    within = np.zeros((3, 3, 3), dtype=bool)
    within[1] = True
    lines, count = ndimage.label(thin, structure=within)
    kept = np.zeros(count + 1, dtype=bool)
    kept[lines[thin & strong]] = True
    kept[0] = False
    return np.asarray(kept[lines])
