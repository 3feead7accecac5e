"""Records answers, withdrawals and skips: each in one transaction, acknowledged once it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select

from audit.evidence.errors import InputError
from reports.review import schema
from reports.review.chain import append
from reports.review.items import (
    find_item,
    place_of,
    seen_before,
    standing_answers,
)
from reports.review.questions import check_answers, check_consistent, is_asked
from reports.review.records import Records
from reports.review.study import now, read_study
from reports.review.turns import DONE, OPEN, SKIPPED, checked_seconds, state_at, take_turn
from reports.review.values import Reviewer, Study


@dataclass(frozen=True)
class Submission:
    """Answers to one item that are sent together.

    Attributes:
        item: Opaque id.
        answers: Question -> value; None clears an earlier answer.
        seconds: Spent on it; None if unknown.
        content_sha256: Version that was shown; None takes the study's.
        predictions_shown: Whether the reviewer had asked what the models say.
        whole: False for a first answer, after which the item stays begun and the label is shown.
        at: When it was answered, UTC ISO 8601; None is now.
        label_was_hidden: None lets the record tell; an offline bundle says it.
        origin: Hash of the file it was imported from.
    """

    item: str
    answers: Mapping[str, Any]
    seconds: float | None = None
    content_sha256: str | None = None
    predictions_shown: bool = False
    whole: bool = True
    at: str | None = None
    label_was_hidden: bool | None = None
    origin: str | None = None


def record(
    records: Records,
    reviewer: Reviewer,
    item: str,
    answers: Mapping[str, Any],
    *,
    seconds: float | None = None,
    content_sha256: str | None = None,
    predictions_shown: bool = False,
    whole: bool = True,
) -> int:
    """Record a reviewer's answers to an item; when this returns, they are on the disk.

    Args:
        records: Open records.
        reviewer: Who answers.
        item: Opaque id.
        answers: Question -> value. A question left out keeps the answer it has; None clears it.
        seconds: Spent on the item.
        content_sha256: Version that was shown (`Shown.content_sha256`).
        predictions_shown: Whether the reviewer had asked what the models say.
        whole: False records a first answer: required questions may be open, the item stays begun,
            and a hidden label is shown from then on.

    Returns:
        The submission's number.

    Raises:
        InputError: The study is closed, the reviewer is not active, the item is unknown or has
            another content now, or an answer is none that its question allows.
        StoreError: The database is down; nothing was recorded.
    """
    submission = Submission(
        item, answers, seconds, content_sha256, predictions_shown=predictions_shown, whole=whole
    )
    with records.writing() as connection:
        study = open_for(connection, records, reviewer)
        return submit(connection, study, reviewer, submission)


def withdraw(records: Records, reviewer: Reviewer, item: str | None = None) -> str | None:
    """Take back a reviewer's last submission, of one item or of any; an earlier one stands again.

    Returns:
        The item it was of, which is begun again; None if there is nothing to take back.

    Raises:
        InputError: The study is closed, or the reviewer is not active.
        StoreError: The database is down; nothing was recorded.
    """
    with records.writing() as connection:
        study = open_for(connection, records, reviewer)
        last = _last_submission(connection, reviewer, item)
        if last is None:
            return None
        row = _row(reviewer, Submission(last.item, {}), last.content_sha256, hidden=False)
        append(connection, [{**row, "question": "", "value": "null", "withdraws": last.submission}])
        rows = schema.answers.c
        # A submission's rows follow each other from its own number on, one a question at most.
        end = last.submission + len(study.questions)
        questions = connection.execute(
            select(rows.question).where(
                rows.submission == last.submission, rows.sequence.between(last.submission, end)
            )
        ).scalars()
        for question in list(questions):
            _restore(connection, reviewer, last.item, question)
        _reopen(connection, study, reviewer, last.item)
        return str(last.item)


def skip(records: Records, reviewer: Reviewer, item: str) -> None:
    """Put an item off until the reviewer has seen every other one; a done item stays done.

    Raises:
        InputError: The study is closed, the reviewer is not active, or the item is unknown.
    """
    with records.writing() as connection:
        study = open_for(connection, records, reviewer)
        position = place_of(study, reviewer, find_item(connection, item).number)
        if state_at(connection, reviewer.name, position) != DONE:
            take_turn(connection, reviewer, position, SKIPPED, None)


def open_for(connection: Connection, records: Records, reviewer: Reviewer) -> Study:
    """The study, once it is sure that this reviewer may answer now."""
    study = read_study(connection, records.place)
    if study.closed:
        raise InputError("This review is closed: ask its lead to open it again.")
    active = select(schema.reviewers.c.active).where(schema.reviewers.c.name == reviewer.name)
    if not connection.execute(active).scalar():
        raise InputError(f"{reviewer.name[:40]!r} is no active reviewer: ask the lead for a token.")
    return study


def submit(connection: Connection, study: Study, reviewer: Reviewer, submission: Submission) -> int:
    """Record a submission inside `Records.writing`; see `record`."""
    row = find_item(connection, submission.item)
    if submission.content_sha256 not in (None, row.content_sha256):
        raise InputError(
            f"Item {submission.item[:80]!r} has other content than what was shown: load it again."
        )
    before = standing_answers(connection, reviewer.name, submission.item)
    hidden = submission.label_was_hidden
    if hidden is None:
        hidden = study.settings.label_hidden and not seen_before(
            connection, reviewer.name, submission.item
        )
    # While it is hidden, a refusal would tell the label.
    changed = _changes(study, before, submission, None if hidden else row.label)
    template = _row(reviewer, submission, row.content_sha256, hidden=hidden)
    rows = [
        {**template, "question": key, "value": json.dumps(value)} for key, value in changed.items()
    ]
    sequences = append(connection, rows)
    if not before.keys().isdisjoint(changed):
        connection.execute(delete(schema.standing).where(_mine(reviewer, row.item, changed)))
    _stand(connection, reviewer, submission.item, dict(zip(changed, sequences, strict=True)))
    position = place_of(study, reviewer, row.number)
    state = state_at(connection, reviewer.name, position)
    after = DONE if submission.whole or state == DONE else OPEN
    take_turn(connection, reviewer, position, after, submission.seconds)
    return sequences[0]


def _changes(
    study: Study, before: dict[str, Any], submission: Submission, label: str | None
) -> dict[str, Any]:
    """What this submission says, with answers cleared whose question is no longer asked."""
    merged = {**before, **submission.answers}
    for question in study.questions:
        kept = question.key in before and question.key not in submission.answers
        if kept and not is_asked(question, merged):
            merged[question.key] = None
    checked = check_answers(
        study.questions, merged, classes=study.settings.classes, whole=submission.whole
    )
    check_consistent(checked, label)
    changed = {
        key: value
        for key, value in checked.items()
        if (key in submission.answers and value is not None)
        or (value is None and before.get(key) is not None)
    }
    if not changed:
        raise InputError("Nothing was answered: answer a question, or skip the item.")
    return changed


def _row(
    reviewer: Reviewer, submission: Submission, content_sha256: str, *, hidden: bool
) -> dict[str, Any]:
    return {
        "at": submission.at or now(),
        "reviewer": reviewer.name,
        "item": submission.item,
        "seconds": checked_seconds(submission.seconds),
        "label_was_hidden": hidden,
        "predictions_were_shown": submission.predictions_shown,
        "content_sha256": content_sha256,
        "withdraws": None,
        "origin": submission.origin,
    }


def _stand(
    connection: Connection, reviewer: Reviewer, item: str, sequences: Mapping[str, int]
) -> None:
    connection.execute(
        insert(schema.standing),
        [
            {"item": item, "question": key, "reviewer": reviewer.name, "sequence": sequence}
            for key, sequence in sequences.items()
        ],
    )


def _mine(reviewer: Reviewer, item: str, questions: Iterable[str]) -> Any:
    standing = schema.standing.c
    return (
        (standing.item == item)
        & (standing.reviewer == reviewer.name)
        & standing.question.in_(tuple(questions))
    )


def _last_submission(connection: Connection, reviewer: Reviewer, item: str | None) -> Any:
    answers, later = schema.answers, schema.answers.alias()
    wanted = (
        select(answers.c.submission, answers.c.item, answers.c.content_sha256)
        .where(answers.c.reviewer == reviewer.name, answers.c.withdraws.is_(None))
        .where(~exists().where(later.c.withdraws == answers.c.submission))
        .order_by(answers.c.sequence.desc())
        .limit(1)
    )
    if item is not None:
        wanted = wanted.where(answers.c.item == item)
    return connection.execute(wanted).first()


def _restore(connection: Connection, reviewer: Reviewer, item: str, question: str) -> None:
    """Let the last answer to a question that was not withdrawn stand, if there is one."""
    answers, later = schema.answers, schema.answers.alias()
    sequence = connection.execute(
        select(answers.c.sequence)
        .where(answers.c.reviewer == reviewer.name, answers.c.item == item)
        .where(answers.c.question == question, answers.c.withdraws.is_(None))
        .where(~exists().where(later.c.withdraws == answers.c.submission))
        .order_by(answers.c.sequence.desc())
        .limit(1)
    ).scalar()
    connection.execute(delete(schema.standing).where(_mine(reviewer, item, [question])))
    if sequence is not None:
        _stand(connection, reviewer, item, {question: sequence})


def _reopen(connection: Connection, study: Study, reviewer: Reviewer, item: str) -> None:
    """An item whose answer was taken back is begun again."""
    position = place_of(study, reviewer, find_item(connection, item).number)
    take_turn(connection, reviewer, position, OPEN, None)
