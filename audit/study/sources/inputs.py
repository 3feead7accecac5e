"""Reads the inputs of the chosen rows: pictures, texts, ready arrays, or feature columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings
from audit.study.sources.choose import Chosen, PartName
from audit.study.sources.parts import Kind
from audit.study.sources.pictures import decode, skipped, stack
from audit.study.sources.records import Records
from audit.study.sources.texts import read_texts, refuse_other_kind

Choice = Mapping[PartName, Chosen]


@dataclass(frozen=True)
class Inputs:
    """Inputs by part.

    Attributes:
        kind: `image`, `table` or `text`.
        values: Arrays as in `Part.inputs`, or frames of feature columns that are still to encode.
        chosen: The rows that could be read.
        notes: What to say about the others.
    """

    kind: Kind
    values: Mapping[PartName, Any]
    chosen: Choice
    notes: tuple[str, ...] = ()


def read_inputs(
    chosen: Choice,
    splits: Mapping[str, Records],
    settings: DataSettings,
    shape: tuple[int, ...] | None,
) -> Inputs:
    """Inputs of the chosen rows.

    Args:
        chosen: Rows by part.
        splits: Records by split.
        settings: The data section.
        shape: Shape that one input must have; None where this data set decides.

    Raises:
        InputError: A picture cannot be read, sizes or shapes differ, or splits hold inputs of
            different kinds.
    """
    held = {part: splits[one.split] for part, one in chosen.items()}
    refuse_other_kind(settings.kind or "", shape)
    if settings.kind == "text":
        return Inputs("text", read_texts(chosen, held, str(settings.input)), chosen)
    pictures = all(one.pictures is not None for one in held.values())
    if shape is not None and pictures and len(shape) != 3:
        raise InputError("These are images, and the models were trained on rows: name a table.")
    if not pictures and (settings.image_size is not None or settings.mode is not None):
        raise InputError("data.image_size and data.mode are for pictures: take them out.")
    if all(one.features is not None for one in held.values()):
        return Inputs("table", _frames(chosen, held), chosen)
    if all(one.arrays is not None for one in held.values()):
        return _arrays(chosen, held, shape)
    if pictures:
        return _pictures(chosen, held, settings, shape)
    raise InputError("The splits hold inputs of different kinds: make them alike.")


def check_shapes(arrays: Mapping[PartName, NDArray[Any]], shape: tuple[int, ...] | None) -> None:
    """Refuses inputs whose shape differs from the one given, or from the test part's."""
    expected = shape if shape is not None else arrays["test"].shape[1:]
    for part, values in arrays.items():
        if values.shape[1:] != expected:
            raise InputError(
                f"Inputs of the {part} part have the shape {values.shape[1:]} and should have "
                f"{expected}: give all the same."
            )


def _frames(chosen: Choice, held: Mapping[PartName, Records]) -> dict[PartName, Any]:
    return {
        part: records.columns[list(records.features or ())]
        .iloc[chosen[part].rows]
        .reset_index(drop=True)
        for part, records in held.items()
    }


def _arrays(
    chosen: Choice, held: Mapping[PartName, Records], shape: tuple[int, ...] | None
) -> Inputs:
    arrays = {
        part: records.arrays[chosen[part].rows]
        for part, records in held.items()
        if records.arrays is not None
    }
    check_shapes(arrays, shape)
    return Inputs("image" if arrays["test"].ndim == 4 else "table", arrays, chosen)


def _pictures(
    chosen: Choice,
    held: Mapping[PartName, Records],
    settings: DataSettings,
    shape: tuple[int, ...] | None,
) -> Inputs:
    decoded = {
        part: decode(records.pictures(chosen[part].rows), settings)
        for part, records in held.items()
        if records.pictures is not None
    }
    kept: dict[PartName, Chosen] = {
        part: Chosen(one.split, one.rows[decoded[part].kept]) for part, one in chosen.items()
    }
    for part, one in kept.items():
        if not len(one.rows):
            raise InputError(f"Not one image of the {part} part can be read: check data.path.")
    joined = stack({str(part): one.images for part, one in decoded.items()}, settings, shape)
    unreadable = [pair for one in decoded.values() for pair in one.unreadable]
    return Inputs("image", {part: joined[part] for part in kept}, kept, skipped(unreadable))
