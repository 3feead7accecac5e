"""Weather: fog and brightness.

Every function takes (images uint8 [N, C, H, W], stream, *constants) and returns such images;
those that draw nothing leave the stream alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream
from .exact import grey_levels


def fog(images: Tensor, stream: Stream, thickness: float, decay: float) -> Tensor:
    """Add `thickness` times a plasma fractal and scale so that the brightest level stays."""
    size = max(2, 2 ** (max(images.shape[2:]) - 1).bit_length())
    return fogged(images, thickness, plasma(stream.uniform(size * size - 1), size, decay))


def fogged(images: Tensor, thickness: float, mist: Tensor) -> Tensor:
    """(x + thickness · mist) · m / (m + thickness), with m the image's brightest value.

    Args:
        images: uint8 [N, C, H, W].
        thickness: How much fog, in units of full brightness.
        mist: float32 [N, size, size] in [0, 1], at least as large as the image; its top left is
            used.
    """
    mist = mist[:, None, : images.shape[2], : images.shape[3]]
    brightest = images.amax(dim=(1, 2, 3), keepdim=True).to(torch.float32).div_(255)
    fogged = images.to(torch.float32) + mist.mul(255 * thickness)
    return grey_levels(fogged.mul_(brightest / (brightest + thickness)))


def plasma(uniforms: Tensor, size: int, decay: float) -> Tensor:
    """Diamond-square fractal on a torus, scaled to [0, 1] for each image: float32 [N, size, size].

    Args:
        uniforms: float32 [N, size² − 1] in [−1, 1], used in this order: at each level the centres
            of squares, then the middles of the horizontal edges, then those of the vertical edges.
        size: A power of two, at least 2.
        decay: What the wobble is divided by from one level to the next. The wobble starts at 100
            and enters squared, as in the published generator.
    """
    field = torch.zeros(len(uniforms), size, size, device=uniforms.device)
    step, wobble, used = size, 100.0, 0
    while step >= 2:
        half, side = step // 2, size // step
        count = side * side
        squares, across, down = (
            uniforms[:, used : used + 3 * count].mul(wobble**2).view(-1, 3, side, side).unbind(1)
        )
        corners = field[:, ::step, ::step]
        pairs = corners + corners.roll(-1, 1)
        centres = (pairs + pairs.roll(-1, 2)).div_(4).add_(squares)
        field[:, half::step, half::step] = centres
        beside = corners + corners.roll(-1, 2)
        field[:, ::step, half::step] = (centres + centres.roll(1, 1) + beside).div_(4).add_(across)
        above = corners + corners.roll(-1, 1)
        field[:, half::step, ::step] = (centres + centres.roll(1, 2) + above).div_(4).add_(down)
        step, wobble, used = half, wobble / decay, used + 3 * count
    field.sub_(field.amin(dim=(1, 2), keepdim=True))
    return field.div_(field.amax(dim=(1, 2), keepdim=True))


def brightness(images: Tensor, stream: Stream, amount: float) -> Tensor:
    """Raise the HSV value by `amount`, up to 1; hue and saturation stay, black turns grey."""
    tables = torch.from_numpy(_brighter(amount)).to(images.device)
    value = images.amax(dim=1, keepdim=True).to(torch.int32)
    index = value.mul_(256) + images
    return tables.index_select(0, index.flatten()).view(images.shape)


@lru_cache(maxsize=16)
def _brighter(amount: float) -> NDArray[np.uint8]:
    """The new level of (value, level), [256 · 256]: level · value' / value."""
    value, level = np.arange(256)[:, None], np.arange(256)[None, :]
    raised = np.minimum(value + 255 * amount, 255)
    scaled = np.where(value > 0, level * raised / np.maximum(value, 1), raised)
    return np.asarray(np.clip(scaled + 1e-3, 0, 255), dtype=np.uint8).ravel()
