"""What of a run may leave the data room in aggregate: numbers over enough people, and no row.

A number is left out where fewer than `k` examples are behind it, and where the number of examples
behind it would let a reader work out a count that is left out. `k` bounds the examples that a rate
is over, not those that it counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from audit.judgement.findings import Finding, Findings, no_exemplars
from reports.dossier import telling
from reports.dossier.composition import Composition
from reports.dossier.identities import scrub
from reports.dossier.impact import Category, Impact
from reports.dossier.overlap import Overlap, Pair
from reports.dossier.subject import Subject
from reports.wording import say

_COUNTED = re.compile(r"\b(\d[\d,]*)(?= (?:of [\d,]+ )?(?:examples?|people|exemplars?)\b)")
_ASIDE = re.compile(r" \([\d,]+ of [\d,]+ examples\)")


def released(subject: Subject, tables: Sequence[Composition], key: bytes) -> Subject:
    """The subject as it may be shown: as it is, or in aggregate."""
    if not subject.sharing.aggregate_only:
        return subject
    k = subject.sharing.minimum_cell
    names = {str(name) for name in subject.examples.get("example", ())}
    document = subject.document
    findings = document.findings
    told: dict[str | None, str | None] = {None: None}

    def text(found: str | None) -> str | None:
        if found not in told:  # most findings give one of a few reasons
            told[found] = _scrubbed(key, found, names, k)
        return told[found]

    shown = Findings(
        run=_scrubbed(key, findings.run, names, k),
        policy=_scrubbed(key, findings.policy, names, k),
        findings=tuple(
            replace(f, reason=text(f.reason), waiver=text(f.waiver))
            for f in shown_findings(subject, tables)
        ),
        exemplars=no_exemplars(),
    )
    document = replace(
        document,
        findings=shown,
        examples=pd.DataFrame(),
        times=_scrubbed(key, document.times, names, k),
    )
    return replace(subject, document=document)


def shown_findings(subject: Subject, tables: Sequence[Composition]) -> list[Finding]:
    """The findings, each without its numbers where they may not be shown."""
    known = telling.small(subject, tables)
    reason = say("dossier.suppressed", k=known.k)
    out = []
    for finding in subject.document.findings.findings:
        if telling.hidden(finding, known):
            blank: dict[str, Any] = dict.fromkeys(telling.NUMBERS)
            out.append(replace(finding, **blank, reason=reason))
        else:
            out.append(replace(finding, discordant=None))
    return out


def vague(text: str, k: int) -> str:
    """The text without counts of examples below `k`, which reasons and notes of a run may name."""

    def said(found: re.Match[str]) -> str:
        few = 0 < int(found[1].replace(",", "")) < k
        return say("dossier.fewer", k=k) if few else found[1]

    return _COUNTED.sub(said, _ASIDE.sub("", text))


def shown_impact(subject: Subject, found: Impact, tables: Sequence[Composition]) -> Impact:
    """Impact ratios without the categories that may not be shown.

    A ratio and its interval tell the rate and the size of the category that it is beside, so that
    there is none where that one is hidden.
    """
    if not subject.sharing.aggregate_only:
        return found
    known = telling.small(subject, tables)
    rows = [c for c in found.rows if not _hidden_category(c, known)]
    beside = {(c.models, c.column) for c in rows if c.ratio == 1.0 and not c.unknown}
    blank = dict.fromkeys(("ratio", "ratio_low", "ratio_high"))
    shown = [
        c if (c.models, c.column) in beside else replace(c, **blank)  # type: ignore[arg-type]
        for c in rows
    ]
    return replace(found, rows=tuple(shown))


def shown_overlap(subject: Subject, found: Overlap) -> Overlap:
    """An overlap whose small counts are left out: a pair that shares too few says None."""
    if not subject.sharing.aggregate_only:
        return found
    k = subject.sharing.minimum_cell

    def count(n: int | None) -> int | None:
        return None if n is None or 0 < n < k else n

    pairs = tuple(
        Pair(p.first, p.second, count(p.examples) and count(p.shared), count(p.examples))
        for p in found.pairs
    )
    sizes = {
        name: (count(n), count(d) if d is not None and not 0 < (n or 0) - d < k else None)
        for name, (n, d) in found.sizes.items()
    }
    return replace(found, pairs=pairs, sizes=sizes)


def _hidden_category(category: Category, known: telling.Small) -> bool:
    hidden = telling.group_hidden(category.column, category.name, category.n, known)
    return hidden is not False


def _scrubbed(key: bytes, value: Any, names: Collection[object], k: int) -> Any:
    """The same, with the name of every example and every small count in any text of it hidden."""
    if isinstance(value, str):
        return vague(scrub(key, value, names), k)
    if isinstance(value, Mapping):
        return {name: _scrubbed(key, each, names, k) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(key, each, names, k) for each in value]
    return value
