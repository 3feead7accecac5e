"""Severity constants for 28×28 grey images: our own (MNIST-C has one severity each)."""

from __future__ import annotations

from collections.abc import Mapping

from .rows import BRIGHTNESS, Row

ROWS: Mapping[str, Row] = {
    "gaussian_noise": (0.06, 0.12, 0.18, 0.26, 0.38),
    "shot_noise": (60, 25, 12, 5, 3),
    "impulse_noise": (0.02, 0.05, 0.09, 0.17, 0.27),
    "speckle_noise": (0.15, 0.2, 0.35, 0.45, 0.6),
    "gaussian_blur": (0.5, 0.75, 1.0, 1.5, 2.0),
    "defocus_blur": ((0.5, 0.6), (1.0, 0.5), (1.5, 0.5), (2.5, 0.5), (3.5, 0.5)),
    "motion_blur": ((4, 1.0), (5, 1.5), (6, 2.2), (8, 3.0), (10, 4.0)),
    "zoom_blur": ((1.06, 0.01), (1.16, 0.01), (1.26, 0.02), (1.41, 0.03), (1.56, 0.04)),
    "fog": ((0.3, 3.0), (0.6, 3.0), (1.0, 2.5), (1.6, 2.0), (2.4, 1.75)),
    "brightness": BRIGHTNESS,
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
    "pixelate": (0.9, 0.75, 0.6, 0.45, 0.3),
    "jpeg_compression": (80, 60, 40, 25, 10),
    "translate": (1, 2, 3, 4, 5),
    "rotate": (8, 15, 23, 34, 46),
    "occlusion": (0.2, 0.28, 0.36, 0.44, 0.52),
}
