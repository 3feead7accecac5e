"""Reads what was answered: as it stands now, or every row there ever was."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, Select, select

from audit.evidence.errors import InputError
from reports.review import schema
from reports.review.records import Records
from reports.review.study import read_study
from reports.review.values import Answer, Item

_ROWS_AT_ONCE = 5_000


def latest_answers(records: Records) -> list[Answer]:
    """The answers that stand now, in the order they were given; withdrawn ones are left out."""
    standing = schema.standing.c
    wanted = _every().join(schema.standing, standing.sequence == schema.answers.c.sequence)
    return [each for each in _answers(records, wanted) if each.value is not None]


def answers_of(records: Records, reviewer: str) -> list[Answer]:
    """What stands now of one reviewer, in the order it was given."""
    standing = schema.standing.c
    wanted = (
        _every()
        .join(schema.standing, standing.sequence == schema.answers.c.sequence)
        .where(standing.reviewer == reviewer)
    )
    return [each for each in _answers(records, wanted) if each.value is not None]


def every_row(records: Records) -> list[Answer]:
    """Every row of the append-only record, withdrawals and what they took back among them."""
    return _answers(records, _every())


def recorded_rows(records: Records) -> list[dict[str, Any]]:
    """Every row as it was hashed, with its hash."""
    with records.reading() as connection:
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(
            select(schema.answers).order_by(schema.answers.c.sequence)
        )
        return [dict(row) for row in rows.mappings()]


def unblinded(records: Records, *, while_open: bool = False) -> list[Item]:
    """The queue with what each item is and how it was drawn, without the content itself.

    Args:
        records: Open records.
        while_open: Whether the owner of the study wants it before the study is closed; pages
            must not.

    Raises:
        InputError: The study is open.
    """
    columns = [each for each in schema.items.c if each.name not in ("text", "thumbnail")]
    with records.reading() as connection:
        if read_study(connection, records.place).closed is None and not while_open:
            raise InputError("The study is open: close it before its queue is unblinded.")
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(
            select(*columns).order_by(schema.items.c.number)
        )
        return [_item(row) for row in rows]


def _every() -> Select[Any]:
    wanted = [*schema.answers.c, schema.items.c.example]
    return select(*wanted).join(schema.items, schema.items.c.item == schema.answers.c.item)


def _answers(records: Records, wanted: Select[Any]) -> list[Answer]:
    with records.reading() as connection:
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(
            wanted.order_by(schema.answers.c.sequence)
        )
        return [_answer(row) for row in rows]


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        sequence=row.sequence,
        submission=row.submission,
        at=row.at,
        reviewer=row.reviewer,
        item=row.item,
        example=json.loads(row.example),
        question=row.question,
        value=json.loads(row.value),
        seconds=row.seconds,
        label_was_hidden=bool(row.label_was_hidden),
        predictions_were_shown=bool(row.predictions_were_shown),
        content_sha256=row.content_sha256,
        withdraws=row.withdraws,
    )


def _item(row: Row[Any]) -> Item:
    return Item(
        item=row.item,
        example=json.loads(row.example),
        content_sha256=row.content_sha256,
        kind=row.kind,
        stratum=json.loads(row.stratum),
        probability=row.probability,
        order_score=row.order_score,
        label=row.label,
        predicted=json.loads(row.predicted),
        facts=json.loads(row.facts),
        path=row.path,
    )
