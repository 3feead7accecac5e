"""Takes images and rows from a user's own code, as arrays or tensors of any layout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence.errors import InputError


def as_inputs(values: Any, origin: str) -> NDArray[Any]:
    """Inputs in the one layout that everything here uses.

    Args:
        values: Array or tensor. Two axes are table rows. Three are grey images [N, H, W]. Four
            are images; where both the second and the last axis could be channels, a tensor is
            read as [N, C, H, W] and an array as [N, H, W, C], as their libraries do.
        origin: What a sentence about them calls them.

    Returns:
        uint8 [N, H, W, C] with 1 or 3 channels, or float32 [N, F]. Floating-point images must be
        within [0, 1] and are rounded to 256 levels.

    Raises:
        InputError: Any other shape, type or range.
    """
    is_tensor = hasattr(values, "detach")
    array = values.detach().cpu().numpy() if is_tensor else np.asarray(values)
    if array.ndim == 2:
        return _rows(array, origin)
    if array.ndim == 3:
        return _levels(array, origin)[..., None]
    if array.ndim != 4:
        raise InputError(
            f"{origin} gives inputs of shape {array.shape}: return [N, F] rows, or images "
            "[N, H, W], [N, H, W, C] or [N, C, H, W]."
        )
    first, last = array.shape[1] in (1, 3), array.shape[3] in (1, 3)
    if not first and not last:
        raise InputError(
            f"{origin} gives images of shape {array.shape}, where no axis is 1 or 3 channels: "
            "return grey or colour images."
        )
    if first and (is_tensor or not last):
        array = array.transpose(0, 2, 3, 1)
    return _levels(array, origin)


def _rows(array: NDArray[Any], origin: str) -> NDArray[np.float32]:
    if array.dtype.kind not in "fiub":
        raise InputError(
            f"{origin} gives rows of type {array.dtype}: return numbers, or a pandas frame, whose "
            "text columns are encoded."
        )
    rows = array.astype(np.float32)
    for row, column in np.argwhere(~np.isfinite(rows))[:1]:
        raise InputError(
            f"{origin} gives {rows[row, column]} in row {row}, column {column}: fill it first."
        )
    return rows


def _levels(array: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if array.dtype.kind == "f" and low >= 0.0 and high <= 1.0:  # false for NaN too
        return np.rint(array * 255.0).astype(np.uint8)
    if array.dtype.kind in "iu" and low >= 0 and high <= 255:
        return array.astype(np.uint8)
    raise InputError(
        f"{origin} gives images of type {array.dtype} from {low:g} to {high:g}: return uint8, or "
        "floats within [0, 1], and normalise in `model.preprocess`, because corruptions act on "
        "what a camera gives."
    )
