"""Forms of the desk: what a browser sent, as answers; and questions, as a page shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from markupsafe import Markup, escape

from audit.evidence.errors import InputError
from reports.review.questions import OWN_LABEL, RIGHT_LABEL, Question
from reports.review.values import Shown, Study
from reports.wording import say

FORM = "application/x-www-form-urlencoded"
PREFIX = "q_"
_MOST_FIELDS = 2_000
_SPAN = re.compile(r"\[(\d{1,9}):(\d{1,9})\]")

Form = dict[str, list[str]]


@dataclass(frozen=True)
class Asked:
    """One question as a page shows it.

    Attributes:
        key: Name of its field.
        text: What the reviewer reads.
        kind: As in `Question`.
        options: (value, whether it is chosen).
        value: What a text or a label holds.
        required: Whether it needs an answer.
        asked_if: JSON of field -> values, for the script that hides it; empty if always asked.
        condition: The same in words, for those without script.
        listed: Of a label, its options as escaped HTML: there may be thousands.
    """

    key: str
    text: str
    kind: str
    options: tuple[tuple[str, bool], ...]
    value: str
    required: bool
    asked_if: str = ""
    condition: str = ""
    listed: str = ""


def parsed(body: bytes, content_type: str) -> Form:
    """The fields of a form.

    Raises:
        InputError: It is no form, or has more fields than any page of ours.
    """
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise InputError("This is no form that the desk sends: use its pages.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise InputError("This form has too many fields: use the desk's own pages.") from error
    form: Form = {}
    for key, value in pairs:
        # Browsers send a line's end as CR LF.
        form.setdefault(key, []).append(value.replace("\r\n", "\n"))
    return form


def first(form: Mapping[str, Sequence[str]], key: str) -> str:
    """A field's first value, or an empty text."""
    return form[key][0] if form.get(key) else ""


def to_ask(study: Study, shown: Shown) -> tuple[Question, ...]:
    """The questions of the page: a first one alone while the label is hidden, else all others."""
    opening = opening_question(study)
    if opening is None:
        return study.questions
    if shown.label_hidden:
        return (opening,)
    # Once the label was seen the first impression stands, unless it was taken back.
    return tuple(
        each
        for each in study.questions
        if each.key != OWN_LABEL.key or each.key not in shown.answers
    )


def opening_question(study: Study) -> Question | None:
    """What is asked before the label is shown; None if the label is never hidden."""
    if not study.settings.label_hidden:
        return None
    own = [each for each in study.questions if each.key == OWN_LABEL.key]
    return (own or list(study.questions))[0]


def answers_in(form: Form, questions: Sequence[Question]) -> dict[str, Any]:
    """Question -> what the form holds; one that was not sent, because it is not asked, is out."""
    answers: dict[str, Any] = {}
    for question in questions:
        sent = form.get(PREFIX + question.key)
        if sent is None:
            continue
        values = [value for value in sent if value]
        if question.kind == "several":
            answers[question.key] = values or None
        else:
            # A hidden blank stands before the options, so that "none of them" is sent too.
            answers[question.key] = values[-1] if values else None
    return answers


def as_asked(
    questions: Sequence[Question], study: Study, answers: Mapping[str, Any], label: str | None
) -> tuple[Asked, ...]:
    """Questions with what was answered so far; `label` is the item's, None while it is hidden."""
    texts = {each.key: each.text for each in study.questions}
    return tuple(
        _asked(each, study, answers.get(each.key), texts, label if each.key == RIGHT_LABEL else "")
        for each in questions
    )


def for_people(sentence: str, study: Study) -> str:
    """A refusal with questions as a page words them, instead of by key."""
    for each in study.questions:
        sentence = sentence.replace(f"Question {each.key!r}", f"“{each.text}”")
        sentence = sentence.replace(f" {each.key} = ", f" “{each.text}” ")
    return sentence


def spans_of(text: str, note: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether a note's `[start:end]` marks it."""
    marked = sorted(
        (int(start), int(end)) for start, end in _SPAN.findall(note) if int(start) < int(end)
    )
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in marked:
        start, end = max(start, at), min(end, len(text))
        if start < end:
            pieces += [(text[at:start], False), (text[start:end], True)]
            at = end
    pieces.append((text[at:], False))
    return [(piece, marks) for piece, marks in pieces if piece]


def _asked(
    question: Question, study: Study, value: Any, texts: Mapping[str, str], own: str | None
) -> Asked:
    chosen = {str(each) for each in value} if isinstance(value, list) else {str(value)}
    options: Sequence[str] = question.choices
    if question.kind == "scale":
        options = [str(step) for step in range(question.low, question.high + 1)]
    listed = _listed(study.settings.classes, value, own) if question.kind == "label" else ""
    conditions = {PREFIX + key: list(values) for key, values in question.asked_if.items()}
    return Asked(
        key=PREFIX + question.key,
        text=question.text,
        kind=question.kind,
        options=tuple((option, value is not None and option in chosen) for option in options),
        value="" if value is None or isinstance(value, list) else str(value),
        required=question.required,
        asked_if=json.dumps(conditions) if conditions else "",
        listed=listed,
        condition=" and ".join(
            f"{texts.get(key, key)} {' / '.join(values)}"
            for key, values in question.asked_if.items()
        ),
    )


def _listed(classes: tuple[str, ...], chosen: Any, own: str | None) -> Markup:
    """The classes as options; the item's own label cannot be chosen, as that would say nothing."""
    options = dict(_options(classes))
    for name in {own, chosen} & options.keys():
        marks = " selected" * (name == chosen) + " disabled" * (name == own)
        note = f" ({say('desk.own_label')})" if name == own else ""
        shown = escape(f"{name}{note}")
        options[name] = f'<option value="{escape(name)}"{marks}>{shown}</option>'
    return Markup("\n".join(options.values()))


@lru_cache(maxsize=8)
def _options(classes: tuple[str, ...]) -> dict[str, str]:
    """Each class as an option: escaping a thousand at every page took most of its time."""
    return {name: f'<option value="{escape(name)}">{escape(name)}</option>' for name in classes}
