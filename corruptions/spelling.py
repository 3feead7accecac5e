"""What to say to somebody who misspelt a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """An error that names the nearest known name, and all of them."""
    choices = list(known)
    plain = str(name).lower().replace("-", "_").replace(" ", "_")
    # A piece of a name is nearer than its letters in another; no cut-off, because somebody who is
    # far off is helped by any name at all.
    pieces = [choice for choice in choices if plain and plain in choice]
    near = difflib.get_close_matches(plain, pieces or choices, n=1, cutoff=0.0)
    if not near:
        return ValueError(f"unknown {kind} {name!r}: there is none at all.")
    return ValueError(
        f"unknown {kind} {name!r}: the nearest is {near[0]!r} (there are {', '.join(choices)})."
    )
