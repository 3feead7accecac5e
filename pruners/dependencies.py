"""Which channels can only be removed together, traced by torch-pruning's dependency graph.

Removing a channel takes the filter that makes it, its bias and batch-norm, what every layer after
it reads of it, and the filters that a residual sum adds to it. We take the groups from
torch-pruning and nothing else: what is scored, chosen and removed is decided here.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from pruners.endless import bounded
from pruners.example_inputs import Example, show, tensors_of

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True)
class Slice:
    """What goes of one parameter with each channel of a group.

    Attributes:
        parameter: Its name.
        dim: The dimension along which it is cut.
        indices: For each channel, the indices along `dim`; as many for every channel.
        reads: Whether the layer reads the channel, rather than makes or normalises it.
    """

    parameter: str
    dim: int
    indices: tuple[tuple[int, ...], ...]
    reads: bool


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that several layers share.

    Attributes:
        name: The first weight that makes them.
        channels: How many there are.
        slices: What goes with each of them, from every parameter concerned.
    """

    name: str
    channels: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class Dependencies:
    """The coupled channels of a model.

    Attributes:
        groups: Those that can be removed, in the order of the layers that make them.
        skipped: The others: the weight that makes them, and why they cannot be removed.
    """

    groups: tuple[ChannelGroup, ...]
    skipped: tuple[tuple[str, str], ...]


class _CannotGo(Exception):
    """A group has a part that masks cannot stand for."""


def trace_dependencies(model: nn.Module, example: Example) -> Dependencies:
    """The groups of channels that go together, for one example of the inputs.

    Args:
        model: Any module; it is not changed (a copy is traced, in evaluation mode).
        example: A batch, a sequence of arguments or a mapping of named ones, on its device.

    Raises:
        ValueError: The model cannot be traced; the message has torch-pruning's own reason.
    """
    import torch_pruning

    twin = copy.deepcopy(model).requires_grad_(True)
    names: dict[Any, str] = {module: name for name, module in twin.named_modules()}
    graph = torch_pruning.DependencyGraph()
    try:
        with torch.enable_grad():
            # New dictionaries at every call: the library's defaults are mutable and keep the
            # parameters of the first model they ever saw.
            graph.build_dependency(
                twin,
                example_inputs=example,
                # Without one the library shows it model(*batch), the rows as arguments.
                forward_fn=show,
                customized_pruners={},
                unwrapped_parameters=[],
                ignored_params=[],
                verbose=False,
            )
            with bounded(graph):
                found = list(graph.get_all_groups(ignored_layers=[]))
    except Exception as error:  # whatever goes wrong in there means the same thing here
        raise ValueError(
            f"The channels of {type(model).__name__} cannot be traced "
            f"({type(error).__name__}: {error})."
        ) from error
    if not found:
        raise ValueError(
            f"The channels of {type(model).__name__} cannot be traced: its output does not depend "
            f"on any layer by a gradient."
        )
    places = {name: place for place, (name, _) in enumerate(twin.named_parameters())}
    groups, skipped = [], []
    for group in found:
        try:
            groups.append(_group(graph, group, names, places))
        except _CannotGo as reason:
            skipped.append((_name(names, group[0].dep.target.module), str(reason)))
    groups.sort(key=lambda group: places[group.name])
    wrong = misread(twin, example, groups)
    skipped += [(name, "what reads them still sees something when they are zero") for name in wrong]
    return Dependencies(
        tuple(group for group in groups if group.name not in wrong),
        tuple(sorted(skipped, key=lambda pair: places[pair[0]])),
    )


def _name(names: Mapping[Any, str], module: nn.Module, parameter: str = "weight") -> str:
    owner = names[module]
    return f"{owner}.{parameter}" if owner else parameter


def _group(
    graph: Any, group: Any, names: Mapping[Any, str], places: Mapping[str, int]
) -> ChannelGroup:
    """One of torch-pruning's groups in our words.

    Raises:
        _CannotGo: It touches something that cannot be masked so as to equal removal.
    """
    channels = len(group[0].idxs)
    slices: list[Slice] = []
    for item in group:
        node, module = item.dep.target, item.dep.target.module
        makes = bool(graph.is_out_channel_pruning_fn(item.dep.handler))
        if makes and not node.outputs:
            raise _CannotGo("they are an output of the model")
        if module not in names:
            if isinstance(module, nn.Parameter):
                raise _CannotGo("they meet a parameter of no layer")
            continue  # an operation without parameters
        for parameter, dim in _cut(module, makes):
            indices = _by_channel(item, channels)
            slices.append(Slice(_name(names, module, parameter), dim, indices, reads=not makes))
    if not any(piece.reads for piece in slices):
        raise _CannotGo("nothing in the model reads them")
    slices = [piece for piece in slices if piece.parameter in places]
    slices.sort(key=lambda piece: (piece.reads, places[piece.parameter]))
    return ChannelGroup(slices[0].parameter, channels, tuple(slices))


def _cut(module: nn.Module, makes: bool) -> list[tuple[str, int]]:
    """The parameters of a layer that lose something, and along which dimension."""
    if isinstance(module, _BatchNorm):
        if not module.affine:
            raise _CannotGo("a batch-norm without weights follows them")
        return [("weight", 0), ("bias", 0)]
    if isinstance(module, (nn.Linear, *_CONVOLUTIONS, *_TRANSPOSED)):
        grouped = getattr(module, "groups", 1)
        if grouped > 1 and grouped != module.get_parameter("weight").shape[0]:
            raise _CannotGo("a grouped convolution reads or makes them")
        turned = isinstance(module, _TRANSPOSED)
        if grouped > 1 or not makes:
            cut = [("weight", 0 if turned or grouped > 1 else 1)]
        else:
            cut = [("weight", 1 if turned else 0)]
        goes = module.bias is not None and (makes or grouped > 1)
        return [*cut, ("bias", 0)] if goes else cut
    if isinstance(module, nn.PReLU):
        return [("weight", 0)] if module.num_parameters > 1 else []
    if not list(module.parameters()):
        return []
    raise _CannotGo(f"{type(module).__name__} mixes them with the other channels")


def _by_channel(item: Any, channels: int) -> tuple[tuple[int, ...], ...]:
    """For each channel the indices of a layer that belong to it."""
    roots = item.root_idxs if item.root_idxs is not None else item.idxs
    found: dict[int, list[int]] = defaultdict(list)
    for index, root in zip(item.idxs, roots, strict=True):
        found[int(root)].append(int(index))
    parts = tuple(tuple(sorted(found[channel])) for channel in range(channels))
    if len({len(part) for part in parts}) != 1:
        raise _CannotGo("a layer has more of some channels than of others")
    return parts


def misread(model: nn.Module, example: Example, groups: Sequence[ChannelGroup]) -> set[str]:
    """Groups of which the trace is wrong: where zero channels are read as something else.

    Some of the channels of all groups are made zero at once; only where that shows a difference
    are the groups looked at one by one.

    Args:
        model: In evaluation mode; it is not changed.
        example: As for `trace_dependencies`.
        groups: With names that differ.

    Returns:
        The names of those where the output is another once what reads them is zero as well.
    """
    if _holds(model, example, groups):
        return set()
    return {group.name for group in groups if not _holds(model, example, [group])}


@torch.no_grad()
def _holds(model: nn.Module, example: Example, groups: Sequence[ChannelGroup]) -> bool:
    """Whether the output is the same with what reads zero channels zero as well."""
    parameters = dict(model.named_parameters())
    changed: dict[str, Tensor] = {}
    outputs = []
    for reads in (False, True):
        for group in groups:
            for piece in group.slices:
                if piece.reads == reads:
                    # Every third, for the others to carry on; the first where there are few.
                    gone = [i for part in piece.indices[::3] for i in part]
                    name = piece.parameter
                    target = changed.setdefault(name, parameters[name].detach().clone())
                    target.index_fill_(piece.dim, torch.tensor(gone, device=target.device), 0.0)
        outputs.append(tensors_of(_show(model, changed, example)))
    pairs = zip(*outputs, strict=True)
    return all(torch.allclose(left, right, rtol=1e-4, atol=1e-5) for left, right in pairs)


def _show(model: nn.Module, changed: Mapping[str, Tensor], example: Example) -> Any:
    """What the model returns with some parameters changed."""
    if isinstance(example, Mapping):
        return functional_call(model, dict(changed), (), dict(example))
    given = (example,) if isinstance(example, Tensor) else tuple(example)
    return functional_call(model, dict(changed), given)
