"""Writes evidence that was read from anywhere as an evidence folder, which later commands read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Condition, Evidence
from audit.evidence.errors import StoreError
from audit.evidence.files import link_or_copy
from audit.evidence.folder import write_examples, write_models
from audit.evidence.parts import write_part

QUANTITIES = ("confidence", "loss", "energy", "value")


def write_evidence(evidence: Evidence, target: Path) -> Path:
    """Writes an evidence folder, whole or not at all; one that is there is replaced.

    One condition is in memory at a time, and of probabilities one model's.

    Args:
        evidence: What to write.
        target: The folder.

    Raises:
        StoreError: It cannot be written.
        TableError: A part of the evidence cannot be read.
    """
    scratch = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        scratch.mkdir(parents=True)
        parts = [evidence] if evidence.validation is None else [evidence, evidence.validation]
        frames = [part.examples for part in parts] + [evidence.training]
        rows = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
        write_examples(scratch, rows, evidence.classes)
        write_models(scratch, evidence.models)
        for condition in evidence.conditions:
            _write_condition(scratch, parts, condition)
        if target.exists():
            shutil.rmtree(target)
        os.replace(scratch, target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written ({error.strerror}): free it.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def keep_evidence(evidence: Evidence, source: Path | None, target: Path) -> Path:
    """Keeps evidence beside what was found in it: files of an evidence folder are linked.

    Args:
        evidence: What was judged.
        source: The evidence folder that it was read from; None for tables.
        target: The folder to make or to replace; what else it holds is removed.

    Raises:
        StoreError: It cannot be written.
    """
    if source is None:
        return write_evidence(evidence, target)
    if source.resolve() != target.resolve():
        files = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
        for file in sorted(files):
            link_or_copy(source / file, target / file)
        # Parts of an earlier audit would be read with these, and their models are not listed here.
        for stale in {p.relative_to(target) for p in target.rglob("*") if p.is_file()} - {*files}:
            (target / stale).unlink()
    return target


def _write_condition(folder: Path, parts: list[Evidence], condition: Condition) -> None:
    """One part per model; validation rows go where their condition is."""
    shown = [(part, part.load(condition)) for part in parts if condition in part.conditions]
    for row, model in enumerate(parts[0].models["model"]):
        columns = [_answers(part, block, row) for part, block in shown]
        names = {name for column in columns for name in column}
        together = {
            name: np.concatenate([column[name] for column in columns if name in column])
            for name in names
            if all(name in column or not len(column["example"]) for column in columns)
        }
        ids, predicted = together.pop("example"), together.pop("predicted", None)
        write_part(folder, model, condition, ids, predicted, **together)


def _answers(part: Evidence, block: Block, row: int) -> dict[str, NDArray[Any]]:
    """What one model said, by the arguments of `write_part`."""
    said = block.predicted[row] != NOT_SHOWN
    if block.value is not None:
        said |= ~np.isnan(block.value[row])
    found: dict[str, NDArray[Any]] = {"example": part.examples["example"].to_numpy()[said]}
    if part.classes:
        found["predicted"] = block.predicted[row][said]
    for name in QUANTITIES:
        values = getattr(block, name)
        if values is not None and not np.isnan(values[row][said]).all():
            found[name] = values[row][said]
    probabilities = part.probabilities(block.condition, row)
    if probabilities is not None:
        found["probabilities"] = probabilities[said]
    return found
