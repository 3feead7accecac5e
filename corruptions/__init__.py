"""What a model is shown: every shift as a function on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .adapters import map_function
from .apply import corrupt
from .catalog import CORRUPTIONS, SETS, find, members, missing, names
from .corruption import Corruption
from .frost import Bank, frost_bank
from .presets import PRESETS, Preset, preset_for
from .requantise import requantise
from .sequences import PERTURBATIONS, SEQUENCE_SETS, perturbation_frames
from .sheet import contact_sheet
from .tabular import TABLE_CORRUPTIONS, TABLE_SETS, TableCorruption, corrupt_table, reweight_to_mix
from .text import TEXT_CORRUPTIONS, TEXT_SETS, TextCorruption, corrupt_text

if TYPE_CHECKING:
    from .transforms import Corrupt

__all__ = [
    "CORRUPTIONS",
    "PERTURBATIONS",
    "PRESETS",
    "SEQUENCE_SETS",
    "SETS",
    "TABLE_CORRUPTIONS",
    "TABLE_SETS",
    "TEXT_CORRUPTIONS",
    "TEXT_SETS",
    "Bank",
    "Corrupt",
    "Corruption",
    "Preset",
    "TableCorruption",
    "TextCorruption",
    "contact_sheet",
    "corrupt",
    "corrupt_table",
    "corrupt_text",
    "find",
    "frost_bank",
    "map_function",
    "members",
    "missing",
    "names",
    "perturbation_frames",
    "preset_for",
    "requantise",
    "reweight_to_mix",
]


def __getattr__(name: str) -> Any:
    # torchvision takes a second to import, and only the transform needs it.
    if name == "Corrupt":
        from .transforms import Corrupt

        return Corrupt
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
