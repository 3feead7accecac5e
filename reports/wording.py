"""Every sentence a reader meets, from one catalogue (`wording.en.toml`), so it can be reviewed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

CATALOGUE = "wording.en.toml"


@cache
def catalogue() -> Mapping[str, str]:
    """All entries by dotted key, such as `verdict.largest`."""
    text = files("reports").joinpath(CATALOGUE).read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def say(key: str, **values: object) -> str:
    """The entry with its `{places}` filled.

    Raises:
        KeyError: If there is no such entry, or a place has no value.
    """
    return catalogue()[key].format_map(values)


def say_count(key: str, n: int, **values: object) -> str:
    """The entry `key.one` for exactly one, else `key.many`, with `{n}` filled."""
    from reports.quantities import count

    return say(f"{key}.{'one' if n == 1 else 'many'}", n=count(n), **values)


def known(key: str) -> bool:
    """Whether the catalogue has the entry."""
    return key in catalogue()


def word_for(axis: str, name: str) -> str:
    """The word for a name of a catalogue (`measure.recall`), or the name itself, spaced out."""
    key = f"{axis}.{name}"
    return say(key) if known(key) else name.replace("_", " ")


def measure_alone(name: str) -> str:
    """The words for a measure where nothing around them says whose it is."""
    return word_for("measure_alone" if known(f"measure_alone.{name}") else "measure", name)


def capital(text: str) -> str:
    """The text with its first letter raised."""
    return text[:1].upper() + text[1:]


def listing(words: Iterable[str]) -> str:
    """Words as a list in prose: `a, b and c`."""
    *most, last = list(words) or [""]
    return say("grammar.and", most=", ".join(most), last=last) if most else last


def _flat(tree: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
