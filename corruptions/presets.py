"""Severity constants by image size: one literal preset per size, one row per corruption in it.

A row holds the constants of severities 1 to 5 in the order of the function's arguments; severities
in between interpolate them linearly. The rows of `imagenet`, `imagenet299`, `tiny` and `cifar` are
the published ones (Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common
Corruptions and Perturbations", 2019, and its code), including where a higher severity changes an
image less. `mnist` and `digits` are ours: MNIST-C publishes one severity for each corruption, and
nobody publishes any for 8×8. Ours are strictly increasing in mean absolute change on the images
they were made for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .constants import cifar, digits, imagenet, imagenet299, mnist, tiny
from .constants.rows import Constants, Row
from .spelling import unknown


@dataclass(frozen=True)
class Preset:
    """The severity constants for one size of image.

    Attributes:
        name: What `corrupt(preset=…)` calls it.
        description: One line for people: which images, whose constants.
        published: Whether the constants are those of a published benchmark.
        rows: For each corruption, five numbers, or five tuples of numbers where it has several
            constants.
    """

    name: str
    description: str
    published: bool
    rows: Mapping[str, Row] = field(repr=False)

    def constants(self, corruption: str, severity: float) -> Constants:
        """The constants at a severity from 1 to 5, interpolated linearly between the five.

        Raises:
            ValueError: The preset has no row for this corruption.
        """
        if corruption not in self.rows:
            raise ValueError(
                f"preset {self.name!r} has no constants for {corruption!r}: "
                f"use one of {', '.join(self.rows)}, or another preset."
            )
        row = [step if isinstance(step, tuple) else (step,) for step in self.rows[corruption]]
        below = min(math.floor(severity), 4)
        share = severity - below
        low, high = row[below - 1], row[below]
        # Not low + share · (high − low), which can miss `high` by a rounding error at share 1.
        return tuple((1 - share) * a + share * b for a, b in zip(low, high, strict=True))


PRESETS: Mapping[str, Preset] = {
    "digits": Preset(
        "digits",
        "8×8 images such as scikit-learn's digits; constants of our own, in pixels",
        published=False,
        rows=digits.ROWS,
    ),
    "mnist": Preset(
        "mnist",
        "28×28 grey images; constants of our own (MNIST-C has one severity for each corruption)",
        published=False,
        rows=mnist.ROWS,
    ),
    "cifar": Preset(
        "cifar",
        "32×32 colour images; the constants of CIFAR-10-C",
        published=True,
        rows=cifar.ROWS,
    ),
    "tiny": Preset(
        "tiny",
        "64×64 colour images; the constants of Tiny-ImageNet-C",
        published=True,
        rows=tiny.ROWS,
    ),
    "imagenet": Preset(
        "imagenet",
        "224×224 colour images; the constants of ImageNet-C",
        published=True,
        rows=imagenet.ROWS,
    ),
    "imagenet299": Preset(
        "imagenet299",
        "299×299 colour images and larger; the constants of ImageNet-C for Inception",
        published=True,
        rows=imagenet299.ROWS,
    ),
}

# Largest shorter side, in pixels, that each preset is picked for: halfway to the next, in ratio.
_PICKED: tuple[tuple[float, str, str], ...] = (
    (16, "digits", "digits"),
    (44, "mnist", "cifar"),
    (119, "tiny", "tiny"),
    (259, "imagenet", "imagenet"),
    (math.inf, "imagenet299", "imagenet299"),
)


def preset_for(shape: Sequence[int]) -> Preset:
    """The preset that `preset="auto"` picks for a batch of images of this shape.

    Args:
        shape: (N, H, W), (N, H, W, C) or (N, C, H, W), with C 1 or 3.

    Returns:
        The preset whose size is nearest (in ratio) to the images' shorter side; up to 44 pixels,
        grey and colour images have different ones.

    Raises:
        ValueError: The shape is not one of those.
    """
    sides, colour = sides_and_colour(shape)
    grey_name, colour_name = next(
        (grey, colourful) for largest, grey, colourful in _PICKED if min(sides) <= largest
    )
    return PRESETS[colour_name if colour else grey_name]


def sides_and_colour(shape: Sequence[int]) -> tuple[tuple[int, int], bool]:
    """Height, width and whether there are three channels, from a batch's shape."""
    if len(shape) == 3:
        return (shape[1], shape[2]), False
    if len(shape) == 4 and shape[3] in (1, 3):
        return (shape[1], shape[2]), shape[3] == 3
    if len(shape) == 4 and shape[1] in (1, 3):
        return (shape[2], shape[3]), shape[1] == 3
    raise ValueError(
        f"a batch of images has the shape (N, H, W), (N, H, W, C) or (N, C, H, W) "
        f"with 1 or 3 channels, not {tuple(shape)}: reshape it."
    )


def find_preset(preset: str | Preset, shape: Sequence[int] | None = None) -> Preset:
    """A preset by its name, by itself, or `auto` by the shape of the images.

    Raises:
        ValueError: There is no preset of that name, or `auto` came without a shape.
    """
    if isinstance(preset, Preset):
        return preset
    if preset == "auto" and shape is not None:
        return preset_for(shape)
    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)
    return PRESETS[preset]
