"""What each stated limit needs, before a run, so that the data still to be gathered can tell.

80 % power that a truly unchanged model is found within, from a stated discordance. A limit on any
of k groups passes only if all of them pass: each is given the power 1 − 0.2 / k.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audit.evidence.blocks import NO_LABEL, Evidence
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import groupings
from audit.judgement.plan import Plan
from audit.judgement.policy.claims import denominator
from audit.judgement.policy.limits import ANY, Policy, StatedLimit
from audit.judgement.policy.needs import Need, planned, target_of
from audit.judgement.policy.sample_size import Spread

UNKNOWN_LEVEL = "how high an unchanged model stands is not known: state it as the level"
UNKNOWN_SPREAD = "how much it varies is not known before a run: plan from a finished one"


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """What is taken for granted before anything was run.

    Attributes:
        discordance: Share of examples on which an unchanged model and its parent differ, for the
            better as often as for the worse.
        shared: Share of that variance which all parents have in common (the same hard examples).
        between: Standard deviation, over parents, of the true change.
        level: Level of an unchanged model, for floors; None where nobody has said.
        power: Probability of finding an unchanged model within all cells of a limit.
        cells: Groups or classes of an `any` limit, where no evidence tells how many there are.
    """

    discordance: float = 0.05
    shared: float = 0.5
    between: float = 0.0025
    level: float | None = None
    power: float = 0.8
    cells: int = 4


def plan_limits(
    policy: Policy,
    plan: Plan,
    *,
    parents: int,
    assumed: Assumed | None = None,
    evidence: Evidence | None = None,
) -> list[Need]:
    """What every stated limit needs, before a run.

    Args:
        policy: The limits, and the number of looks.
        plan: Level, groups, positive class, smallest denominator.
        parents: Independently trained parents there will be.
        assumed: What is taken for granted.
        evidence: Examples, for how many there are of each class and group; None where they are not
            at hand.
    """
    taken = assumed or Assumed()
    level = plan.alpha / policy.looks
    out: list[Need] = []
    for stated in policy.stated():
        cells = list(_cells(stated, plan, evidence))
        several = sum(name == ANY for name in (stated.groups, stated.class_))
        count = len(cells) if evidence is not None else taken.cells**several
        spread, margin, reason = _before(stated, plan, taken)
        for class_, groups, n in cells:
            need = Need(
                name=stated.kind.name,
                limit=stated.limit.limit,
                claim=stated.limit.claim,
                method=stated.limit.method,
                sparsity=stated.limit.sparsity,
                condition=stated.condition,
                severity=stated.limit.severity,
                class_=class_,
                groups=groups,
                cells=count,
                counted=_counted(stated.kind.measure, class_),
                parents=parents,
                examples=n,
                reason=reason,
            )
            target = target_of(margin, level, taken.power, count, stated.limit.claim)
            out.append(planned(need, spread, target, plan.minimum_n))
    return out


def _before(
    stated: StatedLimit, plan: Plan, taken: Assumed
) -> tuple[Spread | None, float | None, str | None]:
    """Spread and margin of an unchanged model before a run, or why there are none."""
    measure, bound, limit = stated.kind.measure, stated.kind.bound, stated.limit.limit
    d = taken.discordance
    paired = Spread(
        examples=taken.shared * d,
        seeds=taken.between**2,
        residual=(1.0 - taken.shared) * d,
        discordance=d,
    )
    if measure == "prune_potential":
        return paired, plan.delta, None
    if measure in ("flip_level", "harmed_level"):
        share = d if measure == "flip_level" else d / 2
        level = Spread(examples=share * (1 - share), seeds=taken.between**2, discordance=share)
        return level, limit - share, None
    if bound in ("floor", "ceiling"):
        if measure == "ece_level":
            return None, None, UNKNOWN_SPREAD
        if taken.level is None:
            return None, None, UNKNOWN_LEVEL
        p = taken.level
        rare = min(p, 1 - p)
        spread = Spread(examples=p * (1 - p), seeds=taken.between**2, discordance=rare)
        return spread, p - limit if bound == "floor" else limit - p, None
    if measure.startswith("pie_"):
        return None, None, UNKNOWN_SPREAD
    return paired, limit, None


def _cells(
    stated: StatedLimit, plan: Plan, evidence: Evidence | None
) -> Iterator[tuple[str | None, str | None, int | None]]:
    """Class, group and size of the denominator of every cell of a limit."""
    if evidence is None:
        yield stated.class_, stated.groups, None
        return
    labels = evidence.labels
    named = stated.class_ if stated.class_ != ANY else None
    classes: Sequence[str | None] = evidence.classes if stated.class_ == ANY else [named]
    if stated.groups and named is None and stated.class_ is None:
        classes = [plan.positive]
    for groups, inside in _groups(stated, plan, evidence):
        for class_ in classes:
            counted = inside & (labels != NO_LABEL)
            if class_ in evidence.classes:
                of_class = labels == evidence.classes.index(str(class_))
                what = _counted(stated.kind.measure, class_)
                if what in ("positives", "examples of the class"):
                    counted &= of_class
                elif what == "negatives":
                    counted &= ~of_class
            yield class_, groups, int(counted.sum())


def _groups(
    stated: StatedLimit, plan: Plan, evidence: Evidence
) -> Iterator[tuple[str | None, np.ndarray[Any, np.dtype[np.bool_]]]]:
    if stated.groups is None:
        yield None, np.ones(len(evidence.examples), dtype=np.bool_)
        return
    for division in groupings(evidence.examples, plan):
        for code, name in enumerate(division.names):
            single = len(division.columns) == 1
            if single if stated.groups == ANY else name == stated.group_name:
                yield name, division.codes == code


def _counted(measure: str, class_: str | None) -> str:
    return denominator(Finding(id="", measure=measure, unit="fraction", class_=class_))
