"""The review desk: what people say about exemplars and decoys, kept so that none of it is lost.

One database holds one review: its study, items, reviewers and answers. A file of SQLite
(`RUN/review.db`) unless a PostgreSQL URL is given. The order of work:

    records = open_records("RUN/review.db")
    create_study(records, items, name="digits", settings=Settings(classes=names, seed=1))
    token = add_reviewer(records, "Ada")               # shown once; only its hash is kept
    ada = authenticate(records, token)
    shown = next_item(records, ada)                    # None: nothing is left
    record(records, ada, shown.item, {"label_right": "agree"}, seconds=4.2)
    withdraw(records, ada)                             # undo, which is a row too
    progress(records, ada), disputed(records), latest_answers(records), verify_chain(records)

`Shown` is all that a page may know of an item: whether it is an exemplar or a decoy, and how it
was drawn, stays in the database until the study is closed (`unblinded`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from audit.evidence.errors import MissingExtra

if TYPE_CHECKING:
    from reports.review.answering import record, skip, withdraw
    from reports.review.bundling import bundle
    from reports.review.chain import verify_chain
    from reports.review.disputes import disputed
    from reports.review.export import export_answers, export_queue, export_review
    from reports.review.exported import read_export
    from reports.review.importing import Imported, import_answers
    from reports.review.items import item_at, item_named, next_item, source_of, turn_of
    from reports.review.pace import progress, team_progress
    from reports.review.questions import (
        DEFAULT_QUESTIONS,
        Question,
        check_answers,
        default_questions,
    )
    from reports.review.reading import answers_of, every_row, latest_answers, unblinded
    from reports.review.records import Records, open_records
    from reports.review.reviewers import (
        add_reviewer,
        authenticate,
        new_token,
        retire_reviewer,
        reviewers_of,
    )
    from reports.review.study import close_study, create_study, reopen_study, study_of
    from reports.review.values import (
        Answer,
        Dispute,
        Item,
        Progress,
        Reviewer,
        Settings,
        Shown,
        Source,
        Study,
    )

_HOMES = {
    "DEFAULT_QUESTIONS": "questions",
    "Answer": "values",
    "Dispute": "values",
    "Imported": "importing",
    "Item": "values",
    "Progress": "values",
    "Question": "questions",
    "Records": "records",
    "Reviewer": "values",
    "Settings": "values",
    "Shown": "values",
    "Source": "values",
    "Study": "values",
    "add_reviewer": "reviewers",
    "answers_of": "reading",
    "authenticate": "reviewers",
    "bundle": "bundling",
    "check_answers": "questions",
    "close_study": "study",
    "create_study": "study",
    "default_questions": "questions",
    "disputed": "disputes",
    "every_row": "reading",
    "export_answers": "export",
    "export_queue": "export",
    "export_review": "export",
    "import_answers": "importing",
    "item_at": "items",
    "item_named": "items",
    "latest_answers": "reading",
    "new_token": "reviewers",
    "next_item": "items",
    "open_records": "records",
    "progress": "pace",
    "read_export": "exported",
    "record": "answering",
    "reopen_study": "study",
    "retire_reviewer": "reviewers",
    "reviewers_of": "reviewers",
    "skip": "answering",
    "source_of": "items",
    "study_of": "study",
    "team_progress": "pace",
    "turn_of": "items",
    "unblinded": "reading",
    "verify_chain": "chain",
    "withdraw": "answering",
}

__all__ = [
    "DEFAULT_QUESTIONS",
    "Answer",
    "Dispute",
    "Imported",
    "Item",
    "Progress",
    "Question",
    "Records",
    "Reviewer",
    "Settings",
    "Shown",
    "Source",
    "Study",
    "add_reviewer",
    "answers_of",
    "authenticate",
    "bundle",
    "check_answers",
    "close_study",
    "create_study",
    "default_questions",
    "disputed",
    "every_row",
    "export_answers",
    "export_queue",
    "export_review",
    "import_answers",
    "item_at",
    "item_named",
    "latest_answers",
    "new_token",
    "next_item",
    "open_records",
    "progress",
    "read_export",
    "record",
    "reopen_study",
    "retire_reviewer",
    "reviewers_of",
    "skip",
    "source_of",
    "study_of",
    "team_progress",
    "turn_of",
    "unblinded",
    "verify_chain",
    "withdraw",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reports.review' has no attribute {name!r}")
    try:
        return getattr(import_module(f"reports.review.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sqlalchemy":
            raise
        raise MissingExtra("SQLAlchemy", "review", "The review desk") from error


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
