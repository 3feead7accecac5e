"""The nearest valid name, as the end of a sentence about a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_NAMES = 8  # a sentence stays readable


def hint(name: str, known: Iterable[str]) -> str:
    """What to try in place of a name that is not known.

    Args:
        name: What was given.
        known: The names that would have done.

    Returns:
        `did you mean 'label'?` when one is close, else the first names there are.
    """
    names = [str(one) for one in known]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return "there are none."
    shown = ", ".join(repr(one) for one in names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"there are {shown}{more}."
