"""The chain of answers: each row is hashed with the one before it, so that a change shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from reports.review import schema
from reports.review.links import MOST_PROBLEMS, broken_links, row_hash
from reports.review.records import Records


def append(connection: Connection, rows: Sequence[dict[str, Any]]) -> tuple[int, ...]:
    """Add rows that were sent together to the end of the chain.

    Args:
        connection: Inside `Records.writing`, which holds the head.
        rows: Columns of `answers` but `sequence`, `submission` and the hashes.

    Returns:
        The sequence of each row; the first one is their submission.
    """
    end = connection.execute(select(schema.head)).one()
    previous, sequence = end.hash, end.sequence
    first = sequence + 1
    whole = []
    for row in rows:
        sequence += 1
        full = {**row, "sequence": sequence, "submission": first, "previous_hash": previous}
        full["hash"] = previous = row_hash(full)
        whole.append(full)
    connection.execute(insert(schema.answers), whole)
    connection.execute(update(schema.head).values(sequence=sequence, hash=previous))
    return tuple(range(first, sequence + 1))


def verify_chain(records: Records) -> tuple[str, ...]:
    """What is wrong with the record of answers, one sentence each; nothing if it is whole.

    A change of a row, a row left out, put in or moved, and a cut end all show. Someone who can
    write the database can recompute the whole chain: keep an export, or `chain_end`, elsewhere.
    """
    with records.reading() as connection:
        end = connection.execute(select(schema.head)).one()
        rows = connection.execution_options(yield_per=5_000).execute(
            select(schema.answers).order_by(schema.answers.c.sequence)
        )
        problems, sequence, previous = broken_links(dict(row) for row in rows.mappings())
    if len(problems) > MOST_PROBLEMS:
        return tuple(problems)
    if (end.sequence, end.hash) != (sequence, previous):
        problems.append(
            f"The record ends at row {sequence}, but {end.sequence} rows were acknowledged."
        )
    return (*problems, *_misplaced(records))


def chain_end(records: Records) -> tuple[int, str]:
    """How many rows there are, and the hash of the last one, which stands for all of them."""
    with records.reading() as connection:
        end = connection.execute(select(schema.head)).one()
        return int(end.sequence), str(end.hash)


def _misplaced(records: Records) -> list[str]:
    """Answers that are shown as the ones that stand, though the record says otherwise."""
    answers, later, standing = schema.answers, schema.answers.alias(), schema.standing
    derived = (
        select(func.max(answers.c.sequence))
        .where(answers.c.withdraws.is_(None))
        .where(~exists().where(later.c.withdraws == answers.c.submission))
        .group_by(answers.c.item, answers.c.question, answers.c.reviewer)
    )
    with records.reading() as connection:
        wrong = connection.execute(
            select(func.count())
            .select_from(standing.join(answers, standing.c.sequence == answers.c.sequence))
            .where(
                standing.c.sequence.not_in(derived)
                | (standing.c.item != answers.c.item)
                | (standing.c.question != answers.c.question)
                | (standing.c.reviewer != answers.c.reviewer)
            )
        ).scalar_one()
        shown = connection.execute(select(func.count()).select_from(standing)).scalar_one()
        kept = connection.execute(select(func.count()).select_from(derived.subquery())).scalar_one()
    if not wrong and shown == kept:
        return []
    return [f"{wrong} answers stand that should not, and {shown} stand where {kept} should."]
