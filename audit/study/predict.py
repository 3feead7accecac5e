"""Shows one condition to every model that has not seen it: each batch is corrupted once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import corruptions
from audit.evidence.blocks import Condition
from audit.evidence.errors import AuditError, JobError
from audit.evidence.parts import write_part
from audit.evidence.store import Store
from audit.study.checkpoints import LoadedModel
from audit.study.imports import resolve
from audit.study.models import load_model, preprocessing, to_images
from audit.study.prepare import Arrays
from audit.study.preprocess import Preprocess
from audit.study.recipes import Predicted, Shown

# Models loaded at a time. A condition is made once for all of them; a population of large models
# does not fit in memory, and re-making a condition costs less than re-reading weights per batch.
MODELS_AT_ONCE = 64


@dataclass
class Answers:
    """What one model answered, in example order; filled batch by batch."""

    predicted: NDArray[np.int32]
    confidence: NDArray[np.float32]
    loss: NDArray[np.float32]
    error: str | None = None


def predict_condition(
    store: Store, recipes: Sequence[Predicted], data: Arrays, base: Path
) -> dict[str, str]:
    """Predicts and stores every recipe; all of them share a condition.

    Args:
        store: Where models are and predictions go.
        recipes: What is missing; all with the same `shown`.
        data: The data the models were made with: its classes order their outputs.
        base: Folder that `module:function` names are looked up from.

    Returns:
        One sentence for each model that failed, by name; the others are stored.
    """
    failures: dict[str, str] = {}
    for start in range(0, len(recipes), MODELS_AT_ONCE):
        failures |= _predict_some(store, recipes[start : start + MODELS_AT_ONCE], data, base)
    return failures


def _predict_some(
    store: Store, recipes: Sequence[Predicted], data: Arrays, base: Path
) -> dict[str, str]:
    shown = Arrays(store.folder(recipes[0].shown.data))
    labels = shown.labels("test")
    failures: dict[str, str] = {}
    calls: dict[str, LoadedModel] = {}
    for recipe in recipes:
        try:
            calls[recipe.name] = load_model(recipe, store, data, base)
        except AuditError as error:
            failures[recipe.name] = str(error)
    answers = {name: _blank(len(labels)) for name in calls}
    preprocess = preprocessing(recipes[0].model, data, base)
    with torch.inference_mode():
        for rows, batch in _batches(recipes[0], shown, preprocess, base):
            for name, call in calls.items():
                if answers[name].error is None:
                    _answer(answers[name], call, batch, labels, rows, recipes[0])
    ids = shown.ids("test")
    if recipes[0].shown.severity is None:  # as the evidence folder names a natural shift's examples
        ids = np.array([f"{recipes[0].shown.name}/{name}" for name in ids])
    for recipe in recipes:
        if recipe.name in answers:
            failures |= _store(store, recipe, answers[recipe.name], ids)
    return failures


def _batches(
    recipe: Predicted, shown: Arrays, preprocess: Preprocess | None, base: Path
) -> Iterator[tuple[slice, Tensor]]:
    inputs, ids = shown.inputs("test"), shown.ids("test")
    for start in range(0, len(ids), recipe.compute.batch_size):
        rows = slice(start, start + recipe.compute.batch_size)
        if preprocess is None:
            batch = torch.from_numpy(np.array(inputs[rows]))
        else:
            images = to_images(np.array(inputs[rows]), preprocess)
            batch = preprocess.after(_corrupted(images, recipe.shown, ids[rows], base))
        yield rows, batch.to(recipe.compute.device)


def _corrupted(images: Tensor, shown: Shown, ids: NDArray[Any], base: Path) -> Tensor:
    if shown.corruption is None or shown.severity is None:
        return images
    name: Any = shown.corruption
    if ":" in name:
        name = resolve(name, base)
    try:
        return corruptions.corrupt(
            images, name, shown.severity, seed=shown.seed, ids=ids, preset=shown.preset
        )
    except (TypeError, ValueError) as error:
        raise JobError(f"{shown.name} at severity {shown.severity:g}: {error}") from error


def _answer(
    answers: Answers,
    call: LoadedModel,
    batch: Tensor,
    labels: NDArray[np.int64],
    rows: slice,
    recipe: Predicted,
) -> None:
    """Fills one batch of one model's answers; a model that fails stops being asked."""
    try:
        with _precision(recipe):
            logits = call(batch)
    except (AuditError, RuntimeError, TypeError, ValueError) as error:
        answers.error = str(error).splitlines()[0]
        return
    # float64 on the CPU: log-softmax in half precision loses the losses of confident examples
    scores = logits.detach().to("cpu", torch.float64).log_softmax(1).numpy()
    predicted = scores.argmax(1)  # the first of equal scores, which torch does not promise
    answers.predicted[rows] = predicted
    answers.confidence[rows] = np.exp(np.take_along_axis(scores, predicted[:, None], 1))[:, 0]
    known = labels[rows]
    loss = -np.take_along_axis(scores, np.maximum(known, 0)[:, None], 1)[:, 0]
    answers.loss[rows] = np.where(known >= 0, loss, np.nan)


def _precision(recipe: Predicted) -> torch.autocast:
    compute = recipe.compute
    dtype = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(compute.precision)
    return torch.autocast(compute.device, dtype or torch.bfloat16, enabled=dtype is not None)


def _store(store: Store, recipe: Predicted, answers: Answers, ids: NDArray[Any]) -> dict[str, str]:
    if answers.error is not None:
        return {recipe.name: answers.error}
    condition = Condition(recipe.shown.name, recipe.shown.severity)
    store.make(
        recipe,
        lambda folder: write_part(
            folder,
            recipe.name,
            condition,
            ids,
            answers.predicted,
            confidence=answers.confidence,
            loss=answers.loss,
        ),
    )
    return {}


def _blank(examples: int) -> Answers:
    return Answers(
        np.zeros(examples, np.int32), np.zeros(examples, np.float32), np.zeros(examples, np.float32)
    )
