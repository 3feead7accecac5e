"""Severity constants of the text corruptions: our own, each increasing in edit distance."""

from __future__ import annotations

from collections.abc import Mapping

from ..constants.rows import Row
from ..presets import Preset

# One entry for each of the severities 1 to 5, in the order of the function's arguments.
ROWS: Mapping[str, Row] = {
    # Shares of letters.
    "keyboard_typos": (0.02, 0.05, 0.1, 0.15, 0.25),
    "ocr_errors": (0.03, 0.07, 0.15, 0.25, 0.4),
    "character_drop": (0.02, 0.05, 0.1, 0.15, 0.25),
    "character_swap": (0.02, 0.05, 0.1, 0.15, 0.25),
    "character_repeat": (0.02, 0.05, 0.1, 0.15, 0.25),
    "homoglyphs": (0.05, 0.1, 0.2, 0.4, 0.8),
    # Shares of words.
    "casing": (0.1, 0.25, 0.5, 0.75, 1.0),
    "word_drop": (0.05, 0.1, 0.2, 0.3, 0.4),
    # Share of marks that are dropped, and of words without a mark that get one.
    "punctuation": ((0.1, 0.02), (0.25, 0.05), (0.5, 0.1), (0.75, 0.15), (1.0, 0.25)),
}

SIZES = Preset("text", "texts; constants of our own", published=False, rows=ROWS)
