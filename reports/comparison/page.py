"""The page of a comparison as values, before it is HTML or Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.judgement.comparing.moves import MoveOutcome
from audit.judgement.findings import Outcome
from reports.page import Section, Sentence, Table

# The colour and sign of a move are those of the verdict that reads like it.
TONES: Mapping[MoveOutcome, Outcome] = {
    "worse": "over",
    "better": "within",
    "cannot_tell": "cannot_tell",
    "same": "no_limit",
    "not_asked": "not_asked",
}


@dataclass(frozen=True)
class Answer:
    """Whether some sides may be ranked, and in what order.

    Attributes:
        text: The answer.
        outcome: Its colour and sign.
        why: What it rests on, a sentence each.
        table: The order with what lies between neighbours; None for two sides or no order.
    """

    text: str
    outcome: Outcome
    why: tuple[str, ...]
    table: Table | None = None


@dataclass(frozen=True)
class ComparisonPage:
    """Everything a renderer prints, top to bottom."""

    title: str
    name: str
    compared: str
    answers: tuple[Answer, ...]
    sentences: tuple[Sentence, ...]
    sections: tuple[Section, ...]
    method: tuple[str, ...]
