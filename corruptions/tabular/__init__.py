"""What a model of table rows is shown: errors of recording, seeded per row, and other mixes."""

from __future__ import annotations

from .apply import corrupt_table
from .catalog import TABLE_CORRUPTIONS, TABLE_SETS, TableCorruption
from .profile import Profile, Reference, measure
from .reweight import Reweighted, reweight_to_mix

__all__ = [
    "TABLE_CORRUPTIONS",
    "TABLE_SETS",
    "Profile",
    "Reference",
    "Reweighted",
    "TableCorruption",
    "corrupt_table",
    "measure",
    "reweight_to_mix",
]
