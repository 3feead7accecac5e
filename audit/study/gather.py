"""Assembles the evidence folder: which models and conditions there are, under names people see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from audit.evidence.address import address
from audit.evidence.blocks import Condition
from audit.evidence.flat import read_flat
from audit.evidence.folder import write_examples, write_models
from audit.evidence.parts import part_path, write_part
from audit.evidence.store import link_or_copy
from audit.study.layout import Study
from audit.study.model_settings import ModelFile
from audit.study.named_conditions import preset_of
from audit.study.named_models import content_of
from audit.study.prepare import Arrays
from audit.study.recipes import Gathered, Given, Model, Predicted, Pruned

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
        f"condition {c.name} at severity {c.severity}: no model has predictions under it"
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
        natural={name: data.fingerprint for name, data in study.natural.items()},
        files={f.name: content_of(study.base / str(f.predictions)) for f in files},
        corruptions=asked if isinstance(asked := study.config.shifts.corruptions, str) else "",
        described={f.name: f.model_dump(mode="json") for f in study.config.population.models or ()},
    )


def write_evidence(folder: Path, study: Study, whole: Complete) -> None:
    """Writes examples, models, their layers, predictions, and `study.json`."""
    data = Arrays(study.store.folder(study.data))
    write_examples(folder, _examples(study, data), data.classes)
    rows = [_row(study, name, model) for name, model in whole.models.items()]
    for recipe in whole.parts:
        condition = _condition(recipe)
        source = part_path(study.store.folder(recipe), recipe.name, condition)
        link_or_copy(source, part_path(folder, recipe.name, condition))
    for file in study.config.population.models or ():
        if file.predictions is not None:
            _write_given_predictions(folder, file, study, data)
            rows.append(_described(file))
    write_models(folder, pd.DataFrame(rows))
    _layers(study, whole).to_parquet(folder / LAYERS, index=False)
    preset, left_out = _shift_notes(study, data)
    notes = {
        "notes": [*data.meta["notes"], *_natural_notes(study), *left_out],
        "splits": data.meta["examples"],
        "preset": preset,
    }
    (folder / STUDY).write_text(json.dumps(notes, indent=1, sort_keys=True))


def _condition(recipe: Predicted) -> Condition:
    return Condition(recipe.shown.name, recipe.shown.severity)


def _examples(study: Study, data: Arrays) -> pd.DataFrame:
    frames = [pd.read_parquet(data.folder / "examples.parquet")]
    for name, recipe in study.natural.items():
        other = Arrays(study.store.folder(recipe))
        frame = pd.read_parquet(other.folder / "examples.parquet").query("split == 'test'")
        frame = frame.assign(split=f"natural:{name}")
        frame["example"] = f"{name}/" + frame["example"]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _natural_notes(study: Study) -> list[str]:
    return [
        f"{name}: {note}"
        for name, recipe in study.natural.items()
        for note in Arrays(study.store.folder(recipe)).meta["notes"]
    ]


def _shift_notes(study: Study, data: Arrays) -> tuple[str | None, list[str]]:
    """Which constants the corruptions used, and which of a set could not be made."""
    if not any(shown.corruption for shown in study.shown.values()):
        return None, []
    preset, asked = preset_of(study.config, data.folder), study.config.shifts.corruptions
    if not isinstance(asked, str):
        return preset, []
    import corruptions

    left_out = corruptions.missing(asked, preset, colour=data.input_shape[0] == 3)
    note = f"Of the set {asked}, {', '.join(left_out)} cannot be made here and was not shown."
    return preset, [note] if left_out else []


def _row(study: Study, name: str, model: Model) -> dict[str, Any]:
    record = _record(study, model)
    measured = {key: record[key] for key in MEASURED if key in record}
    if isinstance(model, Given) and study.config.population.models:
        files = study.config.population.models
        return measured | _described(next(f for f in files if f.name == name))
    root = model.parent if isinstance(model, Pruned) else model
    row: dict[str, Any] = {
        "model": name,
        "parent": None,
        "role": "dense",
        "method": None,
        "sparsity": 0.0,
        "seed": root.seed,
        "address": address(model),
    }
    if isinstance(model, Pruned):
        row["parent"] = next(n for n, m in study.parents.items() if m == model.parent)
        row["role"] = "control" if model.method is None else "pruned"
        row["sparsity"] = model.sparsity
        row["method"] = None if model.method is None else name.rsplit("-", 2)[0]
    return measured | row


def _layers(study: Study, whole: Complete) -> pd.DataFrame:
    """Weights of every layer of every model, and how many of them are not zero."""
    return pd.DataFrame(
        [
            (name, layer, parameters, nonzero)
            for name, model in whole.models.items()
            for layer, (parameters, nonzero) in _record(study, model).get("layers", {}).items()
        ],
        columns=["model", "layer", "parameters", "nonzero"],
    )


def _record(study: Study, model: Model) -> dict[str, Any]:
    """What was measured of a model when it was made."""
    return dict(json.loads((study.store.folder(model) / "record.json").read_text()))


MEASURED = (
    "sparsity_targeted",
    "sparsity_all",
    "parameters",
    "nonzero",
    "macs",
    "bytes",
)


def _described(file: ModelFile) -> dict[str, Any]:
    """What the config says of a given model; a role it leaves out follows from its parent."""
    role = file.inferred_role
    return {
        "model": file.name,
        "parent": file.parent,
        "role": role,
        "method": file.method or ("given" if role in ("pruned", "compressed") else None),
        # A parent has lost nothing; of a pruned file that states no sparsity, nothing is known.
        "sparsity": 0.0 if role in ("dense", "control") else file.sparsity,
        "seed": file.seed,
    }


def _write_given_predictions(folder: Path, file: ModelFile, study: Study, data: Arrays) -> None:
    evidence = read_flat([study.base / str(file.predictions)], classes=data.classes)
    ids = evidence.examples["example"].astype(str).to_numpy()  # as prepared data name theirs
    for condition in evidence.conditions:
        block = evidence.load(condition)
        shown = block.predicted[0] >= 0
        write_part(
            folder,
            str(file.name),
            condition,
            ids[shown],
            block.predicted[0][shown],
            confidence=None if block.confidence is None else block.confidence[0][shown],
        )
