"""Examples for the saliencies that need some: batches in one vocabulary, and the loss on them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pruners.seeding import device_of

# (inputs [n, ...], labels int64 [n]), or batches of such pairs, as a data loader gives them.
Data = tuple[Tensor, Tensor] | Iterable[tuple[Tensor, Tensor]]

PAIR_BATCH = 256  # examples of a pair of tensors shown to the model at once
GRADIENT_BYTES = 256 * 2**20  # memory that what is kept per example may take at once

LOOK = (
    "look at the examples it was given and, if weights have grown so large that numbers overflow, "
    "train again at a lower learning rate"
)

_SHORT = (torch.float16, torch.bfloat16)


def check_finite(values: Tensor, what: str, remedy: str = LOOK) -> None:
    """Refuses values that are not all finite.

    Raises:
        ValueError: Some are not.
    """
    bad = values.numel() - int(values.isfinite().count_nonzero())
    if bad:
        raise ValueError(f"{what} has {bad} entries that are not finite: {remedy}.")


def batches(model: nn.Module, data: Data | None, needed_by: str) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of `data`, on the model's device; 16-bit inputs as float32.

    Raises:
        ValueError: There are none, or inputs are not finite.
    """
    if data is None:
        raise ValueError(
            f"Saliency {needed_by!r} needs examples: pass data=(inputs, labels) or an iterable of "
            f"such batches."
        )
    device, seen = device_of(model), 0
    for batch in _pairs(data):
        inputs, labels = _pair(batch, needed_by)
        seen += len(inputs)
        if len(inputs) == 0:
            continue
        _check_inputs(inputs, needed_by)
        # What was made in inference mode can have no gradient pass through it.
        shown, right = (part.to(device, copy=part.is_inference()) for part in (inputs, labels))
        yield (shown.float() if shown.dtype in _SHORT else shown), right
    if seen == 0:
        raise ValueError(f"Saliency {needed_by!r} was given no examples: data is empty.")


def _pairs(data: Data) -> Iterable[object]:
    # A list too: a batch of a data loader is one.
    whole = data if isinstance(data, tuple | list) else ()
    if len(whole) == 2 and all(isinstance(part, Tensor) for part in whole):
        if len(whole[0]) != len(whole[1]):
            raise ValueError(
                f"data=(inputs, labels) has {len(whole[0])} inputs and {len(whole[1])} labels: "
                f"pass one label per example."
            )
        return zip(*(torch.split(part, PAIR_BATCH) for part in whole), strict=True)
    batched = isinstance(data, Iterable) and not isinstance(data, Tensor | Mapping | str)
    return data if batched else [data]


def _pair(batch: object, needed_by: str) -> tuple[Tensor, Tensor]:
    """The two tensors of a batch."""
    pair = tuple(batch) if isinstance(batch, tuple | list) else ()
    if len(pair) != 2 or not all(isinstance(part, Tensor) for part in pair):
        parts = batch if isinstance(batch, Mapping | tuple | list) else ()
        kinds = ", ".join(type(part).__name__ for part in pair) or ", ".join(map(str, parts))
        raise ValueError(
            f"Saliency {needed_by!r} takes batches of two tensors, (inputs, labels), got a "
            f"{type(batch).__name__}{f' of {kinds}' if kinds else ''}: pass data=((batch[...], "
            f"batch[...]) for batch in loader), with what your model takes and its class codes."
        )
    return pair[0], pair[1]


def _check_inputs(inputs: Tensor, needed_by: str) -> None:
    bad = int((~inputs.isfinite()).count_nonzero()) if inputs.is_floating_point() else 0
    if bad:
        raise ValueError(
            f"Saliency {needed_by!r} was given inputs with {bad} values that are not finite: clean "
            f"the examples, or leave those out."
        )


def summed_loss(logits: Tensor, labels: Tensor, needed_by: str) -> Tensor:
    """Cross-entropy in nats, summed over the examples.

    Args:
        logits: Float [n, classes].
        labels: Integers [n], each a class from 0.
        needed_by: The saliency, for messages.

    Raises:
        ValueError: The labels do not fit the logits.
    """
    check_labels(logits, labels, needed_by)
    return F.cross_entropy(logits, labels.long(), reduction="sum")


def toward_label(logits: Tensor, labels: Tensor, needed_by: str) -> Tensor:
    """The gradient of each example's cross-entropy by its logits, p − e_y: [n, classes].

    Raises:
        ValueError: The labels do not fit.
    """
    check_labels(logits, labels, needed_by)
    gradient = logits.softmax(1)
    gradient[torch.arange(len(labels), device=labels.device), labels.long()] -= 1
    return gradient


def check_labels(logits: Tensor, labels: Tensor, needed_by: str) -> None:
    """Refuses labels that are no class codes of the model's outputs.

    Raises:
        ValueError: The logits are not [n, classes], or the labels not n integers below classes.
    """
    check_logits(logits, needed_by)
    whole = not (labels.is_floating_point() or labels.is_complex())
    if labels.shape != logits.shape[:1] or not whole:
        raise ValueError(
            f"Saliency {needed_by!r} takes one integer label per example, got {labels.dtype} of "
            f"shape {tuple(labels.shape)} for {len(logits)} examples: pass class codes."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= logits.shape[1]:
        raise ValueError(
            f"Saliency {needed_by!r} was given labels from {low} to {high}, and the model has "
            f"{logits.shape[1]} outputs: labels are codes from 0 to {logits.shape[1] - 1}."
        )


def check_logits(logits: Tensor, needed_by: str) -> None:
    """Refuses a model whose outputs are not one row of logits per example.

    Raises:
        ValueError: They are not [n, classes].
    """
    if logits.ndim != 2:
        raise ValueError(
            f"Saliency {needed_by!r} takes a model with outputs [examples, classes], this one's "
            f"are {tuple(logits.shape)}: wrap it so that it returns logits."
        )


def in_single_precision(model: nn.Module) -> nn.Module:
    """The model; where it has 16-bit weights, a copy in float32 under the same names."""
    short = any(parameter.dtype in _SHORT for parameter in model.parameters())
    return copy.deepcopy(model).float() if short else model


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Evaluation mode inside (no dropout, batch-norm by its running statistics), then as before.

    Gives the model to compute with: the same one, or where it has 16-bit weights a copy in
    float32, as sums of squares would overflow or vanish.
    """
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield in_single_precision(model)
    finally:
        for module, training in before.items():
            module.training = training


def weights_of(model: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """The named parameters, detached; 16-bit ones as float32."""
    parameters = dict(model.named_parameters())
    found = {name: parameters[name].detach() for name in names}
    return {name: w.float() if w.dtype in _SHORT else w for name, w in found.items()}


def leaves_of(model: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """As `weights_of`, to take gradients by: frozen ones too, and the model's own stay as is."""
    return {name: w.clone().requires_grad_() for name, w in weights_of(model, names).items()}


def examples_at_once(bytes_each: int) -> int:
    """How many examples fit in `GRADIENT_BYTES`, one at least."""
    return max(1, GRADIENT_BYTES // max(1, bytes_each))
