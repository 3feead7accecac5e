"""What a model is shown: every shift as a function on arrays."""

from __future__ import annotations

from .apply import corrupt
from .catalog import CORRUPTIONS, SETS, Corruption, find, members, missing, names
from .presets import PRESETS, Preset, preset_for
from .sheet import contact_sheet

__all__ = [
    "CORRUPTIONS",
    "PRESETS",
    "SETS",
    "Corruption",
    "Preset",
    "contact_sheet",
    "corrupt",
    "find",
    "members",
    "missing",
    "names",
    "preset_for",
]
