"""How many classes lose and how many gain, beside how many chance alone makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from audit.judgement.answers import asked
from audit.judgement.classes.changes import Changes, bootstrapped, changes
from audit.judgement.findings import Finding
from audit.judgement.inference.crossed import sums
from audit.judgement.pairs import Contrast, Design, Pairs

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

TIE = 1e-12  # changes smaller than this are rounding
NOBODY = "no test example has a label: add a column `label`"
COIN = "if every flip were as likely for the better"
MEASURES = (("classes_losing", -1.0), ("classes_gaining", 1.0))


def share_findings(found: Pairs, right: Contrast, classes: int) -> list[Finding]:
    """`classes_losing` and `classes_gaining`: shares of the classes that have test examples.

    Args:
        found: The pairs.
        right: What they got right.
        classes: Number of classes.
    """
    known = found.design
    moved = changes(right, known.labels, classes)
    control = None
    if right.control is not None:
        owners = np.searchsorted(found.arm.parents, np.unique(found.control_parent))
        beside = replace(right, parent=right.parent[owners], pruned=right.control, control=None)
        control = changes(beside, known.labels, classes).each
    each = moved.each
    out = []
    for measure, sign in MEASURES:
        question = asked(measure, found.arm, condition=found.condition)
        if np.isnan(each).all():
            out.append(replace(question, n=0, outcome="not_asked", reason=NOBODY))
            continue
        beside_share = None if control is None else _share(control, sign)
        out.append(_finding(question, sign, moved, beside_share, known))
    return out


def _finding(
    question: Finding, sign: float, moved: Changes, control: float | None, known: Design
) -> Finding:
    plan = known.plan
    found = bootstrapped(moved, lambda c: _share(c, sign), plan.seed, 1.0 - plan.alpha)
    counted = int((~np.isnan(moved.each)).sum())
    return replace(
        question,
        pruned=found.change,
        control=control,
        low=None if found.low is None else max(found.low, 0.0),
        high=None if found.high is None else min(found.high, 1.0),
        n=moved.cell.size,
        parents=len(moved.difference),
        generalises_to=found.generalises_to,
        reason=f"of {counted:,} classes; {by_chance(moved):.1%} by chance alone, {COIN}",
    )


def _share(change: FloatArray, sign: float) -> float:
    """Share of the defined classes that moved this way; NaN for none."""
    given = ~np.isnan(change)
    return float((sign * change[given] > TIE).mean()) if given.any() else np.nan


def by_chance(moved: Changes) -> float:
    """Share of the classes that would lose, and that would gain, if every flip were a coin's toss.

    A class of b flips is level with the chance of b / 2 heads, and else loses or gains, half each.
    Whole parents are not flipped: what they have in common would lose or gain in all classes at
    once, so that the share itself tests nothing.
    """
    each = (moved.difference != 0).sum(axis=0)
    flips = sums(each, moved.cell[moved.moved], moved.cells).astype(np.int64)
    there = np.bincount(moved.cell, minlength=moved.cells) > 0
    log = special.gammaln(flips + 1.0) - 2.0 * special.gammaln(flips / 2.0 + 1.0)
    even = np.where(flips % 2 == 0, np.exp(log - flips * np.log(2.0)), 0.0)
    return float(((1.0 - even) / 2.0)[there].mean())
