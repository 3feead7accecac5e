"""How far reviewers are, and how long the rest will take them."""

from __future__ import annotations

from statistics import median

from sqlalchemy import Connection, func, select

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
        mine = schema.reviewers.c
        frontier = select(mine.frontier).where(mine.name == reviewer.name)
        return _progress(
            connection, reviewer.name, connection.execute(frontier).scalar() or 0, total
        )


def team_progress(records: Records) -> dict[str, Progress]:
    """How far everyone is, by name."""
    with records.reading() as connection:
        total = read_study(connection, records.place).items
        everyone = select(schema.reviewers.c.name, schema.reviewers.c.frontier)
        rows = connection.execute(everyone.order_by(schema.reviewers.c.name)).all()
        return {row.name: _progress(connection, row.name, row.frontier, total) for row in rows}


def _progress(connection: Connection, name: str, frontier: int, total: int) -> Progress:
    turns = schema.turns.c
    # Not all that was done is counted, which grows, but what was not: every position below the
    # frontier has a turn.
    beyond = select(func.count()).where(turns.reviewer == name, turns.position >= frontier)
    rows = connection.execute(
        select(turns.state, func.count())
        .where(turns.reviewer == name, turns.state.in_((OPEN, SKIPPED)))
        .group_by(turns.state)
    )
    counts = {row[0]: int(row[1]) for row in rows}
    begun = frontier + int(connection.execute(beyond).scalar_one())
    last = connection.execute(
        select(turns.seconds)
        .where(turns.reviewer == name, turns.state == DONE)
        .order_by(turns.touched.desc())
        .limit(_LAST)
    ).scalars()
    spent = [each for each in last if each is not None]
    pace = median(spent) if spent else None
    done = begun - sum(counts.values())
    return Progress(
        done=done,
        skipped=counts.get(SKIPPED, 0),
        left=total - done,
        total=total,
        median_seconds=pace,
        seconds_left=None if pace is None else pace * (total - done),
    )
