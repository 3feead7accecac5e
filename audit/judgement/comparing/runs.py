"""Whom a comparison is about: run folders, and in each the arms that are looked at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from audit.evidence.blocks import Evidence
from audit.evidence.errors import InputError
from audit.evidence.folder import EXAMPLES, read_folder
from audit.judgement.design import Arm, arms, in_order
from audit.judgement.findings import FINDINGS_FILE, Findings
from audit.judgement.plan import Plan
from audit.judgement.restored import plan_of

SAME_SPARSITY = 1e-9
LAYERS = "layers.parquet"

Level = tuple[str, float | None]


@dataclass(frozen=True, eq=False)
class Run:
    """One audit, as its folder holds it.

    Attributes:
        folder: The run folder.
        name: What the run calls itself; the folder's name where it does not.
        findings: What was found.
        evidence: The predictions; None where the folder holds findings only.
        record: `run.json`: the machine and its versions; empty where there is none.
        plan: The plan it was judged by.
        layers: `model, layer, parameters, nonzero`; None where not recorded.
    """

    folder: Path
    name: str
    findings: Findings
    evidence: Evidence | None
    record: Mapping[str, Any]
    plan: Plan
    layers: pd.DataFrame | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """(method, sparsity) of every arm, sorted; a method without a name is ""."""
        if self.evidence is not None:
            return tuple((arm.method, arm.sparsity) for arm in arms(self.evidence.models))
        found = {
            (f.method or "", f.sparsity)
            for f in self.findings.findings
            if f.measure == "accuracy" and f.model is None
        }
        return tuple(sorted(found, key=lambda level: in_order(*level)))


@dataclass(frozen=True, eq=False)
class Side:
    """One thing to compare: a run, or one of its arms.

    Attributes:
        run: The run.
        name: Its name in the comparison; no two sides share one.
        levels: The arms that are looked at.
        chosen: Whether a person chose the arm, so that it is compared whatever its name.
    """

    run: Run
    name: str
    levels: tuple[Level, ...]
    chosen: bool = False

    def arm(self, level: Level) -> Arm | None:
        """The models of a level; None where there are findings only."""
        if self.run.evidence is None:
            return None
        every = arms(self.run.evidence.models)
        return next((arm for arm in every if (arm.method, arm.sparsity) == level), None)


def read_run(path: str | Path) -> Run:
    """Reads a run folder, or the folder of a `findings.json`.

    Raises:
        InputError: It is no run folder.
        TableError: Its evidence cannot be read.
    """
    given = Path(path)
    folder = given.parent if given.name == FINDINGS_FILE else given
    if not (folder / FINDINGS_FILE).is_file():
        raise InputError(
            f"There is no {FINDINGS_FILE} in {folder}: name run folders, such as runs/digits-demo."
        )
    findings = Findings.read(folder)
    inner = folder / "evidence"
    return Run(
        folder=folder,
        name=str(findings.run.get("name") or folder.resolve().name),
        findings=findings,
        evidence=read_folder(inner) if (inner / EXAMPLES).is_file() else None,
        record=_json(folder / "run.json"),
        plan=plan_of(findings),
        layers=pd.read_parquet(layers) if (layers := inner / LAYERS).is_file() else None,
    )


def sides(runs: Sequence[Run], chosen: Sequence[str] = ()) -> tuple[Side, ...]:
    """What is compared: the runs, or their arms where a person chose some.

    Args:
        runs: The runs.
        chosen: Arms as `method@sparsity`: two or more of one run, or one for each run.

    Raises:
        InputError: There is only one thing to compare, or an arm is not there.
    """
    if not chosen:
        if len(runs) < 2:
            raise InputError(
                f"There is one run to compare ({len(runs)} given): name two, or two arms of it "
                "with --arms magnitude@0.8 magnitude@0.9."
            )
        names = _distinct([run.name for run in runs], [str(run.folder) for run in runs])
        return tuple(Side(run, name, run.levels) for run, name in zip(runs, names, strict=True))
    if len(runs) == 1 and len(chosen) > 1:
        runs = [runs[0]] * len(chosen)
    if len(runs) != len(chosen) or len(runs) < 2:
        raise InputError(
            f"{len(chosen)} arms of {len(runs)} runs: give two or more arms of one run, or one arm "
            "for each run."
        )
    found = [_level(run, text) for run, text in zip(runs, chosen, strict=True)]
    bare = [_arm_name(level) for level in found]
    if len({id(run) for run in runs}) > 1:
        bare = [f"{run.name} {name}" for run, name in zip(runs, bare, strict=True)]
    names = _distinct(bare, [f"{run.folder} {name}" for run, name in zip(runs, bare, strict=True)])
    return tuple(
        Side(run, name, (level,), chosen=True)
        for run, name, level in zip(runs, names, found, strict=True)
    )


def matched(before: Side, after: Side) -> list[tuple[Level, Level]]:
    """Which arm of one side answers to which of the other.

    Chosen arms answer to each other. Else arms of one method and sparsity do; where each side has
    one method, the sparsity is enough: a mitigation has a method of another name.
    """
    if before.chosen and after.chosen:
        return [(before.levels[0], after.levels[0])]
    single = all(len({method for method, _ in side.levels}) == 1 for side in (before, after))
    return [
        (one, other)
        for one in before.levels
        for other in after.levels
        if _same_sparsity(one[1], other[1]) and (single or one[0] == other[0])
    ]


def _same_sparsity(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME_SPARSITY


def _level(run: Run, text: str) -> Level:
    method, _, at = text.rpartition("@")
    try:
        sparsity = float(at)
    except ValueError:
        method, sparsity = text, -1.0
    for name, level in run.levels:
        if name == method and level is not None and _same_sparsity(level, sparsity):
            return name, level
    there = ", ".join(_arm_name(level) for level in run.levels) or "none"
    raise InputError(f"There is no arm {text!r} in {run.folder}: there are {there}.")


def _arm_name(level: Level) -> str:
    method, sparsity = level
    return f"{method}@{sparsity:g}" if sparsity is not None else method or "the pruned models"


def _distinct(names: Sequence[str], otherwise: Sequence[str]) -> list[str]:
    """Names, or what else they could be called, with a number where even that is not enough."""
    kept = list(names) if len(set(names)) == len(names) else list(otherwise)
    seen: Counter[str] = Counter()
    out = []
    for name in kept:
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): remove it or run again.") from error
    return content if isinstance(content, dict) else {}
