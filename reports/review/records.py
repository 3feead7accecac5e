"""Opens a review's database, a file of SQLite or a PostgreSQL server, and guards every write."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, local
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from audit.evidence.errors import AuditError, InputError, MissingExtra, StoreError
from reports.review import schema
from reports.review.links import NO_HASH

POSTGRESQL = "postgresql+psycopg"
_MAKING_TABLES = 7_305_829_417  # any number that others do not lock
_BUSY_MILLISECONDS = 30_000
_CONNECTIONS = 10  # more writers than this would only wait for each other


@dataclass(frozen=True)
class Records:
    """An open review database.

    Attributes:
        engine: SQLAlchemy's engine.
        place: Where it is, without a password, for messages.
    """

    engine: Engine
    place: str
    # One database, one chain: writers of one process queue here, where waiting is fair and cheap,
    # before they meet those of other processes in the database.
    turnstile: Lock = field(default_factory=Lock, repr=False, compare=False)
    _own: local = field(default_factory=local, repr=False, compare=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state; inside another of this thread, that one.

        So a page that asks for several things waits for one connection, once.
        """
        around: Connection | None = getattr(self._own, "reading", None)
        if around is not None:
            yield around
            return
        with self._spoken(), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":  # a reader of SQLite sees one state anyway
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                self._own.reading = connection
                try:
                    yield connection
                finally:
                    self._own.reading = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the head of the chain until it ends; all of it, or nothing."""
        with self._spoken(), self.turnstile, self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                if self.engine.dialect.name == "postgresql":  # SQLite has one writer anyway
                    connection.execute(select(schema.head).with_for_update())
                yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _failure(error, self.place) from error
        except PoolTimeout as error:
            raise StoreError(
                f"{self.place} has been busy for too long: nothing was recorded; try again."
            ) from error


def open_records(url_or_path: str | Path, *, create: bool = True) -> Records:
    """Open the database of a review, and make its tables where there are none.

    Args:
        url_or_path: A file (made if need be), or `postgresql+psycopg://user@host/database`. One
            database holds one review.
        create: Whether a database without tables gets them; otherwise it is refused.

    Returns:
        The records; close them when done.

    Raises:
        InputError: The URL cannot be read, or what it names is no review database, or one of a
            newer version.
        MissingExtra: The driver of PostgreSQL is not installed.
        StoreError: The database is down, refuses the password, or cannot be written.
    """
    url = _url(url_or_path)
    if url.get_backend_name() == "sqlite":
        _check_file(Path(str(url.database)), create)
    records = Records(_engine(url), _place(url))
    try:
        _tables(records, create)
    except AuditError:
        records.close()
        raise
    return records


def _url(url_or_path: str | Path) -> URL:
    given = os.fspath(url_or_path)
    if "://" not in given:
        return URL.create("sqlite", database=str(Path(given).absolute()))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError) as error:
        raise InputError(
            "The database URL cannot be read: give a file, or "
            f"{POSTGRESQL}://user:password@host/database."
        ) from error
    if url.get_backend_name() == "postgresql":
        return url.set(drivername=POSTGRESQL)
    if url.get_backend_name() == "sqlite" and url.database:
        return URL.create("sqlite", database=str(Path(url.database).absolute()))
    raise InputError(
        f"A review cannot be kept in {url.get_backend_name()}: give a file, or "
        f"{POSTGRESQL}://user:password@host/database."
    )


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(query={}).render_as_string(hide_password=True)


def _check_file(path: Path, create: bool) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the path of a database file.")
    if not path.exists() and not create:
        raise InputError(f"{path} is not there: start a review first.")
    if not path.parent.is_dir():
        raise StoreError(f"{path.parent} is not there: make the folder first.")
    written = path if path.exists() else path.parent
    if not (os.access(written, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise StoreError(f"{path} cannot be written: answers need a folder that can be.")
    # What reviewers see may be confidential: the file is its owner's alone.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, pool_size=_CONNECTIONS, max_overflow=0, connect_args={"check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine
    try:
        engine = create_engine(
            url,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10},
        )
    except ModuleNotFoundError as error:
        raise MissingExtra("psycopg", "postgres", "A review in PostgreSQL") from error
    event.listen(engine, "connect", _settle)
    return engine


def _settle(connection: Any, _: Any) -> None:
    """An answer is acknowledged once it is on the disk, even where the server is told not to.

    And plans are made anew: one that was kept from when a table was empty reads all of it later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_custom_plan")
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] == "off":
            cursor.execute("SET synchronous_commit = on")
    connection.commit()


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    """Pragmas of every connection; sqlite3 must not begin transactions by itself."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    """Begin; a writer takes SQLite's one lock at once, so that it never fails half-way."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _tables(records: Records, create: bool) -> None:
    with records._spoken(), records.engine.connect() as connection:
        connection = connection.execution_options(writes=create)
        with connection.begin():
            if create and records.engine.dialect.name == "postgresql":  # two may start at once
                connection.execute(select(func.pg_advisory_xact_lock(_MAKING_TABLES)))
            names = set(inspect(connection).get_table_names())
            if schema.about.name in names:
                _check_version(connection, records.place)
                if create:  # those that came later, and change nothing of what is there
                    schema.TABLES.create_all(connection)
            elif not create or (names and records.engine.dialect.name == "sqlite"):
                raise InputError(f"{records.place} is no review database: give another one.")
            else:
                _make(connection)


def _make(connection: Connection) -> None:
    schema.TABLES.create_all(connection)
    connection.execute(insert(schema.about).values(title=schema.TITLE, version=schema.VERSION))
    connection.execute(insert(schema.head).values(id=1, sequence=0, hash=NO_HASH))


def _check_version(connection: Connection, place: str) -> None:
    found = connection.execute(
        select(schema.about.c.version).where(schema.about.c.title == schema.TITLE)
    ).scalar()
    if found is None:
        raise InputError(f"{place} is no review database: give another one.")
    if found > schema.VERSION:
        raise InputError(
            f"{place} was written by a newer prune-audit (version {found} of the tables; this one "
            f"reads {schema.VERSION}): upgrade prune-audit."
        )


def _failure(error: DBAPIError, place: str) -> AuditError:
    """The one sentence for what a database refused."""
    said = str(error.orig).strip().splitlines()
    cause = said[0].rstrip(".") if said else type(error.orig).__name__
    low = " ".join(said).lower()
    if "not a database" in low or "malformed" in low:
        return InputError(f"{place} is no review database, or it is damaged ({cause}).")
    if "readonly" in low or "read-only" in low or "unable to open" in low:
        return StoreError(f"{place} cannot be written ({cause}): answers need a place that can be.")
    if "password" in low or "authentication" in low:
        return StoreError(f"{place} refused the user or the password: check the URL.")
    if "locked" in low:
        return StoreError(
            f"{place} was busy for {_BUSY_MILLISECONDS // 1000} seconds: nothing was recorded; "
            "try again."
        )
    if "full" in low and "disk" in low:
        return StoreError(f"{place} has no room left: nothing was recorded; make room.")
    if isinstance(error, OperationalError):
        return StoreError(f"{place} cannot be reached ({cause}): start it, and try again.")
    return StoreError(f"{place} refused what was asked of it ({cause}).")
