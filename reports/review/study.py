"""The study of a review: what is reviewed, what is asked, and whether it is still open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Row, insert, select, update

from audit.evidence.errors import InputError
from reports.review import schema
from reports.review.questions import (
    DEFAULT_QUESTIONS,
    Question,
    check_questions,
    questions_from_json,
    questions_to_json,
)
from reports.review.records import Records
from reports.review.values import DECOY, PIE, RANDOM, SCORE, Item, Settings, Study

if TYPE_CHECKING:
    from audit.judgement.reviewing.sampling import QueueItem

_ROWS_AT_ONCE = 5_000
_KNOWN, _ASKED = "prune_audit_study", "prune_audit_study_now"


def create_study(
    records: Records,
    items: Sequence[Item | QueueItem],
    *,
    name: str,
    findings: str = "",
    questions: Sequence[Question] = DEFAULT_QUESTIONS,
    settings: Settings | None = None,
) -> Study:
    """Put a study and its queue into an empty review database, all of it or nothing.

    Args:
        records: Open records that hold no study yet.
        items: The queue, in any order: what was drawn, or made elsewhere.
        name: Name of the run.
        findings: Address of the findings it was drawn from.
        questions: What is asked of each item.
        settings: Classes, seed, order, whether the label is hidden.

    Returns:
        The study.

    Raises:
        InputError: There is a study already, no item, an item twice, or a probability outside
            (0, 1], or an item without a score in the order `score`.
    """
    settings = settings or Settings()
    asked = check_questions(questions)
    _check(items, settings)
    with records.writing() as connection:
        if connection.execute(select(schema.studies.c.id)).first():
            raise InputError(f"{records.place} holds a study already: use a database of its own.")
        connection.execute(
            insert(schema.studies).values(
                id=1,
                name=name,
                findings=findings,
                created=now(),
                items=len(items),
                settings=_dumps(asdict(settings)),
                questions=_dumps(questions_to_json(asked)),
            )
        )
        rows = _rows(items, settings)
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            connection.execute(insert(schema.items), batch)
        return read_study(connection, records.place)


def study_of(records: Records) -> Study:
    """The study that these records hold.

    Raises:
        InputError: There is none yet.
    """
    with records.reading() as connection:
        return read_study(connection, records.place)


def close_study(records: Records) -> Study:
    """Take no further answers; from here on the queue may be unblinded."""
    return _set_closed(records, now())


def reopen_study(records: Records) -> Study:
    """Take answers again."""
    return _set_closed(records, None)


def read_study(connection: Connection, place: str) -> Study:
    """The study, inside a transaction."""
    within = connection.get_transaction()
    asked, found = connection.info.get(_ASKED, (None, None))
    if found is not None and asked is within:  # a page asks several times, of one state
        return cast("Study", found)
    studies = schema.studies.c
    now_is = connection.execute(select(studies.created, studies.closed)).first()
    if now_is is None:
        raise InputError(f"{place} holds no study yet: start one with `prune-audit review RUN`.")
    # All else is never changed, and a thousand class names need not travel with every request.
    known: Study | None = connection.info.get(_KNOWN)
    if known is None or known.created != now_is.created:
        known = _study(connection.execute(select(schema.studies)).one())
        connection.info[_KNOWN] = known
    found = replace(known, closed=now_is.closed)
    connection.info[_ASKED] = (within, found)
    return found


def now() -> str:
    """This moment, UTC, ISO 8601, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _set_closed(records: Records, closed: str | None) -> Study:
    with records.writing() as connection:
        read_study(connection, records.place)
        connection.execute(update(schema.studies).values(closed=closed))
        connection.info.pop(_ASKED)
        return read_study(connection, records.place)


def _study(row: Row[Any]) -> Study:
    settings, questions = _parsed(row.settings, row.questions)
    return Study(
        name=row.name,
        findings=row.findings,
        created=row.created,
        closed=row.closed,
        items=row.items,
        settings=settings,
        questions=questions,
    )


@lru_cache(maxsize=8)  # every connection of a desk asks for the same
def _parsed(settings: str, questions: str) -> tuple[Settings, tuple[Question, ...]]:
    given = json.loads(settings)
    given["classes"] = tuple(given["classes"])
    return Settings(**given), questions_from_json(json.loads(questions))


def _check(items: Sequence[Item | QueueItem], settings: Settings) -> None:
    if not items:
        raise InputError("The queue is empty: there is nothing to review.")
    if settings.order not in (RANDOM, SCORE):
        raise InputError(f"{settings.order!r} is no order: give {RANDOM} or {SCORE}.")
    seen: set[str] = set()
    for each in items:
        if each.item in seen:
            raise InputError(f"Item {each.item!r} is in the queue twice: give each an id.")
        seen.add(each.item)
        if each.kind not in (PIE, DECOY):
            raise InputError(f"Item {each.item!r} is a {each.kind!r}: give {PIE} or {DECOY}.")
        if not 0 < each.probability <= 1:
            raise InputError(
                f"Item {each.item!r} has inclusion probability {each.probability}: give one "
                "above 0, at most 1."
            )
        if settings.order == SCORE and each.order_score is None:
            raise InputError(f"Item {each.item!r} has no score to order by: give one, or {RANDOM}.")


def _rows(items: Sequence[Item | QueueItem], settings: Settings) -> Iterator[dict[str, Any]]:
    """Rows of the items, numbered by score, or by a keyed hash that tells nothing."""
    for number, each in enumerate(sorted(items, key=lambda item: _rank(item, settings))):
        yield {
            "item": each.item,
            "number": number,
            "example": _dumps(_plain(each.example)),
            "content_sha256": each.content_sha256,
            "kind": each.kind,
            "stratum": _dumps(dict(each.stratum)),
            "probability": float(each.probability),
            "order_score": None if each.order_score is None else float(each.order_score),
            "label": each.label,
            "predicted": _dumps(dict(each.predicted)),
            "facts": _dumps(dict(each.facts)),
            "text": each.text,
            "path": each.path,
            "thumbnail": each.thumbnail,
        }


def _rank(item: Item | QueueItem, settings: Settings) -> tuple[float, bytes]:
    score = -float(item.order_score or 0.0) if settings.order == SCORE else 0.0
    return score, blake2b(f"{settings.seed}\0{item.item}".encode()).digest()


def _plain(value: Any) -> Any:
    """A NumPy scalar as Python's own."""
    return value.item() if hasattr(value, "item") else value


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, default=_plain)
