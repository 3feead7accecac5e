"""Groups that go together across parameters: pieces of a model, each with its groups.

A piece is what an allocation gives a share to and the collapse guard keeps from being emptied: the
groups of one parameter, or of parameters that are cut together. One signature for granularities
that look at the whole model: `(model, targets, data) -> Partition`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from pruners.dependencies import Slice
from pruners.granularity import Grain, Granularity, Layout
from pruners.saliency import Data
from pruners.sparsity import Count
from pruners.targets import Targets

Gather = Callable[[Mapping[str, Tensor], Grain], Tensor]
Spread = Callable[[Tensor], Mapping[str, Tensor]]


@dataclass(frozen=True, eq=False)
class Piece:
    """Groups of which some may go.

    Attributes:
        name: The parameter, or the first of those that are cut together.
        shape: Of that parameter, for allocations that go by it.
        groups: How many there are.
        reads: The targeted parameters whose scores say what a group is worth.
        changes: All parameters that lose something with a group.
        gather: Tensors by name, and what has a score in them -> [groups, members].
        spread: bool [groups] -> bool of each parameter's shape, by name.
        weights: Targeted weights in a group; int64 [groups] where they differ.
        parameters: All parameters in a group, likewise.
        candidates: As of `Layout`.
        guarded: Whether some groups must stay.
    """

    name: str
    shape: torch.Size
    groups: int
    reads: tuple[str, ...]
    changes: tuple[str, ...]
    gather: Gather
    spread: Spread
    weights: int | Tensor
    parameters: int | Tensor
    candidates: Callable[[Tensor], Tensor] | None = None
    guarded: bool = True

    def sizes(self, count: Count) -> int | Tensor:
        """What a group counts, in targeted weights or in all parameters."""
        return self.parameters if count == "all" else self.weights


@dataclass(frozen=True, eq=False)
class Partition:
    """A model in pieces.

    Attributes:
        pieces: In the order of their groups.
        targets: What is targeted, as the granularity leaves it.
        shapes: Of the targeted parameters.
        notes: For the record.
    """

    pieces: tuple[Piece, ...]
    targets: Targets
    shapes: Mapping[str, torch.Size]
    notes: tuple[str, ...] = ()

    @cached_property
    def overlaps(self) -> bool:
        """Whether a weight can belong to two groups, so that what groups count does not add up."""
        uses = Counter(name for piece in self.pieces for name in piece.changes)
        return any(number > 1 for number in uses.values())

    @property
    def weights(self) -> int:
        """How many weights are targeted."""
        return sum(self.shapes[name].numel() for name in self.targets.names)

    def split(self, groups: Tensor) -> tuple[Tensor, ...]:
        """One tensor per piece of one over all groups."""
        return torch.split(groups, [piece.groups for piece in self.pieces])

    def removed(self, groups: Sequence[Tensor]) -> dict[str, Tensor]:
        """The entries that go, bool of each parameter's shape, for bool [groups] of each piece."""
        found: dict[str, Tensor] = {}
        for piece, part in zip(self.pieces, groups, strict=True):
            for name, gone in piece.spread(part).items():
                found[name] = gone if name not in found else found[name] | gone
        return found


Structure = Callable[[nn.Module, Targets, Data | None], Partition]


def separate(granularity: Granularity, model: nn.Module, targets: Targets) -> Partition:
    """Every targeted parameter a piece of its own."""
    parameters = dict(model.named_parameters())
    pieces = [
        _of_layout(name, parameters[name].shape, granularity(name, parameters[name].shape))
        for name in targets.names
    ]
    return partition(pieces, model, targets)


def partition(
    pieces: Sequence[Piece], model: nn.Module, targets: Targets, notes: Sequence[str] = ()
) -> Partition:
    """The pieces of a model, put together.

    Raises:
        ValueError: There are none.
    """
    if not pieces:
        raise ValueError(
            f"Nothing in {type(model).__name__} can be removed like this "
            f"({' '.join(notes) or 'there are no such groups'}): choose granularity 'weight'."
        )
    parameters = dict(model.named_parameters())
    shapes = {name: parameters[name].shape for name in targets.names}
    return Partition(tuple(pieces), targets, shapes, tuple(notes))


def _of_layout(name: str, shape: torch.Size, layout: Layout) -> Piece:
    members = layout.members
    groups = shape.numel() // members if isinstance(members, int) else len(members)
    return Piece(
        name,
        shape,
        groups,
        (name,),
        (name,),
        lambda values, grain: layout.gather(values[name]),
        lambda removed: {name: layout.spread(removed)},
        members,
        members,
        layout.candidates,
        # A bias is no layer: without it the layer goes on.
        guarded=len(shape) > 1,
    )


def coupled(
    name: str, slices: Sequence[Slice], model: nn.Module, targets: Targets, *, guarded: bool = True
) -> Piece:
    """A piece of slices that are cut together.

    Args:
        name: What it is called: the parameter that it is about.
        slices: As many groups in each.
        model: For the shapes.
        targets: The parameters that count as weights, and have scores.
        guarded: As of `Piece`.
    """
    parameters = dict(model.named_parameters())
    shapes = {piece.parameter: parameters[piece.parameter].shape for piece in slices}
    indices = [torch.tensor(piece.indices) for piece in slices]
    scored = [
        (piece, index)
        for piece, index in zip(slices, indices, strict=True)
        if piece.parameter in targets.names
    ]

    def gather(values: Mapping[str, Tensor], grain: Grain) -> Tensor:
        parts = [
            part
            for piece, index in scored
            if (part := _rows(values[piece.parameter], piece.dim, index, grain)) is not None
        ]
        return torch.cat(parts, dim=1)

    def spread(removed: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for piece, index in zip(slices, indices, strict=True):
            shape = shapes[piece.parameter]
            gone = torch.zeros(shape[piece.dim], dtype=torch.bool, device=removed.device)
            gone[index.to(removed.device)[removed].flatten()] = True
            at = [-1 if dim == piece.dim else 1 for dim in range(len(shape))]
            full = gone.reshape(at).expand(shape)
            known = found.get(piece.parameter)
            found[piece.parameter] = full if known is None else known | full
        return found

    sizes = {}
    for piece, index in zip(slices, indices, strict=True):
        shape = shapes[piece.parameter]
        sizes[id(piece)] = index.shape[1] * shape.numel() // shape[piece.dim]
    return Piece(
        name,
        shapes[name],
        len(indices[0]),
        tuple(dict.fromkeys(piece.parameter for piece, _ in scored)),
        tuple(piece.parameter for piece in slices),
        gather,
        spread,
        sum(sizes[id(piece)] for piece, _ in scored),
        sum(sizes.values()),
        guarded=guarded,
    )


def _rows(values: Tensor, dim: int, index: Tensor, grain: Grain) -> Tensor | None:
    """What a slice has of each group, [groups, ...]: all values, or the one that stands for a row.

    A score of units says something of rows, one of inputs of columns; the rest is none of theirs.
    """
    if (grain == "unit" and dim != 0) or (grain == "input" and dim != 1):
        return None
    groups, each = index.shape
    turned = values.movedim(dim, 0)[index.to(values.device).flatten()]
    flat = turned.reshape(groups, each, -1)
    return flat.flatten(1) if grain in ("weight", "group") else flat[:, :, 0]


def without(targets: Targets, names: Sequence[str]) -> Targets:
    """The targets with some of them left whole, because no group can be taken from them."""
    left = tuple(name for name in targets.names if name not in names)
    gone = tuple(name for name in targets.names if name in names)
    return replace(targets, names=left, unsupported=(*targets.unsupported, *gone))
