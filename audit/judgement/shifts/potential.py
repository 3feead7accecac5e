"""Prune potential: how far a network can be pruned before its error rises by more than delta.

Liebenwein et al. take the largest evaluated ratio that qualifies. A maximum over noisy levels is
too high, so a fixed sequence of tests, ascending from the smallest ratio, gives a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from audit.evidence.blocks import Condition
from audit.judgement.answers import ALL_CONDITIONS, asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.inference.paired import Estimate, one_sided_bounds
from audit.judgement.plan import Plan

REQUESTED = "prune ratios as requested: the table has no `sparsity_all`"


@dataclass(frozen=True)
class Level:
    """One rung of the ladder.

    Attributes:
        ratio: Prune ratio, the fraction of all parameters removed.
        rise: err_P − err_D as a paired change.
        by_parent: err_P − err_D of each network, by the row of its parent.
    """

    ratio: float
    rise: Estimate
    by_parent: Mapping[int, float]


def prune_ratios(
    arms: Sequence[Arm], models: pd.DataFrame
) -> tuple[list[float | None], str | None]:
    """Fraction of *all* parameters removed in each arm, and how to read it.

    The mean of `sparsity_all` over an arm's models; as requested where any model lacks it,
    None where an arm states no sparsity.
    """
    if "sparsity_all" in models:
        measured = pd.to_numeric(models["sparsity_all"]).to_numpy(np.float64, na_value=np.nan)
        ratios = [float(measured[arm.pruned].mean()) for arm in arms]
        if not np.isnan(ratios).any():
            return [*ratios], None
    return [arm.sparsity for arm in arms], REQUESTED


def prune_potential(
    condition: Condition,
    ladder: Sequence[Level],
    arm: Arm,
    plan: Plan,
    *,
    conditions: int,
    reason: str | None = None,
) -> Finding:
    """The prune potential of one method under one condition.

    `low` is the last ratio of the fixed sequence whose rise is shown to be at most delta; `high` is
    the largest ratio whose rise is not shown to be more than delta, corrected over the conditions.
    `high` is None, and a limit cannot be told, where the sequence stopped because the standard
    error exceeds delta / 2 rather than because the rise does exceed delta.

    Args:
        condition: The condition.
        ladder: One level per sparsity.
        arm: Any arm of the method.
        plan: `delta`, `alpha`.
        conditions: Conditions and methods that have a prune potential.
        reason: How the ratios are to be read.
    """
    rungs = sorted(ladder, key=lambda level: level.ratio)
    qualifying = [r.ratio for r in rungs if _at_most(r.rise.change, plan.delta)]
    point = max(qualifying, default=0.0)
    low, stopped = _fixed_sequence(rungs, plan)
    unclear = [r.ratio for r in rungs if not _beyond(r.rise, plan.delta, plan.alpha / conditions)]
    said = [reason] if reason else []
    if any(not _at_most(r.rise.change, plan.delta) and r.ratio < point for r in rungs):
        said.append("not monotone: a smaller ratio does not qualify")
    said.append(f"mean of the networks' own potentials {_per_network(rungs, plan.delta):.3g}")
    noisy = stopped is not None and _noisy(stopped, plan)
    if noisy and stopped is not None:
        said.append(f"cannot tell: the standard error at {stopped.ratio:.3g} exceeds half of delta")
    counted = rungs[0].rise
    return replace(
        asked("prune_potential", arm, condition=condition, whole_method=True),
        pruned=point,
        low=low,
        high=None if noisy else max(unclear, default=0.0),
        n=counted.n,
        parents=counted.parents,
        generalises_to=counted.generalises_to,
        reason="; ".join(said),
    )


def over_conditions(found: Sequence[Finding], arm: Arm) -> list[Finding]:
    """Mean and minimum of one method's potentials over its shifted conditions.

    Every condition's lower bound holds at the full level, so the smallest of them bounds the
    minimum (an intersection–union test); the upper bounds are corrected over conditions already.
    """
    points = [f.pruned for f in found if f.pruned is not None]
    if not points:
        return []
    lows = [f.low for f in found if f.low is not None]
    highs = [f.high for f in found if f.high is not None]
    counts: dict[str, Any] = {
        "n": max(f.n or 0 for f in found),
        "parents": max(f.parents or 0 for f in found),
        "generalises_to": found[0].generalises_to,
    }
    mean = asked("mean_prune_potential", arm, condition=ALL_CONDITIONS, whole_method=True)
    least = asked("minimum_prune_potential", arm, condition=ALL_CONDITIONS, whole_method=True)
    return [
        replace(mean, pruned=float(np.mean(points)), reason="bounds are per condition", **counts),
        replace(
            least,
            pruned=min(points),
            low=min(lows) if len(lows) == len(found) else None,
            high=min(highs) if len(highs) == len(found) else None,
            **counts,
        ),
    ]


def _at_most(change: float | None, delta: float) -> bool:
    return change is not None and change <= delta


def _beyond(rise: Estimate, delta: float, alpha: float) -> bool:
    low, _ = one_sided_bounds(rise, alpha)
    return low is not None and low > delta


def _fixed_sequence(rungs: Sequence[Level], plan: Plan) -> tuple[float, Level | None]:
    """The last ratio shown to qualify, and the rung that ended the sequence."""
    low = 0.0
    for rung in rungs:
        _, high = one_sided_bounds(rung.rise, plan.alpha)
        if not _at_most(high, plan.delta):
            return low, rung
        low = rung.ratio
    return low, None


def _noisy(stopped: Level, plan: Plan) -> bool:
    error = stopped.rise.standard_error
    wide = error is None or error > plan.delta / 2.0
    return wide and not _beyond(stopped.rise, plan.delta, plan.alpha)


def _per_network(rungs: Sequence[Level], delta: float) -> float:
    """Mean over networks of the largest ratio that qualifies for that network alone."""
    own = [
        max((r.ratio for r in rungs if r.by_parent.get(network, np.inf) <= delta), default=0.0)
        for network in sorted({network for rung in rungs for network in rung.by_parent})
    ]
    return float(np.mean(own)) if own else 0.0
