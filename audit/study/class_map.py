"""Brings another data set's class names to ours: by name, by index, or as a class map says."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.places import existing

# Their name -> ours; several of ours where each of them is right, none where it is left out.
ClassMap = Mapping[str, tuple[str, ...]]
THEIRS, OURS = "theirs", "ours"
MOST_NAMED = 5


@dataclass(frozen=True)
class Matched:
    """What another data set's classes are among ours.

    Attributes:
        ours: Their name -> our name, the first of several; None where its examples are left out.
        how: By what they were matched.
        merged: Several of ours that are one class there.
    """

    ours: Mapping[str, str | None]
    how: Literal["name", "index", "map"]
    merged: tuple[tuple[str, ...], ...] = ()


def read_class_map(
    value: str | Mapping[str, str | Sequence[str] | None] | None, base: Path
) -> dict[str, tuple[str, ...]] | None:
    """A class map as it is written in a config, or in the file that it names.

    A JSON file holds one object, their name -> our name, a list of ours, or null. A CSV file has
    the columns `theirs` and `ours`; a name in several rows has several of ours, and an empty cell
    is none.

    Raises:
        InputError: The file is not there, or holds something else.
    """
    if value is None:
        return None
    found = _read(existing(value, base)) if isinstance(value, str) else value
    return {str(theirs): _several(ours, str(theirs)) for theirs, ours in found.items()}


def matched(
    counts: Mapping[str, int], classes: Sequence[str], class_map: ClassMap | None, origin: str
) -> Matched:
    """Our names for theirs.

    Without a map, names are looked up among ours; where all are numbers from 0 and no names of
    ours (ImageNet-V2's folders), each is the position of a class.

    Args:
        counts: Examples by their class name.
        classes: Our class names in the order of the codes.
        class_map: Their names -> ours, for those that differ.
        origin: What a sentence calls the data.

    Raises:
        InputError: A class is none of ours (all such are counted), or the map names one that is
            not there.
    """
    known = set(classes)
    if class_map is not None:
        merged = _checked(class_map, classes)
        both = {name: (name,) for name in counts if name in known} | dict(class_map)
        _refuse_unknown(counts, both.keys(), classes, origin)
        first = {name: both[name][0] if both[name] else None for name in counts}
        used = {name for name in first.values() if name is not None}
        return Matched(first, "map", tuple(one for one in merged if one[0] in used))
    if any(name not in known for name in counts) and all(map(_is_index, counts)):
        positions = {name: int(name) for name in counts}
        if all(position < len(classes) for position in positions.values()):
            return Matched({name: classes[at] for name, at in positions.items()}, "index")
    _refuse_unknown(counts, known, classes, origin)
    return Matched({name: name for name in counts}, "name")


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name)) == name


def _checked(class_map: ClassMap, classes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of ours that are one class of theirs."""
    owner: dict[str, tuple[str, ...]] = {}
    for theirs, ours in class_map.items():
        for name in ours:
            if name not in classes:
                raise InputError(
                    f"The class map takes {theirs!r} for {name!r}, which is none of the classes: "
                    f"{hint(name, classes)}"
                )
            if set(owner.setdefault(name, ours)) != set(ours):
                raise InputError(
                    f"The class map has {name!r} in two lists that differ: let the lists of two "
                    "classes be the same or have nothing in common."
                )
    groups = {frozenset(ours): ours for ours in class_map.values() if len(ours) > 1}
    for theirs, ours in class_map.items():  # one order for the same group in two places
        if len(ours) > 1 and groups[frozenset(ours)] != ours:
            raise InputError(f"The class map lists {theirs!r} in another order: list it in one.")
    return tuple(groups.values())


def _refuse_unknown(
    counts: Mapping[str, int], known: Any, classes: Sequence[str], origin: str
) -> None:
    unknown = [name for name in counts if name not in known]
    if not unknown:
        return
    named = ", ".join(f"{name!r} ({counts[name]:,})" for name in unknown[:MOST_NAMED])
    more = f" and {len(unknown) - MOST_NAMED:,} more" if len(unknown) > MOST_NAMED else ""
    left = sum(counts[name] for name in unknown)
    what = "a class" if len(unknown) == 1 else f"{len(unknown):,} classes"
    raise InputError(
        f"{origin} gives {what} {named}{more} that the models were not trained on, {left:,} of "
        f"{sum(counts.values()):,} examples: {hint(unknown[0], classes)} Name each in a class_map, "
        "with null to leave it out."
    )


def _several(value: Any, theirs: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str | int):
        return (str(value),)
    if isinstance(value, list | tuple) and all(isinstance(one, str | int) for one in value):
        return tuple(dict.fromkeys(map(str, value)))
    raise InputError(
        f"The class map takes {theirs!r} for {value!r}: give a class name, a list of them, or null."
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text) if path.suffix.lower() == ".json" else _rows(path, text)
    except (OSError, ValueError) as error:
        raise InputError(f"The class map {path} cannot be read ({error}): mend it.") from error
    if not isinstance(found, dict):
        raise InputError(f"The class map {path} holds no JSON object: write theirs to ours.")
    return found


def _rows(path: Path, text: str) -> dict[str, list[str]]:
    rows = list(csv.DictReader(text.splitlines()))
    columns = list(rows[0]) if rows else text.splitlines()[:1]
    if not {THEIRS, OURS} <= set(columns):
        raise InputError(
            f"The class map {path} has the columns {', '.join(map(str, columns)) or 'none'}: give "
            f"it {THEIRS} and {OURS}, or write JSON."
        )
    found: dict[str, list[str]] = {}
    for row in rows:
        ours = (row[OURS] or "").strip()
        found.setdefault(str(row[THEIRS]).strip(), []).extend([ours] if ours else [])
    return found
