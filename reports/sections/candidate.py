"""The file that would ship: its verdict beside the methods', and every limit on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.document import Document
from reports.names import in_prose
from reports.overview import counts_of
from reports.page import Section, Verdict
from reports.sections.context import Context, section
from reports.verdict import counted
from reports.wording import say, word_for


def candidate(context: Context) -> Section:
    """Every limit on the one file, with bounds corrected for its having been chosen."""
    return section(context, "candidate")


def candidate_verdicts(document: Document) -> tuple[Verdict, ...]:
    """The verdict on the one file that would ship; none where no candidate was named."""
    rows = [v for v in document.policy.get("verdicts") or () if v.get("model")]
    return tuple(_verdict(row) for row in rows)


def _verdict(row: Mapping[str, Any]) -> Verdict:
    name, outcome = in_prose(row["model"]), row["outcome"]
    return Verdict(
        method=name,
        answer=say("verdict.candidate", model=name, outcome=word_for("outcome", outcome)),
        outcome=outcome,
        why=counted(counts_of(row)),
        ladder=None,
        explanation=say("verdict.candidate_why"),
    )
