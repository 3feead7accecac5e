"""Runs a study: asks for what is not there yet, stage after stage, and judges the evidence."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from audit.evidence.blocks import CLEAN
from audit.evidence.errors import InputError, StoreError
from audit.evidence.execute import Executor, Job, Outcome, in_process, processes
from audit.evidence.folder import read_folder
from audit.judgement.findings import Findings
from audit.judgement.judge import judge
from audit.study import jobs
from audit.study.config import Config
from audit.study.gather import STUDY, Complete, complete, gathered, write_evidence
from audit.study.layout import Study, checkpoints, lay_out, natural_settings
from audit.study.progress import Silent, Watcher
from audit.study.publish import Published, publish_run
from audit.study.recipes import Dense, Gathered, Judged, Predicted

Until = Literal["population", "predictions", "findings"]


@dataclass
class Ledger:
    """What failed and how long each stage took, filled while a run goes on."""

    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes:
        study: What was asked for.
        folder: The run folder.
        findings: The findings; None where the run ended before the audit.
        missing: One sentence for each model or condition that could not be made.
        published: What was written into the run folder.
    """

    study: Study
    folder: Path
    findings: Findings | None
    missing: tuple[str, ...]
    published: Published


def run(
    config: Config,
    *,
    base: str | Path = ".",
    watch: Watcher | None = None,
    until: Until = "findings",
) -> Result:
    """Makes whatever a config asks for that is not in the store yet, then judges it.

    Args:
        config: What to do.
        base: Folder that relative paths in the config start from.
        watch: Told of progress.
        until: Where to stop.

    Returns:
        The result; `missing` names what failed while the rest went on.

    Raises:
        InputError: The config asks for something that does not exist or makes no sense, or a
            parent misses `model.expect`.
        StoreError: The store cannot be written.
    """
    watch = watch or Silent()
    study, ledger = lay_out(config, Path(base)), Ledger()
    if not _everything_there(study):
        from audit.study.preflight import check_names

        check_names(study)
    with _executor(study) as executor:
        stages = _Stages(study, executor, watch, ledger)
        stages.data()
        study = stages.study
        stages.parents()
        if until != "population" and config.model.expect is not None:
            stages.expected()
        stages.population()
        if until != "population":
            stages.predictions()
    if until == "population":
        whole = Complete(study.models, (), tuple(f"{k}: {v}" for k, v in ledger.failures.items()))
        return _finish(study, whole, ledger)
    whole = complete(study, ledger.failures)
    _some_models(whole, study)
    for sentence in whole.missing[len(ledger.failures) :]:
        watch.warn(sentence)
    recipe = gathered(study, whole)
    with _timed(ledger, "gather"):
        study.store.make(recipe, lambda folder: write_evidence(folder, study, whole))
    if until == "predictions":
        return _finish(study, whole, ledger, recipe)
    watch.stage("audit", 0, 1)
    with _timed(ledger, "audit"):
        judged = _judge(study, recipe, whole)
    watch.advance()
    return _finish(study, whole, ledger, recipe, judged)


def _everything_there(study: Study) -> bool:
    wanted = (study.data, *study.models.values(), *study.predicted)
    return all(map(study.store.done, wanted))


class _Stages:
    """The stages that run jobs; each asks only for what the store does not have."""

    def __init__(self, study: Study, executor: Executor, watch: Watcher, ledger: Ledger) -> None:
        self.study, self.executor, self.watch, self.ledger = study, executor, watch, ledger

    def data(self) -> None:
        study = self.study
        settings = {study.data: study.config.data}
        settings |= {study.natural[k]: s for k, s in natural_settings(study.config).items()}
        work = [
            Job(
                f"data {r.source}",
                jobs.make_data,
                (study.store, r, s, study.base, study.config.execute.data_workers),
            )
            for r, s in settings.items()
            if not study.store.done(r)
        ]
        # The audited data first: natural shifts are read like them.
        first = [job for job in work if job.arguments[1] == study.data]
        rest = [job for job in work if job not in first]
        for some in (first, rest) if rest else (first,):
            failures = self._run("data", some, len(settings))
            if failures:  # nothing can go on without data
                raise InputError(next(iter(failures.values())))
        self.study = lay_out(study.config, study.base)  # now a set of corruptions has its names

    def parents(self) -> None:
        study = self.study
        files = checkpoints(study)
        work = [
            Job(name, jobs.train_parent, (study.store, r, study.base))
            if isinstance(r, Dense)
            else Job(name, jobs.read_given, (study.store, r, files.get(name), study.base))
            for name, r in study.parents.items()
            if not study.store.done(r)
        ]
        self.ledger.failures |= self._run("parents", work, len(study.parents))

    def expected(self) -> None:
        """Stops before the population is paid for when a parent is not what was promised."""
        study, expect = self.study, self.study.config.model.expect
        dense = [p for p in study.predicted if p.name in study.parents and _is_clean(p)]
        self._predict("check parents", dense)
        for recipe in dense:
            if expect is None or not study.store.done(recipe):
                continue
            reached = jobs.clean_accuracy(study.store, recipe)
            if reached < expect.accuracy - expect.tolerance:
                raise InputError(
                    f"{recipe.name} reaches {reached:.4f} on clean test data, and model.expect "
                    f"asks for {expect.accuracy} ± {expect.tolerance}: mend the training or the "
                    "preprocessing before pruning it."
                )

    def population(self) -> None:
        study = self.study
        work = [
            Job(name, jobs.prune_parent, (study.store, r, study.base))
            for name, r in study.pruned.items()
            if not study.store.done(r) and study.store.done(r.parent)
        ]
        possible = [r for r in study.pruned.values() if study.store.done(r.parent)]
        self.ledger.failures |= self._run("population", work, len(possible))

    def predictions(self) -> None:
        self._predict("predictions", list(self.study.predicted))

    def _predict(self, stage: str, wanted: Sequence[Predicted]) -> None:
        study = self.study
        todo: dict[Any, list[Predicted]] = {}
        for recipe in wanted:
            if study.store.done(recipe.model) and not study.store.done(recipe):
                todo.setdefault((recipe.shown.name, recipe.shown.severity), []).append(recipe)
        wanted = [recipe for recipe in wanted if study.store.done(recipe.model)]
        work = [
            Job(_title(some[0]), jobs.predict, (study.store, some, study.data, study.base))
            for some in todo.values()
        ]
        sizes = {job.name: len(some) for job, some in zip(work, todo.values(), strict=True)}
        self.ledger.failures |= self._run(stage, work, len(wanted), lambda job: sizes[job.name])

    def _run(
        self,
        stage: str,
        work: Sequence[Job],
        total: int,
        units: Callable[[Job], int] = lambda job: 1,
    ) -> dict[str, str]:
        self.watch.stage(stage, total - sum(map(units, work)), total)
        failures: dict[str, str] = {}

        def finished(outcome: Outcome) -> None:
            self.watch.advance(units(outcome.job))
            problems = _problems(outcome)
            for what, why in problems.items():
                self.watch.warn(f"{what}: {why}")
            failures.update(problems)

        if work:
            with _timed(self.ledger, stage):
                self.executor.run(work, finished)
            self.ledger.made[stage] = sum(map(units, work))
        return failures


def _problems(outcome: Outcome) -> dict[str, str]:
    if outcome.error is not None:
        if outcome.fatal:  # a full or read-only store: the next job would fail the same way
            raise StoreError(outcome.error)
        return {outcome.job.name: outcome.error}
    value: Mapping[str, str] = outcome.value or {}
    return {f"{name}, {outcome.job.name}": why for name, why in value.items()}


def _title(recipe: Predicted) -> str:
    severity = recipe.shown.severity
    return recipe.shown.name + (f" at severity {severity:g}" if severity else "")


def _is_clean(recipe: Predicted) -> bool:
    return (recipe.shown.name, recipe.shown.severity) == (CLEAN.name, CLEAN.severity)


def _executor(study: Study) -> Executor:
    execute = study.config.execute
    if execute.backend == "in_process":
        return in_process()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    on_gpu = any(p.compute.device == "cuda" for p in study.predicted)
    automatic = 1 if on_gpu else cores or 1
    return processes(automatic if execute.workers == "auto" else execute.workers)


def _some_models(whole: Complete, study: Study) -> None:
    given = study.config.population.models or ()
    if not whole.parts and not any(f.predictions for f in given):
        first = whole.missing[0] if whole.missing else "no model was asked for"
        raise InputError(f"No model has predictions to audit ({first}).")


def _judge(study: Study, evidence: Gathered, whole: Complete) -> tuple[Judged, Findings]:
    folder = study.store.folder(evidence)
    described = json.loads((folder / STUDY).read_text())
    asked = study.config.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"execute", "store"}
    )
    run = {"name": study.config.name, "config": asked, "missing": list(whole.missing)} | described
    recipe = Judged(
        evidence=folder.name,
        plan=study.config.audit.model_dump(mode="json"),
        policy=study.config.policy.model_dump(mode="json", by_alias=True),
        run=run,
    )

    def build(target: Path) -> None:
        judge(read_folder(folder), study.config.audit, study.config.policy, run).write(target)

    return recipe, Findings.read(study.store.make(recipe, build))


def _finish(
    study: Study,
    whole: Complete,
    ledger: Ledger,
    evidence: Gathered | None = None,
    judged: tuple[Judged, Findings] | None = None,
) -> Result:
    stages = {
        "seconds": ledger.seconds,
        "made": ledger.made,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    recipe, findings = judged or (None, None)
    published = publish_run(study, evidence, recipe, whole.missing, stages)
    return Result(study, study.output, findings, whole.missing, published)


class _timed:
    """Adds the seconds of a block to the ledger."""

    def __init__(self, ledger: Ledger, stage: str) -> None:
        self.ledger, self.stage = ledger, stage

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        took = time.perf_counter() - self.start
        self.ledger.seconds[self.stage] = round(self.ledger.seconds.get(self.stage, 0) + took, 3)
