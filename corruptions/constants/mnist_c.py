"""Severity constants for 28×28 grey images: those of MNIST-C, which has one severity of each."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .rows import Row

ROWS: Mapping[str, Row] = {
    "shot_noise": (3,),
    "impulse_noise": (0.17,),
    # The probability of each step, and that pixels change places.
    "glass_blur": ((0.7, 1, 2, 0.5, 1),),
    "motion_blur": ((10, 3),),
    "shear": (0.4,),
    "scale": (0.7,),
    "rotate": (math.degrees(0.4),),
    "brightness": (0.5,),
    "translate": (3,),
    "stripe": (7,),
    # The last number is the side of the plasma, of which the image takes a corner.
    "fog": ((3.0, 1.4, 256),),
    "spatter": ((0.65, 0.3, 1, 0.65, 1.5, 1),),
    "dotted_line": (1,),
    "zigzag": (1,),
    "canny_edges": (1.0,),
}
