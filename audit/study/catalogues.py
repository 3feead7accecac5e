"""What a config may name, a line each: pruning methods, corruptions, data sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import corruptions
import pruners
from audit.study.data_settings import DESCRIPTIONS

Rows = list[tuple[str, str]]


def methods() -> Rows:
    """Every choice on every axis of a pruning method."""
    axes: dict[str, Mapping[str, Any]] = {
        "saliency": pruners.SALIENCIES,
        "granularity": pruners.GRANULARITIES,
        "allocation": pruners.ALLOCATIONS,
        "schedule": pruners.SCHEDULES,
        "retraining": pruners.RETRAININGS,
    }
    return [
        (f"{axis}: {name}", row.summary)
        for axis, catalogue in axes.items()
        for name, row in catalogue.items()
    ]


def shifts() -> Rows:
    """Every corruption: of images with the presets that have constants, of tables, of texts."""
    images = [
        (name, f"{row.family}: {row.description} ({', '.join(_presets(name))})")
        for name, row in corruptions.CORRUPTIONS.items()
    ]
    tables = [
        (name, f"tables, {row.family}: {row.description}")
        for name, row in corruptions.TABLE_CORRUPTIONS.items()
    ]
    texts = [
        (name, f"texts, {row.family}: {row.description}")
        for name, row in corruptions.TEXT_CORRUPTIONS.items()
    ]
    return images + tables + texts


def sources() -> Rows:
    """Every kind of data source."""
    return list(DESCRIPTIONS.items())


def _presets(name: str) -> list[str]:
    return [preset.name for preset in corruptions.PRESETS.values() if name in preset.rows]
