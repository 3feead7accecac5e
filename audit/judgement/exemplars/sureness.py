"""How sure models are on the exemplars and elsewhere: confidence and margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.judgement.answers import asked
from audit.judgement.exemplars.members import NOBODY, PICKED
from audit.judgement.exemplars.populations import Case
from audit.judgement.exemplars.soft import Soft, Sureness
from audit.judgement.findings import Finding
from audit.judgement.inference.paired import paired_change
from audit.judgement.inference.student import t_quantile
from audit.judgement.pairs import levels

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

BESIDE = f"{PICKED}; `control` is the parents' value where the controls' exemplars are"
GAP = "parents alone, on the exemplars less elsewhere; `control` is at the controls' exemplars"


def sureness_findings(one: Case, extra: Soft) -> list[Finding]:
    """Confidence and margin on the exemplars and off them, and how far parents' values lie apart.

    Close examples become exemplars whatever happens to the models, so that the same figures at the
    controls' exemplars stand beside.
    """
    given: Mapping[str, Sureness | None] = {"confidence": extra.confidence, "margin": extra.margin}
    out = []
    for name, sure in given.items():
        if sure is not None:
            out += [_on_or_off(f"{name}_on_pies", True, one, sure)]
            out += [_on_or_off(f"{name}_off_pies", False, one, sure)]
            out += [_gap(f"pie_{name}_gap", one, sure)]
    return out


def _on_or_off(measure: str, on: bool, one: Case, sure: Sureness) -> Finding:
    """Parents, pruned models and the interval of the change, which holds for these models."""
    question = asked(measure, one.arm, condition=one.block.condition)
    inside = one.found.pie == on
    before, after = _mean(sure.parent, inside, one), _mean(sure.pruned, inside, one)
    if before is None or after is None:
        return replace(question, outcome="not_asked", reason=NOBODY)
    control = None if one.floor is None else _mean(sure.parent, one.floor.pie == on, one)
    finding = replace(
        question,
        parent=before,
        pruned=after,
        control=control,
        change=after - before,
        n=int(inside.sum()),
        parents=one.votes.parents,
        generalises_to="examples",
        reason=PICKED if one.floor is None else BESIDE,
    )
    if not one.votes.paired:
        return finding
    found = paired_change(
        (sure.pruned - sure.parent)[:, inside],
        generalises_to="examples",
        weights=None if one.weights is None else one.weights[inside],
        clusters=None if one.clusters is None else one.clusters[inside],
        level=1.0 - one.known.plan.alpha,
    )
    return replace(finding, low=found.low, high=found.high)


def _gap(measure: str, one: Case, sure: Sureness) -> Finding:
    question = asked(measure, one.arm, condition=one.block.condition)
    mean = sure.parent.mean(axis=0)
    gap, low, high = gap_of_means(mean, one.found.pie, one)
    if gap is None:
        return replace(question, outcome="not_asked", reason=NOBODY)
    control = None if one.floor is None else gap_of_means(mean, one.floor.pie, one)[0]
    return replace(
        question,
        pruned=gap,
        control=control,
        low=low,
        high=high,
        n=int(one.found.pie.sum()),
        parents=one.votes.parents,
        generalises_to="examples",
        reason=GAP,
    )


def gap_of_means(
    values: FloatArray, on: BoolArray, one: Case
) -> tuple[float | None, float | None, float | None]:
    """Mean of some examples less mean of the others, with an interval for these very models.

    Every example is linearised, so that weights and clusters count as everywhere; the degrees of
    freedom are those of the smaller side, which is conservative.

    Args:
        values: float64 [shown], NaN where not recorded.
        on: bool [shown], the examples of the first mean.
        one: The arm, for weights, clusters and the level.
    """
    given = ~np.isnan(values)
    weight = np.ones(values.size) if one.weights is None else one.weights
    sides, moved = [], np.zeros(values.size)
    for side, sign in ((on & given, 1.0), (~on & given, -1.0)):
        if not side.any():
            return None, None, None
        mean = float(np.average(values[side], weights=weight[side]))
        total = weight[given].sum() / weight[side].sum()
        moved[side] = sign * total * (values[side] - mean)
        sides.append((mean, int(side.sum())))
    gap = sides[0][0] - sides[1][0]
    found = paired_change(
        (gap + moved[given])[None, :],
        generalises_to="examples",
        weights=weight[given],
        clusters=None if one.clusters is None else one.clusters[given],
    )
    df = min(size for _, size in sides) - 1
    if df < 1 or found.standard_error is None:
        return gap, None, None
    reach = float(t_quantile(1.0 - one.known.plan.alpha / 2.0, df)) * found.standard_error
    return gap, gap - reach, gap + reach


def _mean(values: FloatArray, inside: BoolArray, one: Case) -> float | None:
    return levels(values, np.where(inside, 0, -1), 1, one.weights)[0]
