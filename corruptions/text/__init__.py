"""What a model of texts is shown: misspelt, misread and mistyped texts, seeded per text."""

from __future__ import annotations

from .apply import corrupt_text
from .catalog import TEXT_CORRUPTIONS, TEXT_SETS, TextCorruption

__all__ = [
    "TEXT_CORRUPTIONS",
    "TEXT_SETS",
    "TextCorruption",
    "corrupt_text",
]
