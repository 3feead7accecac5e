"""Whether the numbers of a finding may be shown: what is too small, and what would tell it.

A finding publishes how many examples it is over. Such a number is shown where the composition
shows the same one; any other could be subtracted from it. Extremes over groups show the rate of
one group, whichever it is, so that they are shown only where every group is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.evidence.schema import GROUP, TRAINING_SPLITS
from audit.judgement.findings import Finding
from reports.dossier.composition import Composition
from reports.dossier.subject import Subject, natural_conditions

NUMBERS = (
    "parent", "pruned", "control", "change", "relative_change", "low", "high", "standard_error",
    "df", "n", "discordant", "p", "p_adjusted", "p_holm", "p_bh", "p_floor", "detectable",
    "examples_low", "examples_high", "examples_standard_error", "examples_df", "examples_p",
    "bound_within", "bound_over",
)  # fmt: skip
_KINDS_OF_PIES = frozenset({"pie_harmed", "pie_mended", "pie_moved", "pie_undecided"})
_PIES_OF_GROUPS = frozenset({"group_pie_excess", "pie_over_representation"})
# Their n is everybody in the group, whatever class is the positive one.
_OF_WHOLE_GROUP = frozenset({"group_accuracy", "group_flip_rate", "group_value"})
# Their n is how many examples models put into a class: no number of people that a group has.
_OF_PREDICTED = frozenset({"precision", "group_precision"})

Arm = tuple[str | None, float | None]


@dataclass(frozen=True, eq=False)
class Small:
    """What is too small to be shown.

    Attributes:
        k: The smallest count that is shown.
        tables: Compositions of the splits that were audited.
        crossings: Crossed columns -> whether a cell of theirs is small, alone and by class.
        few_pies: Arms with so few exemplars.
        few_kinds: Arms of which one kind of exemplar is so few.
        few_in_groups: Arms with so few exemplars in a group.
        elsewhere: Conditions that show other people.
        beside: Sizes of everybody's findings that differ from another one by fewer than `k`.
        positive: Whether one class is the positive one.
    """

    k: int
    tables: Sequence[Composition]
    crossings: Mapping[tuple[str, ...], tuple[bool, bool]]
    few_pies: Collection[Arm]
    few_kinds: Collection[Arm]
    few_in_groups: Collection[Arm]
    elsewhere: Collection[str]
    beside: Collection[int]
    positive: bool


def small(subject: Subject, tables: Sequence[Composition]) -> Small:
    """What of a run is too small to be shown."""
    k = subject.sharing.minimum_cell
    audited = [t for t in tables if t.split not in TRAINING_SPLITS]
    findings = subject.document.findings.findings

    def arms(measures: Collection[str]) -> set[Arm]:
        some = [f for f in findings if f.measure in measures]
        return {(f.method, f.sparsity) for f in some if _few_counted(f, k)}

    return Small(
        k=k,
        tables=audited,
        crossings=_crossings(subject, k),
        few_pies=arms({"pie_count"}),
        few_kinds=arms(_KINDS_OF_PIES),
        few_in_groups=arms(_PIES_OF_GROUPS),
        elsewhere=natural_conditions(subject),
        beside=_beside(
            (t.total for t in audited),
            (f for f in findings if f.condition not in natural_conditions(subject)),
            k,
        ),
        positive=(subject.run.get("plan") or {}).get("positive") is not None,
    )


def hidden(f: Finding, known: Small) -> bool:
    """Whether the numbers of a finding are hidden."""
    if all(getattr(f, name) is None for name in NUMBERS):
        return False
    if f.n is not None and 0 < f.n < known.k:
        return True
    if f.unit == "count" and _few_counted(f, known.k):
        return True
    if _of_few_pies(f, known):
        return True
    named = f.class_ is not None or f.groups is not None
    if f.condition in known.elsewhere and (named or f.subject is not None):
        return True  # other people than those whose counts were seen to
    if f.groups is not None and "=" in f.groups:
        return _hidden_group(f, known)
    columns = _division(f, known)
    if columns:
        return _any_hidden(columns, f, known)
    if f.class_ is not None:
        return _hidden_class(f, known)
    return f.n in known.beside and f.condition not in known.elsewhere


def group_hidden(column: str, name: str, n: int, known: Small) -> bool | None:
    """Whether the number of a group, or of one of crossed groups, is hidden; None if unknown.

    Args:
        column: The group column, or several with `×` between them.
        name: The group.
        n: How many are in it where its numbers come from: others than in the composition are not
            shown.
        known: What is too small.
    """
    if " × " in column:
        return known.crossings.get(tuple(sorted(column.split(" × "))), (True, True))[0]
    for table in known.tables:
        if table.column == column and name in table.values:
            mask, place = table.hidden, table.values.index(name)
            told = mask is not None and not mask.columns[place]
            return not (told and n == int(table.counts[:, place].sum()))
    return None


def _of_few_pies(f: Finding, known: Small) -> bool:
    arm = (f.method, f.sparsity)
    return (
        (f.measure in _KINDS_OF_PIES and arm in known.few_kinds)
        or (f.measure in _PIES_OF_GROUPS and arm in known.few_in_groups)
        or ("pie" in f.measure and arm in known.few_pies)
    )


def _few_counted(finding: Finding, k: int) -> bool:
    """Whether it counts somebody, but fewer than k, in the pruned models or in the controls."""
    n = 1 if finding.unit == "count" else finding.n or 0
    values = (finding.parent, finding.pruned, finding.control)
    return any(value is not None and 0 < abs(value) * n < k for value in values)


def _beside(totals: Iterable[int], findings: Iterable[Finding], k: int) -> frozenset[int]:
    """Sizes that with a larger one would tell of a few: of all but 3, the 3 are what is left."""
    sizes = {f.n for f in findings if f.n and f.class_ is None and f.groups is None}
    kept: list[int] = sorted(set(totals))
    out = set()
    for n in sorted(sizes - set(kept), reverse=True):
        if any(0 < abs(n - other) < k for other in kept):
            out.add(n)
        else:
            kept.append(n)
    return frozenset(out)


def _crossings(subject: Subject, k: int) -> dict[tuple[str, ...], tuple[bool, bool]]:
    """Crossed columns -> whether any cell is small in any split, alone and by class."""
    frame = subject.examples
    if frame.empty:
        return {}
    frame = frame[~frame["split"].isin(TRAINING_SPLITS)]
    found = {}
    named = {
        tuple(sorted(part.partition("=")[0] for part in text.split(" & ")))
        for f in subject.document.findings.findings
        for text in (f.groups, f.subject)
        if text is not None and " & " in text
    }
    pairs = {tuple(sorted(p)) for p in _pairs(subject.group_columns)}
    for columns in named | pairs:
        keys = [f"{GROUP}{column}" for column in columns]
        if not set(keys) <= set(frame.columns):
            found[columns] = (True, True)
            continue
        sizes = frame.groupby(["split", *keys], dropna=False).size()
        classes = frame.groupby(["split", *keys, "label"], dropna=False).size()
        alone = bool((sizes < k).any())
        found[columns] = (alone, alone or bool((classes < k).any()))
    return found


def _pairs(columns: Sequence[str]) -> list[tuple[str, str]]:
    return [(a, b) for place, a in enumerate(columns) for b in columns[place + 1 :]]


def _division(f: Finding, known: Small) -> tuple[str, ...]:
    """The group columns that a finding is an extreme over; empty where it is none."""
    text = f.groups if f.groups is not None else f.subject
    columns = () if text is None else tuple(sorted(text.split(" & ")))
    there = {t.column for t in known.tables} | {c for cs in known.crossings for c in cs}
    return columns if columns and set(columns) <= there else ()


def _any_hidden(columns: tuple[str, ...], f: Finding, known: Small) -> bool:
    """Whether any group of a division is hidden, or any of its classes where these matter."""
    whole = f.class_ is None and not known.positive
    if len(columns) > 1:
        return known.crossings.get(columns, (True, True))[0 if whole else 1]
    for table in known.tables:
        if table.column == columns[0]:
            mask = table.hidden
            if mask is None or mask.columns.any() or (not whole and mask.cells.any()):
                return True
    return False


def _hidden_class(f: Finding, known: Small) -> bool:
    """Whether a class is hidden anywhere, or its n is no number that the composition has."""
    there = [t for t in known.tables if f.class_ in t.classes]
    rows = [t.classes.index(str(f.class_)) for t in there]
    if not there or len(there) < len(known.tables):
        return True
    if any(t.hidden is None or t.hidden.rows[row] for t, row in zip(there, rows, strict=True)):
        return True
    totals = [(t.total, int(t.counts[row].sum())) for t, row in zip(there, rows, strict=True)]
    sizes = {n for whole, own in totals for n in (own, whole - own)}
    return f.n not in (None, 0, *sizes) and f.measure not in _OF_PREDICTED


def _hidden_group(f: Finding, known: Small) -> bool:
    groups = f.groups or ""
    if " & " in groups:
        columns = tuple(sorted(part.partition("=")[0] for part in groups.split(" & ")))
        alone, by_class = known.crossings.get(columns, (True, True))
        whole = f.class_ is None and (not known.positive or f.measure in _OF_WHOLE_GROUP)
        return alone if whole else by_class
    column, _, value = groups.partition("=")
    found = [t for t in known.tables if t.column == column and value in t.values]
    if not any(_explained(t, t.values.index(value), f) for t in found):
        return True
    return not found or any(_cell_hidden(t, t.values.index(value), f, known) for t in found)


def _explained(table: Composition, place: int, f: Finding) -> bool:
    """Whether its n is a number that the composition has: of the group, of a class, of the rest."""
    total = int(table.counts[:, place].sum())
    sizes = {total}
    if f.class_ in table.classes:
        own = int(table.counts[table.classes.index(str(f.class_)), place])
        sizes |= {own, total - own}
    return f.n in (None, 0, *sizes) or f.measure in _OF_PREDICTED


def _cell_hidden(table: Composition, place: int, f: Finding, known: Small) -> bool:
    mask = table.hidden
    if mask is None or mask.columns[place]:
        return True
    if f.class_ is not None:
        if f.class_ not in table.classes:
            return True
        return bool(mask.cells[table.classes.index(str(f.class_)), place])
    if known.positive and f.measure not in _OF_WHOLE_GROUP:
        return bool(mask.cells[:, place].any())
    return False
