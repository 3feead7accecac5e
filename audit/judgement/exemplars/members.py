"""Who the exemplars are: how accurate models are on them, and in which classes and groups."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Evidence
from audit.judgement.answers import asked, too_small
from audit.judgement.exemplars.populations import Case
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import groupings
from audit.judgement.inference.paired import average_by_parent, paired_change_by_cell
from audit.judgement.inference.proportions import wilson
from audit.judgement.pairs import correct, levels

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

PICKED = "exemplars are picked by these predictions, so this describes and tests nothing"
BESIDE = f"{PICKED}; `control` is the parents' accuracy where the controls' exemplars are"
NOBODY = "there is no exemplar, or nobody here"
EVERYWHERE = "1 is as many as among all examples"


@dataclass(frozen=True)
class Place:
    """A class or a group in which exemplars are counted, by name."""

    class_: str | None
    groups: str | None


@dataclass(frozen=True, eq=False)
class Shares:
    """Exemplars by place, arrays with one entry per place, NaN where undefined."""

    ratio: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray
    p_floor: FloatArray
    n: IndexArray
    units: IndexArray


def accuracy_findings(one: Case, dense_rows: IndexArray) -> list[Finding]:
    """Accuracy on the exemplars and elsewhere.

    With no change at all, parents are far less accurate on exemplars than elsewhere: their accuracy
    where the controls' exemplars are, beside it, shows how much of it is that.

    Args:
        one: The arm.
        dense_rows: Rows of the dense models, which stand for unknown parents.
    """
    votes, arm = one.votes, one.arm.paired() if one.votes.paired else one.arm
    right = correct(one.labels)
    parent = right(one.block.predicted[arm.parents if votes.paired else dense_rows][:, votes.shown])
    pruned = right(one.block.predicted[arm.pruned][:, votes.shown])
    if votes.paired:
        pruned = average_by_parent(pruned, arm.parent)
    out = []
    for measure, on in (("accuracy_on_pies", True), ("accuracy_off_pies", False)):
        inside = one.found.pie == on
        before, now = _mean(parent, inside, one), _mean(pruned, inside, one)
        asked_of = asked(measure, one.arm, condition=one.block.condition)
        if before is None or now is None:
            out.append(replace(asked_of, outcome="not_asked", reason=NOBODY))
            continue
        out.append(
            replace(
                asked_of,
                parent=before,
                pruned=now,
                control=None if one.floor is None else _mean(parent, one.floor.pie == on, one),
                change=now - before,
                n=int((inside & (one.labels != NO_LABEL)).sum()),
                parents=votes.parents,
                reason=PICKED if one.floor is None else BESIDE,
            )
        )
    return out


def over_representation(one: Case, evidence: Evidence) -> list[Finding]:
    """`pie_over_representation` of every class and of every group of every group column."""
    labels = np.where(one.known.labels == NO_LABEL, -1, one.known.labels)
    out = _by_place(one, [Place(name, None) for name in evidence.classes], labels)
    for grouping in groupings(evidence.examples, one.known.plan):
        if len(grouping.columns) == 1:
            out += _by_place(one, [Place(None, name) for name in grouping.names], grouping.codes)
    return out


def _mean(values: FloatArray, inside: NDArray[np.bool_], one: Case) -> float | None:
    return levels(values, np.where(inside, 0, -1), 1, one.weights)[0]


def _by_place(one: Case, places: list[Place], codes: IndexArray) -> list[Finding]:
    cells = codes[one.votes.shown]
    shares = _shares(one.found.pie, cells, len(places), one)
    beside = None if one.floor is None else _shares(one.floor.pie, cells, len(places), one)
    return [_share_finding(one, place, i, shares, beside) for i, place in enumerate(places)]


def _share_finding(
    one: Case, place: Place, i: int, shares: Shares, beside: Shares | None
) -> Finding:
    condition, plan = one.block.condition, one.known.plan
    question = asked(
        "pie_over_representation",
        one.arm,
        condition=condition,
        class_=place.class_,
        groups=place.groups,
    )
    ratio, units = _or_none(shares.ratio[i]), int(shares.units[i])
    if ratio is None:
        return replace(question, outcome="not_asked", reason=NOBODY)
    finding = replace(
        question,
        pruned=ratio,
        control=None if beside is None else _or_none(beside.ratio[i]),
        low=_or_none(shares.low[i]),
        high=_or_none(shares.high[i]),
        n=int(shares.n[i]),
        parents=one.votes.parents,
        generalises_to="examples",
        p=_or_none(shares.p[i]),
        p_floor=_or_none(shares.p_floor[i]),
        reason=EVERYWHERE,
    )
    return too_small(finding, units, plan) if units < plan.minimum_n else finding


def _shares(pie: NDArray[np.bool_], cells: IndexArray, places: int, one: Case) -> Shares:
    """Rate of exemplars in each place over their rate in all places together."""
    inside = cells >= 0
    if one.weights is None and one.clusters is None:
        return _counted(pie[inside], cells[inside], places)
    return _estimated(pie, cells, places, one)


def _counted(pie: NDArray[np.bool_], cells: IndexArray, places: int) -> Shares:
    """Independent examples: Wilson's interval of the place's rate, hypergeometric p.

    Given how many exemplars there are in all, their number in a place is hypergeometric if they are
    spread evenly (Fisher's exact test, twice the smaller tail).
    """
    n = np.bincount(cells, minlength=places)
    here = np.bincount(cells[pie], minlength=places)
    total, every = int(pie.sum()), int(pie.size)
    if total == 0:
        nothing = np.full(places, np.nan)
        return Shares(nothing, nothing, nothing, nothing, nothing, n, n)
    rate = total / every
    p, floor = _fisher(here, n, total, every)
    low, high = wilson(here, n)
    ratio = np.divide(here, n * rate, out=np.full(places, np.nan), where=n > 0)
    empty = n == 0
    return Shares(
        ratio,
        low / rate,
        high / rate,
        np.where(empty, np.nan, p),
        np.where(empty, np.nan, floor),
        n,
        n,
    )


def _fisher(
    here: IndexArray, n: IndexArray, total: int, every: int
) -> tuple[FloatArray, FloatArray]:
    """Two-sided p of the counts, and the smallest p possible; each distinct count once."""
    from scipy import stats  # takes a second to import, and the first work need not wait for it

    pairs, code = np.unique(np.stack([here, n]), axis=1, return_inverse=True)
    count, size = pairs
    spread = stats.hypergeom(every, size, total)
    p = 2.0 * np.minimum(spread.cdf(count), spread.sf(count - 1))
    least, most = np.maximum(0, total + size - every), np.minimum(size, total)
    floor = 2.0 * np.minimum(spread.pmf(least), spread.pmf(most))
    return np.minimum(p, 1.0)[code], np.minimum(floor, 1.0)[code]


def _estimated(pie: NDArray[np.bool_], cells: IndexArray, places: int, one: Case) -> Shares:
    """Weighted or clustered examples: a t of each place's rate less the overall rate."""
    inside = cells >= 0
    weights = None if one.weights is None else one.weights[inside]
    rate = float(np.average(pie[inside], weights=weights)) if inside.any() else 0.0
    found = paired_change_by_cell(
        (pie - rate)[None, :],
        cells,
        places,
        generalises_to="examples",
        weights=one.weights,
        clusters=one.clusters,
        level=1.0 - one.known.plan.alpha,
    )

    def column(name: str, add: float = 0.0, over: float = 1.0) -> FloatArray:
        values = [getattr(estimate, name) for estimate in found]
        return np.array([np.nan if v is None else (v + add) / over for v in values])

    defined = rate if rate > 0 else np.nan
    return Shares(
        column("change", rate, defined),
        column("low", rate, defined),
        column("high", rate, defined),
        column("p") if rate > 0 else np.full(places, np.nan),
        column("p_floor"),
        np.array([estimate.n for estimate in found], dtype=np.int64),
        np.array([estimate.units for estimate in found], dtype=np.int64),
    )


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
