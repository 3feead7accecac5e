"""Names a result by its recipe: canonical JSON, and the address that is hashed from it.

A recipe is a frozen dataclass that holds everything its result depends on. Its fields may be
numbers, strings, booleans, None, paths, enums, lists, tuples, mappings with string keys, and other
frozen dataclasses, which are inlined: so whatever changes a parent changes its children's address.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from numbers import Integral
from pathlib import PurePath
from typing import Any


def canonical(recipe: object) -> dict[str, Any]:
    """Writes a recipe as plain JSON values: class name, revision, and fields that are not default.

    A field equal to its default is left out, so that a field added later leaves old addresses as
    they are. 1 and 1.0 agree; True and 1 do not. Tuples become lists, paths strings with `/`. A
    field declared with `compare=False` does not count, as it does not in `==`.

    Args:
        recipe: An instance of a frozen dataclass; `revision: ClassVar[int]` is 1 where not stated.

    Returns:
        {"class": name, "revision": n, field: value, …} of dicts, lists, strings, numbers and None.

    Raises:
        TypeError: `recipe` is no frozen dataclass, or holds something JSON cannot say.
        ValueError: It holds a float that is not finite.
    """
    kind = type(recipe)
    if not is_dataclass(recipe) or isinstance(recipe, type):
        raise TypeError(f"A recipe must be a frozen dataclass, not {recipe!r}: make it one.")
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{kind.__name__} can change after it was named: declare it frozen=True.")
    written: dict[str, Any] = {"class": kind.__name__, "revision": getattr(kind, "revision", 1)}
    for field in fields(recipe):
        if field.name == "revision":
            raise TypeError(
                f"{kind.__name__}.revision is a field: declare it as `revision: ClassVar[int]`."
            )
        value = getattr(recipe, field.name)
        if field.compare and not _same_scalar(value, field.default):
            plain = _plain(value, f"{kind.__name__}.{field.name}")
            if not _is_default(plain, field):
                written[field.name] = plain
    return written


def canonical_json(recipe: object) -> str:
    """Writes `canonical(recipe)` as text: keys sorted, no spaces, ASCII only; raises as it does."""
    return as_json(canonical(recipe))


def address(recipe: object) -> str:
    """Names a recipe's result: `<class name in lower case>-<first 16 hex digits of the SHA-256>`.

    Raises:
        TypeError: See `canonical`.
        ValueError: See `canonical`.
    """
    return address_of(type(recipe), canonical_json(recipe))


def address_of(kind: type, text: str) -> str:
    """The address of a recipe of class `kind` whose canonical JSON is `text`."""
    return f"{kind.__name__.lower()}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def as_json(plain: object) -> str:
    """Writes plain JSON values in their one canonical form."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _same_scalar(value: object, default: object) -> bool:
    # A short cut for most fields; containers wait for _is_default, because (True,) == (1,).
    return type(value) is type(default) and isinstance(value, str | int | None) and value == default


def _is_default(plain: Any, field: Field[Any]) -> bool:
    if field.default is not MISSING:
        default = field.default
    elif field.default_factory is not MISSING:
        default = field.default_factory()
    else:
        return False
    return as_json(plain) == as_json(_plain(default, field.name))


def _plain(value: object, place: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, place)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, float):
        return _number(value, place)
    if isinstance(value, PurePath):
        return value.as_posix()
    return _container(value, place)


def _number(value: float, place: str) -> int | float:
    if not math.isfinite(value):
        raise ValueError(f"{place} is {value}, which names nothing: give a finite number.")
    return int(value) if value.is_integer() else float(value)


def _container(value: object, place: str) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{place} has the key {key!r}: keys in a recipe must be strings.")
        return {str(key): _plain(item, f"{place}[{key!r}]") for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return canonical(value)
    raise TypeError(
        f"{place} is a {type(value).__name__}, which has no canonical form: use numbers, strings, "
        "paths, tuples, mappings or frozen dataclasses."
    )
