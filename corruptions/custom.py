"""Somebody's own corruption, held to what ours promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .images import Ids, Images, planes
from .ranges import ValueRange

# How many images are corrupted a second time to see whether the result repeats.
_REPEATED = 8


def run_custom(
    function: Callable[..., Any],
    images: Images,
    severity: float,
    seed: int,
    ids: Ids,
    stated: ValueRange | None,
) -> Images:
    """Call function(images, severity, seed=seed, ids=ids) and check what comes back.

    The first images are corrupted again, in another batch and in the opposite order.

    Args:
        function: Takes images as the caller holds them, a severity, a seed and one id for each
            image; returns images of the same kind, shape and dtype, within the stated range. It
            sees a copy, so that the caller's images stay whatever it does.
        images: NumPy or torch, checked.
        severity: 0, or 1 to 5.
        seed: Any integer.
        ids: int64 [N], or N strings.
        stated: The range of images that are no bytes.

    Raises:
        TypeError: Another kind or dtype came back.
        ValueError: Another shape or values outside the stated range came back, severity 0 changed
            an image, the images given were written to, or the first images came out differently
            when asked again.
    """
    name = getattr(function, "__name__", repr(function))
    _check_range(images, stated)
    few = min(_REPEATED, max(1, len(images) - 1))
    head = images[:few]
    unchanged = _called(function, name, _copied(head), 0.0, seed, ids[:few])
    if not _equal(unchanged, head):
        raise ValueError(f"{name} changes images at severity 0: make that the identity.")
    given = _copied(images)
    result = _called(function, name, given, severity, seed, ids)
    if not _equal(given, images):
        raise ValueError(f"{name} writes to the images it is given: let it work on a copy.")
    _check_result(name, result, stated)
    again = _called(function, name, _backwards(head), severity, seed, ids[:few][::-1])
    if not _equal(again, _backwards(result[:few])):
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
        raise TypeError(f"{name} returned {result.dtype} for {images.dtype}: keep it.")
    if result.shape != images.shape:
        raise ValueError(
            f"{name} returned the shape {tuple(result.shape)} for {tuple(images.shape)}: keep it."
        )
    if isinstance(result, Tensor) and result.device != images.device:
        raise ValueError(
            f"{name} returned images on {result.device}: keep the device they were on."
        )
    return result


def _check_range(images: NDArray[Any] | Tensor, stated: ValueRange | None) -> None:
    """Raise ValueError unless every value is in the stated range."""
    if stated is not None:
        for k in range(len(images)):
            stated.levels(planes(images[k : k + 1]), k)


def _check_result(name: str, result: NDArray[Any] | Tensor, stated: ValueRange | None) -> None:
    try:
        _check_range(result, stated)
    except ValueError as error:
        raise ValueError(f"{name} left the stated range: {error}") from error


def _copied(images: Images) -> Images:
    return images.clone() if isinstance(images, Tensor) else np.array(images)


def _backwards(images: Images) -> Images:
    """A copy in the opposite order."""
    return images.flip(0) if isinstance(images, Tensor) else images[::-1].copy()


def _equal(one: NDArray[Any] | Tensor, other: NDArray[Any] | Tensor) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return np.array_equal(np.asarray(one), np.asarray(other))
