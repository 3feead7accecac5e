"""The settings of a corrupted set on disk: ImageNet-C, CIFAR-10-C, or one that was written here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, field_validator

from audit.judgement.plan import Settings

NAME = "corrupted"  # of the only set, where it is given none
ClassMap = Annotated[
    str | dict[str, str | tuple[str, ...] | None] | None,
    Field(description="Their class names to ours: a JSON or CSV file, or the mapping itself."),
]


class CorruptedSettings(Settings):
    """A set whose files are corrupted already; each corruption and severity is a condition.

    Attributes:
        path: A folder as ImageNet-C's (`<corruption>/<severity>/<class>/<image>`, also below
            `noise`, `blur` and so on) or CIFAR-10-C's (`<corruption>.npy` and `labels.npy`), or
            Parquet with the columns image, label, id, corruption and severity.
        corruptions: A set's name, or names of corruptions; None reads all that are there.
        severities: None reads all that are there.
        examples: Whether these are the audited test examples, corrupted. `auto` looks: they are
            where ids, file names, or the number of rows and every label agree. `same` stops where
            they do not, and `own` reads them as other examples, as a natural shift's.
        class_map: As of a natural shift.
        image_size: Pixels (a side, or height and width) to which images are scaled and centre
            cropped; by default they are shown as they are, and must have the models' size.
        unreadable: Whether an unreadable image stops its condition, or is left out and reported.
    """

    path: str
    corruptions: str | tuple[str, ...] | None = None
    severities: tuple[Annotated[float, Field(gt=0.0, le=5.0)], ...] | None = None
    examples: Literal["auto", "same", "own"] = "auto"
    class_map: ClassMap = None
    image_size: PositiveInt | tuple[PositiveInt, PositiveInt] | None = None
    unreadable: Literal["fail", "skip"] = "fail"

    @field_validator("corruptions", "severities")
    @classmethod
    def _each_once(cls, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        if not value:
            raise ValueError("none is named: name one, or leave this out to read all of them")
        for position, one in enumerate(value):
            if one in value[:position]:
                raise ValueError(f"{one} is there twice: name it once")
        return value


def _by_name(value: Any) -> Any:
    """One set may be given without a name, and with nothing but a path."""
    if isinstance(value, str):
        return {NAME: {"path": value}}
    if isinstance(value, Mapping):
        if isinstance(value.get("path"), str):
            return {NAME: value}
        return {key: {"path": one} if isinstance(one, str) else one for key, one in value.items()}
    return value


CorruptedSets = Annotated[
    dict[str, CorruptedSettings],
    BeforeValidator(
        _by_name,
        json_schema_input_type=str | CorruptedSettings | dict[str, str | CorruptedSettings],
    ),
]
