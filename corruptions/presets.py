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

from .spelling import unknown

Constants = tuple[float, ...]
Row = tuple[float, ...] | tuple[Constants, ...]


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


_BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)
_CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)
_ZOOM_LARGE = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
_ZOOM_SMALL = ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01))
_SATURATE = ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2))

PRESETS: Mapping[str, Preset] = {
    "digits": Preset(
        "digits",
        "8×8 images such as scikit-learn's digits; constants of our own, in pixels",
        published=False,
        rows={
            "gaussian_noise": (0.06, 0.10, 0.15, 0.22, 0.32),
            "shot_noise": (60, 25, 12, 6, 3),
            "impulse_noise": (0.02, 0.05, 0.09, 0.15, 0.25),
            "speckle_noise": (0.15, 0.25, 0.4, 0.6, 0.9),
            "gaussian_blur": (0.4, 0.5, 0.65, 0.85, 1.1),
            "defocus_blur": ((0.5, 0.4), (0.5, 0.6), (1.0, 0.1), (1.5, 0.1), (2.0, 0.1)),
            "motion_blur": ((1, 0.45), (1, 0.6), (2, 0.85), (2, 1.2), (3, 1.7)),
            "zoom_blur": ((1.08, 0.02), (1.16, 0.02), (1.26, 0.02), (1.41, 0.02), (1.61, 0.02)),
            "fog": ((0.2, 3.0), (0.4, 3.0), (0.7, 2.5), (1.1, 2.0), (1.6, 1.75)),
            "brightness": (0.05, 0.1, 0.2, 0.3, 0.45),
            "contrast": (0.8, 0.65, 0.5, 0.35, 0.2),
            "translate": (0.15, 0.3, 0.45, 0.65, 0.9),
            "rotate": (6, 11, 17, 24, 32),
            "occlusion": (0.2, 0.3, 0.38, 0.46, 0.56),
        },
    ),
    "mnist": Preset(
        "mnist",
        "28×28 grey images; constants of our own (MNIST-C has one severity for each corruption)",
        published=False,
        rows={
            "gaussian_noise": (0.06, 0.12, 0.18, 0.26, 0.38),
            "shot_noise": (60, 25, 12, 5, 3),
            "impulse_noise": (0.02, 0.05, 0.09, 0.17, 0.27),
            "speckle_noise": (0.15, 0.2, 0.35, 0.45, 0.6),
            "gaussian_blur": (0.5, 0.75, 1.0, 1.5, 2.0),
            "defocus_blur": ((0.5, 0.6), (1.0, 0.5), (1.5, 0.5), (2.5, 0.5), (3.5, 0.5)),
            "motion_blur": ((4, 1.0), (5, 1.5), (6, 2.2), (8, 3.0), (10, 4.0)),
            "zoom_blur": ((1.06, 0.01), (1.16, 0.01), (1.26, 0.02), (1.41, 0.03), (1.56, 0.04)),
            "fog": ((0.3, 3.0), (0.6, 3.0), (1.0, 2.5), (1.6, 2.0), (2.4, 1.75)),
            "brightness": _BRIGHTNESS,
            "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
            "pixelate": (0.9, 0.75, 0.6, 0.45, 0.3),
            "jpeg_compression": (80, 60, 40, 25, 10),
            "translate": (1, 2, 3, 4, 5),
            "rotate": (8, 15, 23, 34, 46),
            "occlusion": (0.2, 0.28, 0.36, 0.44, 0.52),
        },
    ),
    "cifar": Preset(
        "cifar",
        "32×32 colour images; the constants of CIFAR-10-C",
        published=True,
        rows={
            "gaussian_noise": (0.04, 0.06, 0.08, 0.09, 0.10),
            "shot_noise": (500, 250, 100, 75, 50),
            "impulse_noise": (0.01, 0.02, 0.03, 0.05, 0.07),
            "speckle_noise": (0.06, 0.1, 0.12, 0.16, 0.2),
            "gaussian_blur": (0.4, 0.6, 0.7, 0.8, 1.0),
            "defocus_blur": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1)),
            "motion_blur": ((6, 1.0), (6, 1.5), (6, 2.0), (8, 2.0), (9, 2.5)),
            "zoom_blur": _ZOOM_SMALL,
            "fog": ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75)),
            "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
            "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
            "pixelate": (0.95, 0.9, 0.85, 0.75, 0.65),
            "jpeg_compression": (80, 65, 58, 50, 40),
            "saturate": ((0.3, 0.0), (0.1, 0.0), (1.5, 0.0), (2.0, 0.1), (2.5, 0.2)),
        },
    ),
    "tiny": Preset(
        "tiny",
        "64×64 colour images; the constants of Tiny-ImageNet-C",
        published=True,
        rows={
            "gaussian_noise": (0.04, 0.08, 0.12, 0.15, 0.18),
            "shot_noise": (250, 100, 50, 30, 15),
            "impulse_noise": (0.01, 0.02, 0.05, 0.08, 0.14),
            "speckle_noise": (0.15, 0.2, 0.25, 0.3, 0.35),
            "gaussian_blur": (0.5, 0.75, 1.0, 1.25, 1.5),
            "defocus_blur": ((0.5, 0.6), (1.0, 0.1), (1.5, 0.1), (2.5, 0.01), (3.0, 0.1)),
            "motion_blur": ((10, 1.0), (10, 1.5), (10, 2.0), (10, 2.5), (12, 3.0)),
            "zoom_blur": _ZOOM_SMALL,
            "fog": ((0.4, 3.0), (0.7, 3.0), (1.0, 2.5), (1.5, 2.0), (2.0, 1.75)),
            "brightness": _BRIGHTNESS,
            "contrast": _CONTRAST,
            "pixelate": (0.9, 0.8, 0.7, 0.6, 0.5),
            "jpeg_compression": (65, 58, 50, 40, 25),
            "saturate": ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (30.0, 0.2)),
        },
    ),
    "imagenet": Preset(
        "imagenet",
        "224×224 colour images; the constants of ImageNet-C",
        published=True,
        rows={
            "gaussian_noise": (0.08, 0.12, 0.18, 0.26, 0.38),
            "shot_noise": (60, 25, 12, 5, 3),
            "impulse_noise": (0.03, 0.06, 0.09, 0.17, 0.27),
            "speckle_noise": (0.15, 0.2, 0.35, 0.45, 0.6),
            "gaussian_blur": (1, 2, 3, 4, 6),
            "defocus_blur": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
            "motion_blur": ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
            "zoom_blur": _ZOOM_LARGE,
            "fog": ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)),
            "brightness": _BRIGHTNESS,
            "contrast": _CONTRAST,
            "pixelate": (0.6, 0.5, 0.4, 0.3, 0.25),
            "jpeg_compression": (25, 18, 15, 10, 7),
            "saturate": _SATURATE,
        },
    ),
    "imagenet299": Preset(
        "imagenet299",
        "299×299 colour images and larger; the constants of ImageNet-C for Inception",
        published=True,
        rows={
            "gaussian_noise": (0.09, 0.13, 0.19, 0.27, 0.40),
            "shot_noise": (50, 20, 10, 5, 3),
            "impulse_noise": (0.04, 0.07, 0.10, 0.18, 0.28),
            "speckle_noise": (0.16, 0.21, 0.36, 0.46, 0.61),
            "gaussian_blur": (1.5, 2.5, 3.5, 4.5, 6.5),
            "defocus_blur": ((4, 0.1), (5, 0.5), (7, 0.5), (10, 0.5), (12, 0.5)),
            "motion_blur": ((12, 4), (17, 6), (17, 9), (17, 13), (22, 16)),
            "zoom_blur": _ZOOM_LARGE,
            "fog": ((1.5, 2.0), (2.0, 2.0), (2.5, 1.8), (2.5, 1.6), (3.0, 1.5)),
            "brightness": _BRIGHTNESS,
            "contrast": _CONTRAST,
            "pixelate": (0.5, 0.4, 0.3, 0.25, 0.2),
            "jpeg_compression": (23, 16, 13, 8, 5),
            "saturate": _SATURATE,
        },
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
