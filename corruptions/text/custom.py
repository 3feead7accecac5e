"""Somebody's own corruption of texts, held to what ours promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..images import Ids

# How many texts are corrupted a second time to see whether the result repeats.
_REPEATED = 8


def run_custom_text(
    function: Callable[..., Any], texts: list[str], severity: float, seed: int, ids: Ids
) -> list[str]:
    """Calls function(texts, severity, seed=seed, ids=ids) and checks what comes back.

    Args:
        function: Takes a list of texts, a severity, a seed and one id for each text; returns a list
            of as many texts.
        texts: Any strings.
        severity: 0, or 1 to 5.
        seed: Any integer.
        ids: int64 [N], or N strings.

    Raises:
        TypeError: Something else than a list of strings came back.
        ValueError: It has another length, severity 0 changed a text, the list given was written to,
            or the first texts came out differently when asked again on their own.
    """
    name = getattr(function, "__name__", repr(function))
    few = min(_REPEATED, max(1, len(texts) - 1))
    head = texts[:few]
    if _called(function, name, list(head), 0.0, seed, ids[:few]) != head:
        raise ValueError(f"{name} changes texts at severity 0: make that the identity.")
    result = _called(function, name, texts, severity, seed, ids)
    if texts[:few] != head:
        raise ValueError(f"{name} writes to the list it is given: let it work on a copy.")
    if _called(function, name, list(head), severity, seed, ids[:few]) != result[:few]:
        raise ValueError(
            f"{name} gives other results for the same texts in another batch: let its draws depend "
            "only on the seed, the severity and each text's id."
        )
    return result


def _called(
    function: Callable[..., Any], name: str, texts: list[str], severity: float, seed: int, ids: Ids
) -> list[str]:
    result = function(texts, severity, seed=seed, ids=ids)
    if not isinstance(result, list) or not all(isinstance(one, str) for one in result):
        raise TypeError(f"{name} returned no list of strings: return the kind it was given.")
    if len(result) != len(texts):
        raise ValueError(
            f"{name} returned {len(result)} texts for {len(texts)}: return one for each."
        )
    return result
