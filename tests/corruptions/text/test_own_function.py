"""Somebody's own corruption of texts: called as said, and held to the same promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from corruptions import corrupt_text

TEXTS = [f"text number {at}" for at in range(20)]


def louder(texts: list[str], severity: float, *, seed: int, ids: Any) -> list[str]:
    """Exclaims as often as the severity says, where the id and seed agree."""
    return [
        text + "!" * int(severity) if (int(name) + seed) % 2 else text
        for text, name in zip(texts, ids, strict=True)
    ]


def test_a_function_that_keeps_its_promises() -> None:
    ids = list(range(100, 120))
    made = corrupt_text(TEXTS, louder, 3, seed=1, ids=ids)
    assert made == [text + "!!!" * (at % 2 == 0) for at, text in enumerate(TEXTS)]
    assert corrupt_text(TEXTS, louder, 0) == TEXTS
    assert corrupt_text(TEXTS[4:6], louder, 3, seed=1, ids=ids[4:6]) == made[4:6]


def always(texts: list[str], severity: float, **_: Any) -> list[str]:
    return [text.upper() for text in texts]


def in_place(texts: list[str], severity: float, **_: Any) -> list[str]:
    if severity:
        texts[0] = "gone"
    return list(texts)


def by_place(texts: list[str], severity: float, **_: Any) -> list[str]:
    return [text + str(len(texts)) * bool(severity) for text in texts]


def fewer(texts: list[str], severity: float, **_: Any) -> list[str]:
    return texts if not severity else texts[1:]


def array(texts: list[str], severity: float, **_: Any) -> Any:
    return texts if not severity else np.array(texts)


@pytest.mark.parametrize(
    ("function", "error", "complaint"),
    [
        (always, ValueError, "always changes texts at severity 0: make that the identity"),
        (in_place, ValueError, "in_place writes to the list it is given"),
        (by_place, ValueError, "by_place gives other results for the same texts in another batch"),
        (fewer, ValueError, "fewer returned 19 texts for 20"),
        (array, TypeError, "array returned no list of strings"),
    ],
)
def test_a_function_that_breaks_one(function: Any, error: Any, complaint: str) -> None:
    with pytest.raises(error, match=complaint):
        corrupt_text(TEXTS, function, 2)
