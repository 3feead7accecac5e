"""The corruptions of ImageNet-C-bar and CIFAR-10-C-bar, one row each, and the two sets of them."""

from __future__ import annotations

from collections.abc import Mapping

from ..corruption import Corruption
from . import caustics, perlin, shapes, sparkles, spectra, splines, warps, waves

_SOURCE = "ImageNet-C-bar"

ROWS: Mapping[str, Corruption] = {
    "caustic_refraction": Corruption(
        caustics.caustic_refraction, "geometry", "through moving water, lit", source=_SOURCE
    ),
    "inverse_sparkles": Corruption(
        sparkles.inverse_sparkles, "overlay", "white but for one star of rays", source=_SOURCE
    ),
    "sparkles": Corruption(sparkles.sparkles, "overlay", "five white stars", source=_SOURCE),
    "perlin_noise": Corruption(
        perlin.perlin_noise, "noise", "clouds of gradient noise", source=_SOURCE
    ),
    "blue_noise_sample": Corruption(
        spectra.blue_noise_sample, "noise", "pixels blacked out by blue noise", source=_SOURCE
    ),
    "plasma_noise": Corruption(
        waves.plasma_noise, "noise", "a coloured plasma of sines", source=_SOURCE
    ),
    "checkerboard_cutout": Corruption(
        shapes.checkerboard_cutout,
        "overlay",
        "grey squares of a turned checkerboard",
        source=_SOURCE,
    ),
    "cocentric_sine_waves": Corruption(
        waves.cocentric_sine_waves, "noise", "wavy rings around a point", source=_SOURCE
    ),
    "single_frequency_greyscale": Corruption(
        waves.single_frequency_greyscale, "noise", "a plane sine wave", source=_SOURCE
    ),
    "brownish_noise": Corruption(
        spectra.brownish_noise, "noise", "cloudy noise, other in every channel", source=_SOURCE
    ),
    "pinch_and_twirl": Corruption(
        warps.pinch_and_twirl, "geometry", "circles pinched and twirled", source=_SOURCE
    ),
    "ripple": Corruption(warps.ripple, "geometry", "waves along both axes", source=_SOURCE),
    "circular_motion_blur": Corruption(
        splines.circular_motion_blur, "blur", "a camera that turned about its axis", source=_SOURCE
    ),
    "lines": Corruption(shapes.lines, "overlay", "long grey lines", source=_SOURCE),
    "transverse_chromatic_abberation": Corruption(
        splines.transverse_chromatic_abberation,
        "digital",
        "colours of different sizes",
        colour_only=True,
        source=_SOURCE,
    ),
}

SETS: Mapping[str, tuple[str, ...]] = {
    "imagenet-c-bar": (
        "caustic_refraction",
        "inverse_sparkles",
        "sparkles",
        "perlin_noise",
        "blue_noise_sample",
        "plasma_noise",
        "checkerboard_cutout",
        "cocentric_sine_waves",
        "single_frequency_greyscale",
        "brownish_noise",
    ),
    "cifar-c-bar": (
        "blue_noise_sample",
        "checkerboard_cutout",
        "inverse_sparkles",
        "pinch_and_twirl",
        "ripple",
        "brownish_noise",
        "circular_motion_blur",
        "lines",
        "sparkles",
        "transverse_chromatic_abberation",
    ),
}
