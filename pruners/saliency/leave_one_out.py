"""Leave one out: what the loss really gains when a group is removed. For small models, and proof.

No expansion and no approximation: the model is evaluated without the group, for every group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._python_dispatch import TorchDispatchMode

from pruners.saliency.examples import (
    Data,
    batches,
    check_labels,
    evaluating,
    examples_at_once,
    weights_of,
)
from pruners.saliency.unfused import unfused_attention

PASSES = 100_000  # most groups times batches that it will go through

# `(name, index)` -> bool by parameter name, the entries that go with a group.
Removed = Callable[[str, int], Mapping[str, Tensor]]


def leave_one_out(
    model: nn.Module,
    groups: Mapping[str, int],
    removed: Removed,
    data: Data | None = None,
    seed: int = 0,
) -> dict[str, Tensor]:
    """Mean loss without the group minus mean loss with it, in nats per example; may be negative.

    Cross-entropy in evaluation mode, in float64 from the model's logits on. Several groups are
    evaluated at once (`torch.vmap`) as far as `GRADIENT_BYTES` goes.

    Args:
        model: From inputs to logits.
        groups: How many there are of each name.
        removed: The entries that go with a group.
        data: Examples.
        seed: Not used.

    Returns:
        Float64 [groups] for each name.

    Raises:
        ValueError: There are more than 100,000 forward passes to make.
    """
    known = data if isinstance(data, tuple) or data is None else list(data)
    found = {name: torch.zeros(count, dtype=torch.float64) for name, count in groups.items()}
    seen = 0
    with evaluating(model) as shown, torch.no_grad(), unfused_attention():
        parts = list(batches(shown, known, "leave_one_out"))
        _check_passes(sum(groups.values()) * len(parts), groups)
        for inputs, labels in parts:
            whole = shown(inputs)
            check_labels(whole, labels, "leave_one_out")
            before = float(_loss(whole, labels))
            size = _at_once(shown, inputs)
            for name, count in groups.items():
                for first in range(0, count, size):
                    chosen = range(first, min(first + size, count))
                    after = _without(shown, [removed(name, i) for i in chosen], inputs, labels)
                    found[name][first : first + len(chosen)] += after.cpu() - before
            seen += len(inputs)
    return {name: gained / seen for name, gained in found.items()}


def _check_passes(passes: int, groups: Mapping[str, int]) -> None:
    if passes > PASSES:
        raise ValueError(
            f"Saliency 'leave_one_out' would take {passes:,} forward passes for "
            f"{sum(groups.values()):,} groups, more than {PASSES:,}: choose a coarser granularity, "
            f"fewer examples, or 'taylor1' or 'obd', which estimate the same."
        )


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.double(), labels.long(), reduction="sum")


def _without(
    model: nn.Module, gone: Sequence[Mapping[str, Tensor]], inputs: Tensor, labels: Tensor
) -> Tensor:
    """The summed loss without each of the sets of entries: [sets]."""
    weights = weights_of(model, list(dict.fromkeys(name for each in gone for name in each)))
    stacked = {
        name: torch.stack([_zeroed(weight, each.get(name)) for each in gone])
        for name, weight in weights.items()
    }

    def loss(chosen: dict[str, Tensor]) -> Tensor:
        return _loss(functional_call(model, chosen, (inputs,)), labels)

    try:
        return vmap(loss)(stacked)
    except RuntimeError:
        # Modules that vmap cannot batch (recurrent ones, branches on values) go one by one.
        alone = ({name: rows[i] for name, rows in stacked.items()} for i in range(len(gone)))
        return torch.stack([loss(chosen) for chosen in alone])


def _zeroed(weight: Tensor, gone: Tensor | None) -> Tensor:
    return weight if gone is None else weight.masked_fill(gone.to(weight.device), 0.0)


class _Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the bytes of the largest tensor that is computed."""

    found = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in result if isinstance(result, tuple | list) else (result,):
            if isinstance(each, Tensor):
                self.found = max(self.found, each.nbytes)
        return result


def _at_once(model: nn.Module, inputs: Tensor) -> int:
    """How many sets of entries fit in memory: changed weights, and some three activations."""
    with _Largest() as largest:  # type: ignore[no-untyped-call]
        model(inputs)
    weights = max((parameter.nbytes for parameter in model.parameters()), default=0)
    return examples_at_once(2 * weights + 3 * largest.found)
