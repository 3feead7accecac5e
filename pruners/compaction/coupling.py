"""Which channels must go together, as torch-pruning's dependency graph has them.

Of that library only the graph and the removal are used, behind this file; which channels go is
decided elsewhere. It is imported when a model is traced, and not before.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import nn

from pruners.compaction.attention import Heads
from pruners.compaction.cuts import Cuts, cut, number_entries_, read_cuts
from pruners.endless import bounded
from pruners.example_inputs import Example, show

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Role = Literal["makes", "passes", "takes"]

# Kinds of torch-pruning's nodes through which a channel cannot be removed exactly.
_REFUSED = {
    "LN": "layer normalisation divides by a spread over all of its channels",
    "GN": "group normalisation divides by a spread over several channels",
    "MHA": "the width of nn.MultiheadAttention is that of all its heads together",
    "LSTM": "the width of a recurrent layer is coupled with its own past",
    "EMBED": "an embedding table makes part of the channel",
    "PARAMETER": "a parameter outside any layer makes part of the channel",
    "CUSTOMIZED": "a layer of a kind of its own takes part",
    "SPLIT": "the channels are split at a fixed place",
    "UNBIND": "the channels are split at a fixed place",
    "SLICE": "the channels are sliced or padded at a fixed place",
    "EXPAND": "the channels are repeated at a fixed place",
    "OUTPUT": "the channels are the model's outputs",
}


@dataclass(frozen=True)
class Member:
    """A layer in which a set of coupled channels has indices.

    Attributes:
        layer: Its name in the model.
        role: `makes` the channels (its outputs), `passes` each on by itself (batch-norm,
            depthwise convolution), or `takes` them (its inputs).
        places: For each coupled channel, its indices there: several after a flattening.
        follower: The batch-norm that alone takes the layer's outputs, if there is one.
    """

    layer: str
    role: Role
    places: Mapping[int, tuple[int, ...]]
    follower: str | None = None


@dataclass(frozen=True)
class Coupled:
    """Channels that can only be removed from all of these layers at once.

    Attributes:
        root: The layer whose outputs number the channels.
        channels: How many there are.
        members: Every layer that holds them, the root among them.
        chain: No two paths meet in them (no sum, product or concatenation).
        refusal: Why none can be removed, or None.
    """

    root: str
    channels: int
    members: tuple[Member, ...]
    chain: bool
    refusal: str | None

    @property
    def makers(self) -> tuple[Member, ...]:
        """The members that make the channels."""
        return tuple(member for member in self.members if member.role == "makes")


class Tracing:
    """A twin of a model, its dependency graph, and the removal of channels from the twin.

    Where channels are asked about, whatever the model or torch-pruning raise while the twin is
    traced is raised.
    """

    def __init__(self, model: nn.Module, example: Example) -> None:

        self.whole, self.twin = model, copy.deepcopy(model).eval()
        self.example = example
        self._names = {module: name for name, module in self.twin.named_modules()}

    @cached_property
    def graph(self) -> Any:
        """The library's graph; heads do without, which it may take without end to find."""
        import torch_pruning

        for parameter in self.twin.parameters():
            if parameter.is_floating_point():
                parameter.requires_grad_(True)  # the graph is that of the gradients
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            # forward_fn: without one the library shows model(*batch), the rows as arguments.
            return torch_pruning.DependencyGraph().build_dependency(
                self.twin, self.example, forward_fn=show, verbose=False, unwrapped_parameters=[]
            )

    def coupled(self) -> list[Coupled]:
        """Every set of coupled channels, in the order in which the graph finds them."""
        with warnings.catch_warnings(), torch.enable_grad(), bounded(self.graph):
            warnings.simplefilter("ignore")
            groups = list(self.graph.get_all_groups(ignored_layers=[]))
        return [self._coupled(group) for group in groups]

    def remove(self, channels: Mapping[str, Sequence[int]], heads: Sequence[Heads] = ()) -> Cuts:
        """Removes channels (indices of each root's outputs) and heads, and says what is left; once.

        Heads are not the library's: it would cut each of their layers by itself.
        """
        # Of the values as they were, before entries are numbered.
        graph: Any = self.graph if channels else None
        number_entries_(self.twin)
        for root, gone in channels.items():
            module = self.twin.get_submodule(root)
            prune = graph.get_pruner_of_module(module).prune_out_channels
            graph.get_pruning_group(module, prune, list(gone)).prune()
        for attention in heads:
            for name, (dim, kept) in attention.slices.items():
                index: list[tuple[int, ...] | None] = [None] * self.whole.get_parameter(name).ndim
                index[dim] = kept
                cut(self.twin, Cuts({name: tuple(index)}))
            cut(self.twin, Cuts(sizes=attention.sizes))
        return read_cuts(self.twin, self.whole)

    def _coupled(self, group: Any) -> Coupled:
        root = group[0].dep.target.module
        members, chain = [], True
        refusals: dict[str, None] = {}  # each once, in order
        concatenated = any(_kind(item) == "CONCAT" for item in group)
        for item in group:
            kind, module = _kind(item), item.dep.target.module
            chain = chain and len(item.dep.target.inputs) <= 1
            if kind in _REFUSED:
                refusals[_REFUSED[kind]] = None
            if module not in self._names:
                continue
            if None in item.root_idxs:
                refusals["the channels cannot be followed one by one"] = None
                continue
            members.append(self._member(item))
            misfit = self._misfit(members[-1], kind, item, concatenated)
            if misfit is not None:
                refusals[misfit] = None
        if not any(member.role == "takes" for member in members):
            refusals["they are the model's outputs"] = None
        width, refusal = self.graph.get_out_channels(root), "; ".join(refusals) or None
        return Coupled(self._names[root], width, tuple(members), chain, refusal)

    def _member(self, item: Any) -> Member:
        node = item.dep.target
        out = self.graph.is_out_channel_pruning_fn(item.dep.handler)
        whole = isinstance(node.module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.LSTM)
        whole = (whole or isinstance(node.module, TRANSPOSED)) and _kind(item) != "DEPTHWISE_CONV"
        role: Role = ("makes" if out else "takes") if whole else "passes"
        places: dict[int, list[int]] = {}
        for place, channel in zip(item.idxs, item.root_idxs, strict=True):
            places.setdefault(channel, []).append(place)
        after = [other.module for other in node.outputs]
        follows = len(after) == 1 and isinstance(after[0], BATCH_NORMS)
        return Member(
            self._names[node.module],
            role,
            {channel: tuple(found) for channel, found in places.items()},
            self._names[after[0]] if follows else None,
        )

    def _misfit(self, member: Member, kind: str, item: Any, concatenated: bool) -> str | None:
        """Why the graph cannot be right about this member, or why the removal would not be."""
        module = item.dep.target.module
        if getattr(module, "groups", 1) > 1 and kind != "DEPTHWISE_CONV":
            return f"{member.layer} is a grouped convolution"
        if any(parameter in self._shared() for parameter in module.parameters(recurse=False)):
            return f"{member.layer} shares its weights with another layer"
        if member.role == "takes":
            size = self.graph.get_in_channels(module)
        else:
            size = self.graph.get_out_channels(module)
        covered = sum(len(places) for places in member.places.values())
        if not concatenated and size is not None and covered != size:
            return f"{member.layer} has {size} channels of which {covered} could be followed"
        return None

    def _shared(self) -> set[nn.Parameter]:
        seen: set[nn.Parameter] = set()
        twice: set[nn.Parameter] = set()
        for module in self.twin.modules():
            for parameter in module.parameters(recurse=False):
                (twice if parameter in seen else seen).add(parameter)
        return twice


def _kind(item: Any) -> str:
    return str(item.dep.target.type.name)
