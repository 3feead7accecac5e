"""Compaction: masked structures taken out for good, outputs equal, or else nothing taken out.

torch-pruning says what is coupled and removes it from a twin; the model itself is only ever sliced.
What comes out is compared with the masked model on the example, and where that fails (or where the
model cannot be traced at all) the masked model is what is given back, with the reason.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from pruners.compaction.attention import Heads, find_heads
from pruners.compaction.compacted import Compacted, Left, Removed
from pruners.compaction.constants import fold
from pruners.compaction.coupling import Tracing
from pruners.compaction.cuts import Cuts, cut, take
from pruners.compaction.removable import Removal, find_removals
from pruners.cost.counting import count_macs
from pruners.example_inputs import (
    Example,
    check_example,
    first_of,
    placed,
    show,
    tensors_of,
)
from pruners.masks import Masks

TOLERANCE = 1e-5  # of the outputs, for each unit of their largest size where that is above 1
NOTHING = "The masks leave no whole structure that could be removed: "
SINGLE = "its zeros fill no whole structure"
UNCOUPLED = "no channel that the layers around it could lose as well (an input of the model, say)"


def compact(model: nn.Module, masks: Masks, example: Example) -> Compacted:
    """A smaller dense model that computes what the masked model computes.

    A channel is removed from every layer that holds it (its filter, its batch-norm, the inputs of
    the next layer, residual partners), if the masks removed all the weights that make it and what
    is left of it is zero, or a constant that the next layer's bias can take up exactly; or if no
    layer that takes it has a weight left for it. Everything else stays masked, and is named.

    Args:
        model: Any module; it is not changed. The result is in evaluation mode.
        masks: Of this model; they are applied to the copy.
        example: A batch of inputs (or a tuple of arguments, or a mapping of named ones).

    Returns:
        The compact model, or the masked copy with the `reason` where nothing could be removed.

    Raises:
        ValueError: The masks are of another architecture.
        TypeError: There is no example.
    """
    masked = copy.deepcopy(model).eval()
    masks.apply_(masked)
    shown = placed(masked, check_example(example))
    with torch.no_grad():
        expected = tensors_of(show(masked, shown))
    try:
        heads = find_heads(masked, masks)
        sets = [] if _only(heads, masks) else Tracing(masked, shown).coupled()
        inside = {layer for one in heads for layer in one.layers}
        sets = [one for one in sets if not inside.intersection(m.layer for m in one.makers)]
        removals = find_removals(masked, masks, sets, shown)
    except Exception as error:  # whatever a module or the tracer raises, the model is still usable
        return _unchanged(masked, masks, shown, f"It could not be traced ({_said(error)}).")
    wanted: list[Going] = [*(removal for removal in removals if removal.channels), *heads]
    done, failed = _largest(masked, wanted, shown, expected)
    reasons = _reasons(removals, failed)
    if done is None:
        left = _left(masks.kept, reasons)
        why = "; ".join(f"{one.name}: {one.reason}" for one in left) or "they mask nothing"
        return _unchanged(masked, masks, shown, f"{NOTHING}{why}.", reasons)
    smaller, cuts, folded, difference = done
    return _finished(masked, smaller, masks, cuts, shown, difference, folded, reasons)


def _only(heads: Sequence[Heads], masks: Masks) -> bool:
    """Whether the masks remove nothing but these heads."""
    inside = {name for one in heads for name in one.slices}
    return all(name in inside or bool(kept.all()) for name, kept in masks.kept.items())


Going = Removal | Heads
Done = tuple[nn.Module, Cuts, tuple[str, ...], float]


def _largest(
    masked: nn.Module,
    wanted: Sequence[Going],
    example: Example,
    expected: list[torch.Tensor],
) -> tuple[Done | None, dict[str, str]]:
    """Everything that can go together; what cannot is found by trying one set after the other."""
    if not wanted:
        return None, {}
    done, reason = _attempt(masked, wanted, example, expected)
    if done is not None:
        return done, {}
    accepted: list[Going] = []
    best: Done | None = None
    failed: dict[str, str] = {}
    for removal in wanted:
        done, reason = _attempt(masked, [*accepted, removal], example, expected)
        if done is None:
            failed |= dict.fromkeys(removal.layers, reason)
        else:
            best = done
            accepted.append(removal)
    return best, failed


def _attempt(
    masked: nn.Module,
    removals: Sequence[Going],
    example: Example,
    expected: list[torch.Tensor],
) -> tuple[Done | None, str]:
    """The model without these channels, if it still computes the same; else why not."""
    try:
        tracing = Tracing(masked, example)
        channels = [removal for removal in removals if isinstance(removal, Removal)]
        heads = [removal for removal in removals if isinstance(removal, Heads)]
        cuts = tracing.remove({one.root: one.channels for one in channels}, heads)
        smaller = copy.deepcopy(masked)
        folded = tuple(
            fold(smaller, layer, follower, values)
            for removal in channels
            for layer, (follower, values) in removal.folds.items()
        )
        cut(smaller, cuts)
        with torch.no_grad():
            found = tensors_of(show(smaller, example))
    except Exception as error:
        return None, f"its removal failed ({_said(error)})"
    difference, limit = _difference(expected, found)
    if not difference <= limit:
        return None, f"without it the outputs differ by {difference:.2g}, over {limit:.2g}"
    return (smaller, cuts, folded, difference), ""


def _difference(expected: list[torch.Tensor], found: list[torch.Tensor]) -> tuple[float, float]:
    """Largest difference between two lists of outputs, and the largest allowed."""
    if [t.shape for t in expected] != [t.shape for t in found]:
        return float("inf"), TOLERANCE
    largest, scale, precision = 0.0, 1.0, 0.0
    for right, left in zip(expected, found, strict=True):
        if right.numel():
            largest = max(largest, float((right.double() - left.double()).abs().max()))
            scale = max(scale, float(right.double().abs().max()))
        if right.is_floating_point():
            precision = max(precision, 8 * torch.finfo(right.dtype).eps)
    return largest, max(TOLERANCE, precision) * scale


def _finished(
    masked: nn.Module,
    smaller: nn.Module,
    masks: Masks,
    cuts: Cuts,
    example: Example,
    difference: float,
    folded: tuple[str, ...],
    reasons: dict[str, str],
) -> Compacted:
    kept = {
        name: take(mask, cuts.kept[name]) if name in cuts.kept else mask
        for name, mask in masks.kept.items()
    }
    one = first_of(example)
    return Compacted(
        model=smaller,
        masks=replace(masks, kept=kept),
        cuts=cuts,
        removed=_removed(masked, cuts),
        parameters_before=_parameters(masked),
        parameters_after=_parameters(smaller),
        macs_before=count_macs(masked, one).macs,
        macs_after=count_macs(smaller, one).macs,
        difference=difference,
        left=_left(kept, reasons),
        folded=folded,
    )


def _unchanged(
    masked: nn.Module,
    masks: Masks,
    example: Example,
    reason: str,
    reasons: dict[str, str] | None = None,
) -> Compacted:
    parameters, macs = _parameters(masked), count_macs(masked, first_of(example)).macs
    return Compacted(
        model=masked,
        masks=masks,
        cuts=Cuts(),
        removed=(),
        parameters_before=parameters,
        parameters_after=parameters,
        macs_before=macs,
        macs_after=macs,
        difference=0.0,
        left=_left(masks.kept, reasons or {}, reason),
        reason=reason,
    )


def _removed(masked: nn.Module, cuts: Cuts) -> tuple[Removed, ...]:
    found = []
    for name, kept in cuts.kept.items():
        layer, _, last = name.rpartition(".")
        if last == "weight" and len(kept) > 1:
            shape = masked.get_parameter(name).shape
            gone = [0 if k is None else n - len(k) for n, k in zip(shape, kept, strict=True)]
            turned = isinstance(masked.get_submodule(layer), nn.modules.conv._ConvTransposeNd)
            out, taken = (gone[1], gone[0]) if turned else (gone[0], gone[1])
            found.append(Removed(layer, out, taken))
    return tuple(found)


def _left(
    kept: Mapping[str, torch.Tensor], reasons: Mapping[str, str], default: str | None = None
) -> tuple[Left, ...]:
    """Masked entries that are still there, by tensor, and why."""
    found = []
    for name, mask in kept.items():
        zeros = mask.numel() - int(mask.count_nonzero())
        if zeros and _has_whole_slices(mask):
            reason = reasons.get(name.rpartition(".")[0], default or UNCOUPLED)
            found.append(Left(name, zeros, reason))
        elif zeros:
            found.append(Left(name, zeros, SINGLE))
    return tuple(found)


def _has_whole_slices(mask: torch.Tensor) -> bool:
    """Whether a row or a column (an entry, of a vector) is masked whole."""
    sides = (mask.movedim(dim, 0).reshape(mask.shape[dim], -1) for dim in range(min(2, mask.ndim)))
    return any(not bool(side.any(1).all()) for side in sides)


def _reasons(removals: Sequence[Removal], failed: dict[str, str]) -> dict[str, str]:
    """By layer, why masked structures of it stay."""
    found = dict(failed)
    for removal in removals:
        for layer, reason in removal.kept.items():
            found.setdefault(layer, reason)
    return found


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
