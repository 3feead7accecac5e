"""Which corruptions a config names, and whether they fit the data: pixels, table rows or texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.evidence.errors import ConfigError
from audit.study.shift_settings import ShiftSettings

# What corruptions change, by the kind of data that they are for.
_CHANGED = {"image": "pixels", "table": "columns of tables", "text": "texts"}
HELD = {"image": "images", "table": "table rows", "text": "texts"}


def whole_set(which: str) -> tuple[str, ...] | None:
    """The names in a set of table or text corruptions; None where the set is one of images.

    Raises:
        ValueError: There is no set of that name that a study can show; the nearest is offered.
    """
    import corruptions
    from corruptions.spelling import unknown

    whole = {**corruptions.TABLE_SETS, **corruptions.TEXT_SETS}
    if which not in corruptions.SETS and which not in whole:
        raise unknown("set", which, (*corruptions.SETS, *whole))
    return whole.get(which)


def find_any(name: str) -> object:
    """The row of a corruption's name in the catalogues of images, of tables and of texts.

    Raises:
        ValueError: There is none; the nearest name is offered.
    """
    import corruptions
    from corruptions.spelling import unknown

    every = {
        **corruptions.CORRUPTIONS,
        **corruptions.TABLE_CORRUPTIONS,
        **corruptions.TEXT_CORRUPTIONS,
    }
    if name in every:
        return every[name]
    raise unknown("corruption", name, every)


def refuse_unfit(asked: str | tuple[str, ...], kind: str) -> None:
    """Refuses corruptions that these data have nothing for.

    Args:
        asked: A set's name, or names of corruptions; a `module:function` fits whatever it fits, and
            a name that nobody knows is for `find_any` to refuse.
        kind: `image`, `table` or `text`.

    Raises:
        ConfigError: One is for other data.
    """
    if not asked:
        return
    import corruptions

    sets: Mapping[str, Mapping[str, Any]] = {
        "image": corruptions.SETS,
        "table": corruptions.TABLE_SETS,
        "text": corruptions.TEXT_SETS,
    }
    rows: Mapping[str, Mapping[str, Any]] = {
        "image": corruptions.CORRUPTIONS,
        "table": corruptions.TABLE_CORRUPTIONS,
        "text": corruptions.TEXT_CORRUPTIONS,
    }
    known, names = (sets, (asked,)) if isinstance(asked, str) else (rows, asked)
    for name in names:
        for other, changed in _CHANGED.items():
            if other != kind and name in known[other] and name not in known[kind]:
                fits = "the set imagenet-c" if kind == "image" else ", ".join(rows[kind])
                raise ConfigError(
                    f"shifts.corruptions: {name} changes {changed}, and these data are "
                    f"{HELD[kind]}: take it out, or choose {fits}."
                )


def severities_of(shifts: ShiftSettings) -> tuple[float, ...]:
    """The severities of a study, increasing: those asked for, or as many of them as there are.

    Raises:
        ConfigError: The preset has not all that are asked for.
    """
    asked = tuple(sorted(set(shifts.severities)))
    if shifts.preset == "auto":  # picks among presets with all five
        return asked
    import corruptions

    preset = corruptions.PRESETS.get(shifts.preset)
    if preset is None:  # refused, with the nearest name, where its constants are looked up
        return asked
    if "severities" not in shifts.model_fields_set:
        return tuple(one for one in asked if one <= len(preset.severities))
    try:
        preset.refuse(asked[-1])
    except ValueError as error:
        raise ConfigError(f"shifts.severities: {error}") from error
    return asked
