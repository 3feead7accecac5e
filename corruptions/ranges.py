"""Images that are no bytes: their stated range seen as grey levels 0 to 255, and back."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# What doubles, in which ranges are mapped, count without gaps.
_COUNTED = 2**53


@dataclass(frozen=True)
class ValueRange:
    """What black and white are in images that are no bytes.

    Levels have the 24 bits of a float32: a 16-bit integer comes back as it was from a corruption
    that leaves it alone, a float32 to a 2^−23rd of the range, a float64 no better than that.

    Attributes:
        low: Black; grey level 0.
        high: White; grey level 255.
        dtype: What the images are made of.
    """

    low: float
    high: float
    dtype: torch.dtype

    def levels(self, values: Tensor, first: int) -> Tensor:
        """Grey levels with fractions: float32 in [0, 255], any shape.

        Args:
            values: What the images hold, [N, …].
            first: Index of the first of them in the caller's batch, for the error.

        Raises:
            ValueError: A value is outside the range, infinite or NaN.
        """
        wide = values.to(torch.float64, copy=True)  # which is then worked on in place
        self._check(wide, first)
        wide.sub_(self.low).mul_(255 / (self.high - self.low))
        return wide.clamp_(0, 255).to(torch.float32)

    def values(self, levels: Tensor) -> Tensor:
        """Levels mapped back; integers are rounded, not truncated."""
        wide = levels.to(torch.float64).mul_((self.high - self.low) / 255).add_(self.low)
        if not self.dtype.is_floating_point:
            wide.round_()
        return wide.clamp_(self.low, self.high).to(self.dtype)

    def _check(self, wide: Tensor, first: int) -> None:
        # The ends as this dtype has them: 0.1 is less than the float32 nearest to 0.1.
        ends = torch.tensor([self.low, self.high], dtype=torch.float64)
        low, high = ends.to(self.dtype).to(torch.float64).tolist()
        wrong = ~((wide >= low) & (wide <= high))
        if not wrong.any():
            return
        place = tuple(int(axis[0]) for axis in wrong.nonzero(as_tuple=True))
        raise ValueError(
            f"image {first + place[0]} of the batch holds {float(wide[place]):g}, outside the "
            f"stated range ({self.low:g}, {self.high:g}): state the range that the images have, or "
            "mend them first."
        )


def find_range(images: NDArray[np.generic] | Tensor, value_range: object) -> ValueRange | None:
    """The stated range of these images; None for bytes, which are grey levels as they are.

    Args:
        images: Checked as `check_images` does.
        value_range: What the caller of `corrupt` stated: (low, high), or None.

    Raises:
        TypeError: The images are no bytes and no range is stated, or the range is no pair of
            numbers.
        ValueError: The range is empty, infinite, or larger than what the images' type can hold.
    """
    name = str(images.dtype.name if isinstance(images, np.ndarray) else images.dtype)
    name = name.removeprefix("torch.")
    dtype: torch.dtype = getattr(torch, name)
    if value_range is None:
        if dtype == torch.uint8:
            return None
        raise TypeError(_unstated(name, images))
    low, high = _ends(value_range)
    if dtype == torch.uint8 and (low, high) == (0, 255):
        return None
    least, most = _limits(dtype)
    if low < least or high > most:
        raise ValueError(
            f"value_range ({low:g}, {high:g}) goes beyond what {name} images can hold "
            f"({least:g} to {most:g}): state a range within that."
        )
    return ValueRange(low, high, dtype)


def _unstated(name: str, images: NDArray[np.generic] | Tensor) -> str:
    example = "(0, 1)" if "float" in name else "(0, 65535)" if "16" in name else "(0, 4095)"
    seen = ""
    if images[:1].size if isinstance(images, np.ndarray) else images[:1].numel():
        one = images[0].astype("f8") if isinstance(images, np.ndarray) else images[0].double()
        seen = f" (the first image holds {float(one.min()):g} to {float(one.max()):g})"
    return (
        f"images are {name} and their range is not stated{seen}: say what black and white are, as "
        f"in value_range={example}, or convert them to 8-bit grey levels (uint8)."
    )


def _ends(value_range: object) -> tuple[float, float]:
    ends = list(value_range) if isinstance(value_range, tuple | list | np.ndarray) else []
    if len(ends) != 2 or not all(
        isinstance(end, numbers.Real) and not isinstance(end, bool) for end in ends
    ):
        raise TypeError(f"value_range must be two numbers, (low, high), not {value_range!r}.")
    low, high = float(ends[0]), float(ends[1])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"value_range ({low:g}, {high:g}) is no range: give what black is, then what white is, "
            "both finite."
        )
    return low, high


def _limits(dtype: torch.dtype) -> tuple[float, float]:
    if dtype.is_floating_point:
        return torch.finfo(dtype).min, torch.finfo(dtype).max
    whole = torch.iinfo(dtype)
    return max(whole.min, -_COUNTED), min(whole.max, _COUNTED)
