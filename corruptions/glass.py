"""Glass blur: pixels taken from random neighbours, between two Gaussian blurs."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream
from .exact import Floats, clamped
from .partners import draw_steps, exchanged, sources

# The kind of device on which OpenCV does the work; on others torch does.
_ON_CPU = "cpu"
# Elements worked on at a time on a CPU: in single precision they fit in its second-level cache.
_AT_ONCE = 2**18
# Keeps a sum that is an integer but for a rounding error from being truncated to the level below.
# Narrow Gaussians make many sums that lie a few 10^−4 below an integer, and those must fall.
_NUDGE = 2e-4


def glass_blur(
    images: Tensor,
    stream: Stream,
    sigma: float,
    distance: float,
    passes: float,
    chance: float = 1,
    exchange: float = 0,
) -> Tensor:
    """Blur, copy every pixel from a neighbour up to `distance` away, several times, and blur again.

    Hendrycks and Dietterich's `glass_blur`, 2019. All channels of a pixel move together. MNIST-C
    (Mu and Gilmer, 2019) takes every step with `chance` ½. Its images have no axis of colours, and
    so its code does other things to them: pixels do change places with their partners, and both
    Gaussians go down the columns alone.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        stream: The draws.
        sigma: Of both Gaussians, pixels; they are cut at 4 sigma, and edge pixels repeat.
        distance: Offsets are uniform over −distance..distance−1 along both axes; a whole number
            from 1 to 16. (Where 2 · distance is no power of two, 65,536 codes are shared among the
            offsets, some of which get one more than others.)
        passes: How many times, a whole number.
        chance: Probability of each copy.
        exchange: Not 0 for what happens in MNIST-C.

    Returns:
        Shape, dtype and device of `images`. The first blur of 8-bit images is truncated to 8 bits,
        that of floats is not.

    Raises:
        ValueError: A distance out of range, or no pass.
    """
    if not images.numel():
        return images.clone()
    on_cpu = images.device.type == _ON_CPU
    step = max(1, _AT_ONCE // images[0].numel()) if on_cpu else len(images)
    result = torch.empty_like(images)
    for start in range(0, len(images), step):
        part = images[start : start + step]
        draws = stream.part(start, start + step, images.device)
        steps = draw_steps(draws, part.shape[2:], round(distance), round(passes), chance)
        result[start : start + step] = glassed(part, sigma, steps, exchange=bool(exchange))
    return result


def glassed(images: Tensor, sigma: float, steps: list[Tensor], *, exchange: bool = False) -> Tensor:
    """Glass blur with given partners.

    Args:
        images: uint8 or float32 levels [N, C, H, W], at least one.
        sigma: Of both Gaussians, pixels.
        steps: As from `draw_steps`, on the device of the images.
        exchange: Whether pixels and partners change places, and blurs go down the columns alone.
    """
    blurred = _blurred_on_cpu if images.device.type == _ON_CPU else _blurred
    kernel = _kernel(sigma)
    across = _kernel(0) if exchange else kernel
    height, reach = images.shape[2], len(kernel) // 2
    # Above and below, rows for the second blur: they are moved along with the others.
    rows = clamped(height, reach, reach).to(images.device)
    pixels = blurred(images.transpose(0, 1).index_select(2, rows), kernel, across)
    places = (exchanged if exchange else sources)(steps).index_select(1, rows)
    moved = pixels.new_empty(len(pixels), *places.shape)
    for channel, target in zip(pixels, moved, strict=True):
        torch.index_select(channel.reshape(-1), 0, places.view(-1), out=target.view(-1))
    return blurred(moved, kernel, across).transpose(0, 1)


def _blurred_on_cpu(pixels: Tensor, kernel: Floats, across: Floats) -> Tensor:
    """Blur images that bring the rows around them: [C, N, H + 2r, W] to [C, N, H, W], same dtype.

    All images lie in one tall one. Sums are in single precision and always in the same order.
    Weights sum to one but for rounding errors.
    """
    if len(kernel) == 1:
        return pixels
    reach, (height, width) = len(kernel) // 2, pixels.shape[2:]
    tall, border = pixels.numpy().reshape(-1, width), cv2.BORDER_REPLICATE
    nudge = _NUDGE if pixels.dtype == torch.uint8 else 0.0
    sums = cv2.sepFilter2D(tall, cv2.CV_32F, across, kernel, delta=nudge, borderType=border)
    sums = sums.reshape(pixels.shape)[:, :, reach : height - reach]
    return torch.from_numpy(sums.astype(np.uint8) if nudge else sums.clip(0, 255))


def _blurred(pixels: Tensor, kernel: Floats, beside: Floats) -> Tensor:
    """The same on any device, as two products of matrices in double precision."""
    (height, width), margin = pixels.shape[2:], len(beside) // 2
    # Row y of the result is the sum over the rows y to y + 2r that the images have brought.
    down = _matrix(np.arange(height), kernel, height)
    across = _matrix(clamped(width, margin, margin).numpy(), beside, width)
    left, right = (torch.from_numpy(matrix).to(pixels.device) for matrix in (down, across))
    sums = left @ pixels.to(torch.float64) @ right.t()
    return (
        sums.add_(_NUDGE).to(torch.uint8)
        if pixels.dtype == torch.uint8
        else sums.clamp_(0, 255).to(pixels.dtype)
    )


def _matrix(index: NDArray[np.int64], kernel: Floats, size: int) -> Floats:
    """The sums of `kernel` over stretches of an axis of which `index` says the pixels."""
    count = len(index) - len(kernel) + 1
    matrix = np.zeros((count, size))
    for offset, weight in enumerate(kernel):
        np.add.at(matrix, (np.arange(count), index[offset : offset + count]), weight)
    return matrix


@lru_cache(maxsize=16)
def _kernel(sigma: float) -> Floats:
    reach = int(4 * sigma + 0.5)
    if not reach:  # one pixel: nothing is blurred
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())
