"""What a study knows of each model: its row in `models.parquet`, and the record of its making."""

from __future__ import annotations

import json
from typing import Any

from audit.evidence.address import address
from audit.study.layout import Study
from audit.study.model_settings import ModelFile
from audit.study.recipes import Compacted, Given, Model, Pruned

RECORDS = "records.json"  # beside the evidence: what tables have no column for

MEASURED = (
    "sparsity_targeted",
    "sparsity_all",
    "parameters",
    "nonzero",
    "macs",
    "macs_nonzero",
    "bytes",
    "bytes_deflated",
    "bytes_bitmask",
    "bytes_csr",
)
# What of the record of a pruned model is for people to read.
TOLD = ("removed", "notes", "uncounted", "said", "stacked")


def row_of(study: Study, name: str, model: Model) -> dict[str, Any]:
    """A model's row; what a config says of a given model goes before what was found in it."""
    record = record_of(study, model)
    measured = {key: record[key] for key in MEASURED if key in record}
    if isinstance(model, Given) and study.config.population.models:
        files = study.config.population.models
        return measured | described(next(f for f in files if f.name == name))
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
        # An unpaired model's recipe holds a parent that was never trained.
        row["parent"] = next((n for n, m in study.parents.items() if m == model.parent), None)
        row["role"] = "control" if model.method is None or model.control else "pruned"
        row["sparsity"] = model.sparsity
        row["method"] = method_of(name, model)
    return measured | row


def method_of(name: str, model: Pruned) -> str | None:
    """The method's name in tables: of a control the method that it belongs to, or its own kind."""
    if model.sparsity > 0.0:
        return name.rsplit("-", 2)[0]
    if model.method is None:
        return None
    return name.removeprefix("control-").rsplit("-", 1)[0]


def described(file: ModelFile) -> dict[str, Any]:
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


def record_of(study: Study, model: Model) -> dict[str, Any]:
    """What was measured of a model when it was made."""
    return dict(json.loads((study.store.folder(model) / "record.json").read_text()))


def compaction_of(study: Study, model: Pruned) -> dict[str, Any] | None:
    """What cutting out its empty structures gave; None where that was not tried."""
    recipe = study.compacted.get(address(model))
    if recipe is None or not study.store.done(recipe):
        return None
    folder = study.store.folder(recipe)
    return dict(json.loads((folder / Compacted.RECORD).read_text()))


def told_of(study: Study, model: Model) -> dict[str, Any]:
    """For one model: what was asked and done, per layer, and sentences to know of it."""
    record = record_of(study, model)
    told = {key: record[key] for key in TOLD if record.get(key)}
    if isinstance(model, Pruned):
        told |= {"method": model.method, "control": model.control or None, "draw": model.draw}
        told["recalibrated"] = bool((model.method or {}).get("recalibrate", False))
        told["compacted"] = compaction_of(study, model)
    return {key: value for key, value in told.items() if value is not None}
