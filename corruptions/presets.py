"""Severity constants by image size: one literal preset per size, one row per corruption in it.

A row holds the constants of severities 1 to 5 in the order of the function's arguments; severities
in between interpolate them linearly. The rows of `imagenet`, `imagenet299`, `tiny` and `cifar` are
the published ones (Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common
Corruptions and Perturbations", 2019, and its code), including where a higher severity changes an
image less. So is `mnist-c` (Mu and Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision",
2019), which has one severity. `mnist`, `digits` and `large` are ours: nobody publishes more for
28×28, nor any for 8×8 or 600×600. Ours are strictly increasing in mean absolute change on the
images they were made for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .constants import cifar, digits, imagenet, imagenet299, large, mnist, mnist_c, tiny
from .constants.rows import Constants, Row
from .spelling import unknown


@dataclass(frozen=True)
class Preset:
    """The severity constants for one size of image.

    Attributes:
        name: What `corrupt(preset=…)` calls it.
        description: One line for people: which images, whose constants.
        published: Whether the constants are those of a published benchmark.
        rows: For each corruption, one number for each severity, or tuples of numbers where it has
            several constants. All rows are of one length.
        graded: Where there are fewer severities than five, the name of a preset that has them all.
    """

    name: str
    description: str
    published: bool
    rows: Mapping[str, Row] = field(repr=False)
    graded: str | None = None

    @property
    def severities(self) -> tuple[int, ...]:
        """The whole severities that there are: 1 to 5, or fewer; none without rows."""
        return tuple(range(1, 1 + max(map(len, self.rows.values()), default=0)))

    def constants(self, corruption: str, severity: float) -> Constants:
        """The constants at a severity, interpolated linearly between whole ones.

        Raises:
            ValueError: The preset has no row for this corruption, or no such severity.
        """
        if corruption not in self.rows:
            raise ValueError(
                f"preset {self.name!r} has no constants for {corruption!r}: "
                f"use one of {', '.join(self.rows)}, or another preset."
            )
        self.refuse(severity)
        row = [step if isinstance(step, tuple) else (step,) for step in self.rows[corruption]]
        below = min(math.floor(severity), max(1, len(row) - 1))
        share = severity - below
        low, high = row[below - 1], row[min(below, len(row) - 1)]
        # Not low + share · (high − low), which can miss `high` by a rounding error at share 1.
        return tuple((1 - share) * a + share * b for a, b in zip(low, high, strict=True))

    def refuse(self, severity: float) -> None:
        """Raise ValueError if a severity is more than the preset has."""
        count = len(self.severities)
        if severity <= count:
            return
        if count == 1:
            have, use = "one severity", "severity 1"
        else:
            have, use = f"severities 1 to {count}", "one of those"
        other = f", or preset {self.graded!r}" if self.graded else ""
        raise ValueError(f"preset {self.name!r} has {have}: use {use}{other}.")


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
    "mnist-c": Preset(
        "mnist-c",
        "28×28 grey images; the constants of MNIST-C, which has one severity",
        published=True,
        rows=mnist_c.ROWS,
        graded="mnist",
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
        "299×299 colour images; the constants of ImageNet-C for Inception",
        published=True,
        rows=imagenet299.ROWS,
    ),
    "large": Preset(
        "large",
        "600×600 colour images and larger; constants of our own, in pixels",
        published=False,
        rows=large.ROWS,
    ),
}

# Largest shorter side, in pixels, that each preset is picked for: halfway to the next, in ratio.
_PICKED: tuple[tuple[float, str, str], ...] = (
    (16, "digits", "digits"),
    (44, "mnist", "cifar"),
    (119, "tiny", "tiny"),
    (259, "imagenet", "imagenet"),
    (423, "imagenet299", "imagenet299"),
    (math.inf, "large", "large"),
)


def preset_for(shape: Sequence[int]) -> Preset:
    """The preset that `preset="auto"` picks for a batch of images of this shape.

    Args:
        shape: (N, H, W), (N, H, W, C) or (N, C, H, W), with C 1 or 3.

    Returns:
        The preset whose size is nearest (in ratio) to the images' shorter side; up to 44 pixels,
        grey and colour images have different ones. Sizes that no preset was made for have the
        nearest too: up to 16 pixels `digits`, from 424 on `large`, however large. Its
        constants are in pixels, so a blur is a smaller part of a larger image.

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
