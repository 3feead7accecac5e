"""Frames of one splash of water whose drops run down the picture."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..normal import normals
from ..spatter import gaussian_kernel, liquid_from, spattered, water_cover
from .steps import Draws, Frames

Floats = NDArray[np.float64]


def spatter(
    images: Tensor,
    draws: Draws,
    frames: int,
    mean: float,
    spread: float,
    sigma: float,
    threshold: float,
    strength: float,
    *weights: float,
) -> Frames:
    """Water, drawn once, on every frame; from one to the next it is convolved down the columns.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        draws: One normal number for each pixel is drawn.
        frames: How many.
        mean: Of the noise, in units of full brightness.
        spread: Its standard deviation before the blur.
        sigma: Of the blur, pixels.
        threshold: Below it there is no water, in the first frame.
        strength: How much water there is where it is thickest, in every frame.
        weights: Of the convolution.
    """
    height, width = images.shape[2:]
    noise = normals(draws(0), height * width).reshape(-1, height, width)
    kernel = gaussian_kernel(sigma)
    liquid = np.zeros(noise.shape)
    for one, target in zip(noise, liquid, strict=True):
        smooth = liquid_from(one, kernel, mean, spread)
        target[:] = np.where(smooth >= 255 * threshold, smooth, 0)
    cover = np.empty(noise.shape, np.float32)
    for _ in range(frames):
        for wet, lit in zip(liquid, cover, strict=True):
            water_cover(wet.copy(), 0.0, strength, lit)
        yield spattered(images, torch.from_numpy(cover.copy()), mud=False)
        liquid = run_down(liquid, weights)


def run_down(liquid: Floats, weights: tuple[float, ...]) -> Floats:
    """Each column convolved with the weights and cut to its length as NumPy's `same` does.

    Args:
        liquid: [N, H, W].
        weights: Fewer than H, or the rest has no effect.
    """
    height = liquid.shape[1]
    centre, flowed = (len(weights) - 1) // 2, np.zeros_like(liquid)
    for place, weight in enumerate(weights):
        down = place - centre
        if abs(down) < height:
            to, of = max(0, down), max(0, -down)
            flowed[:, to : height - of] += weight * liquid[:, of : height - to]
    return flowed
