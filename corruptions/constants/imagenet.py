"""Severity constants for 224×224 colour images: those of ImageNet-C."""

from __future__ import annotations

from collections.abc import Mapping

from .rows import BRIGHTNESS, CONTRAST, FROST_LARGE, SATURATE, SNOW_LARGE, ZOOM_LARGE, Row

ROWS: Mapping[str, Row] = {
    "gaussian_noise": (0.08, 0.12, 0.18, 0.26, 0.38),
    "shot_noise": (60, 25, 12, 5, 3),
    "impulse_noise": (0.03, 0.06, 0.09, 0.17, 0.27),
    "speckle_noise": (0.15, 0.2, 0.35, 0.45, 0.6),
    "gaussian_blur": (1, 2, 3, 4, 6),
    "defocus_blur": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    "glass_blur": ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    "motion_blur": ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    "zoom_blur": ZOOM_LARGE,
    "snow": SNOW_LARGE,
    "frost": FROST_LARGE,
    "fog": ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)),
    "brightness": BRIGHTNESS,
    "spatter": (
        (0.65, 0.3, 4.0, 0.69, 0.6, 0),
        (0.65, 0.3, 3.0, 0.68, 0.6, 0),
        (0.65, 0.3, 2.0, 0.68, 0.5, 0),
        (0.65, 0.3, 1.0, 0.65, 1.5, 1),
        (0.67, 0.4, 1.0, 0.65, 1.5, 1),
    ),
    "contrast": CONTRAST,
    "elastic_transform": (
        (2, 0.7, 0.1, 244),
        (2, 0.08, 0.2, 244),
        (0.05, 0.01, 0.02, 244),
        (0.07, 0.01, 0.02, 244),
        (0.12, 0.01, 0.02, 244),
    ),
    "pixelate": (0.6, 0.5, 0.4, 0.3, 0.25),
    "jpeg_compression": (25, 18, 15, 10, 7),
    "saturate": SATURATE,
    # ImageNet-C-bar's levels.
    "caustic_refraction": (2.35, 3.2, 4.9, 6.6, 9.15),
    "inverse_sparkles": (1, 2, 4, 9, 10),
    "sparkles": (1, 2, 3, 5, 6),
    "perlin_noise": (4.6, 5.2, 5.8, 7.6, 8.8),
    "blue_noise_sample": (0.8, 1.6, 2.4, 4, 5.6),
    "plasma_noise": (4.75, 7, 8.5, 9.25, 10),
    "checkerboard_cutout": (2, 3, 4, 5, 6),
    "cocentric_sine_waves": (3, 5, 8, 9, 10),
    "single_frequency_greyscale": (1, 1.5, 2, 4.5, 5),
    "brownish_noise": (1, 2, 3, 4, 5),
}
