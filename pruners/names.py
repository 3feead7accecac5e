"""What a name means: the row of a catalogue, or the parameters that a pattern is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TypeVar

Row = TypeVar("Row")


def nearest(name: str, known: Iterable[str]) -> str:
    """The half sentence that helps after a misspelt name: the nearest one, or all of them."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(names)}."


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """The parameters, of `names`, that a name or pattern (`*`) of modules or parameters means."""
    known = list(names)
    # A name first: it may hold what means something in a pattern, as `layers[0]` does.
    found = [name for name in known if name == pattern or name.startswith(f"{pattern}.")]
    return found or [
        name for name in known if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")
    ]


def look_up(catalogue: Mapping[str, Row], name: object, axis: str) -> Row:
    """The row called `name`.

    Args:
        catalogue: Rows by name.
        name: What a person wrote.
        axis: What the catalogue lists, for the message (`saliency`, `schedule`, ...).

    Raises:
        ValueError: No such row.
    """
    if not isinstance(name, str):
        raise ValueError(
            f"{axis} must be a name or a function, got {name!r}: choose one of "
            f"{', '.join(sorted(catalogue))}."
        )
    if name not in catalogue:
        raise ValueError(f"There is no {axis} called {name!r}: {nearest(name, catalogue)}")
    return catalogue[name]
