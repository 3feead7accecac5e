"""Units and filters with their bias and batch-norm; channels with all that is removed with them."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruners.dependencies import ChannelGroup, Slice, trace_dependencies
from pruners.pieces import Partition, Piece, coupled, partition, without
from pruners.saliency import Data
from pruners.saliency.tracing import example_of, flow
from pruners.targets import Targets

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def units(model: nn.Module, targets: Targets, data: Data | None) -> Partition:
    """Units of a linear layer, filters of a convolution: the row, its bias, its batch-norm.

    With the batch-norm that follows at zero, scale and shift, the unit's output is zero and what it
    leaves behind nothing: masking equals removal. Where it cannot be found, a note says so.
    """
    norms, notes = norms_of(model, data)
    pieces = [unit_piece(model, targets, name, norms) for name in targets.names]
    return partition(pieces, model, targets, notes)


def unit_piece(
    model: nn.Module,
    targets: Targets,
    name: str,
    norms: dict[str, tuple[str, ...]],
    *,
    guarded: bool = True,
    whole: bool = False,
) -> Piece:
    """The units of one weight; with `whole`, all of them as one group."""
    parameters = dict(model.named_parameters())
    owner = name.rpartition(".")[0]
    dim = 1 if isinstance(model.get_submodule(owner), _TRANSPOSED) else 0
    count = parameters[name].shape[dim]
    parts = [(name, dim)]
    bias = dict(targets.biases).get(name)
    if bias is not None:
        parts.append((bias, 0))
    for norm in norms.get(owner, ()):
        parts += [(f"{norm}.{part}", 0) for part in ("weight", "bias")]
    indices = (tuple(range(count)),) if whole else tuple((i,) for i in range(count))
    slices = [Slice(part, at, indices, reads=False) for part, at in parts if part in parameters]
    return coupled(name, slices, model, targets, guarded=guarded)


def norms_of(model: nn.Module, data: Data | None) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The batch-norms that follow each module, and a note where they cannot be found."""
    found = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not found:
        return {}, []
    try:
        norms = flow(model, example_of(model, data, "Granularity 'filter'")).norms
    except ValueError as error:
        return {}, [
            f"filter: batch-norm is not masked with its filter, for which one is whose is not "
            f"known: {error}"
        ]
    bare = [norm for norms_of in norms.values() for norm in norms_of]
    without_weights = [n for n in bare if not model.get_submodule(n).affine]
    if without_weights:
        return norms, [
            f"filter: {', '.join(without_weights)} normalises without weights, so that a masked "
            f"filter leaves a constant behind it."
        ]
    return norms, []


def channels(model: nn.Module, targets: Targets, data: Data | None) -> Partition:
    """Channels with all that goes with them: see `trace_dependencies`.

    The inputs of layers after it go too, those of protected and frozen layers as well: they read a
    channel that is always zero. Channels that a protected or frozen layer makes do not go, and with
    them none that are added to those. What cannot go is named in a note; a model that cannot be
    traced falls back to filters on their own.

    Raises:
        ValueError: There is no example of the inputs, or no channel can go.
    """
    example = example_of(model, data, "Granularity 'channel'")
    try:
        found = trace_dependencies(model, example)
    except ValueError as error:
        alone = units(model, targets, data)
        note = f"channel: filters alone, without the inputs of the layers that read them: {error}"
        return partition(alone.pieces, model, targets, [note, *alone.notes])
    notes = [f"channel: those of {name} stay, {reason}." for name, reason in found.skipped]
    pieces = []
    for group in found.groups:
        fixed = [name for name in _makers(model, group) if name not in targets.names]
        if fixed:
            why = f"because {fixed[0]} is kept whole"
            notes.append(f"channel: those of {group.name} stay, {why}.")
        else:
            pieces.append(coupled(group.name, group.slices, model, targets))
    touched = {name for piece in pieces for name in piece.changes}
    left = [name for name in targets.names if name not in touched]
    if pieces and left:
        targets = without(targets, left)
    return partition(pieces, model, targets, notes)


def _makers(model: nn.Module, group: ChannelGroup) -> list[str]:
    """The weights whose outputs the channels are."""
    parameters = dict(model.named_parameters())
    return [
        piece.parameter
        for piece in group.slices
        if not piece.reads and parameters[piece.parameter].ndim > 1
    ]
