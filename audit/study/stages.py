"""The stages that run jobs; each asks only for what the store does not have yet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.evidence.address import address
from audit.evidence.blocks import CLEAN
from audit.evidence.errors import ConfigError, InputError, StoreError
from audit.evidence.execute import Executor, Job, Outcome, in_process, processes
from audit.study import jobs, model_jobs
from audit.study.layout import Study, checkpoints, lay_out
from audit.study.named_conditions import other_settings
from audit.study.progress import Watcher
from audit.study.recipes import Dense, Given, Predicted, Pruned
from audit.study.waves import waves_of, work_of


@dataclass
class Ledger:
    """What failed and how long each stage took, filled while a run goes on."""

    command: str | None = None
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)


class Stages:
    """The stages that run jobs; each asks only for what the store does not have."""

    def __init__(self, study: Study, executor: Executor, watch: Watcher, ledger: Ledger) -> None:
        self.study, self.executor, self.watch, self.ledger = study, executor, watch, ledger
        self.names_checked = False

    def data(self) -> None:
        """Prepares the audited data, then other data sets, which are read like them."""
        study = self.study
        known = study.store.done(study.data)
        self._check_fit()
        settings = {study.data: study.config.data}
        others = other_settings(study.config, study.base)
        settings |= {study.others[k]: s for k, s in others.items()}
        settings |= dict([study.pretraining] if study.pretraining else [])
        work = [
            Job(
                f"data {r.source}",
                jobs.make_data,
                (study.store, r, s, study.base, study.config.execute.data_workers),
            )
            for r, s in settings.items()
            if not study.store.done(r)
        ]
        first = [job for job in work if job.arguments[1] == study.data]
        rest = [job for job in work if job not in first]
        rest += [
            Job(f"data {name}", jobs.list_corrupted, (study.store, name, one, study.data))
            for name, one in study.sets.items()
            if not study.store.done(one.data)
        ]
        mixes = {name: one for name, one in study.others.items() if one.mix is not None}
        rest += [
            Job(f"data {name}", jobs.draw_mix, (study.store, name, one))
            for name, one in mixes.items()
            if not study.store.done(one)
        ]
        for some in (first, rest) if rest else (first,):
            failures = self._run("data", some, len(settings) + len(study.sets) + len(mixes))
            if failures:  # nothing can go on without data
                raise InputError(next(iter(failures.values())))
        self.study = lay_out(study.config, study.base)  # now a set of corruptions has its names
        if not known:
            self._check_fit()

    def parents(self) -> None:
        """Trains the parents, or reads every model that was given."""
        self._check_population()
        study = self.study
        files = checkpoints(study)
        first = [
            Job(name, model_jobs.train_parent, (study.store, r, study.base))
            for name, r in study.before_parents.items()
            if not study.store.done(r)
        ]
        if first:
            self.ledger.failures |= self._run("pretraining", first, len(study.before_parents))
        work = [
            Job(name, model_jobs.train_parent, (study.store, r, study.base))
            if isinstance(r, Dense)
            else Job(name, model_jobs.read_given, (study.store, r, files.get(name), study.base))
            for name, r in study.parents.items()
            if not study.store.done(r) and _has_base(study, r)
        ]
        self.ledger.failures |= self._run("parents", work, len(study.parents))

    def _check_population(self) -> None:
        """Tries the methods on the architecture, where there is anything left to make."""
        study = self.study
        if not all(map(study.store.done, study.pruned.values())):
            self._check(jobs.check_population)

    def _check_fit(self) -> None:
        """Tries the corruptions on the kind of data, where there is anything left to show."""
        study, asked = self.study, self.study.config.shifts.corruptions
        if asked and not isinstance(asked, str) and not all(map(study.store.done, study.predicted)):
            self._check(jobs.check_fit)

    def _check(self, job: Callable[[Study], None]) -> None:
        """Has a worker, which may load torch, look at the config.

        Raises:
            ConfigError: It refuses the config.
        """
        checked = self.executor.run([Job("check", job, (self.study,))])[0]
        if checked.error is not None:
            raise ConfigError(checked.error)

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
        """Makes controls and pruned models of the parents that there are, chains link by link."""
        study = self.study
        possible = {n: r for n, r in study.pruned.items() if _has_parent(study, r)}
        left = {name: r for name, r in possible.items() if not study.store.done(r)}
        made, waves = len(possible) - len(left), waves_of(left)
        for wave in waves or [{}]:
            ready = {
                name: r
                for name, r in wave.items()
                if r.before is None or study.store.done(r.before)
            }
            work = work_of(ready, study.pruned, study.store, study.base)
            made += len(ready)
            self.ledger.failures |= self._run("population", work.jobs, made, work.models_of)
            self._orphaned(wave, ready)

    def compaction(self) -> None:
        """Cuts empty structures out of pruned models, where that is asked."""
        study = self.study
        names = {address(recipe): name for name, recipe in study.pruned.items()}
        there = {a: r for a, r in study.compacted.items() if study.store.done(r.model)}
        work = [
            Job(f"{names[a]}, compacted", model_jobs.compact_pruned, (study.store, r, study.base))
            for a, r in there.items()
            if not study.store.done(r)
        ]
        if there:
            self.ledger.failures |= self._run("compaction", work, len(there))

    def _orphaned(self, wave: Mapping[str, Pruned], ready: Mapping[str, Pruned]) -> None:
        """Says of every link of a chain that the one before it is not there."""
        names = {id(recipe): name for name, recipe in self.study.pruned.items()}
        for name, recipe in wave.items():
            if name not in ready:
                before = names[id(recipe.before)]
                self.ledger.failures[name] = (
                    f"it starts from {before}, which could not be made: mend that first."
                )
                self.watch.warn(f"{name}: {self.ledger.failures[name]}")

    def predictions(self) -> None:
        """Shows every condition to the models that have not seen it."""
        self._predict("predictions", list(self.study.predicted))

    def probes(self) -> None:
        """Finds the pixels that each model needs, where that is asked, and compares them."""
        study = self.study
        made = {n: r for n, r in study.selected.items() if study.store.done(study.models[n])}
        work = [
            Job(f"{name}, pixels", jobs.select_pixels, (study.store, recipe, study.base))
            for name, recipe in made.items()
            if not study.store.done(recipe)
        ]
        if made:
            self.ledger.failures |= self._run("probes", work, len(made))
        across = study.across
        if across is not None and not study.store.done(across):
            job = Job("pixels across models", jobs.cross_pixels, (study.store, across, study.base))
            self.ledger.failures |= self._run("compare probes", [job], 1)

    def _predict(self, stage: str, wanted: Sequence[Predicted]) -> None:
        study = self.study
        made = {name for name, model in study.models.items() if study.store.done(model)}
        wanted = [recipe for recipe in wanted if recipe.name in made]
        todo: dict[Any, list[Predicted]] = {}
        for recipe in wanted:
            if not study.store.done(recipe):
                todo.setdefault((recipe.shown.name, recipe.shown.severity), []).append(recipe)
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

        if work and not self.names_checked:
            self._check(jobs.check)
            self.names_checked = True
        if work:
            with timed(self.ledger, stage):
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


def _has_base(study: Study, recipe: Dense | Given) -> bool:
    """Whether what a parent starts from is there."""
    pretrained = recipe.pretrained if isinstance(recipe, Dense) else None
    return pretrained is None or study.store.done(pretrained)


def _has_parent(study: Study, recipe: Pruned) -> bool:
    """Whether what a model is made from is there; an unpaired one needs no trained parent."""
    if recipe.unpaired:
        return _has_base(study, recipe.parent)
    return study.store.done(recipe.parent)


def _title(recipe: Predicted) -> str:
    severity = recipe.shown.severity
    return recipe.shown.name + (f" at severity {severity:g}" if severity else "")


def _is_clean(recipe: Predicted) -> bool:
    return (recipe.shown.name, recipe.shown.severity) == (CLEAN.name, CLEAN.severity)


def executor_of(study: Study) -> Executor:
    """The executor that a config asks for; one worker a core, one on a GPU."""
    execute = study.config.execute
    if execute.backend == "in_process":
        return in_process()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    on_gpu = any(p.compute.device == "cuda" for p in study.predicted)
    automatic = 1 if on_gpu else cores or 1
    return processes(automatic if execute.workers == "auto" else execute.workers)


class timed:
    """Adds the seconds of a block to the ledger."""

    def __init__(self, ledger: Ledger, stage: str) -> None:
        self.ledger, self.stage = ledger, stage

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        took = time.perf_counter() - self.start
        self.ledger.seconds[self.stage] = round(self.ledger.seconds.get(self.stage, 0) + took, 3)
