"""Takes back the answers of an offline bundle: all of a file or nothing, and never twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from audit.evidence.errors import InputError
from reports.review import schema
from reports.review.answering import Submission, open_for, submit
from reports.review.questions import NotAnAnswer
from reports.review.records import Records
from reports.review.reviewers import reviewers_of
from reports.review.values import Reviewer, Study

FORMAT = "prune-audit review answers"
VERSION = 1
_NAMED = 5


@dataclass(frozen=True)
class Imported:
    """What came of a file.

    Attributes:
        reviewer: Whose answers they are.
        items: Items whose answers were recorded.
        known: Items whose answers had been recorded from a file before.
    """

    reviewer: str
    items: int
    known: int


def import_answers(records: Records, path: str | Path) -> Imported:
    """Record the `answers.json` that a bundle gave.

    Raises:
        InputError: The file is no such file, was damaged or changed, is of another study, or of
            someone who does not review here; an item is not in the study or has other content
            now; or an answer is none that its question allows. Nothing is recorded then.
        StoreError: The database is down; nothing was recorded.
    """
    given = Path(path)
    content = _content(given)
    reviewer = _reviewer(records, content, given)
    entries = content["answers"]
    with records.writing() as connection:
        study = open_for(connection, records, reviewer)
        if content.get("study") != study_key(study):
            raise InputError(f"{given} answers another study: this one is {study.name!r}.")
        _check_items(connection, entries, given)
        taken = 0
        for entry in entries:
            origin = _origin(study, reviewer, entry)
            if not _known(connection, origin):
                taken += 1
                _take(connection, study, reviewer, _submissions(entry, origin, given), given)
    return Imported(reviewer.name, taken, len(entries) - taken)


def _take(
    connection: Connection,
    study: Study,
    reviewer: Reviewer,
    submissions: Iterator[Submission],
    path: Path,
) -> None:
    for each in submissions:
        try:
            submit(connection, study, reviewer, each)
        except NotAnAnswer as error:
            raise InputError(
                f"{path}, item {each.item[:60]!r}: {error} Nothing was taken: change the answer in "
                "the page that saved the file, and save it again."
            ) from error


def study_key(study: Study) -> str:
    """What tells this study from every other, for a file that goes out and comes back."""
    text = json.dumps([study.name, study.findings, study.created])
    return sha256(text.encode()).hexdigest()


def _content(path: Path) -> dict[str, Any]:
    """What the file says, once it is sure that it says it whole."""
    try:
        outer = json.loads(path.read_text(encoding="utf-8"))
        if outer["format"] != FORMAT:
            raise KeyError("format")
        text = outer["content"]
        version, digest = int(outer["version"]), outer.get("sha256")
        content: dict[str, Any] = json.loads(text)
        if not all(isinstance(each, dict) and "item" in each for each in content["answers"]):
            raise KeyError("answers")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path} is no answers.json of a review bundle: give the file that it saved."
        ) from error
    if version > VERSION:
        raise InputError(f"{path} is of a newer prune-audit: upgrade prune-audit.")
    if digest != sha256(text.encode("utf-8", "surrogatepass")).hexdigest():
        raise InputError(f"{path} was damaged or changed on its way: ask for it again.")
    return content


def _reviewer(records: Records, content: Mapping[str, Any], path: Path) -> Reviewer:
    for each in reviewers_of(records):
        if each.name == content.get("reviewer"):
            return each
    name = str(content.get("reviewer"))[:40]
    raise InputError(f"{path} is of {name!r}, who does not review here: add them first.")


def _check_items(connection: Connection, entries: list[dict[str, Any]], path: Path) -> None:
    items = schema.items.c
    now = dict[str, str]()
    for row in connection.execute(select(items.item, items.content_sha256)):
        now[row.item] = row.content_sha256
    unknown = [str(each["item"]) for each in entries if each["item"] not in now]
    if unknown:
        raise InputError(f"{path} answers {_listed(unknown)}, not in this study: nothing taken.")
    other = [each["item"] for each in entries if each.get("content_sha256") != now[each["item"]]]
    if other:
        raise InputError(
            f"{path} answers {_listed(other)} with other content than this study's: nothing taken."
        )


def _listed(names: list[str]) -> str:
    listed = ", ".join(repr(each[:60]) for each in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{listed} and {more} more" if more > 0 else listed


def _origin(study: Study, reviewer: Reviewer, entry: Mapping[str, Any]) -> str:
    text = json.dumps([study_key(study), reviewer.name, dict(entry)], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _known(connection: Connection, origin: str) -> bool:
    answers = schema.answers.c
    found = select(answers.sequence).where(answers.origin == origin).limit(1)
    return connection.execute(found).first() is not None


def _submissions(entry: Mapping[str, Any], origin: str, path: Path) -> Iterator[Submission]:
    """One for a first answer before the label was shown, one for all the others."""
    first = entry.get("first")
    if first:
        yield _submission(entry, first, origin, path, hidden=True)
    yield _submission(entry, entry, origin, path, hidden=False)


def _submission(
    entry: Mapping[str, Any], part: Mapping[str, Any], origin: str, path: Path, *, hidden: bool
) -> Submission:
    try:
        at = datetime.fromisoformat(str(part["at"])).astimezone(UTC)
        return Submission(
            item=str(entry["item"]),
            answers=dict(part["answers"]),
            seconds=None if part.get("seconds") is None else float(part["seconds"]),
            content_sha256=str(entry["content_sha256"]),
            predictions_shown=bool(part.get("predictions_were_shown", False)),
            whole=not hidden,
            at=at.isoformat(timespec="microseconds"),
            label_was_hidden=hidden,
            origin=origin,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: the answer to {str(entry['item'])[:60]!r} is broken ({error}): nothing taken."
        ) from error
