"""Shows one condition to every model that has not seen it: each batch is corrupted once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audit.evidence.blocks import Condition
from audit.evidence.errors import AuditError, InputError
from audit.evidence.parts import write_part
from audit.evidence.store import Store
from audit.judgement.shifts.sequences import flip_probability
from audit.study.attacks import attacked
from audit.study.checkpoints import LoadedModel
from audit.study.class_readings import Reading, reading
from audit.study.models import load_model, preprocessing
from audit.study.named_sequences import compares
from audit.study.prepare import Arrays
from audit.study.preprocess import Preprocess
from audit.study.recipes import LEFT_OUT, Predicted
from audit.study.replay import Replay
from audit.study.showing import Batch, batches, pieces, uniform
from audit.study.text_preprocess import TextPreprocess

# Models loaded at a time, because a population of large ones does not fit in memory. A condition is
# made once for all of them, and kept for the next ones where it is small (`replay`); making a large
# one again costs less than reading weights again for every batch.
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
    flips: NDArray[np.float64] | None = None  # each example's flip probability in a sequence

    def of(self, seen: NDArray[np.bool_]) -> Answers:
        """The answers to some of the examples."""
        if seen.all():
            return self
        every = self.probabilities
        return Answers(
            self.predicted[seen],
            self.confidence[seen],
            self.loss[seen],
            self.energy[seen],
            None if every is None else every[seen],
            self.error,
            None if self.flips is None else self.flips[seen],
        )


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
    first, at_once = recipes[0], MODELS_AT_ONCE
    shown = Arrays(store.folder(first.shown.data))
    if first.probabilities:
        numbers = len(data.classes) * sum(len(p.rows) for p in pieces(first.shown, shown))
        at_once = max(1, min(at_once, PROBABILITIES_AT_ONCE // max(numbers, 1)))
    size, device = first.compute.batch_size, first.compute.device
    preprocess = preprocessing(first.model, data, base)
    stream = Replay(
        lambda: batches(first.shown, shown, preprocess, size, device, base),
        again=len(recipes) > at_once,
    )
    for start in range(0, len(recipes), at_once):
        some = recipes[start : start + at_once]
        failures |= _predict_some(store, some, data, base, stream)
    return failures


def _predict_some(
    store: Store, recipes: Sequence[Predicted], data: Arrays, base: Path, stream: Replay
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
    merged = shown.meta.get("merged", ())
    read = reading(data.classes, labels, first.shown.mask, merged)
    seen, left_out = np.zeros(len(labels), np.bool_), list[str]()
    # Tensors made in inference mode have no part in gradients, which attacks need.
    without = torch.inference_mode if first.shown.attack is None else torch.no_grad
    with without():
        for batch in stream:
            seen[batch.rows] = True
            left_out += batch.left_out
            if batch.frames is not None:
                _answer_frames(answers, calls, batch, first, read)
                continue
            for name, call in calls.items():
                if answers[name].error is None and len(batch.ids):
                    _answer(answers[name], call, batch, first, preprocess, read)
    if not seen.any():
        raise InputError(f"Not one image of {first.shown.name} can be read: check its path.")
    ids = np.concatenate([piece.ids for piece in examples])
    if first.shown.another:  # as the evidence folder names another data set's examples
        ids = np.array([f"{first.shown.name}/{name}" for name in ids])
    for recipe in recipes:
        if recipe.name in answers:
            failures |= _store(store, recipe, answers[recipe.name].of(seen), ids[seen], left_out)
    return failures


def _answer(
    answers: Answers,
    call: LoadedModel,
    batch: Batch,
    recipe: Predicted,
    preprocess: Preprocess | TextPreprocess | None,
    read: Reading,
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
    scores, predicted = read.answers(wide)
    total = wide.logsumexp(1)  # after masking
    rows, known = batch.rows, batch.labels
    answers.predicted[rows] = predicted
    answers.confidence[rows] = np.exp(np.take_along_axis(scores, predicted[:, None], 1))[:, 0]
    loss = -np.take_along_axis(scores, np.maximum(known, 0)[:, None], 1)[:, 0]
    answers.loss[rows] = np.where(known >= 0, loss, np.nan)
    answers.energy[rows] = -total.numpy()
    if answers.probabilities is not None:
        answers.probabilities[rows] = np.exp(scores)


def _answer_frames(
    answers: dict[str, Answers],
    calls: dict[str, LoadedModel],
    batch: Batch,
    recipe: Predicted,
    read: Reading,
) -> None:
    """Fills one batch of every model's answers: to the first frame, and how often they flip.

    Every frame is made once and shown to all.
    """
    shown, told = recipe.shown, {name: list[NDArray[np.int32]]() for name in calls}
    later = _blank(len(batch.ids), 0, False)  # what is said of frames beyond the first
    for frame in batch.frames() if batch.frames is not None else ():
        for name, call in calls.items():
            if answers[name].error is not None or not len(batch.ids):
                continue
            first = not told[name]
            into, rows = (answers[name], batch.rows) if first else (later, slice(None))
            _answer(into, call, replace(batch, rows=rows, inputs=frame), recipe, None, read)
            answers[name].error, later.error = into.error, None
            told[name].append(into.predicted[rows].copy())
    for name, every in told.items():
        own = answers[name]
        if own.error is None and every:
            if own.flips is None:
                own.flips = np.full(len(own.predicted), np.nan)
            found = flip_probability(np.stack(every), compares(shown.sequence), shown.apart)
            own.flips[batch.rows] = found


def _inputs(
    call: LoadedModel,
    batch: Batch,
    recipe: Predicted,
    preprocess: Preprocess | TextPreprocess | None,
) -> Tensor:
    """What this model is given: an attack is made for it, all else is the same for every model."""
    setting, images = recipe.shown.attack, batch.inputs
    if setting is None or not isinstance(preprocess, Preprocess):
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


def _store(
    store: Store, recipe: Predicted, answers: Answers, ids: NDArray[Any], left_out: Sequence[str]
) -> dict[str, str]:
    if answers.error is not None:
        return {recipe.name: answers.error}
    condition = Condition(recipe.shown.name, recipe.shown.severity)

    def build(folder: Path) -> None:
        write_part(
            folder,
            recipe.name,
            condition,
            ids,
            answers.predicted,
            confidence=answers.confidence,
            loss=answers.loss,
            probabilities=answers.probabilities,
            energy=answers.energy,
            value=answers.flips,
        )
        if left_out:
            (folder / LEFT_OUT).write_text(json.dumps(left_out, indent=1))

    store.make(recipe, build)
    return {}


def _blank(examples: int, classes: int, probabilities: bool) -> Answers:
    loss, confidence, energy = (np.zeros(examples, np.float32) for _ in range(3))
    every = np.zeros((examples, classes), np.float32) if probabilities else None
    return Answers(np.zeros(examples, np.int32), confidence, loss, energy, every)
