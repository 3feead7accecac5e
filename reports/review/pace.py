"""How far reviewers are, and how long the rest will take them."""

from __future__ import annotations

from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, true

from reports.review import schema
from reports.review.records import Records
from reports.review.study import read_study
from reports.review.turns import DONE, OPEN, SKIPPED
from reports.review.values import Progress, Reviewer

_LAST = 200  # a pace, not a history: people get faster


def progress(records: Records, reviewer: Reviewer) -> Progress:
    """How far a reviewer is, and how long the rest takes at their own median pace."""
    with records.reading() as connection:
        total = read_study(connection, records.place).items
        row = connection.execute(_far(schema.reviewers.c.name == reviewer.name)).one()
        return _progress(connection, row, total)


def team_progress(records: Records) -> dict[str, Progress]:
    """How far everyone is, by name."""
    with records.reading() as connection:
        total = read_study(connection, records.place).items
        rows = connection.execute(_far(true()).order_by(schema.reviewers.c.name)).all()
        return {row.name: _progress(connection, row, total) for row in rows}


def _far(whose: ColumnElement[bool]) -> Select[Any]:
    """Frontier and counts of reviewers.

    Not all that was done is counted, which grows, but what was not: every position below the
    frontier has a turn.
    """
    turns, people = schema.turns.c, schema.reviewers.c
    mine = select(func.count()).select_from(schema.turns).where(turns.reviewer == people.name)
    return select(
        people.name,
        people.frontier,
        mine.where(turns.position >= people.frontier).scalar_subquery().label("beyond"),
        mine.where(turns.state == OPEN).scalar_subquery().label("open"),
        mine.where(turns.state == SKIPPED).scalar_subquery().label("skipped"),
    ).where(whose)


def _progress(connection: Connection, far: Row[Any], total: int) -> Progress:
    turns = schema.turns.c
    last = connection.execute(
        select(turns.seconds)
        .where(turns.reviewer == far.name, turns.state == DONE)
        .order_by(turns.touched.desc())
        .limit(_LAST)
    ).scalars()
    spent = [each for each in last if each is not None]
    pace = median(spent) if spent else None
    done = far.frontier + far.beyond - far.open - far.skipped
    return Progress(
        done=done,
        skipped=far.skipped,
        left=total - done,
        total=total,
        median_seconds=pace,
        seconds_left=None if pace is None else pace * (total - done),
    )
