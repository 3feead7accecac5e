"""Names that people and data gave (classes, groups, models), made fit to print: some are wild."""

from __future__ import annotations

import unicodedata

from reports.quantities import sparsity
from reports.wording import say

LONGEST = 60  # characters of a name that are printed
LONGEST_TITLE = 300  # characters of a name that a tooltip holds

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
# Controls, surrogates, unassigned and private code points say nothing to a reader; format
# characters (Cf) reorder the text around them, but for the joiners that emoji and scripts need.
_HIDDEN = frozenset({"Cc", "Cs", "Cn", "Co", "Cf", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def visible(name: object) -> str:
    """The name without what cannot be seen: each run of it, and of white space, is one space."""
    text = "".join(" " if _hidden(character) else character for character in str(name))
    return " ".join(text.split()) or "(empty)"


def short(name: object, longest: int = LONGEST) -> str:
    """The visible name, cut to `longest` characters, the cut shown by an ellipsis."""
    text = visible(name)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def title(name: object, longest: int = LONGEST) -> str | None:
    """What a tooltip adds to `short`: more of a name that was cut, and its length; else None."""
    text = visible(name)
    if len(text) <= longest:
        return None
    if len(text) <= LONGEST_TITLE:
        return text
    return f"{text[:LONGEST_TITLE]}… ({len(text):,} characters)"


def in_prose(name: object, longest: int = LONGEST) -> str:
    """The short name for the middle of a sentence: one written from right to left is isolated."""
    text = short(name, longest)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"
    return text


def method_name(name: str | None) -> str:
    """A pruning method's name for prose; the table may give none."""
    return in_prose(name) if name else say("who.unnamed_method")


def sparsity_name(level: float | None) -> str:
    """The sparsity of some pruned models for a cell or a caption; they may state none."""
    return say("who.unstated_sparsity") if level is None else sparsity(level)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _JOINERS
