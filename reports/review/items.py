"""What a reviewer is shown next, or at a position of their own order; nothing that unblinds."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from audit.evidence.errors import InputError
from reports.review import schema
from reports.review.order import item_number, position_of
from reports.review.records import Records
from reports.review.study import read_study
from reports.review.turns import OPEN, SKIPPED, state_at
from reports.review.values import SCORE, Reviewer, Shown, Source, Study

_SHOWN = [
    schema.items.c[name]
    for name in (
        "item",
        "number",
        "content_sha256",
        "label",
        "predicted",
        "facts",
        "text",
    )
]


def next_item(records: Records, reviewer: Reviewer) -> Shown | None:
    """What this reviewer should see now: begun first, then new in their order, then skipped.

    Returns:
        The item; None when every one is done.
    """
    with records.reading() as connection:
        study = read_study(connection, records.place)
        position = _next_position(connection, study, reviewer)
        return None if position is None else _shown_at(connection, study, reviewer, position)


def next_place(records: Records, reviewer: Reviewer) -> int | None:
    """The position of `next_item` alone; None when every item is done, or the study is closed."""
    with records.reading() as connection:
        study = read_study(connection, records.place)
        return None if study.closed else _next_position(connection, study, reviewer)


def item_at(records: Records, reviewer: Reviewer, position: int) -> Shown:
    """The item at a position of this reviewer's order, from 0.

    Raises:
        InputError: There is no such position.
    """
    with records.reading() as connection:
        study = read_study(connection, records.place)
        if not 0 <= position < study.items:
            raise InputError(f"There is no position {position}: give 0 to {study.items - 1}.")
        return _shown_at(connection, study, reviewer, position)


def item_named(records: Records, reviewer: Reviewer, item: str) -> Shown:
    """The item with this opaque id, as this reviewer may see it.

    Raises:
        InputError: The study has no such item.
    """
    with records.reading() as connection:
        study = read_study(connection, records.place)
        return _shown(connection, study, reviewer, find_item(connection, item))


def source_of(records: Records, item: str) -> Source:
    """Where an item's content is; for the server only.

    Raises:
        InputError: The study has no such item.
    """
    wanted = schema.items.c
    with records.reading() as connection:
        row = connection.execute(
            select(
                wanted.item,
                wanted.example,
                wanted.content_sha256,
                wanted.text,
                wanted.path,
                wanted.thumbnail,
            ).where(wanted.item == item)
        ).first()
    if row is None:
        raise _unknown(item)
    return Source(
        row.item, json.loads(row.example), row.content_sha256, row.text, row.path, row.thumbnail
    )


def label_of(records: Records, item: str) -> tuple[str | None, dict[str, Any]]:
    """Label and predictions of an item, hidden or not; for the server only.

    Raises:
        InputError: The study has no such item.
    """
    with records.reading() as connection:
        row = find_item(connection, item)
    return row.label, json.loads(row.predicted)


def turn_of(records: Records, reviewer: Reviewer, item: str) -> str:
    """How an item stands with a reviewer: `new`, `open`, `done` or `skipped`."""
    return item_named(records, reviewer, item).state


def find_item(connection: Connection, item: str) -> Row[Any]:
    """The columns of an item that may be shown, inside a transaction."""
    row = connection.execute(_columns().where(schema.items.c.item == item)).first()
    if row is None:
        raise _unknown(item)
    return row


def place_of(study: Study, reviewer: Reviewer, number: int) -> int:
    """Position of the item with this number in a reviewer's order."""
    if study.settings.order == SCORE:
        return number
    return position_of(number, study.items, reviewer.seed)


def standing_answers(connection: Connection, reviewer: str, item: str) -> dict[str, Any]:
    """What a reviewer's answers to an item are now, by question."""
    rows = connection.execute(
        select(schema.answers.c.question, schema.answers.c.value)
        .join(schema.standing, schema.standing.c.sequence == schema.answers.c.sequence)
        .where(schema.standing.c.reviewer == reviewer, schema.standing.c.item == item)
    )
    return {row.question: json.loads(row.value) for row in rows}


def seen_before(connection: Connection, reviewer: str, item: str) -> bool:
    """Whether a reviewer ever answered an item, withdrawn or not, and so has seen its label."""
    answers = schema.answers.c
    mine = select(answers.sequence).where(answers.reviewer == reviewer, answers.item == item)
    return connection.execute(mine.limit(1)).first() is not None


def _next_position(connection: Connection, study: Study, reviewer: Reviewer) -> int | None:
    begun = _first(connection, reviewer, OPEN)
    if begun is not None:
        return begun
    frontier = connection.execute(
        select(schema.reviewers.c.frontier).where(schema.reviewers.c.name == reviewer.name)
    ).scalar_one()
    if frontier < study.items:
        return int(frontier)
    return _first(connection, reviewer, SKIPPED)


def _first(connection: Connection, reviewer: Reviewer, state: str) -> int | None:
    """The position that has been in a state for longest, so that a second skip goes last."""
    turns = schema.turns.c
    return connection.execute(
        select(turns.position)
        .where(turns.reviewer == reviewer.name, turns.state == state)
        .order_by(turns.touched, turns.position)
        .limit(1)
    ).scalar()


def _shown_at(connection: Connection, study: Study, reviewer: Reviewer, position: int) -> Shown:
    by_score = study.settings.order == SCORE
    number = position if by_score else item_number(position, study.items, reviewer.seed)
    row = connection.execute(_columns().where(schema.items.c.number == number)).one()
    return _shown(connection, study, reviewer, row)


def _shown(connection: Connection, study: Study, reviewer: Reviewer, row: Row[Any]) -> Shown:
    position = place_of(study, reviewer, row.number)
    answers = standing_answers(connection, reviewer.name, row.item)
    hidden = (
        study.settings.label_hidden
        and study.closed is None
        and not seen_before(connection, reviewer.name, row.item)
    )
    return Shown(
        item=row.item,
        position=position,
        total=study.items,
        content_sha256=row.content_sha256,
        label=None if hidden else row.label,
        label_hidden=hidden,
        predicted={} if hidden else json.loads(row.predicted),
        facts=json.loads(row.facts),
        text=row.text,
        has_picture=bool(row.has_picture),
        state=state_at(connection, reviewer.name, position),
        answers={key: value for key, value in answers.items() if value is not None},
    )


def _columns() -> Any:
    pictured = or_(schema.items.c.path.is_not(None), schema.items.c.thumbnail.is_not(None))
    return select(*_SHOWN, func.coalesce(pictured, False).label("has_picture"))


def _unknown(item: str) -> InputError:
    return InputError(f"Item {item[:80]!r} is not in this study: use an item of its queue.")
