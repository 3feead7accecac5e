"""The dossier's section on the review: who reviewed what, what they said, how far they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from audit.judgement.reviewing.results import Results
from reports import background
from reports.dossier.identities import hide
from reports.dossier.sections import table
from reports.dossier.supplies import Holdings
from reports.dossier.suppression import partners
from reports.names import short
from reports.page import ColumnKind, Section
from reports.quantities import count
from reports.sections.review import (
    agreement_table,
    coverage,
    label_results,
    rates_table,
    reach,
)
from reports.wording import say, say_count

REVIEWERS = 40


def review(held: Holdings, key: bytes) -> Section:
    """Coverage, exemplars beside decoys, agreement, the record's state, and answers by reviewer.

    Where only aggregates are shown, questions over too few items are left out, and reviewers go by
    hidden names.
    """
    answers, found = held.subject.answers, held.subject.review
    if answers is None or answers.empty or "reviewer" not in answers or found is None:
        return Section(
            key="review",
            heading=say("dossier.review.heading"),
            lead=(say("dossier.review.none"),),
            not_asked=(say("dossier.review.none"),),
            how_to_ask=say("dossier.how.review"),
        )
    sharing = held.subject.sharing
    k = sharing.minimum_cell if sharing.aggregate_only else 0
    shown = enough(found, k)
    left_out = len(found.contrasts) - len(shown.contrasts)
    left_out += len(found.agreements) - len(shown.agreements)
    lead = [*_lead(found, shown, k), *_record(held.subject.chain)]
    if left_out:
        lead.append(say_count("dossier.review.left_out", left_out))
    alpha = background.alpha_of(held.subject.document)
    heads: list[tuple[str, ColumnKind]] = [
        (say("dossier.column.reviewer"), "text"),
        (say("dossier.column.items"), "number"),
        (say("dossier.column.answers"), "number"),
    ]
    rows = _by_reviewer(held, key, k)
    by_reviewer = table("review-table", say("dossier.review.caption"), heads, rows)
    tables = (rates_table(shown, alpha), agreement_table(shown, alpha), by_reviewer)
    return Section(
        key="review",
        heading=say("dossier.review.heading"),
        lead=tuple(lead),
        tables=tuple(each for each in tables if each is not None),
    )


def enough(found: Results, k: int) -> Results:
    """The results without what rests on fewer than `k` items; all of them where `k` is 0.

    Counts of single answers stand in a result only where items were chosen by score and there are
    no rates: such a result is left out, too.
    """
    if not k:
        return found
    contrasts = tuple(
        each
        for each in found.contrasts
        if min(each.pie.n, each.decoy.n) >= k and None not in (each.pie.rate, each.decoy.rate)
    )
    agreements = tuple(each for each in found.agreements if each.items >= k)
    return replace(found, contrasts=contrasts, agreements=agreements)


def _lead(found: Results, shown: Results, k: int) -> list[str]:
    few = min(found.reviewed_pies, found.reviewed_decoys) < k
    lead = [say_count("dossier.review.few", found.reviewers) if few else coverage(found)]
    lead += [*label_results(shown), reach(found)]
    disputed, wrong = len(found.disputed), len(found.label_errors)
    if found.several >= max(k, 1) and not 0 < disputed < k:
        lead.append(say("review.disputed", n=count(disputed), several=count(found.several)))
    if not 0 < wrong < k:
        lead.append(say_count("dossier.review.label_errors", wrong))
    return lead


def _record(chain: Mapping[str, Any]) -> list[str]:
    """The state of the record that the answers were exported from."""
    ends = {name: chain[name] for name in ("answers", "queue") if chain.get(name)}
    if "answers" not in ends:
        return [say("dossier.review.no_chain")]
    end = ends["answers"]
    said = [
        say("dossier.review.chain", rows=count(end["rows"]), sha256=short(str(end["sha256"]), 80))
    ]
    if ends.get("queue", end) != end:
        said.append(say("dossier.review.two_chains", rows=count(ends["queue"]["rows"])))
    return said


def _by_reviewer(held: Holdings, key: bytes, k: int) -> list[tuple[str, str, str]]:
    """Answers by reviewer; one of few answers is hidden with another, or the total would tell."""
    answers = held.subject.answers
    if answers is None:
        return []
    item = "item" if "item" in answers else "example"
    groups = sorted(answers.groupby("reviewer"), key=lambda pair: str(pair[0]))
    totals = np.array([len(some) for _, some in groups], dtype=np.int64)
    hidden = partners(totals, k) if k else {}
    rows = []
    for place, (name, some) in enumerate(groups):
        shown = hide(key, name, "reviewer") if k else str(name)
        numbers = (count(some[item].nunique()), count(len(some)))
        if place in hidden:
            numbers = (say("dossier.hidden"), say("dossier.hidden"))
        rows.append((short(shown), *numbers))
    return sorted(rows)[:REVIEWERS]
