"""What cameras, files and screens do: contrast, saturation, pixelation, JPEG compression.

Every function takes (images uint8 [N, C, H, W], stream, *constants) and returns such images;
none of them draws anything, so all leave the stream alone.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from .draws import Stream
from .exact import grey_levels


def contrast(images: Tensor, stream: Stream, factor: float) -> Tensor:
    """Pull every channel towards its own mean over the image: (x − mean) · factor + mean."""
    pixels = images.shape[2] * images.shape[3]
    total = images.sum(dim=(2, 3), keepdim=True, dtype=torch.int64)
    mean = total.to(torch.float64).div_(pixels).to(torch.float32)
    return grey_levels(images.to(torch.float32).sub_(mean).mul_(factor).add_(mean))


def saturate(images: Tensor, stream: Stream, factor: float, offset: float) -> Tensor:
    """HSV saturation becomes saturation · factor + offset, within 0..1; colour images only.

    A grey pixel has no hue; like scikit-image, which the published sets were made with, we call it
    red, so that an offset tints grey pixels.
    """
    value = images.amax(dim=1, keepdim=True)
    low = images.amin(dim=1, keepdim=True)
    index = value.to(torch.int32).mul_(256).add_(low).flatten()
    table = torch.from_numpy(_saturation_ratio(factor, offset)).to(images.device)
    ratio = table.index_select(0, index).view(value.shape)
    bright = value.to(torch.float32)
    result = grey_levels((images.to(torch.float32) - bright).mul_(ratio).add_(bright))
    if offset > 0:
        tint = grey_levels(bright.mul(1 - min(offset, 1.0)))
        result[:, 1:] = torch.where(value == low, tint, result[:, 1:])
    return result


@lru_cache(maxsize=16)
def _saturation_ratio(factor: float, offset: float) -> NDArray[np.float32]:
    """New saturation over old for (value, lowest channel), [256 · 256]; 1 where there is no hue."""
    value, low = np.arange(256)[:, None], np.arange(256)[None, :]
    old = np.maximum(value - low, 0) / np.maximum(value, 1)
    new = np.clip(old * factor + offset, 0, 1)
    return np.where(old > 0, new / np.where(old > 0, old, 1), 1).astype(np.float32).ravel()


def pixelate(images: Tensor, stream: Stream, fraction: float) -> Tensor:
    """Shrink to `fraction` of each side by Pillow's BOX filter, bit for bit, then repeat pixels."""
    height, width = images.shape[2:]
    rows, columns = max(1, int(height * fraction)), max(1, int(width * fraction))
    down, across = (
        torch.from_numpy(_boxes(size, small)).to(images.device)
        for size, small in ((height, rows), (width, columns))
    )
    narrow = _half_up(images.to(torch.float64) @ across.t())
    small = _half_up(down @ narrow).to(torch.uint8)
    tall = small.index_select(2, _nearest(height, rows).to(images.device))
    return tall.index_select(3, _nearest(width, columns).to(images.device))


@lru_cache(maxsize=16)
def _boxes(size: int, small: int) -> NDArray[np.float64]:
    """Pillow's fixed-point weights, multiples of 2^−22: [small, size]."""
    scale = size / small
    pixel = np.arange(size)[None, :]
    centres = (np.arange(small) + 0.5)[:, None] * scale
    # Which pixels are in the box is decided twice, as in Pillow: rounding can make the two differ.
    first = np.floor(centres - 0.5 * scale + 0.5)
    last = np.floor(centres + 0.5 * scale + 0.5)
    place = (pixel - centres + 0.5) * (1 / scale)
    inside = (pixel >= first) & (pixel < last) & (place > -0.5) & (place <= 0.5)
    weight = np.floor(0.5 + 2.0**22 / inside.sum(axis=1, keepdims=True)) / 2.0**22
    return np.where(inside, weight, 0.0)


def _half_up(values: Tensor) -> Tensor:
    """Pillow rounds after each axis, and halves go up; in place."""
    return values.add_(0.5).floor_().clamp_(0, 255)


def _nearest(size: int, small: int) -> Tensor:
    return torch.from_numpy(((np.arange(size) + 0.5) * small / size).astype(np.int64))


def jpeg_compression(images: Tensor, stream: Stream, quality: float) -> Tensor:
    """Through a JPEG file of this quality (1..95, rounded) with Pillow's default 4:2:0 sampling."""
    pixels = images.permute(0, 2, 3, 1).cpu().numpy()
    compressed = np.stack([_through_jpeg(image, round(quality)) for image in pixels])
    return torch.from_numpy(compressed).permute(0, 3, 1, 2).to(images.device)


def _through_jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """One [H, W, C] image, compressed and read back."""
    file = io.BytesIO()
    Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(
        file, "JPEG", quality=quality
    )
    return np.asarray(Image.open(file)).reshape(image.shape)
