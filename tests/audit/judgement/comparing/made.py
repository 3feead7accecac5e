"""Run folders small enough for paper: evidence, findings, and what a run records of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audit.evidence import CLEAN, Condition, read_folder, write_examples, write_models, write_part
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy

DIGITS = {"name": "made", "config": {"data": {"source": "digits"}}, "architecture": "cnn"}
CLASSES = ("no", "yes")


def write_run(
    folder: Path,
    dense: Any,
    pruned: Mapping[tuple[str, float], Any],
    *,
    labels: Sequence[int],
    control: Any = None,
    shifted: Mapping[str, Any] | None = None,
    ids: Sequence[object] | None = None,
    classes: Sequence[str] = CLASSES,
    columns: Mapping[str, Any] | None = None,
    addresses: Sequence[str] | None = None,
    plan: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    evidence: bool = True,
) -> Path:
    """Writes a run folder of arrays [parents, examples]; row m of `pruned` is a child of parent m.

    `shifted` maps a corruption's name to predictions like `{"dense": …, ("m", 0.5): …}` at
    severity 1; models it leaves out say there what they say of clean examples.
    """
    names = [*range(len(labels))] if ids is None else list(ids)
    inner = folder / "evidence"
    frame = pd.DataFrame({"example": names, "label": list(labels), **(columns or {})})
    write_examples(inner, frame, classes)
    models: list[dict[str, Any]] = []
    shown: dict[str, tuple[Any, np.ndarray]] = {}

    def add(role: str, key: Any, rows: Any, **more: Any) -> None:
        for m, row in enumerate(np.atleast_2d(np.asarray(rows))):
            name = f"{role}-{m}" if key == role else f"{key[0]}-{key[1]:g}-{m}"
            about = {"parent": None if role == "dense" else f"dense-{m}", "seed": m, **more}
            address = f"dense-{addresses[m]}" if role == "dense" and addresses else None
            models.append({"model": name, "role": role, "address": address, **about})
            shown[name] = ((key, m), row)

    add("dense", "dense", dense)
    if control is not None:
        add("control", "control", control, sparsity=0.0)
    for (method, sparsity), rows in pruned.items():
        add("pruned", (method, sparsity), rows, method=method, sparsity=sparsity)
    write_models(inner, pd.DataFrame(models))
    for name, ((key, m), row) in shown.items():
        write_part(inner, name, CLEAN, names, row)
        for corruption, others in (shifted or {}).items():
            there = np.atleast_2d(others[key])[m] if key in others else row
            write_part(inner, name, Condition(corruption, 1.0), names, there)
    settings = Plan.model_validate({"minimum_n": 1, **(plan or {})})
    judged = judge(
        read_folder(inner), settings, Policy.model_validate(policy or {}), DIGITS | dict(run or {})
    )
    judged.write(folder)
    (folder / "run.json").write_text(json.dumps({"machine": {"versions": {"torch": "2"}}}))
    if not evidence:
        inner.rename(folder / "elsewhere")
    return folder


def drawn(
    seed: int, parents: int, labels: np.ndarray, accuracy: float, harm: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Two-class parents, and pruned models that turn wrong with probability `harm` where right."""
    generator = np.random.default_rng(seed)
    right = generator.random((parents, labels.size)) < accuracy
    kept = right & (generator.random(right.shape) >= harm)
    return np.where(right, labels, 1 - labels), np.where(kept, labels, 1 - labels)
