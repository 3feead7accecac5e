"""Severity constants of the table corruptions: our own, each increasing in its distance."""

from __future__ import annotations

from collections.abc import Mapping

from ..constants.rows import Row
from ..presets import Preset

# One entry for each of the severities 1 to 5, in the order of the function's arguments.
ROWS: Mapping[str, Row] = {
    # Standard deviation of the noise, in spreads of the column.
    "numeric_noise": (0.1, 0.2, 0.4, 0.7, 1.0),
    # Shares of cells.
    "missing_values": (0.05, 0.1, 0.2, 0.3, 0.5),
    "category_swap": (0.05, 0.1, 0.2, 0.35, 0.5),
    "unit_error": (0.01, 0.03, 0.06, 0.12, 0.2),
    # Share of cells, and how far beyond the range, in ranges.
    "out_of_range": ((0.01, 0.1), (0.03, 0.2), (0.06, 0.3), (0.12, 0.4), (0.2, 0.5)),
    # Percent of the reference's values beyond either end of the clamp.
    "saturation": (2, 5, 10, 20, 35),
}

SIZES = Preset("tabular", "table rows; constants of our own", published=False, rows=ROWS)
