"""What rows of severity constants are, and those that several sizes share."""

from __future__ import annotations

Constants = tuple[float, ...]
# One entry for each severity: five, or the one that MNIST-C has.
Row = tuple[float, ...] | tuple[Constants, ...]

FROST_LARGE = (
    (1.0, 0.4, 1.0),
    (0.8, 0.6, 1.0),
    (0.7, 0.7, 1.0),
    (0.65, 0.7, 1.0),
    (0.6, 0.75, 1.0),
)
SNOW_LARGE = (
    (0.1, 0.3, 3.0, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2.0, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4.0, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)
CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)
ZOOM_LARGE = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
ZOOM_SMALL = ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01))
SATURATE = ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2))
