"""Errors inside words: wrong, lost, swapped and doubled letters, and letters that look alike.

Each is a function (tokens, draws, share) -> text. Only letters change, and only in words that may
(`pieces.kept`): numbers and negations stay, and no word becomes one. Draws do not depend on the
severity: a letter that one severity hits, a higher one hits too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .draws import Places
from .pieces import characters, is_letter, kept
from .shapes import KEYBOARD, LOOKALIKES, MISREAD, MISREAD_PAIRS

# (characters of one word, chance of each, choice of each, share) -> word
Change = Callable[[Sequence[str], Sequence[float], Sequence[float], float], str]


def keyboard_typos(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Hits a neighbouring key, QWERTY, for some Latin letters; upper case stays upper case.

    Belinkov and Bisk, "Synthetic and natural noise both break neural machine translation" (2018).
    """
    return _in_words(tokens, draws, share, _mistyped)


def ocr_errors(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Reads some letters as what looks like them in print: l as 1, O as 0, rn as m.

    The list is ours: pairs of shapes that scanned text is known for, no engine's measured errors.
    No word becomes a number.
    """
    return _in_words(tokens, draws, share, _misread)


def character_drop(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Leaves out some letters, never all of a word's.

    Pruthi, Dhingra and Lipton, "Combating adversarial misspellings" (2019).
    """
    return _in_words(tokens, draws, share, _dropped)


def character_swap(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Swaps some letters with the next one of their word, if it is another; each once at most.

    Belinkov and Bisk (2018).
    """
    return _in_words(tokens, draws, share, _swapped)


def character_repeat(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Types some letters twice."""
    return _in_words(tokens, draws, share, _repeated)


def homoglyphs(tokens: Sequence[str], draws: Places, share: float) -> str:
    """Replaces some Latin letters by Cyrillic or Greek ones of the same shape.

    Boucher et al., "Bad characters" (2022); shapes as in Unicode's list of confusables (UTS 39).
    """
    return _in_words(tokens, draws, share, _disguised)


def _in_words(tokens: Sequence[str], draws: Places, share: float, change: Change) -> str:
    """The text with every word changed that may be."""
    split = [characters(word) for word in tokens[::2]]
    count = sum(map(len, split))
    chances, choices = draws.uniform(count, 0), draws.uniform(count, 1)
    result, start = list(tokens), 0
    for place, word in enumerate(split):
        stop = start + len(word)
        if word and not kept(tokens[2 * place]):
            made = change(word, chances[start:stop], choices[start:stop], share)
            if _still_a_word(made):
                result[2 * place] = made
        start = stop
    return "".join(result)


def _still_a_word(word: str) -> bool:
    """Whether a changed word has become neither a negation (note, not) nor a number (is, 15)."""
    letters = "".join(one for one in word if not one.isdigit())
    return not kept(letters) and (letters == word or any(map(str.isalpha, letters)))


def _picked(options: Sequence[str], choice: float) -> str:
    return options[int(choice * len(options))]


def _mistyped(
    word: Sequence[str], chances: Sequence[float], choices: Sequence[float], share: float
) -> str:
    made = []
    for one, chance, choice in zip(word, chances, choices, strict=True):
        near = KEYBOARD.get(one.lower(), "") if chance < share else ""
        typed = _picked(near, choice) if near else one
        made.append(typed.upper() if near and one.isupper() else typed)
    return "".join(made)


def _misread(
    word: Sequence[str], chances: Sequence[float], choices: Sequence[float], share: float
) -> str:
    made, place = [], 0
    while place < len(word):
        pair = "".join(word[place : place + 2])
        options = MISREAD_PAIRS.get(pair, ()) or MISREAD.get(word[place], ())
        taken = 2 if pair in MISREAD_PAIRS else 1
        if options and chances[place] < share:
            made.append(_picked(options, choices[place]))
            place += taken
        else:
            made.append(word[place])
            place += 1
    return "".join(made)


def _dropped(
    word: Sequence[str], chances: Sequence[float], choices: Sequence[float], share: float
) -> str:
    made = [
        one
        for one, chance in zip(word, chances, strict=True)
        if chance >= share or not is_letter(one)
    ]
    lost = any(map(is_letter, word)) and not any(map(is_letter, made))
    return "".join(word if lost else made)


def _swapped(
    word: Sequence[str], chances: Sequence[float], choices: Sequence[float], share: float
) -> str:
    made, place = list(word), 0
    while place < len(made) - 1:
        one, other = made[place : place + 2]
        if chances[place] < share and one != other and is_letter(one) and is_letter(other):
            made[place], made[place + 1] = other, one
            place += 1
        place += 1
    return "".join(made)


def _repeated(
    word: Sequence[str], chances: Sequence[float], choices: Sequence[float], share: float
) -> str:
    return "".join(
        one * 2 if chance < share and is_letter(one) else one
        for one, chance in zip(word, chances, strict=True)
    )


def _disguised(
    word: Sequence[str], chances: Sequence[float], choices: Sequence[float], share: float
) -> str:
    return "".join(
        _picked(LOOKALIKES[one[0]], choice) + one[1:]
        if chance < share and one[0] in LOOKALIKES
        else one
        for one, chance, choice in zip(word, chances, choices, strict=True)
    )
