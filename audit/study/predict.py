"""Shows one condition to every model that has not seen it: each batch is corrupted once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audit.evidence.blocks import Condition
from audit.evidence.errors import AuditError
from audit.evidence.parts import write_part
from audit.evidence.store import Store
from audit.study.attacks import attacked
from audit.study.checkpoints import LoadedModel
from audit.study.models import load_model, preprocessing
from audit.study.prepare import Arrays
from audit.study.preprocess import Preprocess
from audit.study.recipes import Predicted
from audit.study.showing import Batch, batches, pieces, uniform

# Models loaded at a time. A condition is made once for all of them; a population of large models
# does not fit in memory, and re-making a condition costs less than re-reading weights per batch.
MODELS_AT_ONCE = 64
# Probabilities held at a time: 1 GiB of float32.
PROBABILITIES_AT_ONCE = 2**28

FloatArray = NDArray[np.float32]


@dataclass
class Answers:
    """What one model answered, in the order that examples are shown; filled batch by batch."""

    predicted: NDArray[np.int32]
    confidence: FloatArray
    loss: FloatArray
    energy: FloatArray
    probabilities: FloatArray | None
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
    at_once = MODELS_AT_ONCE
    if recipes[0].probabilities:
        shown = Arrays(store.folder(recipes[0].shown.data))
        numbers = len(data.classes) * sum(len(p.rows) for p in pieces(recipes[0].shown, shown))
        at_once = max(1, min(at_once, PROBABILITIES_AT_ONCE // max(numbers, 1)))
    for start in range(0, len(recipes), at_once):
        failures |= _predict_some(store, recipes[start : start + at_once], data, base)
    return failures


def _predict_some(
    store: Store, recipes: Sequence[Predicted], data: Arrays, base: Path
) -> dict[str, str]:
    first, classes = recipes[0], len(data.classes)
    shown = Arrays(store.folder(first.shown.data))
    examples = pieces(first.shown, shown)
    labels = np.concatenate([piece.labels for piece in examples])
    failures: dict[str, str] = {}
    calls: dict[str, LoadedModel] = {}
    for recipe in recipes:
        try:
            calls[recipe.name] = load_model(recipe, store, data, base)
        except AuditError as error:
            failures[recipe.name] = str(error)
    answers = {name: _blank(len(labels), classes, first.probabilities) for name in calls}
    preprocess = preprocessing(first.model, data, base)
    masked = np.setdiff1d(np.arange(classes), labels) if first.shown.mask else None
    size, device = first.compute.batch_size, first.compute.device
    # Tensors made in inference mode have no part in gradients, which attacks need.
    without = torch.inference_mode if first.shown.attack is None else torch.no_grad
    with without():
        for batch in batches(first.shown, shown, preprocess, size, device, base):
            for name, call in calls.items():
                if answers[name].error is None:
                    _answer(answers[name], call, batch, first, preprocess, masked)
    ids = np.concatenate([piece.ids for piece in examples])
    if first.shown.another:  # as the evidence folder names another data set's examples
        ids = np.array([f"{first.shown.name}/{name}" for name in ids])
    for recipe in recipes:
        if recipe.name in answers:
            failures |= _store(store, recipe, answers[recipe.name], ids)
    return failures


def _answer(
    answers: Answers,
    call: LoadedModel,
    batch: Batch,
    recipe: Predicted,
    preprocess: Preprocess | None,
    masked: NDArray[np.int64] | None,
) -> None:
    """Fills one batch of one model's answers; a model that fails stops being asked."""
    try:
        inputs = _inputs(call, batch, recipe, preprocess)
        with _precision(recipe):
            logits = call(inputs)
    except (AuditError, RuntimeError, TypeError, ValueError) as error:
        answers.error = str(error).splitlines()[0]
        return
    # float64 on the CPU: log-softmax in half precision loses the losses of confident examples
    wide = logits.detach().to("cpu", torch.float64)
    if masked is not None:
        wide[:, masked] = -torch.inf
    total = wide.logsumexp(1)
    scores = wide.log_softmax(1).numpy()
    predicted = scores.argmax(1)  # the first of equal scores, which torch does not promise
    rows, known = batch.rows, batch.labels
    answers.predicted[rows] = predicted
    answers.confidence[rows] = np.exp(np.take_along_axis(scores, predicted[:, None], 1))[:, 0]
    loss = -np.take_along_axis(scores, np.maximum(known, 0)[:, None], 1)[:, 0]
    answers.loss[rows] = np.where(known >= 0, loss, np.nan)
    answers.energy[rows] = -total.numpy()
    if answers.probabilities is not None:
        answers.probabilities[rows] = np.exp(scores)


def _inputs(
    call: LoadedModel, batch: Batch, recipe: Predicted, preprocess: Preprocess | None
) -> Tensor:
    """What this model is given: an attack is made for it, all else is the same for every model."""
    setting, images = recipe.shown.attack, batch.inputs
    if setting is None or preprocess is None:
        return images
    after: Callable[[Tensor], Tensor] = preprocess.after
    if call.module is not None:
        call.module.requires_grad_(False)  # by the pixels alone
    start = uniform(setting["seed"], setting["name"], batch.ids, images.cpu()).to(images.device)
    labels = torch.from_numpy(batch.labels).to(images.device)
    changed = attacked(lambda found: call(after(found)), images, labels, setting, start)
    return after(changed)


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
            probabilities=answers.probabilities,
            energy=answers.energy,
        ),
    )
    return {}


def _blank(examples: int, classes: int, probabilities: bool) -> Answers:
    loss, confidence, energy = (np.zeros(examples, np.float32) for _ in range(3))
    every = np.zeros((examples, classes), np.float32) if probabilities else None
    return Answers(np.zeros(examples, np.int32), confidence, loss, energy, every)
