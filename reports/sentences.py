"""The few sentences that matter, worst first: who lost how much, how sure, against which limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.judgement.findings import Finding
from reports.anchors import anchor
from reports.claims import condition_name
from reports.detectable import would_have_been_found
from reports.document import Document
from reports.limits import least_in_prose, limit_in_prose
from reports.names import in_prose
from reports.page import Sentence
from reports.quantities import (
    count,
    defined,
    interval,
    level,
    probability,
    severity,
    size_of_change,
    sparsity,
)
from reports.select import (
    CLEAN,
    MEANS,
    SCREEN,
    established,
    family_of,
    harm,
    of_arm,
    of_level,
    whom,
    worst_first,
)
from reports.wording import capital, known, listing, say, say_count, word_for

MOST, MOST_OF_A_MEASURE = 8, 2


def sentences(document: Document, alpha: float) -> tuple[Sentence, ...]:
    """Three to eight sentences, worst first, each with the row that it rests on.

    Limits that are exceeded come first, then harms that a corrected test upholds; where there is
    neither, the first sentence says how small a harm would have been found.
    """
    asked = document.asked
    harmful = [f for f in asked if f.outcome == "over" or established(f, alpha)]
    chosen = _varied(_leading(harmful))
    many = len(document.methods) > 1
    over = [f for f in harmful if f.outcome == "over"]
    found = [
        Sentence(state(f, over, alpha=alpha, name_method=many), f.outcome, f"#{anchor(f)}")
        for f in chosen
    ]
    if not found:
        found.append(no_harm(document, alpha))
    found += _undecided(asked, alpha)
    for extra in (_exemplars(document, alpha), _overall(document, alpha, many)):
        if extra is not None and extra.href not in {s.href for s in found}:
            found.append(extra)
    return tuple(found[:MOST])


def state(
    finding: Finding, asked: Iterable[Finding] = (), *, alpha: float, name_method: bool = False
) -> str:
    """One finding as a sentence: measure, who, change, n, interval, corrected p, reach, limit.

    Args:
        finding: The finding.
        asked: Others, among them those of the same subject at sparsities that are over too.
        alpha: Its interval covers 1 - alpha.
        name_method: Whether to name the method.
    """
    parts = [_what_happened(finding, name_method), _how_sure(finding, alpha)]
    if finding.limit is not None:
        parts.append(_against(finding, asked))
    return " ".join(part for part in parts if part)


def no_harm(document: Document, alpha: float) -> Sentence:
    """That no harm was found, and how large a one would have been; or that nothing was tested.

    Where a family moved as a whole and no single loss in it is upheld, it says that instead.
    """
    tested = [f for f in document.asked if f.p_adjusted is not None and f.tier != SCREEN]
    if not tested:
        return Sentence(say("sentence.nothing_tested"), "cannot_tell")
    moved = {
        word_for("family", family_of(f))
        for f in tested
        if whom(f) == "family" and f.p_adjusted is not None and f.p_adjusted <= alpha
    }
    text = say(
        "sentence.no_single_harm" if moved else "sentence.no_harm",
        tested=count(len(tested)),
        found=would_have_been_found(tested),
        families=listing(sorted(moved)),
    )
    unsure = moved or any(f.outcome == "cannot_tell" for f in document.asked)
    return Sentence(text, "cannot_tell" if unsure else "no_limit")


def people(finding: Finding) -> str:
    """Whom a finding is about, in words."""
    who = whom(finding)
    if who == "everybody":
        return say("who.all_examples")
    if who == "family":
        return say("who.of_family", name=in_prose(family_of(finding)))
    words = []
    if finding.class_ is not None:
        words.append(say("who.of_class", name=in_prose(finding.class_)))
    if finding.groups is not None:
        words.append(say("who.of_group", name=in_prose(finding.groups)))
    return "".join(words)


def place(finding: Finding, name_method: bool = False) -> str:
    """Where: the sparsity, the condition unless clean, the method if there are several."""
    words = []
    if finding.sparsity is not None:
        words.append(say("where.sparsity", sparsity=sparsity(finding.sparsity)))
    elif of_arm(finding):
        words.append(say("where.unstated"))
    if name_method and finding.method is not None:
        words.append(say("where.method", method=in_prose(finding.method)))
    if (mean := MEANS.get(finding.condition or "")) is not None:
        words.append(say(f"where.{mean}"))
    elif finding.condition not in {CLEAN, None}:
        key = "where.severity" if finding.severity else "where.condition"
        words.append(
            say(key, name=in_prose(condition_name(finding)), severity=severity(finding.severity))
        )
    return "".join(words)


def _what_happened(f: Finding, name_method: bool) -> str:
    values = {
        "measure": _noun(f.measure),
        "who": people(f),
        "where": place(f, name_method),
        "parent": level(f.parent, f.unit),
        "pruned": level(f.pruned, f.unit),
        "control": level(f.control, f.unit),
        "change": size_of_change(f.change, f.unit),
    }
    if of_level(f) or not defined(f.change):
        return capital(say("sentence.stands", **values))
    if f.parent is None and f.control is not None and f.pruned is not None:
        more = "more" if f.change >= 0 else "less"
        return capital(say(f"sentence.{more}_than_control", **values))
    key = "rose" if f.change > 0 else "fell" if f.change < 0 else "same"
    ends = "" if f.parent is None or f.pruned is None else "_from_to"
    return capital(say(f"sentence.{key}{ends}", **values))


def _noun(measure: str) -> str:
    return word_for("noun" if known(f"noun.{measure}") else "measure", measure)


def _how_sure(f: Finding, alpha: float) -> str:
    told = [say("sentence.n", n=count(f.n))] if f.n is not None else []
    if defined(f.low) and defined(f.high):
        ends = (
            say("grammar.from_to", low=level(f.low, f.unit), high=level(f.high, f.unit))
            if of_level(f)
            else interval(f.low, f.high, f.unit)
        )
        coverage = f"{100 * (1 - alpha):g}"
        told.append(say("sentence.interval", interval=ends, coverage=coverage))
    if f.generalises_to == "both" and defined(f.examples_low) and not of_level(f):
        files = interval(f.examples_low, f.examples_high, f.unit)
        told.append(say("sentence.files", interval=files))
    if f.p_adjusted is not None:
        told.append(say("sentence.p", p=probability(f.p_adjusted)))
    if f.generalises_to is not None:
        told.append(say(f"sentence.estimand_{f.generalises_to}"))
    return f"({'; '.join(told)})." if told else ""


def _against(f: Finding, asked: Iterable[Finding]) -> str:
    same = [
        other.sparsity
        for other in asked
        if _subject(other) == _subject(f) and other.outcome == "over" and other.sparsity is not None
    ]
    whole = f.outcome == "over" and not same
    key = "sentence.limit_over_whole" if whole else f"sentence.limit_{f.outcome}"
    levels = listing(map(sparsity, sorted(set(same))))
    least = least_in_prose(f) if f.outcome == "cannot_tell" else None
    # Else an interval beyond the limit, which no correction widened, would seem to contradict it.
    key = "sentence.limit_cannot_tell_yet" if least else key
    return say(key, limit=limit_in_prose(f), sparsities=levels, least=least or "")


def _subject(f: Finding) -> tuple[object, ...]:
    return (f.measure, f.method, f.condition, f.severity, f.class_, f.groups, f.limit_name, f.limit)


def _leading(findings: Sequence[Finding]) -> list[Finding]:
    """The worst finding of each subject: its other sparsities and severities add no sentence."""
    led: dict[tuple[object, ...], Finding] = {}
    for f in worst_first(findings):
        led.setdefault((f.measure, f.method, f.condition, f.class_, f.groups), f)
    return list(led.values())


def _varied(findings: Iterable[Finding]) -> list[Finding]:
    """At most so many of one measure, so that one bad family does not hide the others."""
    kept: list[Finding] = []
    for f in findings:
        of_measure = sum(other.measure == f.measure for other in kept)
        if of_measure < MOST_OF_A_MEASURE and len(kept) < MOST - 2:
            kept.append(f)
    return kept


def _undecided(asked: Sequence[Finding], alpha: float) -> list[Sentence]:
    undecided = [f for f in asked if f.outcome == "cannot_tell" and f.limit is not None]
    if not undecided:
        return []
    worst = max(undecided, key=lambda f: (harm(f) or 0.0, f.id))
    largest = f"{_what_happened(worst, False)} {_how_sure(worst, alpha)}"
    text = say_count("sentence.cannot_tell", len(undecided), largest=largest.rstrip(" ."))
    return [Sentence(text, "cannot_tell", f"#{anchor(worst)}")]


def _exemplars(document: Document, alpha: float) -> Sentence | None:
    found = [row.pies for row in document.rows if row.pies is not None]
    found = [f for f in found if defined(f.pruned)]
    if not found:
        return None
    f = max(found, key=lambda f: (f.pruned or 0.0, f.id))
    key = "sentence.pies" if f.control is not None else "sentence.pies_no_floor"
    text = say(
        key,
        pies=count(f.pruned),
        n=count(f.n),
        churn=count(f.control),
        where=place(f, len(document.methods) > 1),
    )
    same = (f.method, f.sparsity, f.condition, f.severity, f.groups, f.class_)
    for other in document.asked:
        there = (other.method, other.sparsity, other.condition, other.severity)
        if other.measure == "pie_excess" and (*there, other.groups, other.class_) == same:
            beyond = say("sentence.pies_beyond", excess=size_of_change(other.change, other.unit))
            text += f" {beyond} {_how_sure(other, alpha)}"
    return Sentence(text, f.outcome, f"#{anchor(f)}")


def _overall(document: Document, alpha: float, name_method: bool) -> Sentence | None:
    found = [row.accuracy for row in document.rows if row.accuracy is not None]
    if not found:
        return None
    f = max(found, key=lambda f: (harm(f) or 0.0, f.id))
    text = state(f, document.asked, alpha=alpha, name_method=name_method)
    return Sentence(text, f.outcome, f"#{anchor(f)}")
