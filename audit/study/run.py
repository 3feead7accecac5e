"""Runs a study: asks for what is not there yet, stage after stage, and judges the evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from audit.evidence.errors import InputError
from audit.evidence.folder import read_folder
from audit.judgement.findings import Findings
from audit.judgement.judging import judge
from audit.judgement.own_measures import own_measures
from audit.study.config import Config
from audit.study.gather import STUDY, Complete, check_labels, complete, gathered, write_evidence
from audit.study.layout import Study, lay_out
from audit.study.looks import fingerprint_of_test, note_look, say_look
from audit.study.progress import Silent, Watcher
from audit.study.publish import Published, publish_run
from audit.study.recipes import Gathered, Judged
from audit.study.stages import Ledger, Stages, executor_of, timed

Until = Literal["population", "predictions", "findings"]


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
    command: str | None = None,
) -> Result:
    """Makes whatever a config asks for that is not in the store yet, then judges it.

    Args:
        config: What to do.
        base: Folder that relative paths in the config start from.
        watch: Told of progress.
        until: Where to stop.
        command: What was typed, for the record of how to reproduce the run.

    Returns:
        The result; `missing` names what failed while the rest went on.

    Raises:
        InputError: The config asks for something that does not exist or makes no sense, or a
            parent misses `model.expect`.
        StoreError: The store cannot be written.
    """
    watch = watch or Silent()
    study, ledger = lay_out(config, Path(base)), Ledger(command=command)
    with executor_of(study) as executor:
        stages = Stages(study, executor, watch, ledger)
        stages.data()
        study = stages.study
        check_labels(study)
        stages.parents()
        if until != "population" and config.model.expect is not None:
            stages.expected()
        stages.population()
        stages.compaction()
        if until != "population":
            stages.predictions()
            stages.probes()
    if until == "population":
        whole = Complete(study.models, (), tuple(f"{k}: {v}" for k, v in ledger.failures.items()))
        return _finish(study, whole, ledger)
    whole = complete(study, ledger.failures)
    _some_models(whole, study)
    for sentence in whole.missing[len(ledger.failures) :]:
        watch.warn(sentence)
    recipe = gathered(study, whole)
    with timed(ledger, "gather"):
        study.store.make(recipe, lambda folder: write_evidence(folder, study, whole))
    if until == "predictions":
        return _finish(study, whole, ledger, recipe)
    watch.stage("audit", 0, 1)
    with timed(ledger, "audit"):
        judged = _judge(study, recipe, whole)
    watch.advance()
    return _finish(study, whole, ledger, recipe, judged)


def _some_models(whole: Complete, study: Study) -> None:
    given = study.config.population.models or ()
    if not whole.parts and not any(f.predictions for f in given):
        first = whole.missing[0] if whole.missing else "no model was asked for"
        raise InputError(f"No model has predictions to audit ({first}).")


def _judge(study: Study, evidence: Gathered, whole: Complete) -> tuple[Judged, Findings]:
    folder = study.store.folder(evidence)
    described = json.loads((folder / STUDY).read_text())
    asked = study.config.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"execute", "report", "store"}
    )
    run = described | {
        "name": study.config.name,
        "config": asked,
        "missing": list(whole.missing),
        "data": study.config.data.source,
    }
    if study.config.population.models is None:
        run["architecture"] = study.config.model.architecture
    own = own_measures(study.config.audit, study.base)
    if own:  # part of the recipe: a measure whose file changed is asked again
        run["measures"] = [measure.record() for measure in own]
    plan = study.config.audit.model_dump(mode="json")
    policy = study.config.policy.model_dump(mode="json", by_alias=True)
    run |= _look(study, run, {"evidence": folder.name, "plan": plan, "policy": policy})
    recipe = Judged(
        version=metadata.version("prune-audit"),
        evidence=folder.name,
        plan=plan,
        policy=policy,
        run=run,
    )

    def build(target: Path) -> None:
        plan, policy = study.config.audit, study.config.policy
        judge(read_folder(folder), plan, policy, run, base=study.base).write(target)

    return recipe, Findings.read(study.store.make(recipe, build))


def _look(study: Study, run: Mapping[str, Any], judged: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger adds to the notes of a run: the how-manieth look at its test examples."""
    data = fingerprint_of_test(study.store.folder(study.data))
    look = note_look(study.store.root, study.config.name, data, judged)
    said = say_look(look, study.config.policy.looks)
    return {"looks": look, "notes": [*run["notes"], *([said] if said else [])]}


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
    record = {"stages": stages, "command": ledger.command}
    recipe, findings = judged or (None, None)
    published = publish_run(study, evidence, recipe, whole.missing, record)
    return Result(study, study.output, findings, whole.missing, published)
