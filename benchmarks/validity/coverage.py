"""Coverage of intervals, and how often p is small where nothing changed, per estimand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from audit.judgement.findings import Estimand
from audit.judgement.inference.paired import paired_change_by_cell
from benchmarks.validity.populations import Drawn, Scenario, draw

PARENTS = (5, 10, 30)
EXAMPLES = (30, 300, 3000)
SCENARIOS = (
    Scenario("rare", 0.02, 0.005),
    Scenario("usual", 0.15, 0.05),
    Scenario("null", 0.08, 0.08),
    Scenario("clusters of 10", 0.10, 0.04, cluster=10),
    Scenario("clusters of 10, null", 0.08, 0.08, cluster=10),
)
LEVELS = (0.01, 0.05, 0.10)
ENOUGH = 10  # discordant examples from which on an interval may not be much too wide either


@dataclass(frozen=True)
class Cell:
    """One row of the table.

    Attributes:
        scenario: Name.
        estimand: Who the claim is about.
        parents: M.
        examples: n.
        discordant: Mean number of examples on which any pair differs.
        covered: Share of replications whose interval holds the truth; one without an interval makes
            no claim, and holds everything.
        claimed: Share of replications with an interval.
        rejected: Per level of `LEVELS`, share of p at most that; None where something changed.
        power: Share of p ≤ 0.05 where something changed.
        replications: How many.
    """

    scenario: str
    estimand: Estimand
    parents: int
    examples: int
    discordant: float
    covered: float
    claimed: float
    rejected: dict[float, float] | None
    power: float | None
    replications: int

    @property
    def error(self) -> float:
        """Simulation's standard error of a coverage of 95 %."""
        return float(np.sqrt(0.95 * 0.05 / self.replications))


def cell(scenario: Scenario, estimand: Estimand, parents: int, examples: int, found: Drawn) -> Cell:
    """Judges every replication of one design for one estimand."""
    truth = found.truth[estimand]
    estimates = paired_change_by_cell(
        found.difference,
        found.cells,
        truth.size,
        generalises_to=estimand,
        clusters=found.clusters,
    )
    low, high, p = (
        np.array([np.nan if (value := getattr(e, name)) is None else value for e in estimates])
        for name in ("low", "high", "p")
    )
    claimed = ~np.isnan(low)
    inside = ~claimed | ((low <= truth) & (truth <= high))
    # These very parents, or these very examples, do change by chance where nothing does on average:
    # only a claim about both has a null that is true in every replication.
    null = scenario.harmed == scenario.mended and estimand == "both"
    p = np.where(np.isnan(p), 1.0, p)
    return Cell(
        scenario=scenario.name,
        estimand=estimand,
        parents=parents,
        examples=examples,
        discordant=float(np.mean([e.discordant for e in estimates])),
        covered=float(inside.mean()),
        claimed=float(claimed.mean()),
        rejected={a: float((p <= a).mean()) for a in LEVELS} if null else None,
        power=None if scenario.harmed == scenario.mended else float((p <= 0.05).mean()),
        replications=truth.size,
    )


def table(replications: int, seed: int = 0, **only: Any) -> list[Cell]:
    """Every scenario × design × estimand.

    Args:
        replications: Studies simulated per design.
        seed: Of the draws.
        **only: `scenarios`, `parents`, `examples` to keep fewer.
    """
    out = []
    for place, scenario in enumerate(only.get("scenarios", SCENARIOS)):
        for parents in only.get("parents", PARENTS):
            for examples in only.get("examples", EXAMPLES):
                rng = np.random.default_rng([seed, place, parents, examples])
                found = _in_pieces(scenario, parents, examples, replications, rng)
                out += found
    return out


def _in_pieces(
    scenario: Scenario, parents: int, examples: int, replications: int, rng: np.random.Generator
) -> list[Cell]:
    """As many replications at a time as fit in half a gigabyte."""
    piece = max(1, min(replications, 6_000_000 // (parents * examples)))
    pieces: dict[Estimand, list[Cell]] = {name: [] for name in get_args(Estimand)}
    for start in range(0, replications, piece):
        found = draw(scenario, parents, examples, min(piece, replications - start), rng)
        for name in pieces:
            pieces[name].append(cell(scenario, name, parents, examples, found))
    return [_joined(cells) for cells in pieces.values()]


def _joined(cells: list[Cell]) -> Cell:
    total = sum(c.replications for c in cells)

    def mean(values: list[float]) -> float:
        weighed = (v * c.replications for v, c in zip(values, cells, strict=True))
        return float(sum(weighed) / total)

    first = cells[0]
    return Cell(
        first.scenario,
        first.estimand,
        first.parents,
        first.examples,
        mean([c.discordant for c in cells]),
        mean([c.covered for c in cells]),
        mean([c.claimed for c in cells]),
        {a: mean([(c.rejected or {})[a] for c in cells]) for a in LEVELS}
        if first.rejected
        else None,
        mean([c.power or 0.0 for c in cells]) if first.power is not None else None,
        total,
    )
