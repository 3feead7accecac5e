"""Who is at the desk: the server knows sessions by a hash, a browser holds only the name of one.

A session outlives the server: what its name opens is in the database, and the mark of its forms is
made from its name, so that a form which was filled in before a restart is taken after it.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any

from sqlalchemy import delete, insert, select

from reports.review import schema
from reports.review.records import Records
from reports.review.reviewers import authenticate, holder, token_hash
from reports.review.values import Reviewer

LONGEST = 12 * 3600.0  # seconds; a working day
_ASKED_AGAIN = 10.0  # seconds after which a token that was taken back is noticed
_MOST = 500


@dataclass
class Clock:
    """Seconds that one item was looked at, breaks left out."""

    item: str = ""
    spent: float = 0.0
    since: float | None = None

    def show(self, item: str) -> None:
        """Start for an item, or go on if it is the one that was shown before."""
        if item != self.item:
            self.item, self.spent, self.since = item, 0.0, None
        if self.since is None:
            self.since = time.monotonic()

    def pause(self) -> None:
        """Stop until the item is shown again."""
        if self.since is not None:
            self.spent += time.monotonic() - self.since
            self.since = None

    def seconds(self, item: str) -> float | None:
        """Seconds that an item was looked at since `forget`; None for any other item."""
        if item != self.item:
            return None
        self.pause()
        return round(self.spent, 3)

    def forget(self) -> None:
        """These seconds were recorded."""
        self.item, self.spent, self.since = "", 0.0, None


@dataclass
class Session:
    """One reviewer in one browser.

    Attributes:
        reviewer: Who it is.
        csrf: What every form of this session carries.
        token_sha256: Of the reviewer's link, to notice that it was taken back.
        began: Seconds since 1970.
        checked: `time.monotonic()` when the token was last found good.
        clock: What runs while an item is looked at.
        resting: Whether the reviewer has a break.
        notice: What the next page says first, once.
    """

    reviewer: Reviewer
    csrf: str
    token_sha256: str
    began: float
    checked: float
    clock: Clock = field(default_factory=Clock)
    resting: bool = False
    notice: str = ""

    def pop_notice(self) -> str:
        """What is to be said once."""
        said, self.notice = self.notice, ""
        return said


class Sessions:
    """Every session of one desk."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._sessions: dict[str, Session] = {}
        self._lock = Lock()

    def begin(self, token: str) -> str | None:
        """A new session's name, for the cookie; None if the token is nobody's."""
        reviewer = authenticate(self._records, token)
        if reviewer is None:
            return None
        name, now = secrets.token_urlsafe(32), time.time()
        session = Session(reviewer, _mark(name), token_hash(token), now, time.monotonic())
        sessions = schema.sessions
        with self._records.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.began < now - LONGEST))
            connection.execute(
                insert(sessions).values(
                    name_sha256=_digest(name), token_sha256=session.token_sha256, began=int(now)
                )
            )
        self._remember(name, session)
        return name

    def find(self, name: str | None) -> Session | None:
        """The session of this name, unless it is over or its token was taken back."""
        if not name:
            return None
        # By hash: how long a dictionary takes to find it tells nothing of the name.
        session = self._sessions.get(_digest(name)) or self._again(name)
        if session is None:
            return None
        if time.time() - session.began > LONGEST:
            self.end(name)
            return None
        now = time.monotonic()
        if now - session.checked > _ASKED_AGAIN:
            if self._row(name) is None or holder(self._records, session.token_sha256) is None:
                self.end(name)
                return None
            session.checked = now
        return session

    def end(self, name: str) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(_digest(name), None)
        sessions = schema.sessions
        with self._records.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.name_sha256 == _digest(name)))

    def _again(self, name: str) -> Session | None:
        """A session that was begun before this server was."""
        row = self._row(name)
        reviewer = None if row is None else holder(self._records, row.token_sha256)
        if row is None or reviewer is None:
            return None
        session = Session(reviewer, _mark(name), row.token_sha256, row.began, time.monotonic())
        self._remember(name, session)
        return session

    def _row(self, name: str) -> Any:
        sessions = schema.sessions.c
        mine = select(sessions.token_sha256, sessions.began)
        with self._records.reading() as connection:
            return connection.execute(mine.where(sessions.name_sha256 == _digest(name))).first()

    def _remember(self, name: str, session: Session) -> None:
        with self._lock:
            self._sessions[_digest(name)] = session
            while len(self._sessions) > _MOST:
                del self._sessions[next(iter(self._sessions))]


def _mark(name: str) -> str:
    """What forms of a session carry: made from its name, of which it tells nothing."""
    return hmac.new(name.encode("utf-8", "replace"), b"forms", sha256).hexdigest()


def _digest(name: str) -> str:
    return sha256(name.encode("utf-8", "replace")).hexdigest()
