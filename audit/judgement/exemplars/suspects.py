"""How many exemplars are suspected label errors, beside how many other examples are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.judgement.answers import asked
from audit.judgement.exemplars.members import NOBODY
from audit.judgement.exemplars.populations import Case
from audit.judgement.exemplars.soft import Soft
from audit.judgement.findings import Finding
from audit.judgement.inference.paired import paired_change
from audit.judgement.inference.proportions import wilson

BoolArray = NDArray[np.bool_]

READ = (
    "suspicions and exemplars both follow from the parents' predictions: read it beside `control`, "
    "the share among the controls' exemplars"
)
ALONE = (
    "suspicions and exemplars both follow from the parents' predictions, and without controls "
    "nobody knows how much of it is that"
)


def suspect_findings(one: Case, extra: Soft) -> list[Finding]:
    """Share of suspected label errors among the exemplars, and among all other examples."""
    if extra.suspected is None or extra.judged is None:
        return []
    out = []
    for measure, on in (("label_errors_on_pies", True), ("label_errors_off_pies", False)):
        question = asked(measure, one.arm, condition=one.block.condition)
        inside = (one.found.pie == on) & extra.judged
        share, low, high = _share(extra.suspected, inside, one)
        if share is None:
            out.append(replace(question, outcome="not_asked", reason=NOBODY))
            continue
        control = None
        if one.floor is not None:
            control = _share(extra.suspected, (one.floor.pie == on) & extra.judged, one)[0]
        out.append(
            replace(
                question,
                pruned=share,
                control=control,
                low=low,
                high=high,
                n=int(inside.sum()),
                parents=one.votes.parents,
                generalises_to="examples",
                reason=ALONE if one.floor is None else READ,
            )
        )
    return out


def _share(
    yes: BoolArray, inside: BoolArray, one: Case
) -> tuple[float | None, float | None, float | None]:
    """A share with Wilson's interval; of weighted or clustered examples, a t interval."""
    n = int(inside.sum())
    if n == 0:
        return None, None, None
    level = 1.0 - one.known.plan.alpha
    if one.weights is None and one.clusters is None:
        low, high = wilson(int(yes[inside].sum()), n, level)
        return float(yes[inside].mean()), float(low), float(high)
    weights = None if one.weights is None else one.weights[inside]
    found = paired_change(
        yes[inside][None, :].astype(np.float64),
        generalises_to="examples",
        weights=weights,
        clusters=None if one.clusters is None else one.clusters[inside],
        level=level,
    )
    return float(np.average(yes[inside], weights=weights)), found.low, found.high
