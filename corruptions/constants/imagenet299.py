"""Severity constants for 299×299 colour images: those of ImageNet-C for Inception."""

from __future__ import annotations

from collections.abc import Mapping

from .rows import BRIGHTNESS, CONTRAST, FROST_LARGE, SATURATE, SNOW_LARGE, ZOOM_LARGE, Row

ROWS: Mapping[str, Row] = {
    "gaussian_noise": (0.09, 0.13, 0.19, 0.27, 0.40),
    "shot_noise": (50, 20, 10, 5, 3),
    "impulse_noise": (0.04, 0.07, 0.10, 0.18, 0.28),
    "speckle_noise": (0.16, 0.21, 0.36, 0.46, 0.61),
    "gaussian_blur": (1.5, 2.5, 3.5, 4.5, 6.5),
    "defocus_blur": ((4, 0.1), (5, 0.5), (7, 0.5), (10, 0.5), (12, 0.5)),
    "glass_blur": ((0.8, 1, 3), (1, 3, 1), (1.1, 2, 4), (1.2, 4, 2), (1.6, 5, 2)),
    "motion_blur": ((12, 4), (17, 6), (17, 9), (17, 13), (22, 16)),
    "zoom_blur": ZOOM_LARGE,
    "snow": SNOW_LARGE,
    "frost": FROST_LARGE,
    "fog": ((1.5, 2.0), (2.0, 2.0), (2.5, 1.8), (2.5, 1.6), (3.0, 1.5)),
    "brightness": BRIGHTNESS,
    "spatter": (
        (0.65, 0.3, 4.0, 0.69, 0.9, 0),
        (0.65, 0.3, 3.5, 0.68, 0.9, 0),
        (0.65, 0.3, 3.0, 0.68, 0.8, 0),
        (0.65, 0.3, 1.2, 0.65, 1.8, 1),
        (0.67, 0.4, 1.2, 0.65, 1.8, 1),
    ),
    "contrast": CONTRAST,
    "elastic_transform": (
        (2, 0.7, 0.1, 360),
        (2, 0.08, 0.2, 360),
        (0.05, 0.01, 0.02, 360),
        (0.07, 0.01, 0.02, 360),
        (0.12, 0.01, 0.02, 360),
    ),
    "pixelate": (0.5, 0.4, 0.3, 0.25, 0.2),
    "jpeg_compression": (23, 16, 13, 8, 5),
    "saturate": SATURATE,
}
