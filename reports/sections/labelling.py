"""The section on what nobody has labelled, and which limits a few labels would settle."""

from __future__ import annotations

from reports.page import Section
from reports.quantities import count, percent
from reports.sections.context import Context, section
from reports.wording import say, say_count

_WAITING = ("cannot_tell", "not_asked")


def labelling(context: Context) -> Section:
    """How many labels are missing, and the command that draws those most worth having."""
    missing = [f for f in context.asked.get("labelling", ()) if f.measure == "unlabelled"]
    lead = []
    for finding in missing[:1]:
        share = finding.pruned or 0.0
        total = finding.n or 0
        lead.append(
            say(
                "labelling.missing",
                n=count(round(share * total)),
                total=count(total),
                share=percent(share),
            )
        )
        waiting = sum(f.outcome in _WAITING for f in context.document.held)
        if waiting:
            folder = context.document.folder
            run = "RUN" if folder is None else str(folder)
            lead += [say_count("labelling.waiting", waiting), say("labelling.command", run=run)]
    return section(context, "labelling", lead=lead)
