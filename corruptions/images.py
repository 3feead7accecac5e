"""The border: what callers may hand in, checked, and seen as [N, C, H, W] without copying."""

from __future__ import annotations

import numbers
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Images = TypeVar("Images", NDArray[Any], Tensor)
Ids = NDArray[np.int64] | tuple[str, ...]

_INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
_FLOATS = ("float16", "bfloat16", "float32", "float64")


def check_images(images: object, *, bands: bool = False) -> None:
    """Raise unless this is a batch of images.

    Args:
        images: Anything.
        bands: Whether any number of channels is meant.

    Raises:
        TypeError: Not an array or tensor, or not of integers or floats.
        ValueError: A layout, a number of channels or a size that cannot be meant.
    """
    if not isinstance(bands, bool):
        raise TypeError(f"bands must be True or False, not {bands!r}.")
    if not isinstance(images, np.ndarray | Tensor):
        raise TypeError(
            f"images must be a NumPy array or a torch tensor, not {type(images).__name__}: "
            "stack them into one first."
        )
    if isinstance(images, np.ma.MaskedArray):
        raise TypeError("images are a masked array, whose mask would be lost: fill it first.")
    name = images.dtype.name if isinstance(images, np.ndarray) else str(images.dtype)
    if name.removeprefix("torch.") not in _INTEGERS + _FLOATS:
        raise TypeError(_wrong_dtype(name.removeprefix("torch.")))
    shape = tuple(images.shape)
    channels_last = isinstance(images, np.ndarray)
    _check_layout(shape, channels_last=channels_last, bands=bands)
    sides = shape[1:3] if len(shape) == 3 or channels_last else shape[2:]
    if min(sides) < 2:
        raise ValueError(
            f"images of {sides[0]}×{sides[1]} pixels are too small to corrupt: "
            "both sides must be at least 2."
        )


def _wrong_dtype(dtype: str) -> str:
    if dtype == "bool":
        return "images are bool, masks rather than grey levels: convert them, as in masks * 255."
    return (
        f"images are {dtype}, and corruptions are defined on grey levels: convert them to 8-bit "
        "integers (uint8), or to float32 with a value_range."
    )


def _check_layout(shape: tuple[int, ...], *, channels_last: bool, bands: bool) -> None:
    kind = "arrays are [N, H, W, C]" if channels_last else "tensors are [N, C, H, W]"
    wanted = f"{kind} or [N, H, W]"
    if len(shape) == 2:
        raise ValueError(f"one image of shape {shape} has no batch axis: pass images[None].")
    if len(shape) not in (3, 4):
        raise ValueError(f"images have {len(shape)} axes, {shape}: {wanted}.")
    if len(shape) == 3:
        _check_batch_axis(shape, wanted)
        return
    channels, other = (shape[3], shape[1]) if channels_last else (shape[1], shape[3])
    if channels in (1, 3) or (bands and channels):
        return
    if other in (1, 3):
        order = "0, 2, 3, 1" if channels_last else "0, 3, 1, 2"
        raise ValueError(
            f"shape {shape} has its channels on the wrong axis ({wanted}): "
            f"reorder the axes to ({order})."
        )
    if channels == 4:
        raise ValueError(
            f"images of shape {shape} have four channels, the last perhaps an alpha channel: drop "
            "it or blend it onto a background, or pass bands=True if all four are bands."
        )
    raise ValueError(
        f"images of shape {shape} have {channels} channels, not 1 or 3 ({wanted}): "
        "pass bands=True if these are bands."
    )


def _check_batch_axis(shape: tuple[int, ...], wanted: str) -> None:
    """Three axes are a batch of grey images; refuse what must be one image in colour."""
    if shape[2] in (3, 4) and shape[1] > 4:
        raise ValueError(
            f"shape {shape} looks like one colour image without a batch axis: "
            f"pass images[None] ({wanted})."
        )


def height_and_width(images: NDArray[Any] | Tensor) -> tuple[int, int]:
    """Of checked images, in pixels."""
    last = images.ndim == 3 or isinstance(images, np.ndarray)
    height, width = images.shape[1:3] if last else images.shape[2:]
    return int(height), int(width)


def channels_of(images: NDArray[Any] | Tensor) -> int:
    """How many channels checked images have; 1 where they leave the axis out."""
    if images.ndim == 3:
        return 1
    return int(images.shape[3] if isinstance(images, np.ndarray) else images.shape[1])


def planes(images: NDArray[Any] | Tensor) -> Tensor:
    """A view of checked images as a tensor [N, C, H, W].

    Arrays that torch cannot see are copied: read-only ones, those in the other byte order, those
    that go backwards (one image out of such a batch counts as contiguous).
    """
    if isinstance(images, Tensor):
        return images if images.ndim == 4 else images[:, None]
    array = np.ascontiguousarray(images, dtype=images.dtype.newbyteorder("="))
    seen = array.flags.writeable and min(array.strides) >= 0
    tensor = torch.from_numpy(array if seen else array.copy())
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


def check_ids(ids: Iterable[int] | Iterable[str] | None, count: int, what: str = "images") -> Ids:
    """One id for each image (or of `what` there is): int64 [N], or N strings; 0 to N−1 by default.

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
        raise ValueError(f"there are {len(checked)} ids for {count} {what}: give one for each.")
    if len(set(listed)) != count:
        twice = Counter(listed).most_common(1)[0][0]
        raise ValueError(f"id {twice!r} is given twice: draws depend on ids, so make them unique.")
    return checked


def _as_int64(listed: list[int]) -> NDArray[np.int64]:
    try:
        return np.array(listed, dtype=np.int64)
    except OverflowError:
        largest = max(listed, key=abs)
        raise ValueError(f"id {largest} needs more than 64 bits: pass ids as strings.") from None
