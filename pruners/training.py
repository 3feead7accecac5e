"""Training a classifier in place, from tensors, a seed and a recipe, `Training`.

Examples are indexed straight out of one tensor (in memory, or memory-mapped bytes), because on
networks of a few thousand weights a data loader costs more than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from pruners.batches import AUGMENTATIONS, Augmentation, epoch_batches, steps_per_epoch
from pruners.names import look_up
from pruners.optimizers import DECAYS, OPTIMIZERS
from pruners.seeding import device_of, generator, seeded

Prepare = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Attributes:
        epochs: Times each example is seen; 0 leaves the weights as they are.
        optimizer: `sgd`, `adam` or `adamw`.
        lr: Learning rate at the start.
        momentum: SGD's momentum, or Adam's β₁, in [0, 1).
        weight_decay: L2 penalty (decoupled in `adamw`), on all parameters.
        batch_size: Examples per step at most; an epoch is cut into batches of equal size ±1.
        decay: Of the learning rate: `constant`, `linear` to zero, `cosine` to zero (Loshchilov &
            Hutter 2017, equation 5, without restarts), or `steps`: a tenth from half of the steps
            on, a hundredth from three quarters on (He 2016, section 4.2).
        augmentation: A name of `AUGMENTATIONS`, or a function of the same signature.
    """

    epochs: int = 30
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    batch_size: int = 64
    decay: str = "cosine"
    augmentation: str | Augmentation = "none"

    def __post_init__(self) -> None:
        for name, least in (("epochs", 0), ("batch_size", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"training.{name} must be an integer of {least} or more, got {value!r}."
                )
        for name, low, high in (
            ("lr", 0.0, math.inf),
            ("momentum", 0.0, 1.0),
            ("weight_decay", 0.0, math.inf),
        ):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not low <= value < high:
                raise ValueError(f"training.{name} must be in [{low}, {high}), got {value!r}.")
        look_up(OPTIMIZERS, self.optimizer, "optimizer")
        look_up(DECAYS, self.decay, "decay")
        if not callable(self.augmentation):
            look_up(AUGMENTATIONS, self.augmentation, "augmentation")

    def steps(self, examples: int) -> int:
        """Optimizer steps on that many examples."""
        return self.epochs * steps_per_epoch(examples, self.batch_size)


@dataclass(frozen=True)
class Curve:
    """What training looked like, an entry per epoch, measured on its batches as they went by.

    Attributes:
        loss: Mean cross-entropy in nats.
        accuracy: Fraction of examples predicted right.
    """

    loss: tuple[float, ...] = ()
    accuracy: tuple[float, ...] = ()


class Watcher(Protocol):
    """Something that acts while a model is trained, such as gradual pruning."""

    def start(self, optimizer: Optimizer | None, steps: int) -> None:
        """Called before the first of `steps` steps."""

    def detach(self) -> None:
        """Called after the last step, or after an error."""


def train(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    training: Training,
    *,
    seed: int,
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
    watcher: Watcher | None = None,
    start: float = 0.0,
) -> Curve:
    """Trains `model` in place and leaves it in evaluation mode.

    Equal seeds draw equal batches, augmentation and dropout, whatever the watcher does, and leave
    torch's global generator alone. On one kind of device with one number of threads, equal calls
    end in equal weights, bit for bit.

    Args:
        model: From float [n, ...] to logits [n, classes].
        inputs: [n, ...], any dtype that `prepare` turns into what the model takes.
        labels: int64 [n], class codes.
        training: How.
        seed: An integer of 0 or more.
        prepare: Turns a batch of inputs, already augmented and on the device, into the model's
            floats; None where they are that already.
        device: Where to train; the model is moved there and stays. None: where the model is.
        watcher: Told of the optimizer before the first step.
        start: Share of the steps that is left out at the beginning: the learning rate and the
            examples are those of the steps that follow.

    Raises:
        ValueError: Inputs and labels do not fit together, the model's outputs do not fit them, or
            the loss stopped being finite (the message says at which step).
    """
    check_examples(inputs, labels, training)
    first = _first_step(start, training.steps(len(inputs)))
    where = torch.device(device) if device is not None else device_of(model)
    model.to(where).train()
    optimizer = OPTIMIZERS[training.optimizer](
        model, training.lr, training.momentum, training.weight_decay
    )
    try:
        if watcher is not None:
            watcher.start(optimizer, training.steps(len(inputs)) - first)
        with seeded(seed, "dropout", where):
            batch = batch_maker(inputs, labels, training, seed, prepare, where)
            order = generator(seed, "order")
            return _run(model, optimizer, training, batch, len(inputs), order, first)
    finally:
        if watcher is not None:
            watcher.detach()
        model.eval()


Batch = Callable[[Tensor], tuple[Tensor, Tensor]]


def batch_maker(
    inputs: Tensor,
    labels: Tensor,
    training: Training,
    seed: int,
    prepare: Prepare | None,
    device: torch.device,
) -> Batch:
    """A function from indices to a batch, augmented, prepared and on the device."""
    asked = training.augmentation
    vary = AUGMENTATIONS[asked].function if isinstance(asked, str) else asked
    draws = generator(seed, "augmentation")

    def batch(index: Tensor) -> tuple[Tensor, Tensor]:
        shown = vary(inputs[index.to(inputs.device)].to(device), draws)
        right = labels[index.to(labels.device)].to(device)
        return (shown if prepare is None else prepare(shown)), right

    return batch


def _run(
    model: nn.Module,
    optimizer: Optimizer,
    training: Training,
    batch: Batch,
    examples: int,
    order: torch.Generator,
    first: int,
) -> Curve:
    """All epochs, but for the steps before the first."""
    share = DECAYS[training.decay]
    steps, step = training.steps(examples), 0
    losses, accuracies = [], []
    for _ in range(training.epochs):
        loss_sum, right, seen = 0.0, 0, 0
        for index in epoch_batches(examples, training.batch_size, order):
            if step < first:
                step += 1
                continue
            for group in optimizer.param_groups:
                group["lr"] = training.lr * share(step / steps)
            loss, hits = _step(model, optimizer, *batch(index))
            step += 1
            if not math.isfinite(loss):
                raise ValueError(
                    f"The loss became {loss} at step {step} of {steps}: lower the learning rate "
                    f"({training.lr}) or look for inputs that are not finite."
                )
            loss_sum += loss * len(index)
            right += hits
            seen += len(index)
        if seen:
            losses.append(loss_sum / seen)
            accuracies.append(right / seen)
    return Curve(tuple(losses), tuple(accuracies))


def _step(
    model: nn.Module, optimizer: Optimizer, shown: Tensor, labels: Tensor
) -> tuple[float, int]:
    """One update (none where the loss is not finite): the loss in nats, and how many were right."""
    logits = model(shown)
    if logits.ndim != 2 or len(logits) != len(labels) or int(labels.max()) >= logits.shape[1]:
        raise ValueError(
            f"The model must return logits [n, classes], it returned {tuple(logits.shape)} for "
            f"{len(labels)} examples with labels up to {int(labels.max())}."
        )
    loss = F.cross_entropy(logits, labels)
    value = float(loss.detach())
    if math.isfinite(value):
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return value, int((logits.detach().argmax(1) == labels).sum())


def _first_step(start: float, steps: int) -> int:
    number = isinstance(start, int | float) and not isinstance(start, bool)
    if not number or not 0.0 <= start < 1.0:
        raise ValueError(
            f"start is the share of the steps that is left out, in [0, 1), got {start!r}."
        )
    return max(0, min(round(start * steps), steps - 1))


def check_examples(inputs: Tensor, labels: Tensor, training: Training) -> None:
    """Refuses what cannot be trained on.

    Raises:
        ValueError: Inputs and labels do not fit together, or the augmentation does not fit them.
    """
    if len(inputs) == 0 or labels.shape != (len(inputs),):
        raise ValueError(
            f"Training needs inputs [n, ...] and labels [n] with n of 1 or more, got shapes "
            f"{tuple(inputs.shape)} and {tuple(labels.shape)}."
        )
    if labels.dtype != torch.int64 or int(labels.min()) < 0:
        raise ValueError(
            f"Labels must be int64 class codes of 0 or more, got {labels.dtype} from "
            f"{labels.min().item()}."
        )
    if training.augmentation != "none" and inputs.ndim != 4:
        raise ValueError(
            f"Augmentation {training.augmentation!r} is for images [n, channels, height, width], "
            f"got shape {tuple(inputs.shape)}: use 'none'."
        )
