"""Whether the answers of reviewers are those that they recorded."""

from __future__ import annotations

from pathlib import Path

from reports.verify.checks import Check
from reports.wording import say, say_count


def check_answers(folder: Path) -> list[Check]:
    """The answers of a run folder against their chain; nothing where nobody reviewed."""
    from reports.review.checking import check_review

    found = check_review(folder)
    if found is None:
        return []
    name, said = say("verify.review.name"), say_count("verify.review.said", found.rows)
    notes = (say("verify.review.means"),)
    if found.problems:
        return [Check(name, "differs", said, found.problems, notes)]
    if found.unknown:
        return [Check(name, "cannot_tell", said, found.unknown)]
    return [Check(name, "verified", said, (), notes)]
