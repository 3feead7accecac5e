"""Puts a dossier together as values: the page's sections, the crosswalk, what a person said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from audit.judgement.findings import Findings, Outcome
from reports import background, gallery
from reports.document import Document
from reports.dossier import judged, reviewed, sections
from reports.dossier.crosswalk import STATUSES, Framework, crosswalk
from reports.dossier.identities import hide
from reports.dossier.images import stripped
from reports.dossier.person import PersonSection
from reports.dossier.supplies import Holdings, Supply, supplies
from reports.names import in_prose
from reports.page import Section
from reports.quantities import count
from reports.tracing import evidence
from reports.wording import listing, say, word_for

CARDS = 12
WORST_FIRST: tuple[Outcome, ...] = ("over", "cannot_tell", "not_asked", "no_limit", "within")
_AFTER_FINDINGS = 7  # sections


@dataclass(frozen=True)
class DossierPage:
    """Everything that the dossier's page shows, top to bottom.

    Attributes:
        title: Of the window.
        name: The run's name.
        audited: What was audited, in one line.
        summary: How much of what is asked is here, a sentence each.
        sections: In their order.
        frameworks: The crosswalk.
        people: The person's sections.
        supplied: Kinds of evidence by key.
        sharing: What was left out for sharing; empty where nothing was.
    """

    title: str
    name: str
    audited: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    frameworks: tuple[Framework, ...]
    people: tuple[PersonSection, ...]
    supplied: dict[str, Supply]
    sharing: str


def compose(held: Holdings, key: bytes, deviations: Sequence[str], whole: Document) -> DossierPage:
    """The page as values.

    Args:
        held: What the run holds, as it may be shown.
        key: Hides the names of examples and reviewers.
        deviations: What was done otherwise than locked, a sentence each.
        whole: The run's document as it is, for the pictures of a few exemplars.
    """
    document, sharing = held.subject.document, held.subject.sharing
    supplied = supplies(held)
    cited = judged.cited(held, supplied.values())
    name = in_prose(document.run.get("name") or say("page.unnamed"))
    made = [
        judged.outcomes(held),
        _tested(held),
        sections.data(held),
        sections.overlaps(held.overlap),
        sections.models(held),
        judged.findings_section(held, cited),
        _traced(document, {f.id for f in cited if f.outcome != "not_asked"}),
        judged.risk_section(held),
        judged.lock_section(held, deviations),
        judged.gaps(held),
        reviewed.review(held, key),
        sections.impacts(held.impact),
    ]
    if not sharing.aggregate_only and (shown := _exemplars(whole, key)) is not None:
        made.insert(_AFTER_FINDINGS, shown)
    frameworks = crosswalk(supplied)
    return DossierPage(
        title=say("dossier.title", name=name),
        name=name,
        audited=background.audited(document),
        summary=_summary(held, frameworks),
        sections=tuple(made),
        frameworks=frameworks,
        people=held.people,
        supplied=supplied,
        sharing=say("dossier.sharing", k=sharing.minimum_cell) if sharing.aggregate_only else "",
    )


def _summary(held: Holdings, frameworks: Sequence[Framework]) -> tuple[str, ...]:
    """What a reader looks for first: verdicts, the crosswalk in numbers, and what waits."""
    stated = held.subject.document.policy.get("verdicts") or ()
    verdicts = Counter(str(v["outcome"]) for v in stated)
    items = Counter(entry.status for framework in frameworks for entry in framework.entries)
    told = [
        say("dossier.what.part", n=count(verdicts[outcome]), what=word_for("outcome", outcome))
        for outcome in WORST_FIRST
        if verdicts[outcome]
    ]
    asked = {status: count(items[status]) for status in STATUSES}
    filled = sum(person.filled for person in held.people)
    first = (
        say("dossier.what.verdicts", parts=listing(told)) if told else say("dossier.outcomes.none")
    )
    return (
        first,
        say("dossier.what.items", n=count(items.total()), frameworks=len(frameworks), **asked),
        say("dossier.what.people", filled=filled, total=len(held.people)),
    )


def _tested(held: Holdings) -> Section:
    """Versions, machine, seeds, settings and the command that makes it again."""
    document = held.subject.document
    lead = [sections.seeds_line(held), say("dossier.tested.command", command=_command(document))]
    notes = document.run.get("notes") or ()
    lead += [say("dossier.tested.note", note=str(note)[:400]) for note in notes]
    missing = document.run.get("missing") or document.times.get("missing") or ()
    lead += [say("limits.missing", what=str(what)[:400]) for what in missing]
    return Section(
        key="tested",
        heading=say("dossier.tested.heading"),
        lead=tuple(lead),
        tables=(background.provenance(document),),
    )


def _traced(document: Document, ids: set[str]) -> Section:
    """Where each number comes from; on paper it is left out, and that is said."""
    found = evidence(document, ids)
    return replace(found, lead=(*found.lead, say("dossier.findings.on_paper")))


def _command(document: Document) -> str:
    return background.command(document).replace("`", "'")


def _exemplars(whole: Document, key: bytes) -> Section | None:
    """A few exemplars under hidden names; pictures hold nothing but pixels."""
    rows = gallery.chosen(whole.findings.exemplars, CARDS)
    if rows.empty or "example" not in rows:
        return None
    some = whole.findings.exemplars[whole.findings.exemplars["example"].isin(rows["example"])]
    hidden = some.assign(example=[hide(key, name) for name in some["example"]])
    examples = whole.examples[whole.examples.index.isin(rows["example"])]
    examples = examples.set_axis([hide(key, name) for name in examples.index], axis=0)
    kept = [c for c in examples.columns if c in {"thumbnail", "text"} or c.startswith("group_")]
    examples = pd.DataFrame(examples[kept])
    if "thumbnail" in examples:
        examples["thumbnail"] = [stripped(data) for data in examples["thumbnail"]]
    findings = whole.findings
    shown = Findings(findings.run, findings.policy, findings.findings, hidden)
    made = gallery.of(replace(whole, findings=shown, examples=examples))
    return Section(
        key="exemplars",
        heading=say("dossier.exemplars.heading"),
        lead=(say("dossier.exemplars.lead"),),
        gallery=made,
    )
