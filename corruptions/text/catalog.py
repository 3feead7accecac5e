"""The corruptions of texts there are, one row each, and the named set of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..spelling import unknown
from . import letters, words

Family = Literal["typing", "reading", "writing"]


@dataclass(frozen=True)
class TextCorruption:
    """One way to change texts.

    Attributes:
        function: (tokens, draws, *constants) -> text; tokens are words and blanks by turns.
        family: Which kind of shift it is.
        description: One line for people.
        source: Where the recipe comes from; the constants are ours.
    """

    function: Callable[..., str]
    family: Family
    description: str
    source: str = "ours"


_NOISE = "Belinkov and Bisk (2018)"

TEXT_CORRUPTIONS: Mapping[str, TextCorruption] = {
    "keyboard_typos": TextCorruption(
        letters.keyboard_typos, "typing", "some letters hit on a neighbouring key", _NOISE
    ),
    "character_drop": TextCorruption(
        letters.character_drop, "typing", "some letters left out", "Pruthi et al. (2019)"
    ),
    "character_swap": TextCorruption(
        letters.character_swap, "typing", "some letters swapped with the next", _NOISE
    ),
    "character_repeat": TextCorruption(
        letters.character_repeat, "typing", "some letters typed twice", "Pruthi et al. (2019)"
    ),
    "ocr_errors": TextCorruption(
        letters.ocr_errors, "reading", "some letters read as others of their shape: l as 1"
    ),
    "homoglyphs": TextCorruption(
        letters.homoglyphs,
        "reading",
        "some letters from another alphabet that look the same",
        "Boucher et al. (2022)",
    ),
    "casing": TextCorruption(words.casing, "writing", "some words in capitals, or out of them"),
    "punctuation": TextCorruption(
        words.punctuation, "writing", "some marks lost at the ends of words, some added"
    ),
    "word_drop": TextCorruption(
        words.word_drop,
        "writing",
        "some words left out, but no number and no negation",
        "EDA (Wei and Zou, 2019)",
    ),
}

TEXT_SETS: Mapping[str, tuple[str, ...]] = {"text": tuple(TEXT_CORRUPTIONS)}


def find_text(name: str) -> TextCorruption:
    """The catalogue's row of that name.

    Raises:
        ValueError: There is none; the nearest name is offered.
    """
    if name not in TEXT_CORRUPTIONS:
        raise unknown("corruption of texts", name, TEXT_CORRUPTIONS)
    return TEXT_CORRUPTIONS[name]
