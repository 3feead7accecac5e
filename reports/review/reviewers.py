"""Who may answer: each reviewer has a name, a role, an order of their own, and a secret token."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, insert, select, update

from audit.evidence.errors import InputError
from reports.review import schema
from reports.review.order import reviewer_seed
from reports.review.records import Records
from reports.review.study import read_study
from reports.review.values import LEAD, REVIEWER, Reviewer, Role

_TOKEN_BYTES = 32
_LONGEST_NAME = 200


def add_reviewer(records: Records, name: str, role: Role = REVIEWER) -> str:
    """Add a reviewer and return their token, which cannot be read back later.

    Raises:
        InputError: The name is empty, too long or taken, or the role unknown.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"{name[:40]!r} is no name for a reviewer: give 1 to {_LONGEST_NAME} printable "
            "characters."
        )
    if role not in (REVIEWER, LEAD):
        raise InputError(f"{role!r} is no role: give {REVIEWER} or {LEAD}.")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with records.writing() as connection:
        study = read_study(connection, records.place)
        taken = select(schema.reviewers.c.name).where(schema.reviewers.c.name == name)
        if connection.execute(taken).first():
            raise InputError(f"There is a reviewer {name!r} already: give another name.")
        connection.execute(
            insert(schema.reviewers).values(
                name=name,
                token_sha256=token_hash(token),
                role=role,
                active=True,
                frontier=0,
                seed=reviewer_seed(study.settings.seed, name),
            )
        )
    return token


def new_token(records: Records, name: str) -> str:
    """Give a reviewer a new token; the one before stops working, answers stay.

    Raises:
        InputError: There is no such reviewer.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    _change(records, name, token_sha256=token_hash(token), active=True)
    return token


def retire_reviewer(records: Records, name: str) -> None:
    """Let a reviewer in no more; their answers stay.

    Raises:
        InputError: There is no such reviewer.
    """
    _change(records, name, active=False)


def authenticate(records: Records, token: str) -> Reviewer | None:
    """The active reviewer whose token this is; None if it is nobody's.

    Every hash is compared, in constant time each, so that the time tells nothing of any token.
    """
    return holder(records, token_hash(token))


def holder(records: Records, token_sha256: str) -> Reviewer | None:
    """The active reviewer whose token has this hash; see `authenticate`."""
    found: Reviewer | None = None
    with records.reading() as connection:
        for row in connection.execute(select(schema.reviewers)):
            if hmac.compare_digest(row.token_sha256, token_sha256) and row.active:
                found = _reviewer(row)
    return found


def reviewers_of(records: Records) -> tuple[Reviewer, ...]:
    """Everyone who may or might answer, by name."""
    with records.reading() as connection:
        rows = connection.execute(select(schema.reviewers).order_by(schema.reviewers.c.name))
        return tuple(_reviewer(row) for row in rows)


def _change(records: Records, name: str, **values: Any) -> None:
    with records.writing() as connection:
        changed = connection.execute(
            update(schema.reviewers).where(schema.reviewers.c.name == name).values(**values)
        )
        if not changed.rowcount:
            raise InputError(f"There is no reviewer {name[:40]!r}: add them first.")


def _reviewer(row: Row[Any]) -> Reviewer:
    return Reviewer(row.name, row.role, row.seed, bool(row.active))


def token_hash(token: str) -> str:
    """All that is kept of a token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
