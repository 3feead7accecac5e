"""Populations whose true change is known: crossed parents × examples, with clusters if wanted.

An example that its parent gets right is harmed with probability h·u_i·v_m, and one that it gets
wrong is mended with probability g·t_i·w_m: u, t belong to the example (or its cluster), v, w to the
parent, all with mean 1 and drawn anew in every replication. So the truth is known for every
estimand: for new examples and new training runs it is h − g, for these parents the mean over them
of h·v_m − g·w_m, for these examples the mean over them of h·u_i − g·t_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.judgement.findings import Estimand

FloatArray = NDArray[np.float64]

OF_EXAMPLES = (0.2, 1.8)  # half of all examples are nine times as fragile as the other half
SPREAD = 0.25  # standard deviation of the parents' effects, normal and cut at ± 0.8


@dataclass(frozen=True)
class Scenario:
    """How often pruning changes an answer.

    Attributes:
        name: For the table.
        harmed: h, share of examples that pruning turns wrong.
        mended: g, share that it turns right.
        cluster: Examples that share their effects (1: none do).
    """

    name: str
    harmed: float
    mended: float
    cluster: int = 1


@dataclass(frozen=True, eq=False)
class Drawn:
    """Replications side by side: columns of replication r are cell r.

    Attributes:
        difference: float64 [parents, replications × examples], +1 mended, −1 harmed, 0 neither.
        cells: int64 [replications × examples], the replication.
        clusters: int64 [replications × examples], or None.
        truth: Per estimand, float64 [replications].
    """

    difference: FloatArray
    cells: NDArray[np.int64]
    clusters: NDArray[np.int64] | None
    truth: dict[Estimand, FloatArray]


def draw(
    scenario: Scenario, parents: int, examples: int, replications: int, rng: np.random.Generator
) -> Drawn:
    """Draws whole studies; `examples` must be a multiple of the scenario's cluster size."""
    units = examples // scenario.cluster
    h, g = scenario.harmed, scenario.mended
    of_example = rng.choice(OF_EXAMPLES, (2, replications, units)).repeat(scenario.cluster, axis=2)
    of_parent = 1.0 + np.clip(SPREAD * rng.standard_normal((2, replications, parents)), -0.8, 0.8)
    harm = h * np.einsum("re,rp->pre", of_example[0], of_parent[0])
    mend = g * np.einsum("re,rp->pre", of_example[1], of_parent[1])
    luck = rng.random(harm.shape)
    difference = np.where(luck < mend, 1.0, np.where(luck > 1.0 - harm, -1.0, 0.0))
    whole = np.arange(replications * examples)
    return Drawn(
        difference.reshape(parents, -1),
        whole // examples,
        whole // scenario.cluster if scenario.cluster > 1 else None,
        {
            "both": np.full(replications, g - h),
            "examples": (g * of_parent[1] - h * of_parent[0]).mean(axis=1),
            "seeds": (g * of_example[1] - h * of_example[0]).mean(axis=1),
        },
    )
