"""Cuts a text into words, these into characters as people see them, and says what must stay."""

from __future__ import annotations

import re
import unicodedata

_JOINER = "\u200d"

# What a label most often hangs on: a text about what is not the case must not turn into one about
# what is. English; other languages' negations may be corrupted.
_CONTRACTED = (
    *("ai", "are", "ca", "could", "did", "does", "do", "had", "has", "have", "is", "might"),
    *("must", "need", "sha", "should", "was", "were", "wo", "would"),
)
NEGATIONS = frozenset(
    [
        *("no", "not", "nor", "non", "none", "never", "neither", "nothing", "nobody", "nowhere"),
        *("cannot", "without", "hardly", "scarcely", "barely"),
        *(f"{verb}nt" for verb in _CONTRACTED),
    ]
)


def tokens(text: str) -> list[str]:
    """Words at the even places (the first or last may be empty), the blanks between at the odd."""
    return re.split(r"(\s+)", text)


def characters(word: str) -> list[str]:
    """A word's grapheme clusters: letters with their combining marks, joined emoji, flags.

    A cut short of Unicode's annex 29: marks, variation selectors, joiners, skin tones, tags, pairs
    of regional indicators and Hangul jamo stay with what they follow.
    """
    found: list[str] = []
    for one in word:
        if found and _follows(found[-1], one):
            found[-1] += one
        else:
            found.append(one)
    return found


def _follows(before: str, one: str) -> bool:
    code = ord(one)
    if code < 0x300:
        return False
    if one == _JOINER or before[-1] == _JOINER:
        return True
    if unicodedata.category(one) in ("Mn", "Mc", "Me"):  # variation selectors are marks too
        return True
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:  # skin tones, tags
        return True
    if 0x1F1E6 <= code <= 0x1F1FF:  # a flag is two of them
        return len(before) == 1 and 0x1F1E6 <= ord(before) <= 0x1F1FF
    return 0x1160 <= code <= 0x11FF and 0x1100 <= ord(before[-1]) <= 0x11FF


def kept(word: str) -> bool:
    """Whether a word must stay as it is: it has a digit, or it negates."""
    if any(one.isdigit() for one in word):
        return True
    letters = "".join(one for one in word.casefold() if one.isalpha())
    # Any word with an n't, however the apostrophe is written, and any hyphenated not- and non-.
    parts = re.split(r"[^\w'’]+", word.casefold())
    return letters in NEGATIONS or any(re.sub(r"\W", "", part) in NEGATIONS for part in parts)


def is_letter(character: str) -> bool:
    """Whether a grapheme cluster begins with a letter."""
    return character[0].isalpha()
