"""The tables of a review database, the same in SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    event,
)
from sqlalchemy.types import BigInteger

VERSION = 1
TITLE = "prune-audit review"

_TABLES = MetaData()

about = Table(
    "review_about",
    _TABLES,
    Column("title", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

studies = Table(
    "review_studies",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("findings", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("closed", Text),
    Column("items", Integer, nullable=False),
    Column("settings", Text, nullable=False),
    Column("questions", Text, nullable=False),
)

items = Table(
    "review_items",
    _TABLES,
    Column("item", Text, primary_key=True),
    # Where the item stands before any reviewer's order is applied.
    Column("number", Integer, nullable=False, unique=True),
    Column("example", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("probability", Float, nullable=False),
    Column("order_score", Float),
    Column("label", Text),
    Column("predicted", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("text", Text),
    Column("path", Text),
    Column("thumbnail", LargeBinary),
)

reviewers = Table(
    "review_reviewers",
    _TABLES,
    Column("name", Text, primary_key=True),
    Column("token_sha256", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    # Every position of the reviewer's order below this one has a turn.
    Column("frontier", Integer, nullable=False),
)

# What a reviewer did with a position of their order; without a row it is new.
turns = Table(
    "review_turns",
    _TABLES,
    Column("reviewer", Text, ForeignKey(reviewers.c.name), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("touched", BigInteger, nullable=False),  # microseconds since 1970
    Column("seconds", Float),
    Index("review_turns_by_state", "reviewer", "state", "touched"),
)

# Append-only. A row is hashed together with the hash of the row before it.
answers = Table(
    "review_answers",
    _TABLES,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("submission", BigInteger, nullable=False),
    Column("at", Text, nullable=False),
    Column("reviewer", Text, ForeignKey(reviewers.c.name), nullable=False),
    Column("item", Text, ForeignKey(items.c.item), nullable=False),
    Column("question", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("seconds", Float),
    Column("label_was_hidden", Boolean, nullable=False),
    Column("predictions_were_shown", Boolean, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("withdraws", BigInteger),
    Column("origin", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("review_answers_by_item", "reviewer", "item", "sequence"),
    Index("review_answers_by_withdrawn", "withdraws"),
    Index("review_answers_by_reviewer", "reviewer", "sequence"),
    Index("review_answers_by_origin", "origin"),
)

# The chain shows a change; this keeps a stray one from happening.
for _what in ("UPDATE", "DELETE"):
    event.listen(
        answers,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER review_answers_kept_{_what.lower()} BEFORE {_what} ON review_answers "
            "BEGIN SELECT RAISE(ABORT, 'review_answers is append-only'); END"
        ).execute_if(dialect="sqlite"),
    )
event.listen(
    answers,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE FUNCTION review_answers_kept() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'review_answers is append-only'; END $$; "
        "CREATE TRIGGER review_answers_kept BEFORE UPDATE OR DELETE ON review_answers "
        "FOR EACH ROW EXECUTE FUNCTION review_answers_kept()"
    ).execute_if(dialect="postgresql"),
)

# One row: the end of the chain, and the lock that every writer takes first.
head = Table(
    "review_head",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

# Which answer of a reviewer to a question stands now; derived from `answers`, never exported.
standing = Table(
    "review_standing",
    _TABLES,
    Column("item", Text, ForeignKey(items.c.item), primary_key=True),
    Column("question", Text, primary_key=True),
    Column("reviewer", Text, ForeignKey(reviewers.c.name), primary_key=True),
    Column("sequence", BigInteger, ForeignKey(answers.c.sequence), nullable=False),
    Index("review_standing_by_reviewer", "reviewer", "item"),
)

# Who is at the desk, by hashes of the cookie and of the link's token, so that a server that was
# started again knows everyone. Neither secret can be had from here.
sessions = Table(
    "review_sessions",
    _TABLES,
    Column("name_sha256", Text, primary_key=True),
    Column("token_sha256", Text, nullable=False),
    Column("began", BigInteger, nullable=False),  # seconds since 1970
)

# What was typed and not recorded.
drafts = Table(
    "review_drafts",
    _TABLES,
    Column("reviewer", Text, ForeignKey(reviewers.c.name), primary_key=True),
    Column("item", Text, ForeignKey(items.c.item), primary_key=True),
    Column("form", Text, nullable=False),
    Column("touched", BigInteger, nullable=False),  # microseconds since 1970
)

# Of which items a reviewer asked what the models say.
looks = Table(
    "review_looks",
    _TABLES,
    Column("reviewer", Text, ForeignKey(reviewers.c.name), primary_key=True),
    Column("item", Text, ForeignKey(items.c.item), primary_key=True),
)

TABLES = _TABLES
