"""In which order a population is made, link by link of a chain, and what of it in one stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.evidence.execute import Job
from audit.evidence.store import Store
from audit.study import model_jobs
from audit.study.recipes import Pruned
from audit.study.stacking import stacks_of


@dataclass(frozen=True)
class Work:
    """Jobs, and by the name of each how many models it makes that are not there."""

    jobs: list[Job]
    models: dict[str, int]

    def models_of(self, job: Job) -> int:
        """How many models that are not there one of the jobs makes."""
        return self.models[job.name]


def waves_of(models: Mapping[str, Pruned]) -> list[dict[str, Pruned]]:
    """Models by how many come before each in its chain, so that each finds the one before it."""
    depths: dict[int, dict[str, Pruned]] = {}
    for name, recipe in models.items():
        depth, before = 0, recipe.before
        while before is not None:
            depth, before = depth + 1, before.before
        depths.setdefault(depth, {})[name] = recipe
    return [depths[depth] for depth in sorted(depths)]


def work_of(
    left: Mapping[str, Pruned], whole: Mapping[str, Pruned], store: Store, base: Path
) -> Work:
    """What makes the models that are left: a job for each, and one for each stack.

    Args:
        left: Models that are not there and whose beginnings are.
        whole: All models of the study: a stack is made whole, whatever of it is left.
        store: Where they go.
        base: Folder that relative paths in the config start from.
    """
    jobs = [
        Job(name, model_jobs.prune_parent, (store, recipe, base))
        for name, recipe in left.items()
        if not recipe.stack
    ]
    models = dict.fromkeys((job.name for job in jobs), 1)
    names, stacks = {id(r): name for name, r in whole.items()}, stacks_of(whole.values())
    for start, missing in stacks_of(left.values()).items():
        members = stacks[start]
        title = f"{names[id(members[0])]} and what is stacked with it"
        jobs.append(Job(title, model_jobs.prune_stack, (store, members, base)))
        models[title] = len(missing)
    return Work(jobs, models)
