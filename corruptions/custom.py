"""Somebody's own corruption, held to what ours promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .images import Ids, Images

# How many images are corrupted a second time to see whether the result repeats.
_REPEATED = 8


def run_custom(
    function: Callable[..., Any], images: Images, severity: float, seed: int, ids: Ids
) -> Images:
    """Call function(images, severity, seed=seed, ids=ids) and check what comes back.

    Args:
        function: Takes uint8 images as the caller holds them, a severity, a seed and one id for
            each image; returns images of the same kind, shape and dtype.
        images: NumPy or torch, checked.
        severity: 0, or 1 to 5.
        seed: Any integer.
        ids: int64 [N], or N strings.

    Raises:
        TypeError: Another kind or dtype came back.
        ValueError: Another shape came back, severity 0 changed an image, the images given were
            written to, or the first images came out differently when asked again on their own.
    """
    name = getattr(function, "__name__", repr(function))
    few = min(_REPEATED, max(1, len(images) - 1))
    head, kept = images[:few], _copied(images[:few])
    unchanged = _called(function, name, _copied(head), 0.0, seed, ids[:few])
    if not _equal(unchanged, kept):
        raise ValueError(f"{name} changes images at severity 0: make that the identity.")
    result = _called(function, name, images, severity, seed, ids)
    if not _equal(head, kept):
        raise ValueError(f"{name} writes to the images it is given: let it work on a copy.")
    again = _called(function, name, _copied(head), severity, seed, ids[:few])
    if not _equal(again, result[:few]):
        raise ValueError(
            f"{name} gives other results for the same images in another batch: let its draws "
            "depend only on the seed, the severity and each image's id."
        )
    return result


def _called(
    function: Callable[..., Any], name: str, images: Images, severity: float, seed: int, ids: Ids
) -> Images:
    result = function(images, severity, seed=seed, ids=ids)
    if not isinstance(result, np.ndarray if isinstance(images, np.ndarray) else Tensor):
        raise TypeError(
            f"{name} returned {type(result).__name__} for {type(images).__name__}: "
            "return the kind it was given."
        )
    if result.dtype != images.dtype:
        raise TypeError(f"{name} returned {result.dtype}: return 8-bit grey levels (uint8).")
    if result.shape != images.shape:
        raise ValueError(
            f"{name} returned the shape {tuple(result.shape)} for {tuple(images.shape)}: keep it."
        )
    if isinstance(result, Tensor) and result.device != images.device:
        raise ValueError(
            f"{name} returned images on {result.device}: keep the device they were on."
        )
    return result


def _copied(images: Images) -> Images:
    return images.clone() if isinstance(images, Tensor) else images.copy()


def _equal(one: NDArray[np.uint8] | Tensor, other: NDArray[np.uint8] | Tensor) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return np.array_equal(np.asarray(one), np.asarray(other))
