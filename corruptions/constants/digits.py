"""Severity constants for 8×8 images such as scikit-learn's digits: our own, in pixels."""

from __future__ import annotations

from collections.abc import Mapping

from .rows import Row

ROWS: Mapping[str, Row] = {
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
}
