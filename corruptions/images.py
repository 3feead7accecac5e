"""The border: what callers may hand in, checked, and seen as uint8 [N, C, H, W] without copying."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Images = TypeVar("Images", NDArray[np.uint8], Tensor)
Ids = NDArray[np.int64] | tuple[str, ...]


def check_images(images: object) -> None:
    """Raise unless this is a batch of 8-bit images.

    Raises:
        TypeError: Not an array or tensor, or not uint8.
        ValueError: A layout, a number of channels or a size that cannot be meant.
    """
    if not isinstance(images, np.ndarray | Tensor):
        raise TypeError(
            f"images must be a NumPy array or a torch tensor, not {type(images).__name__}: "
            "stack them into one first."
        )
    if images.dtype not in (np.uint8, torch.uint8):
        raise TypeError(_wrong_dtype(str(images.dtype).removeprefix("torch.")))
    shape = tuple(images.shape)
    channels_last = isinstance(images, np.ndarray)
    _check_layout(shape, channels_last=channels_last)
    sides = shape[1:3] if len(shape) == 3 or channels_last else shape[2:]
    if min(sides) < 2:
        raise ValueError(
            f"images of {sides[0]}×{sides[1]} pixels are too small to corrupt: "
            "both sides must be at least 2."
        )


def _wrong_dtype(dtype: str) -> str:
    if "float" in dtype:
        how = (
            "map their known range to 0..255, round and convert, "
            "as in (images * 255).round().astype('uint8') for images in [0, 1]"
        )
    else:
        how = "scale them to 0..255 and convert"
    return f"images are {dtype}, and corruptions are defined on 8-bit grey levels: {how}."


def _check_layout(shape: tuple[int, ...], *, channels_last: bool) -> None:
    kind = "arrays are [N, H, W, C]" if channels_last else "tensors are [N, C, H, W]"
    wanted = f"{kind} or [N, H, W]"
    if len(shape) == 2:
        raise ValueError(f"one image of shape {shape} has no batch axis: pass images[None].")
    if len(shape) not in (3, 4):
        raise ValueError(f"images have {len(shape)} axes, {shape}: {wanted}.")
    if len(shape) == 3:
        if shape[2] in (3, 4) and shape[1] > 4:
            raise ValueError(
                f"shape {shape} looks like one colour image without a batch axis: "
                f"pass images[None] ({wanted})."
            )
        return
    channels, other = (shape[3], shape[1]) if channels_last else (shape[1], shape[3])
    if channels in (1, 3):
        return
    if other in (1, 3):
        order = "0, 2, 3, 1" if channels_last else "0, 3, 1, 2"
        raise ValueError(
            f"shape {shape} has its channels on the wrong axis ({wanted}): "
            f"reorder the axes to ({order})."
        )
    if channels == 4:
        raise ValueError(
            f"images of shape {shape} have an alpha channel: drop it or blend it onto a background."
        )
    raise ValueError(f"images of shape {shape} have {channels} channels, not 1 or 3 ({wanted}).")


def planes(images: NDArray[np.uint8] | Tensor) -> Tensor:
    """A view of checked images as a uint8 tensor [N, C, H, W]; a copy only of read-only arrays."""
    if isinstance(images, Tensor):
        return images if images.ndim == 4 else images[:, None]
    array = np.ascontiguousarray(images)
    tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor[:, None]


def check_severity(severity: object) -> float:
    """The severity as a float: 0, or from 1 to 5.

    Raises:
        TypeError: Not a number.
        ValueError: Out of range, or not a number at all (NaN).
    """
    if isinstance(severity, bool) or not isinstance(severity, numbers.Real):
        raise TypeError(f"severity must be a number, not {severity!r}: use 0, or 1 to 5.")
    value = float(severity)
    if not (value == 0 or 1 <= value <= 5):
        raise ValueError(f"severity {severity} does not exist: use 0 (no change), or 1 to 5.")
    return value


def check_seed(seed: object) -> int:
    """The seed as an int.

    Raises:
        TypeError: Not an integer.
    """
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
        raise TypeError(f"seed must be an integer, not {seed!r}.")
    return int(seed)


def check_ids(ids: Iterable[int] | Iterable[str] | None, count: int) -> Ids:
    """One id for each image: int64 [N], or N strings; 0 to N−1 by default.

    Raises:
        TypeError: Neither all integers nor all strings.
        ValueError: Not one for each image, or not unique.
    """
    if ids is None:
        return np.arange(count)
    listed: list[Any] = ids.tolist() if isinstance(ids, np.ndarray | Tensor) else list(ids)
    kinds = set(map(type, listed))
    if all(issubclass(kind, str) for kind in kinds):
        checked: Ids = tuple(listed)
    elif bool not in kinds and all(issubclass(kind, numbers.Integral) for kind in kinds):
        checked = _as_int64(listed)
    else:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(f"ids are {names}: make them all integers, or all strings.")
    if len(checked) != count:
        raise ValueError(f"there are {len(checked)} ids for {count} images: give one for each.")
    if len(set(listed)) != count:
        twice = next(one for one in listed if listed.count(one) > 1)
        raise ValueError(f"id {twice!r} is given twice: draws depend on ids, so make them unique.")
    return checked


def _as_int64(listed: list[int]) -> NDArray[np.int64]:
    try:
        return np.array(listed, dtype=np.int64)
    except OverflowError:
        largest = max(listed, key=abs)
        raise ValueError(f"id {largest} needs more than 64 bits: pass ids as strings.") from None


def at_once(images: Tensor) -> int:
    """How many images to work on at a time: what stays near a CPU's cache, more on a GPU."""
    elements = 2**19 if images.device.type == "cpu" else 2**26
    return max(1, elements // math.prod(images.shape[1:]))
