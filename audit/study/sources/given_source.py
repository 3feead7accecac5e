"""Checks a `Source` that a user's function made, and applies the settings that still can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.sources.parts import Part, Source

# Type and number of axes of a part's inputs.
_EXPECTED = {"image": ("uint8", 4), "table": ("float32", 2), "text": ("object", 1)}
# A Source has been cut, coded and named already.
DECIDED = ("splits", "validation_fraction", "test_fraction", "split_seed", "input", "label", "id")


def take_source(source: Source, settings: DataSettings) -> Source:
    """The source with its groups narrowed to those that the config names.

    Raises:
        InputError: Arrays do not fit together, ids repeat, a setting would have no effect, or a
            group is not there.
    """
    for key in (*DECIDED, "limit"):
        if key in settings.model_fields_set:
            raise InputError(
                f"{settings.source} gives a Source, for which data.{key} has no use: take it out, "
                "or return arrays."
            )
    if settings.classes is not None and settings.classes != source.classes:
        raise InputError(
            f"{settings.source} gives the classes {', '.join(source.classes)}, and data.classes "
            f"lists {', '.join(settings.classes)}: make them agree."
        )
    for name, part in source.parts.items():
        _check(settings.source, name, part, source)
    everything = np.concatenate([part.ids.astype(str) for part in source.parts.values()])
    if len(np.unique(everything)) < len(everything):
        raise InputError(f"{settings.source} gives an id twice: give each example its own.")
    if not settings.groups:
        return source
    parts = {name: _narrowed(part, settings) for name, part in source.parts.items()}
    return replace(
        source, train=parts.get("train"), validation=parts.get("validation"), test=parts["test"]
    )


def _check(origin: str, name: str, part: Part, source: Source) -> None:
    expected = _EXPECTED[source.kind]
    found = (str(part.inputs.dtype), part.inputs.ndim)
    if found != expected:
        raise InputError(
            f"{origin} gives {name} inputs of type {found[0]} with {found[1]} axes: a Source of "
            f"kind {source.kind} needs {expected[0]} with {expected[1]}."
        )
    if source.kind == "text" and not all(isinstance(one, str) for one in part.inputs):
        raise InputError(f"{origin} gives {name} inputs that are no strings: give texts.")
    lengths = {len(part.inputs), len(part.labels), len(part.ids), len(part.groups)}
    if len(lengths) > 1 or not len(part):
        raise InputError(
            f"{origin} gives {len(part.inputs)} inputs, {len(part.labels)} labels, {len(part.ids)} "
            f"ids and {len(part.groups)} rows of groups in {name}: give one of each per example."
        )
    if part.labels.dtype.kind not in "iu" or not (
        part.labels.min() >= 0 and part.labels.max() < len(source.classes)
    ):
        raise InputError(
            f"{origin} gives labels in {name} that are not integers from 0 to "
            f"{len(source.classes) - 1}: give class codes."
        )


def _narrowed(part: Part, settings: DataSettings) -> Part:
    names = []
    for group in settings.groups:
        if not isinstance(group, str) or group not in part.groups:
            name = group if isinstance(group, str) else group.column
            raise InputError(
                f"data.groups asks for {name!r}, and a Source has its groups ready: "
                f"{hint(name, part.groups.columns)}"
            )
        names.append(group)
    return replace(part, groups=part.groups[names])
