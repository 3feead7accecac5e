"""Runs the validity study and writes its table: `python -m benchmarks.validity [--studies 400]`.

Coverage of intervals by estimand, number of parents and number of examples; false claims of whole
audits; planted harm. It takes about a quarter of an hour on one core, writes
`benchmarks/results/validity.json` and `docs/validity.md`, and exits with 1 if a rate is worse than
it may be.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.validity.coverage import ENOUGH, Cell, table
from benchmarks.validity.planted import Planted, planted
from benchmarks.validity.verdicts import Rate, false_largest, false_within, null_claims

ROOT = Path(__file__).parents[2]
LOW, HIGH = 0.93, 0.97
ERRORS = 3.0  # standard errors of the simulation that a rate may be off


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs everything, writes it down, and says whether all of it is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=2000, help="studies per coverage cell")
    parser.add_argument("--studies", type=int, default=400, help="whole audits per kind of claim")
    parser.add_argument("--planted", type=int, default=40, help="audits with planted harm")
    given = parser.parse_args(arguments)
    cells = table(given.replications)
    rates = [
        *null_claims(given.studies),
        *false_within(given.studies),
        *false_largest(given.studies),
    ]
    harms = planted(given.planted)
    record = {
        "coverage": [asdict(cell) for cell in cells],
        "false_claims": [asdict(rate) | {"rate": rate.rate} for rate in rates],
        "planted": [asdict(harm) for harm in harms],
    }
    results = ROOT / "benchmarks" / "results" / "validity.json"
    results.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    (ROOT / "docs" / "validity.md").write_text(page(cells, rates, harms))
    wrong = [*filter(None, map(trouble, cells)), *filter(None, map(too_often, rates))]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


def trouble(cell: Cell) -> str | None:
    """What is wrong with a cell's coverage or null p; None where nothing is."""
    where = f"{cell.scenario}, {cell.estimand}, M = {cell.parents}, n = {cell.examples}"
    slack = ERRORS * cell.error
    if cell.covered < LOW - slack:
        return f"{where}: covers {cell.covered:.3f}"
    wide = cell.parents >= 10 and cell.discordant >= ENOUGH and "clusters" not in cell.scenario
    if wide and cell.examples > ENOUGH * 3 and cell.covered > HIGH + slack:
        return f"{where}: covers {cell.covered:.3f}, more than it says"
    for level, rate in (cell.rejected or {}).items():
        if rate > level + ERRORS * (level * (1 - level) / cell.replications) ** 0.5:
            return f"{where}: p ≤ {level:g} in {rate:.3f}"
    return None


def too_often(rate: Rate) -> str | None:
    """Says so where a false claim is made more often than its bound and the simulation allow."""
    if rate.rate <= rate.bound + ERRORS * rate.error:
        return None
    return f"{rate.name}: {rate.claimed} of {rate.studies}, more than {rate.bound:.0%}"


def page(cells: Sequence[Cell], rates: Sequence[Rate], harms: Sequence[Planted]) -> str:
    """The Markdown page."""
    return "\n".join([*_INTRODUCTION, *_coverage(cells), *_rates(rates), *_planted(harms), ""])


_INTRODUCTION = (
    "# How often the judgement is right",
    "",
    "Simulated, and written by `python -m benchmarks.validity`; nothing here is edited by hand.",
    "Parents and examples are drawn anew in every replication, so the truth is known for each",
    "estimand: *examples* (these checkpoints, new inputs), *seeds* (these inputs, new training",
    "runs), *both*. A fast version of this page is a test.",
    "",
)


def _coverage(cells: Sequence[Cell]) -> list[str]:
    count, error = cells[0].replications, 100 * cells[0].error
    out = [
        "## Intervals that say 95 %",
        "",
        f"{count:,} studies per row; the simulation's own standard error is {error:.1f} points. An",
        "interval that is not given makes no claim and counts as holding the truth; *claimed* says",
        f"how many are given. With fewer than {ENOUGH} examples (or clusters) that differ, they",
        "are wide on purpose. *p ≤ .05* is counted where nothing changed (for *both*, whose null",
        "then holds in every study), *power* where something did.",
        "",
        "| scenario | about | M | n | examples that differ | covers | claimed | p ≤ .05 | power |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for c in cells:
        null = "" if c.rejected is None else f"{100 * c.rejected[0.05]:.1f} %"
        power = "" if c.power is None else f"{100 * c.power:.0f} %"
        out.append(
            f"| {c.scenario} | {c.estimand} | {c.parents} | {c.examples:,} | {c.discordant:,.0f} "
            f"| {100 * c.covered:.1f} % | {100 * c.claimed:.0f} % | {null} | {power} |"
        )
    return [*out, ""]


def _rates(rates: Sequence[Rate]) -> list[str]:
    return [
        "## Claims that are not true",
        "",
        "Whole audits of studies in which nothing changes (every limit is 0, so that it holds), in",
        "which everybody loses exactly what the limit allows, and in which the second of three",
        "sparsities does.",
        "",
        "| claim | studies | made | may be at most |",
        "|---|---|---|---|",
        *(
            f"| {r.name} | {r.studies} | {100 * r.rate:.1f} % | {100 * r.bound:.0f} % |"
            for r in rates
        ),
        "",
    ]


def _planted(harms: Sequence[Planted]) -> list[str]:
    return [
        "## Harm that was planted",
        "",
        "*Power* is what the stated sizes promise at the corrected level; *false alarms* are the",
        "same studies without the harm in which anything of the kind is claimed.",
        "",
        "| harm | sizes | power | found | false alarms | studies |",
        "|---|---|---|---|---|---|",
        *(
            f"| {h.name} | {h.sizes} | {100 * h.power:.0f} % | {100 * h.found:.0f} % "
            f"| {100 * h.flagged:.0f} % | {h.studies} |"
            for h in harms
        ),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
