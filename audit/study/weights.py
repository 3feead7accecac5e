"""Reads tensors from checkpoint files of any habit, and fits them to a module's names."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audit.evidence.errors import InputError, MissingExtra
from audit.evidence.nearest import hint

PICKLED = (".bin", ".ckpt", ".pt", ".pth", ".tar")
# Where training scripts put the state dict among other things, most specific first.
CONTAINERS = ("state_dict", "model_state_dict", "model_state", "model", "net")
# What wrappers (DataParallel, a LightningModule's attribute, torch.compile) put before names. Any
# other prefix is taken off only if all names have it: a teacher beside its student would fit too.
PREFIXES = ("module.", "model.", "_orig_mod.", "net.")
_ORIGINAL, _MASK = "_orig", "_mask"  # torch.nn.utils.prune's names for a weight and its mask
_RUNNING = ("running_mean", "running_var", "num_batches_tracked")  # buffers, not parameters
_MOST_NAMED = 3  # names of each kind that a sentence about a mismatch lists


@dataclass(frozen=True)
class Fitted:
    """Tensors under a module's own names.

    Attributes:
        state: What predicts: weights with their masks multiplied in.
        loadable: What `load_state_dict` takes; differs from `state` where the module itself holds
            `_orig` and `_mask` pairs.
        masks: Masks of torch.nn.utils.prune, by the name of their weight.
        notes: Sentences on what was left out.
    """

    state: Mapping[str, Tensor]
    loadable: Mapping[str, Tensor]
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeasuredSparsity:
    """Exact zeros among the numbers of a model.

    Attributes:
        targeted: Fraction of zeros in weights, which are parameters of two or more axes; None
            where there are none.
        all: Fraction of zeros in all parameters; None where there are none.
        parameters: Number of parameters.
        nonzero: Number of parameters that are not zero.
    """

    targeted: float | None
    all: float | None
    parameters: int
    nonzero: int


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The state dict that a checkpoint holds, under the names it has there, on the CPU.

    Raises:
        InputError: It is not there, is no checkpoint, holds no state dict, or is a pickle that
            would have to run code to be read.
        MissingExtra: It is safetensors and that library is not installed.
    """
    if not path.is_file():
        raise InputError(f"There is no checkpoint {path}: mend its path in the config.")
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        return _read_safetensors(path)
    if suffix in PICKLED:
        return _state_dict(_read_pickle(path), path)
    known = (".safetensors", *PICKLED, ".pt2", ".onnx")
    raise InputError(f"{path} is no checkpoint by its suffix {suffix!r}: {hint(suffix, known)}")


def fit(tensors: Mapping[str, Tensor], module: nn.Module, path: Path) -> Fitted:
    """Finds the names under which a checkpoint's tensors are those of a module.

    Tried in order: the names as they are, without `_orig_mod`, without wrappers' prefixes; each
    also with `_orig` and `_mask` pairs multiplied. Tensors outside the prefix that fits are left
    out and noted.

    Raises:
        InputError: Nothing fits; the first names that are missing, left over or of another shape.
    """
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    closest: tuple[int, str] | None = None
    for named, dropped in _renamed(tensors):
        folded, masks = _fold_masks(named)
        for candidate in (named, folded):
            distance, problem = _difference(candidate, expected)
            if not distance:
                return Fitted(folded, candidate, masks, _left_out(dropped))
            if closest is None or distance < closest[0]:
                closest = (distance, problem)
    assert closest is not None  # the names as they are have been tried
    raise InputError(
        f"{path} does not fit {type(module).__name__}: {closest[1]}. Give its own `build`, or "
        "mend the architecture's arguments."
    )


def measured_sparsity(state: Mapping[str, Tensor]) -> MeasuredSparsity:
    """Counts exact zeros in a state dict; running statistics and integers are no parameters."""
    parameters = [
        value
        for name, value in state.items()
        if value.is_floating_point() and name.rpartition(".")[2] not in _RUNNING
    ]
    weights = [value for value in parameters if value.dim() >= 2]
    total, zeros = _count(parameters)
    weight_total, weight_zeros = _count(weights)
    return MeasuredSparsity(
        targeted=weight_zeros / weight_total if weight_total else None,
        all=zeros / total if total else None,
        parameters=total,
        nonzero=total - zeros,
    )


def _count(values: list[Tensor]) -> tuple[int, int]:
    total = sum(value.numel() for value in values)
    return total, total - sum(int(torch.count_nonzero(value)) for value in values)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingExtra("safetensors", "torch", "This checkpoint") from error
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is no whole safetensors file ({error}): copy it again."
        ) from error


def _read_pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # On the protocol and the storage of the file: what matters of it is raised.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(_refusal(path, str(error))) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"{path} cannot be read as a PyTorch checkpoint ({reason[0][:200]}): copy it again, or "
            "save model.state_dict() anew."
        ) from error


def _refusal(path: Path, problem: str) -> str:
    asked = re.search(r"GLOBAL ([\w.]+)", problem)
    reason = f"it asks for {asked.group(1)}" if asked else problem.strip().splitlines()[0][:200]
    return (
        f"{path} is a pickle that holds more than tensors ({reason}) and is refused, because "
        "reading it could run code: where you trust it, save model.state_dict() alone, best as "
        "safetensors."
    )


def _state_dict(found: Any, path: Path) -> dict[str, Tensor]:
    for key in CONTAINERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping):
        raise InputError(
            f"{path} holds a {type(found).__name__} and no state dict: save model.state_dict()."
        )
    tensors = {str(name): one for name, one in found.items() if isinstance(one, Tensor)}
    if len(tensors) < len(found) or not tensors:
        others = [str(name) for name, one in found.items() if not isinstance(one, Tensor)]
        shown = ", ".join(others[:_MOST_NAMED]) or "nothing"
        raise InputError(
            f"{path} holds no state dict under any of {', '.join(CONTAINERS)} (but {shown}): save "
            "model.state_dict()."
        )
    return {
        name: one if one.layout == torch.strided else one.to_dense()
        for name, one in tensors.items()
    }


def _renamed(
    tensors: Mapping[str, Tensor],
) -> Iterator[tuple[dict[str, Tensor], tuple[str, ...]]]:
    """The same tensors under fewer and fewer wrappers' names, and the names left out."""
    named, dropped = dict(tensors), tuple[str, ...]()
    yield named, dropped
    named = {name.replace("_orig_mod.", ""): value for name, value in named.items()}
    yield named, dropped
    while True:
        prefix = _prefix(named)
        if prefix is None:
            return
        dropped += tuple(name for name in named if not name.startswith(prefix))
        named = {
            name.removeprefix(prefix): value
            for name, value in named.items()
            if name.startswith(prefix)
        }
        yield named, dropped


def _prefix(names: Mapping[str, Tensor]) -> str | None:
    """A wrapper's prefix that some names have, else the first part that all names share."""
    for prefix in PREFIXES:
        if any(name.startswith(prefix) for name in names):
            return prefix
    first = {name.partition(".")[0] for name in names if "." in name}
    shared = len(first) == 1 and all("." in name for name in names)
    return f"{first.pop()}." if shared else None


def _fold_masks(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Multiplies `weight_orig` by `weight_mask` to `weight`; the masks apart."""
    masks = {
        name.removesuffix(_MASK): value
        for name, value in tensors.items()
        if name.endswith(_MASK) and name.removesuffix(_MASK) + _ORIGINAL in tensors
    }
    folded = {}
    for name, value in tensors.items():
        stem = name.removesuffix(_ORIGINAL)
        if name.endswith(_ORIGINAL) and stem in masks:
            # Not value * mask: a weight that overflowed would make inf * 0 = NaN of a pruned one.
            folded[stem] = torch.where(masks[stem] != 0, value * masks[stem], 0)
        elif not (name.endswith(_MASK) and name.removesuffix(_MASK) in masks):
            folded[name] = value
    return folded, masks


def _difference(
    tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]
) -> tuple[int, str]:
    """How many names differ, and a list of the first; 0 where the tensors can be loaded."""
    # Checkpoints older than that counter lack it, and PyTorch fills it in.
    missing = [
        f"{name} {shape}"
        for name, shape in expected.items()
        if name not in tensors and not name.endswith("num_batches_tracked")
    ]
    extra = [f"{name} {tuple(v.shape)}" for name, v in tensors.items() if name not in expected]
    reshaped = [
        f"{name} {tuple(value.shape)} for {expected[name]}"
        for name, value in tensors.items()
        if name in expected and tuple(value.shape) != expected[name]
    ]
    kinds = (("it lacks", missing), ("it also has", extra), ("other shapes:", reshaped))
    listed = "; ".join(f"{kind} {_first(names)}" for kind, names in kinds if names)
    return len(missing) + len(extra) + len(reshaped), listed


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _left_out(dropped: tuple[str, ...]) -> tuple[str, ...]:
    if not dropped:
        return ()
    return (f"Tensors outside the model were left out: {_first(list(dropped))}.",)
