"""The sections of the page, top to bottom; a new one is a function and words in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reports.page import Section
from reports.sections.compression import compression
from reports.sections.context import Context
from reports.sections.parts import (
    agreement,
    calibration,
    classes,
    exemplars,
    omnibus,
    other,
    robustness,
    subgroups,
    tradeoff,
)

SECTIONS: Mapping[str, Callable[[Context], Section]] = {
    "omnibus": omnibus,
    "tradeoff": tradeoff,
    "exemplars": exemplars,
    "classes": classes,
    "subgroups": subgroups,
    "robustness": robustness,
    "agreement": agreement,
    "calibration": calibration,
    "compression": compression,
    "other": other,
}

__all__ = ["SECTIONS", "Context"]
