"""The section on what people said of exemplars, and of decoys mixed among them."""

from __future__ import annotations

from collections.abc import Sequence

from audit.judgement.reviewing.agreement import Agreement
from audit.judgement.reviewing.consensus import Consensus
from audit.judgement.reviewing.rates import Contrast, Rate
from audit.judgement.reviewing.results import Results, review_results
from reports.names import short
from reports.page import Cell, Column, Row, Section, Table
from reports.quantities import UNDEFINED, count, defined, number, percent, points, probability
from reports.sections.context import Context, section
from reports.wording import known, listing, say, say_count

BECAUSE = "because:"
ROWS = 40  # labels found wrong that are listed
LABEL_ERROR = "label_error"

_RATES = ("question", "pies", "pies_n", "decoys", "decoys_n", "difference", "interval", "p", "told")
_AGREEMENT = ("question", "reviewers", "items", "share", "kappa", "alpha", "interval")
_LABELS = ("example", "before", "label", "votes", "decided")
_NUMBERS = frozenset(
    {
        *("pies", "pies_n", "decoys", "decoys_n", "difference", "interval", "p"),
        *("reviewers", "items", "share", "kappa", "alpha", "votes"),
    }
)


def review(context: Context) -> Section:
    """Coverage, exemplars beside decoys, agreement, and labels found wrong."""
    document = context.document
    found = None
    if document.folder is not None:
        found = review_results(document.folder, document.classes, context.alpha)
    if found is None:
        return section(context, "review")
    run = str(document.folder)
    tables = [
        rates_table(found, context.alpha),
        agreement_table(found, context.alpha),
        _labels(found),
    ]
    return section(context, "review", lead=_lead(found, run), tables=tables)


def _lead(found: Results, run: str) -> list[str]:
    lead = [coverage(found), *label_results(found), reach(found)]
    if found.coarser:
        total = found.queued_pies + found.queued_decoys
        lead.append(say("review.coarser", n=count(found.coarser), total=count(total)))
    if found.several:
        lead.append(
            say("review.disputed", n=count(len(found.disputed)), several=count(found.several))
        )
    if found.label_errors:
        lead.append(say_count("review.label_errors", len(found.label_errors), run=run))
    return lead


def coverage(found: Results) -> str:
    """How many reviewers saw how much of the queue."""
    return say_count(
        "review.coverage",
        found.reviewers,
        seen=count(found.reviewed_pies + found.reviewed_decoys),
        queued=count(found.queued_pies + found.queued_decoys),
        pies=count(found.reviewed_pies),
        decoys=count(found.reviewed_decoys),
    )


def label_results(found: Results) -> list[str]:
    """What matters most: how often a label is wrong, beside how often it is among decoys."""
    return [_result(each) for each in found.contrasts if each.question == LABEL_ERROR]


def _result(found: Contrast) -> str:
    places = {"pies": _level(found.pie), "decoys": _level(found.decoy)}
    if found.pie.rate is None or found.decoy.rate is None or not defined(found.difference):
        return say("review.label_counts", pies=_counts(found.pie), decoys=_counts(found.decoy))
    places["interval"] = _interval(found.low, found.high)
    told = found.told if found.told in ("more", "less") else "cannot_tell"
    return say(
        f"review.label_{told}",
        size=points(abs(found.difference)),
        p=probability(found.p_adjusted),
        **places,
    )


def reach(found: Results) -> str:
    """Of which examples the rates hold, besides those that were seen."""
    if not found.generalises:
        return say("review.by_score")
    if not found.matched_on:
        return say("review.at_random")
    return say("review.matched", variables=listing(map(_variable, found.matched_on)))


def rates_table(found: Results, alpha: float) -> Table | None:
    """Every question: exemplars beside decoys, with intervals; None where none was answered."""
    if not found.contrasts:
        return None
    notes = list(dict.fromkeys(each.reason for each in found.contrasts if each.reason))
    return Table(
        key="review-rates",
        caption=say("review.rates", coverage=_coverage(alpha)),
        columns=_columns(_RATES),
        rows=tuple(_contrast(each, notes) for each in found.contrasts),
        notes=tuple(notes),
    )


def _contrast(found: Contrast, notes: Sequence[str]) -> Row:
    note = notes.index(found.reason) + 1 if found.reason else None
    change = UNDEFINED
    if defined(found.difference):
        change = number(100 * found.difference, signed=True)
    return Row(
        (
            Cell(_question(found.question)),
            Cell(_level(found.pie)),
            Cell(count(found.pie.n)),
            Cell(_level(found.decoy)),
            Cell(count(found.decoy.n)),
            Cell(change),
            Cell(_interval(found.low, found.high)),
            Cell(probability(found.p_adjusted)),
            Cell(say(f"review.told.{found.told}"), note=note),
        )
    )


def agreement_table(found: Results, alpha: float) -> Table | None:
    """How far reviewers agree on each question; None where no question has values to agree on."""
    if not found.agreements:
        return None
    notes = list(dict.fromkeys(each.reason for each in found.agreements if each.reason))
    return Table(
        key="review-agreement",
        caption=say("review.agreement", coverage=_coverage(alpha)),
        columns=_columns(_AGREEMENT),
        rows=tuple(_agreed(each, notes) for each in found.agreements),
        notes=tuple(notes),
    )


def _agreed(found: Agreement, notes: Sequence[str]) -> Row:
    note = notes.index(found.reason) + 1 if found.reason else None
    ends = UNDEFINED
    if defined(found.low) and defined(found.high):
        ends = say("grammar.from_to", low=number(found.low, 2), high=number(found.high, 2))
    return Row(
        (
            Cell(_question(found.question)),
            Cell(count(found.reviewers)),
            Cell(count(found.items)),
            Cell(percent(found.share)),
            Cell(number(found.kappa, 2)),
            Cell(number(found.alpha, 2), note=note),
            Cell(ends),
        )
    )


def _labels(found: Results) -> Table | None:
    if not found.label_errors:
        return None
    shown = sorted(found.label_errors, key=_surest)[:ROWS]
    total = len(found.label_errors)
    return Table(
        key="review-labels",
        caption=say_count("review.labels", found.decided_by),
        columns=_columns(_LABELS),
        rows=tuple(_label(each) for each in shown),
        truncated=say("review.labels_truncated", shown=count(len(shown)), total=count(total))
        if len(shown) < total
        else None,
    )


def _surest(found: Consensus) -> tuple[int, float, str]:
    return -found.reviewers, -(found.agreement or 0.0), str(found.example)


def _label(found: Consensus) -> Row:
    return Row(
        (
            Cell(short(found.example)),
            Cell(UNDEFINED if found.label_before is None else short(found.label_before)),
            Cell(UNDEFINED if found.label is None else short(found.label)),
            Cell(count(found.reviewers)),
            Cell(say(f"review.decided.{found.decided_by}", share=percent(found.agreement))),
        )
    )


def _columns(names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(
        Column(say(f"review.column.{name}"), "number" if name in _NUMBERS else "text")
        for name in names
    )


def _question(key: str) -> str:
    if key.startswith(BECAUSE):
        return say("review.because", reason=short(key.removeprefix(BECAUSE)))
    if known(f"review.question.{key}"):
        return say(f"review.question.{key}")
    return short(key.replace("_", " "))


def _variable(name: str) -> str:
    return say(f"review.variable.{name}") if known(f"review.variable.{name}") else short(name)


def _level(rate: Rate) -> str:
    if rate.rate is None:
        return _counts(rate)
    low, high = percent(rate.low), percent(rate.high)
    return say("grammar.spread", mean=percent(rate.rate), low=low, high=high)


def _counts(rate: Rate) -> str:
    return say("review.counts", yes=count(rate.yes), n=count(rate.n))


def _interval(low: float | None, high: float | None) -> str:
    if not (defined(low) and defined(high)):
        return UNDEFINED
    ends = (number(100 * end, signed=True) for end in (low, high))
    return say("grammar.from_to", **dict(zip(("low", "high"), ends, strict=True)))


def _coverage(alpha: float) -> str:
    return f"{100 * (1 - alpha):g}"
