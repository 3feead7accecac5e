"""Accuracy of a model on given examples: top-1, and top-5 where there are classes enough."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruners.saliency.examples import evaluating
from pruners.seeding import device_of
from pruners.training import Prepare

TOP = 5


@dataclass(frozen=True)
class Accuracy:
    """How often a model was right.

    Attributes:
        top1: Fraction of examples whose label has the highest logit (of equal ones, the first).
        top5: Fraction whose label is among the five highest, ties by class index; None with five
            classes or fewer, where it would be 1 whatever the model does.
        n: Examples.
    """

    top1: float
    top5: float | None
    n: int


@torch.no_grad()
def measure_accuracy(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    prepare: Prepare | None = None,
    *,
    batch_size: int = 256,
) -> Accuracy:
    """Shows the model every example once, in evaluation mode.

    Args:
        model: From [n, ...] to logits [n, classes]; not changed.
        inputs: [n, ...], any dtype that `prepare` turns into what the model takes.
        labels: int64 [n], class codes.
        prepare: As for `train`.
        batch_size: Examples shown at once, 1 or more.

    Raises:
        ValueError: No examples, labels that do not fit them, or outputs that are no logits or no
            numbers.
    """
    if len(inputs) == 0 or labels.shape != (len(inputs),) or batch_size < 1:
        raise ValueError(
            f"Accuracy needs inputs [n, ...] and labels [n] with n of 1 or more, got shapes "
            f"{tuple(inputs.shape)} and {tuple(labels.shape)} (batches of {batch_size})."
        )
    device, first, among, classes = device_of(model), 0, 0, 0
    with evaluating(model):
        for x, y in zip(*(torch.split(t, batch_size) for t in (inputs, labels)), strict=True):
            shown = x.to(device)
            logits = model(shown if prepare is None else prepare(shown))
            fits = logits.ndim == 2 and len(logits) == len(y)
            if not fits or int(y.min()) < 0 or int(y.max()) >= logits.shape[1]:
                raise ValueError(
                    f"The model must return logits [n, classes], it returned "
                    f"{tuple(logits.shape)} for {len(y)} examples with labels up to "
                    f"{int(y.max())}, from {int(y.min())}."
                )
            lost = int(logits.isnan().any(dim=1).sum())
            if lost:
                raise ValueError(
                    f"The model returned no numbers (NaN) for {lost} of {len(y)} examples: look "
                    f"for inputs and weights that are not finite."
                )
            # Stable, so that equal logits go by class index on every machine.
            best = logits.sort(dim=1, descending=True, stable=True).indices[:, :TOP]
            hits = best == y.to(device)[:, None]
            first += int(hits[:, 0].sum())
            among += int(hits.any(dim=1).sum())
            classes = logits.shape[1]
    n = len(inputs)
    return Accuracy(first / n, among / n if classes > TOP else None, n)
