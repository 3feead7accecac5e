"""Assembles the evidence folder: which models and conditions there are, under names people see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.address import address
from audit.evidence.blocks import Condition, Evidence
from audit.evidence.conditions import say
from audit.evidence.flat import read_flat
from audit.evidence.folder import write_examples, write_models
from audit.evidence.parts import part_path, write_part
from audit.evidence.schema import OUT_OF_DISTRIBUTION, QUANTITIES
from audit.evidence.store import link_or_copy, write_file
from audit.judgement.reviewing.relabelled import label_note, label_record, relabelled
from audit.study.layout import Study
from audit.study.members import RECORDS, described, record_of, row_of, told_of
from audit.study.model_settings import ModelFile
from audit.study.named_models import content_of
from audit.study.notes import notes_on_shifts, preset_used, published_as
from audit.study.population_notes import kind_of, notes_on_population
from audit.study.prepare import Arrays
from audit.study.recipes import (
    INFORMATIVE,
    INFORMATIVE_ACROSS,
    Gathered,
    Model,
    Predicted,
)

STUDY = "study.json"
LAYERS = "layers.parquet"


@dataclass(frozen=True)
class Complete:
    """The models and conditions for which every prediction is there, and what is missing."""

    models: Mapping[str, Model]
    parts: tuple[Predicted, ...]
    missing: tuple[str, ...]


def complete(study: Study, failures: Mapping[str, str]) -> Complete:
    """Leaves out, aloud, every condition nobody was shown and every model that missed one."""
    done = {id(p) for p in study.predicted if study.store.done(p)}
    shown = {_condition(p) for p in study.predicted if id(p) in done}
    missing = [f"{what}: {why}" for what, why in sorted(failures.items())]
    missing += [
        f"condition {say(c)}: no model has predictions under it"
        for c in study.shown
        if study.models and c not in shown
    ]
    lacking = {p.name for p in study.predicted if _condition(p) in shown and id(p) not in done}
    orphans = {
        name
        for name, model in study.pruned.items()
        if any(study.models[other] == model.parent for other in lacking)
    }
    left_out = lacking | orphans
    if left_out:
        missing.append(f"left out of the audit: {', '.join(sorted(left_out))}")
    return Complete(
        models={name: m for name, m in study.models.items() if name not in left_out},
        parts=tuple(p for p in study.predicted if id(p) in done and p.name not in left_out),
        missing=tuple(missing),
    )


def gathered(study: Study, whole: Complete) -> Gathered:
    """The recipe of the evidence folder."""
    files = [f for f in study.config.population.models or () if f.predictions is not None]
    return Gathered(
        data=study.data,
        models={name: address(model) for name, model in whole.models.items()},
        parts={f"{p.name} | {p.shown.name} | {p.shown.severity}": address(p) for p in whole.parts},
        natural={k: data.fingerprint for k, data in study.others.items() if data.labelled},
        outside={k: data.fingerprint for k, data in study.others.items() if not data.labelled},
        corrupted={
            name: [address(one.data), _asked(one.settings.corruptions)]
            for name, one in study.sets.items()
        },
        files={f.name: content_of(study.base / str(f.predictions)) for f in files},
        probes=_probes(study, whole),
        corruptions=_asked(study.config.shifts.corruptions),
        described={f.name: f.model_dump(mode="json") for f in study.config.population.models or ()},
        kind=kind_of(study).get("population", "") if study.config.population.kind else "",
        compacted={
            name: address(recipe)
            for name, model in whole.models.items()
            if (recipe := study.compacted.get(address(model))) and study.store.done(recipe)
        },
        labels=content_of(_labels(study)) if study.config.data.labels else "",
    )


def check_labels(study: Study) -> None:
    """Reads corrected labels before anything is trained, so that a wrong file costs no night.

    Raises:
        TableError: The file cannot be read, or names what the data do not have.
    """
    if study.config.data.labels:
        _examples(study, Arrays(study.store.folder(study.data)))


def _labels(study: Study) -> Path:
    return study.base / str(study.config.data.labels)


def _asked(corruptions: str | tuple[str, ...] | None) -> str:
    """The set of corruptions that is asked for by its name."""
    return corruptions if isinstance(corruptions, str) else ""


def _probes(study: Study, whole: Complete) -> dict[str, str]:
    """Addresses of what was selected, by model, and of their comparison under an empty name."""
    there = {n: r for n, r in study.selected.items() if n in whole.models and study.store.done(r)}
    found = {name: address(recipe) for name, recipe in there.items()}
    across = study.across
    return found | ({"": address(across)} if across and study.store.done(across) else {})


def _write_probes(folder: Path, study: Study, whole: Complete) -> None:
    """The pixels that models need, as tables beside the predictions."""
    probes = _probes(study, whole)
    across, wanted = study.across, [name for name in probes if name]
    if wanted:
        tables = [pd.read_parquet(study.store.root / probes[n] / INFORMATIVE) for n in wanted]
        pd.concat(tables, ignore_index=True).to_parquet(folder / INFORMATIVE, index=False)
    if across is not None and "" in probes:
        table = pd.read_parquet(study.store.folder(across) / INFORMATIVE_ACROSS)
        kept = table["model"].isin(wanted) & table["informative_to"].isin(wanted)
        table[kept].to_parquet(folder / INFORMATIVE_ACROSS, index=False)


def write_evidence(folder: Path, study: Study, whole: Complete) -> None:
    """Writes examples, models, their layers, predictions, and `study.json`."""
    data = Arrays(study.store.folder(study.data))
    examples = _examples(study, data)
    write_examples(folder, examples, data.classes)
    rows = [row_of(study, name, model) for name, model in whole.models.items()]
    for recipe in whole.parts:
        condition = _condition(recipe)
        source = part_path(study.store.folder(recipe), recipe.name, condition)
        link_or_copy(source, part_path(folder, recipe.name, condition))
    for file in study.config.population.models or ():
        if file.predictions is not None:
            _write_given_predictions(folder, file, study, data)
            rows.append(described(file))
    write_models(folder, pd.DataFrame(rows))
    _layers(study, whole).to_parquet(folder / LAYERS, index=False)
    told = {name: told_of(study, model) for name, model in whole.models.items()}
    write_file(folder / RECORDS, json.dumps(told, indent=1, sort_keys=True).encode())
    _write_probes(folder, study, whole)
    labels = (
        label_record(examples, data.classes, _labels(study)) if study.config.data.labels else None
    )
    notes = {
        "notes": [
            *data.meta["notes"],
            *([label_note(labels)] if labels else []),
            *notes_on_population(study, whole.models, whole.parts),
            *notes_on_shifts(study),
        ],
        **kind_of(study),
        **({"labels": labels} if labels else {}),
        "splits": data.meta["examples"],
        "preset": preset_used(study),
        **published_as(study),
    }
    (folder / STUDY).write_text(json.dumps(notes, indent=1, sort_keys=True))


def _condition(recipe: Predicted) -> Condition:
    return Condition(recipe.shown.name, recipe.shown.severity)


def _examples(study: Study, data: Arrays) -> pd.DataFrame:
    frames = [pd.read_parquet(data.folder / "examples.parquet")]
    for name, recipe in study.others.items():
        other = Arrays(study.store.folder(recipe))
        frame = pd.read_parquet(other.folder / "examples.parquet").query("split == 'test'")
        frame = frame.assign(split=f"natural:{name}" if recipe.labelled else OUT_OF_DISTRIBUTION)
        frame["example"] = f"{name}/" + frame["example"]
        frames.append(frame)
    for name, one in study.sets.items():
        own = Arrays(study.store.folder(one.data))
        if not own.meta["same"]:
            frame = pd.read_parquet(own.folder / "examples.parquet")
            frames.append(frame.assign(split=f"corrupted:{name}"))
    whole = pd.concat(frames, ignore_index=True)
    return relabelled(whole, data.classes, _labels(study)) if study.config.data.labels else whole


def _layers(study: Study, whole: Complete) -> pd.DataFrame:
    """Weights of every layer of every model, and how many of them are not zero."""
    return pd.DataFrame(
        [
            (name, layer, parameters, nonzero)
            for name, model in whole.models.items()
            for layer, (parameters, nonzero) in record_of(study, model).get("layers", {}).items()
        ],
        columns=["model", "layer", "parameters", "nonzero"],
    )


def _write_given_predictions(folder: Path, file: ModelFile, study: Study, data: Arrays) -> None:
    """Writes a table's predictions as parts, those of validation examples in them."""
    table = read_flat([study.base / str(file.predictions)], classes=data.classes)
    for condition in table.conditions:
        held_out = table.validation
        both = (table, held_out) if held_out and condition in held_out.conditions else (table,)
        sides = [_given_rows(evidence, condition) for evidence in both]
        known = set.intersection(*(set(side) for side in sides))  # what both sides recorded
        rows = {name: np.concatenate([side[name] for side in sides]) for name in sorted(known)}
        write_part(folder, str(file.name), condition, **rows)


def _given_rows(evidence: Evidence, condition: Condition) -> dict[str, NDArray[Any]]:
    """What a table of one model says under a condition, by `write_part`'s names."""
    block = evidence.load(condition)
    shown = block.predicted[0] >= 0
    ids = evidence.examples["example"].astype(str).to_numpy()  # as prepared data name theirs
    recorded = {name: getattr(block, name) for name in QUANTITIES}
    found = {name: values[0][shown] for name, values in recorded.items() if values is not None}
    probabilities = evidence.probabilities(condition, 0)
    if probabilities is not None:
        found["probabilities"] = probabilities[shown]
    return {"example": ids[shown], "predicted": block.predicted[0][shown], **found}
