"""What a reviewer typed and did not record, and whose models they looked at: kept over restarts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, insert, select

from reports.review import schema
from reports.review.records import Records
from reports.review.values import Reviewer

_MOST = 50  # drafts of one reviewer


@dataclass(frozen=True)
class Kept:
    """What is kept of a reviewer and an item beside answers.

    Attributes:
        form: What was sent last without being recorded; None if there is nothing.
        looked: Whether they ever asked what the models say of it.
    """

    form: dict[str, list[str]] | None
    looked: bool


def kept_of(records: Records, reviewer: Reviewer, item: str) -> Kept:
    """What is kept of an item beside answers."""
    drafts, looks = schema.drafts.c, schema.looks.c
    form = select(drafts.form).where(drafts.reviewer == reviewer.name, drafts.item == item)
    looked = select(looks.item).where(looks.reviewer == reviewer.name, looks.item == item)
    with records.reading() as connection:
        row = connection.execute(
            select(form.scalar_subquery().label("form"), exists(looked).label("looked"))
        ).one()
    return Kept(None if row.form is None else json.loads(row.form), bool(row.looked))


def keep_draft(
    records: Records, reviewer: Reviewer, item: str, form: Mapping[str, Sequence[str]]
) -> None:
    """Keep a form, and forget the oldest ones beyond `_MOST`."""
    drafts = schema.drafts
    mine = drafts.c.reviewer == reviewer.name
    values = {"form": json.dumps(form), "touched": time.time_ns() // 1000}
    with records.writing() as connection:
        connection.execute(delete(drafts).where(mine, drafts.c.item == item))
        connection.execute(insert(drafts).values(reviewer=reviewer.name, item=item, **values))
        latest = select(drafts.c.item).where(mine).order_by(drafts.c.touched.desc()).limit(_MOST)
        kept = tuple(connection.execute(latest).scalars())
        connection.execute(delete(drafts).where(mine, drafts.c.item.not_in(kept)))


def drop_draft(records: Records, reviewer: Reviewer, item: str) -> None:
    """Forget what was typed for an item."""
    drafts = schema.drafts.c
    with records.writing() as connection:
        connection.execute(
            delete(schema.drafts).where(drafts.reviewer == reviewer.name, drafts.item == item)
        )


def look(records: Records, reviewer: Reviewer, item: str) -> None:
    """Note, for good, that a reviewer asked what the models say: it cannot be unseen."""
    if not kept_of(records, reviewer, item).looked:
        with records.writing() as connection:
            connection.execute(insert(schema.looks).values(reviewer=reviewer.name, item=item))
