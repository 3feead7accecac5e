"""Corrupt texts: the one call that everything else goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..draws import Stream, stream
from ..images import check_ids, check_seed, check_severity
from .catalog import TEXT_CORRUPTIONS, find_text
from .constants import SIZES
from .custom import run_custom_text
from .draws import Places
from .pieces import tokens


def corrupt_text(
    texts: Sequence[str],
    name: str | Callable[..., Any],
    severity: float,
    *,
    seed: int = 0,
    ids: Iterable[int] | Iterable[str] | None = None,
) -> list[str]:
    """The same texts, changed by one corruption at one severity.

    A text's result depends on the text, the corruption, the severity, the seed and its id, and on
    nothing else. Labels hold by construction: words with a digit and English negations (not,
    never, don't …) are neither dropped nor misspelt, no word becomes a negation, and no text loses
    all of its words. Letters are changed with their combining marks, which are never left alone.
    What a higher severity changes includes what a lower one does, but where two changes meet.

    Args:
        texts: Any strings, empty ones too; a list, tuple, array or column of them.
        name: A name from `TEXT_CORRUPTIONS`, one of its functions, or a function of your own that
            is called as function(texts, severity, seed=seed, ids=ids) and held to all of this.
        severity: 0 (the identity), or 1 to 5; between whole numbers the constants are interpolated.
        seed: Which draws to take.
        ids: One for each text, integers or strings, unique; 0 to N−1 by default.

    Returns:
        New texts in the same order.

    Raises:
        TypeError: Something that is no text; a severity, seed or id of another type.
        ValueError: Unknown name (the nearest is offered), severity out of range, ids not unique; a
            function of your own that breaks a promise.
    """
    known = _named(name)
    listed = _checked(texts)
    level, seed = check_severity(severity), check_seed(seed)
    identities = check_ids(ids, len(listed), "texts")
    if not isinstance(known, str):
        return run_custom_text(known, listed, level, seed, identities)
    row = find_text(known)
    if not level:
        return listed
    constants = SIZES.constants(known, level)
    keys = stream(seed, known, 0.0, identities).keys
    return [
        row.function(tokens(text), Places(Stream(keys[at : at + 1])), *constants)
        for at, text in enumerate(listed)
    ]


def _named(name: object) -> str | Callable[..., Any]:
    """A name; somebody's own function as it is."""
    if isinstance(name, str):
        find_text(name)
        return name
    for known, row in TEXT_CORRUPTIONS.items():
        if row.function is name:
            return known
    if callable(name):
        return name
    raise TypeError(
        f"a corruption of texts is one of {', '.join(TEXT_CORRUPTIONS)}, or a function of your "
        f"own, not {name!r}."
    )


def _checked(texts: object) -> list[str]:
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings, not one string: pass [text].")
    try:
        listed: list[Any] = list(texts)  # type: ignore[call-overload]
    except TypeError as error:
        kind = type(texts).__name__
        raise TypeError(f"texts must be a list of strings, not {kind}: make one of it.") from error
    for at, one in enumerate(listed):
        if not isinstance(one, str):
            raise TypeError(f"text {at} is {one!r}, no string: leave it out, or write ''.")
    return listed
