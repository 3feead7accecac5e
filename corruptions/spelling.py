"""What to say to somebody who misspelt a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """An error that names the nearest known name, and all of them."""
    choices = list(known)
    # No cut-off: somebody who is far off is helped by any name at all.
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.0)
    return ValueError(
        f"unknown {kind} {name!r}: the nearest is {near[0]!r} (there are {', '.join(choices)})."
    )
