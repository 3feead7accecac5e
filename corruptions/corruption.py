"""What the catalogue says of a corruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from .tiles import Reach

Family = Literal["noise", "blur", "weather", "digital", "geometry", "strokes", "overlay"]


@dataclass(frozen=True)
class Corruption:
    """One way to change images.

    Attributes:
        function: (images [N, C, H, W], stream, *constants) -> the same shape and dtype. Images are
            uint8, or float32 grey levels with fractions, 0 to 255.
        family: Which kind of shift it is.
        description: One line for people.
        colour_only: Whether it has no sense on grey images.
        source: Where the recipe comes from.
        between: What is interpolated at a severity that is no whole number: usually the constants;
            the resulting images where rows of constants mean different recipes (a pixel with a
            wide rim, then a disk with hardly any rim: halfway there is no blur at all).
        reach: How many rows above and below it a pixel depends on, told from the constants, so
            that a large image can be worked on in strips; None if it may be any.
        per_element: Whether every element [C, H, W] is changed by draws of its own and by nothing
            else (so its reach is 0). What draws less often, such as an angle, is not.
        any_layout: Whether images may lie in memory as they came; else they are made contiguous.
        photographs: Whether it is called with `bank=`, the photographs to choose from.
    """

    function: Callable[..., Tensor]
    family: Family
    description: str
    colour_only: bool = False
    source: str = "ImageNet-C"
    between: Literal["constants", "images"] = "constants"
    reach: Reach | None = None
    per_element: bool = False
    any_layout: bool = False
    photographs: bool = False
