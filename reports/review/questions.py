"""What reviewers are asked, and what counts as an answer to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from audit.evidence.errors import InputError

QuestionKind = Literal["choice", "several", "scale", "text", "label"]
KINDS: tuple[QuestionKind, ...] = ("choice", "several", "scale", "text", "label")
LONGEST_TEXT = 10_000
BAD_LABEL = "wrong or inadequate label"
RIGHT_LABEL = "right_label"


class NotAnAnswer(InputError):
    """What was answered cannot be taken; `question` is the key of the question it is about."""

    def __init__(self, question: str, sentence: str) -> None:
        super().__init__(sentence)
        self.question = question


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        key: Name in the record and in exports.
        text: What the reviewer reads.
        kind: `choice` (one of `choices`), `several` (any of them), `scale` (a whole number from
            `low` to `high`), `text`, or `label` (one of the study's classes).
        choices: What may be chosen.
        low: Lowest number of a scale.
        high: Highest number of a scale.
        required: Whether an item is done only with an answer to it.
        asked_if: Question -> answers after any of which this one is asked; always, if empty.
    """

    key: str
    text: str
    kind: QuestionKind
    choices: tuple[str, ...] = ()
    low: int = 1
    high: int = 5
    required: bool = False
    asked_if: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


DEFAULT_QUESTIONS = (
    Question(
        "label_right",
        "Is the label right?",
        "choice",
        ("agree", "wrong", "cannot tell"),
        required=True,
    ),
    Question(
        RIGHT_LABEL, "Which label would be right?", "label", asked_if={"label_right": ("wrong",)}
    ),
    # The six of Hooker et al. (2019), section 4, and the seventh that clinical pictures need.
    Question(
        "hard_because",
        "What makes it hard?",
        "several",
        (
            BAD_LABEL,
            "several objects",
            "frequently co-occurring labels",
            "abstract",
            "fine-grained",
            "atypical",
            "low quality",
        ),
    ),
    Question("quality", "How good is its quality, from 1 (poor) to 5 (good)?", "scale"),
    Question("difficulty", "How difficult is it, from 1 (easy) to 5 (hard)?", "scale"),
    Question(
        "consequence",
        "Would this error change what is done?",
        "choice",
        ("no", "minor", "serious"),
    ),
    Question("note", "Note", "text"),
)

# Asked before the label is shown; it says what the reviewer would have called it unprompted.
OWN_LABEL = Question("own_label", "Which label would you give it?", "label", required=True)


def default_questions(*, label_hidden: bool = False) -> tuple[Question, ...]:
    """What is asked unless a person says otherwise; a hidden label adds the reviewer's own."""
    return (OWN_LABEL, *DEFAULT_QUESTIONS) if label_hidden else DEFAULT_QUESTIONS


def check_answers(
    questions: Sequence[Question],
    answers: Mapping[str, Any],
    *,
    classes: Sequence[str] = (),
    whole: bool = True,
) -> dict[str, Any]:
    """The answers as they are recorded: in the questions' order, each of its kind.

    Args:
        questions: What is asked.
        answers: Question -> value; None, "" and [] all say "no answer".
        classes: Names that a question of kind `label` allows.
        whole: Whether required questions that are asked must have an answer.

    Returns:
        Question -> value, with None where there is no answer.

    Raises:
        InputError: A question is unknown, is not asked after these answers, or its value is
            none that it allows; or a required answer is missing.
    """
    known = {each.key: each for each in questions}
    for key in answers:
        if key not in known:
            raise InputError(f"There is no question {key!r}: the questions are {', '.join(known)}.")
    checked = {
        key: _checked(question, answers[key], classes)
        for key, question in known.items()
        if key in answers
    }
    for key, question in known.items():
        asked = is_asked(question, checked)
        if not asked and checked.get(key) is not None:
            raise NotAnAnswer(
                key, f"Question {key!r} is asked only after {_condition(question)}: leave it empty."
            )
        if whole and asked and question.required and checked.get(key) is None:
            raise NotAnAnswer(key, f"Question {key!r} has no answer: it needs one.")
    return checked


def check_consistent(answers: Mapping[str, Any], label: str | None) -> None:
    """Refuse answers to the usual questions that contradict each other.

    Args:
        answers: Question -> value, all that would stand together.
        label: The item's own, as the reviewer saw it; None if it has none.

    Raises:
        NotAnAnswer: They do; the sentence says what to change.
    """
    said, named = answers.get("label_right"), answers.get(RIGHT_LABEL)
    if said == "wrong" and label is not None and named == label:
        raise NotAnAnswer(
            RIGHT_LABEL,
            f"You call the label wrong and name the same one, {label[:60]!r}, as right: name "
            "another, or agree.",
        )
    if said == "agree" and BAD_LABEL in (answers.get("hard_because") or ()):
        raise NotAnAnswer(
            "hard_because",
            f"You agree with the label and call it a {BAD_LABEL} as well: change one of the two.",
        )


def is_asked(question: Question, answers: Mapping[str, Any]) -> bool:
    """Whether a question is asked, given what the others were answered with."""
    return all(answers.get(key) in values for key, values in question.asked_if.items())


def questions_to_json(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Questions as plain lists and dictionaries."""
    return [asdict(each) for each in questions]


def questions_from_json(rows: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Questions from what `questions_to_json` gave, or from a person's YAML.

    Raises:
        InputError: A question cannot be asked; the text says which and why.
    """
    return check_questions([_question(row) for row in rows])


def check_questions(questions: Sequence[Question]) -> tuple[Question, ...]:
    """The questions, once it is sure that they can be asked.

    Raises:
        InputError: A key comes twice, a kind is unknown, choices are missing, a scale is empty,
            or `asked_if` names a question that does not come before.
    """
    if not questions:
        raise InputError("There are no questions: a review needs one at least.")
    before: set[str] = set()
    for each in questions:
        problem = _problem(each, before)
        if problem:
            raise InputError(f"Question {each.key!r} {problem}.")
        before.add(each.key)
    return tuple(questions)


def _problem(question: Question, before: set[str]) -> str | None:
    if not question.key.isidentifier():
        return "has a key that is no identifier: use letters, digits and underscores"
    if question.key in before:
        return "comes twice: give every question a key of its own"
    if question.kind not in KINDS:
        return f"is of kind {question.kind!r}, which is none of {', '.join(KINDS)}"
    if question.kind in ("choice", "several") and len(set(question.choices)) < 2:
        return "has fewer than two choices: add some"
    if question.kind == "scale" and question.low >= question.high:
        return f"has a scale from {question.low} to {question.high}: its end must come after"
    later = sorted(set(question.asked_if) - before)
    if later:
        return f"is asked after {later[0]!r}, which does not come before it"
    return None


def _question(row: Mapping[str, Any]) -> Question:
    try:
        given = dict(row)
        given["choices"] = tuple(str(each) for each in given.get("choices", ()))
        given["asked_if"] = {
            key: tuple(values) for key, values in dict(given.get("asked_if", {})).items()
        }
        return Question(**given)
    except (TypeError, ValueError) as error:
        raise InputError(f"{row!r} is no question ({error}): give key, text and kind.") from error


def _condition(question: Question) -> str:
    return " and ".join(
        f"{key} = {' or '.join(values)}" for key, values in question.asked_if.items()
    )


def _checked(question: Question, value: Any, classes: Sequence[str]) -> Any:
    if value is None or value == "" or value == []:
        return None
    return _CHECKS[question.kind](question, value, classes)


def _one(question: Question, value: Any, classes: Sequence[str]) -> str:
    if value not in question.choices:
        raise _refused(question, value, f"one of {', '.join(question.choices)}")
    return str(value)


def _several(question: Question, value: Any, classes: Sequence[str]) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _refused(question, value, f"a list of {', '.join(question.choices)}")
    for each in value:
        _one(question, each, classes)
    return [each for each in question.choices if each in value]


def _scale(question: Question, value: Any, classes: Sequence[str]) -> int:
    wanted = f"a whole number from {question.low} to {question.high}"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _refused(question, value, wanted)
    try:
        number = float(value)
    except ValueError:
        raise _refused(question, value, wanted) from None
    if not question.low <= number <= question.high or number != int(number):
        raise _refused(question, value, wanted)
    return int(number)


def _text(question: Question, value: Any, classes: Sequence[str]) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _refused(question, value, f"text of at most {LONGEST_TEXT:,} characters")
    # PostgreSQL cannot hold a NUL in text, nor UTF-8 half a surrogate pair.
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _label(question: Question, value: Any, classes: Sequence[str]) -> str:
    if value not in classes:
        raise _refused(question, value, "a class of this study")
    return str(value)


_CHECKS: dict[str, Callable[[Question, Any, Sequence[str]], Any]] = {
    "choice": _one,
    "several": _several,
    "scale": _scale,
    "text": _text,
    "label": _label,
}


def _refused(question: Question, value: Any, wanted: str) -> NotAnAnswer:
    shown = repr(value)
    if len(shown) > 60:
        shown = f"{shown[:60]}…"
    sentence = f"Question {question.key!r} was answered with {shown}: give {wanted}."
    return NotAnAnswer(question.key, sentence)
