"""Takes images through a JPEG file and back, as the published corrupted sets were stored."""

from __future__ import annotations

import numbers

import numpy as np
import torch
from torch import Tensor

from .digital import jpeg_compression
from .draws import Stream
from .images import Images, check_images, planes

# What ImageNet-C and Tiny-ImageNet-C were saved with.
QUALITY = 85


def requantise(images: Images, quality: int = QUALITY) -> Images:
    """The same images as a JPEG file of this quality gives them back.

    ImageNet-C and Tiny-ImageNet-C were published as JPEG files of quality 85 with 4:2:0 chroma
    subsampling, which takes about a quarter off the amplitude of their noises and changes every
    other corruption a little (Hendrycks and Dietterich, 2019, and their code). The CIFAR-C arrays
    were not. The `optimize` flag that the files were written with shortens them, and leaves every
    pixel as it is.

    Args:
        images: uint8 as for `corrupt`: NumPy [N, H, W, C] or [N, H, W]; torch [N, C, H, W] or
            [N, H, W]; C is 1 or 3.
        quality: Of the JPEG file, 1 to 95.

    Returns:
        New images of the same kind, shape, dtype and device.

    Raises:
        TypeError: Images that are not uint8, since a JPEG file holds 8-bit levels; a quality that
            is no integer.
        ValueError: A quality out of range, a layout that cannot be meant, or a number of channels
            that a JPEG file cannot hold.
    """
    if isinstance(quality, bool) or not isinstance(quality, numbers.Integral):
        raise TypeError(f"quality must be an integer, not {quality!r}: give one from 1 to 95.")
    if not 1 <= quality <= 95:
        raise ValueError(f"a JPEG quality of {quality} does not exist: give one from 1 to 95.")
    check_images(images, bands=True)
    if images.dtype not in (np.uint8, torch.uint8):
        raise TypeError(f"images are {images.dtype}, and a JPEG file holds 8-bit levels (uint8).")
    seen = planes(images)
    if seen.shape[1] not in (1, 3):
        raise ValueError(
            f"a JPEG file holds 1 or 3 channels, and images of shape {tuple(images.shape)} have "
            f"{seen.shape[1]} (arrays are [N, H, W, C], tensors [N, C, H, W]): reorder the axes."
        )
    if not len(seen):
        return images.clone() if isinstance(images, Tensor) else images.copy()
    nothing_drawn = Stream(torch.empty(0, dtype=torch.int64))
    stored = jpeg_compression(seen, nothing_drawn, float(quality))
    if isinstance(images, Tensor):
        return stored.reshape(images.shape).to(images.device)
    return stored.permute(0, 2, 3, 1).reshape(images.shape).contiguous().cpu().numpy()
