"""The command that says, before a run or after one, how much data each limit needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.cli.studies import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.judgement.policy.needs import Need
    from audit.judgement.policy.planning import Assumed

MOST_ROWS = 40
HOW = (
    "{power:g} % power that an unchanged model is found within all cells of a limit; any number in "
    "brackets is a number of parents."
)


def plan(
    source: Annotated[
        Path, typer.Argument(metavar="CONFIG|RUN", help="An audit.yaml, or a finished run.")
    ],
    discordance: Annotated[
        float | None,
        typer.Option(
            "--discordance",
            min=0.0,
            max=1.0,
            help="Before a run: share of examples that an unchanged model answers differently "
            "(0.05 if not stated).",
        ),
    ] = None,
    between: Annotated[
        float | None,
        typer.Option(
            "--between",
            min=0.0,
            max=1.0,
            help="Before a run: standard deviation over parents of the true change (0.0025).",
        ),
    ] = None,
    level: Annotated[
        float | None,
        typer.Option(
            "--level", min=0.0, max=1.0, help="Before a run: level of an unchanged model (floors)."
        ),
    ] = None,
    parents: Annotated[
        int | None, typer.Option("--parents", min=1, help="Before a run: number of parents.")
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option("--cells", min=1, help="Before a run: groups or classes of `any` (4)."),
    ] = None,
    power: Annotated[float, typer.Option("--power", min=0.5, max=0.999, help="Power.")] = 0.8,
    every: Annotated[
        bool, typer.Option("--all", help="Every cell, not only the neediest of each limit.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say how many examples, positives and parents each limit needs to be told.

    Example: prune-audit plan audit.yaml --discordance 0.03
    """
    from audit.evidence.errors import InputError
    from audit.judgement.policy.planning import Assumed

    finished = source.is_dir() or source.suffix == ".json"
    stated = {"discordance": discordance, "between": between, "level": level, "cells": cells}
    given: dict[str, Any] = {name: value for name, value in stated.items() if value is not None}
    if finished and (given or parents):
        named = ", ".join(f"--{name}" for name in [*given, *(["parents"] if parents else [])])
        raise InputError(f"A finished run knows these itself: leave out {named}.")
    if finished:
        needs = _after(source, power)
    else:
        needs = _before(source, parents, Assumed(power=power, **given))
    if not needs:
        raise InputError(f"{source} states no limits: add a `policy:` to plan for.")
    if as_json:
        typer.echo(json.dumps([need.record() for need in needs], indent=1, ensure_ascii=False))
        return
    _say(needs if every else _neediest(needs), power)


def _after(run: Path, power: float) -> list[Need]:
    from audit.judgement.findings import Findings
    from audit.judgement.policy.planning_from_run import plan_from_run

    return plan_from_run(Findings.read(run), power)


def _before(file: Path, parents: int | None, assumed: Assumed) -> list[Need]:
    """From a config; the examples of its run folder are counted where they are there already."""
    from audit.evidence.folder import read_folder
    from audit.judgement.policy.planning import plan_limits
    from audit.study.config_file import load_config

    config = load_config(file)
    evidence = Path(config.store) / config.name / "evidence"
    there = read_folder(evidence) if evidence.is_dir() else None
    given = config.model.weights
    count = parents or (len(given) if given else len(config.population.seed_list))
    return plan_limits(config.policy, config.audit, parents=count, assumed=assumed, evidence=there)


def _neediest(needs: Sequence[Need]) -> list[Need]:
    """The cell of each limit, method and sparsity that needs most."""
    kept: dict[tuple[object, ...], Need] = {}
    for need in needs:
        key = (need.name, need.limit, need.method, need.sparsity, need.model)
        if key not in kept or _want(need) > _want(kept[key]):
            kept[key] = need
    return list(kept.values())


def _want(need: Need) -> tuple[bool, float]:
    if need.margin is None:
        return False, -1.0
    wanted = float("inf") if need.examples_needed is None else float(need.examples_needed)
    return need.enough is False, wanted / max(need.examples or 1, 1)


def _say(needs: Sequence[Need], power: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("limit", "whom", "there are", "needed", "by parents", box=None)
    for need in needs[:MOST_ROWS]:
        table.add_row(*(Text(cell) for cell in _cells(need)))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    console.print(table)
    if len(needs) > MOST_ROWS:
        console.print(f"{len(needs) - MOST_ROWS} more: --json shows them all.")
    console.print(HOW.format(power=100 * power))


def _cells(need: Need) -> tuple[str, str, str, str, str]:
    level = "" if need.sparsity is None else f" at {need.sparsity:g}"
    whom = [need.groups, need.class_, need.condition if need.condition != "clean" else None]
    who = [f"{need.method or ''}{level}".strip(), need.model, *whom]
    here = "" if need.examples is None else f"{need.examples:,} {need.counted}"
    parents = "1 parent" if need.parents == 1 else f"{need.parents or 0} parents"
    grid = ", ".join(f"[{m}] {'none' if n is None else f'{n:,}'}" for m, n in need.grid)
    if need.enough or len({n for _, n in need.grid}) < 2:
        grid = ""
    return (
        f"{need.name} {need.limit:g} ({need.claim})",
        ", ".join(part for part in who if part),
        ", ".join(part for part in (here, parents) if part),
        _needed(need),
        grid,
    )


def _needed(need: Need) -> str:
    if need.reason is not None:
        return need.reason
    if need.enough:
        return "enough"
    if need.examples_needed is None:
        more = f"no number of {need.counted} with so few parents"
    else:
        more = f"{need.examples_needed:,} {need.counted}"
    if need.parents_needed is not None:
        more += f", or {need.parents_needed:,} parents"
    return more
