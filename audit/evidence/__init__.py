"""Tables, the store they live in, and the executors that fill it.

Names load when they are first used, so that asking for the store does not import pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.evidence.arrays import from_arrays
    from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Block, Condition, Evidence
    from audit.evidence.errors import (
        AuditError,
        ConfigError,
        InputError,
        JobError,
        MissingExtra,
        StoreError,
        TableError,
    )
    from audit.evidence.execute import EXECUTORS, Executor, Job, Outcome, in_process, processes
    from audit.evidence.flat import read_flat, read_pair
    from audit.evidence.folder import read_folder, write_examples, write_models
    from audit.evidence.parts import part_path, write_part
    from audit.evidence.sources import Source
    from audit.evidence.store import Store, link_or_copy, publish, write_file

_HOMES = {
    "CLEAN": "blocks",
    "EXECUTORS": "execute",
    "NOT_SHOWN": "blocks",
    "NO_LABEL": "blocks",
    "AuditError": "errors",
    "Block": "blocks",
    "Condition": "blocks",
    "ConfigError": "errors",
    "Evidence": "blocks",
    "Executor": "execute",
    "InputError": "errors",
    "Job": "execute",
    "JobError": "errors",
    "MissingExtra": "errors",
    "Outcome": "execute",
    "Source": "sources",
    "Store": "store",
    "StoreError": "errors",
    "TableError": "errors",
    "from_arrays": "arrays",
    "in_process": "execute",
    "link_or_copy": "store",
    "part_path": "parts",
    "processes": "execute",
    "publish": "store",
    "read_flat": "flat",
    "read_folder": "folder",
    "read_pair": "flat",
    "write_examples": "folder",
    "write_file": "store",
    "write_models": "folder",
    "write_part": "parts",
}

__all__ = [
    "CLEAN",
    "EXECUTORS",
    "NOT_SHOWN",
    "NO_LABEL",
    "AuditError",
    "Block",
    "Condition",
    "ConfigError",
    "Evidence",
    "Executor",
    "InputError",
    "Job",
    "JobError",
    "MissingExtra",
    "Outcome",
    "Source",
    "Store",
    "StoreError",
    "TableError",
    "from_arrays",
    "in_process",
    "link_or_copy",
    "part_path",
    "processes",
    "publish",
    "read_flat",
    "read_folder",
    "read_pair",
    "write_examples",
    "write_file",
    "write_models",
    "write_part",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit.evidence' has no attribute {name!r}")
    return getattr(import_module(f"audit.evidence.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
