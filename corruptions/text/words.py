"""Errors about whole words and the marks between them: casing, dropped words, punctuation.

Each is a function (tokens, draws, *constants) -> text. Draws do not depend on the severity: what
one severity changes, a higher one changes too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .draws import Places
from .pieces import characters, is_letter, kept

# Marks that may be lost without loss of meaning. No hyphen, which may be a minus, and no sign.
_MARKS = frozenset('.,;:!?…—–"“”„«»()[]{}¡¿、。，！？；：')
_ADDED = (",", ".", ";", ":")


def casing(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Writes some words in upper case, or in lower case where they are in upper case already.

    A letter whose other case is several letters (ß) stays.

    Args:
        tokens: Words and blanks by turns.
        draws: Of this text.
        share: Of the words.
    """
    chances, result = draws.uniform(len(tokens), 0), list(tokens)
    for place in range(0, len(tokens), 2):
        word = tokens[place]
        if chances[place] < share:
            other = str.lower if word == _cased(word, str.upper) else str.upper
            result[place] = _cased(word, other)
    return "".join(result)


def _cased(word: str, turn: Callable[[str], str]) -> str:
    return "".join(turn(one) if len(turn(one)) == 1 else one for one in word)


def word_drop(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Leaves out some words, each with the blank before it; never all, no number, no negation.

    Random deletion of Wei and Zou, "EDA" (2019), with the words kept that labels hang on.

    Args:
        tokens: Words and blanks by turns.
        draws: Of this text.
        share: Of the words that may be dropped.
    """
    chances = draws.uniform(len(tokens), 0)
    words = [place for place in range(0, len(tokens), 2) if tokens[place]]
    lost = {place for place in words if chances[place] < share and not kept(tokens[place])}
    if words and len(lost) == len(words):
        lost.remove(max(lost, key=lambda place: chances[place]))
    left = [
        ("" if place == 0 else tokens[place - 1]) + tokens[place]
        for place in range(0, len(tokens), 2)
        if place not in lost
    ]
    text = "".join(left)
    # Where the first words went, the blank that stood before the next one goes too.
    return text.lstrip() if tokens[0] and 0 in lost else text


def punctuation(tokens: Sequence[str], draws: Places, dropped: float, added: float) -> str:
    """Loses some marks at the ends of words, and adds some to words that end without one.

    Marks inside words and before digits stay (don't, 3.14, .5), and so does a word that is nothing
    but marks, such as :-).

    Args:
        tokens: Words and blanks by turns.
        draws: Of this text.
        dropped: Share of the marks.
        added: Share of the words that end with a letter.
    """
    split = [characters(word) for word in tokens[::2]]
    count = sum(map(len, split))
    chances, choices = draws.uniform(count, 0), draws.uniform(count, 1)
    result, start = list(tokens), 0
    for place, word in enumerate(split):
        lost = {at for at in _outer_marks(word) if chances[start + at] < dropped}
        made = "".join(one for at, one in enumerate(word) if at not in lost)
        start += len(word)
        if word and is_letter(word[-1]) and chances[start - 1] < added:
            made += _ADDED[int(choices[start - 1] * len(_ADDED))]
        result[2 * place] = made
    return "".join(result)


def _outer_marks(word: Sequence[str]) -> list[int]:
    """Places of the marks before the first and behind the last letter or digit of a word."""
    inner = [at for at, one in enumerate(word) if one[0].isalnum()]
    if not inner:
        return []
    first = inner[0] - 1 if word[inner[0]].isdigit() else inner[0]
    return [at for at, one in enumerate(word) if one in _MARKS and (at < first or at > inner[-1])]
