"""Whole layers, where the model lives on without them; and features of the model's input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from pruners.dependencies import Slice
from pruners.granularity_units import norms_of, unit_piece
from pruners.pieces import Partition, Piece, coupled, partition, without
from pruners.saliency import Data
from pruners.saliency.examples import evaluating
from pruners.saliency.tracing import example_of, flow
from pruners.targets import Targets


def layers(model: nn.Module, targets: Targets, data: Data | None) -> Partition:
    """Layers, each one group: the weight, its bias and the batch-norm that follows.

    A layer may go if the outputs for different examples still differ without it and without all
    that may go before it: there is a path around it. The others stay, and are named.

    Raises:
        ValueError: There is no example of the inputs, or there is no path around any.
    """
    norms, notes = norms_of(model, data)
    example = example_of(model, data, "Granularity 'layer'", count=8)
    pieces: list[Piece] = []
    stay: list[str] = []
    for name in targets.names:
        piece = unit_piece(model, targets, name, norms, guarded=False, whole=True)
        if _alive(model, [*pieces, piece], example):
            pieces.append(piece)
        else:
            stay.append(name)
    if stay:
        notes.append(f"layer: no path leads around {', '.join(stay)}, which stay.")
    return partition(pieces, model, without(targets, stay) if pieces else targets, notes)


@torch.no_grad()
def _alive(model: nn.Module, gone: Sequence[Piece], example: torch.Tensor) -> bool:
    """Whether outputs still depend on the inputs when everything in `gone` is zero."""
    parameters = dict(model.named_parameters())
    names = {name for piece in gone for name in piece.changes}
    before = {name: parameters[name].clone() for name in names}
    for name in names:
        parameters[name].zero_()
    try:
        with evaluating(model):
            output = model(example)
    finally:
        for name, values in before.items():
            parameters[name].copy_(values)
    outputs = output if isinstance(output, torch.Tensor) else next(iter(output.values()))
    return bool((outputs != outputs[:1]).any())


def input_features(model: nn.Module, targets: Targets, data: Data | None) -> Partition:
    """Features of the model's input: the columns, of all layers that read it, of one feature.

    The layers that read the input are the first, so that `protect: first` does not hold here, and a
    note says so; all others stay whole. For a convolution the features are its input channels.

    Raises:
        ValueError: There is no example of the inputs, or no layer reads them directly.
    """
    seen = flow(model, example_of(model, data, "Granularity 'input_feature'"))
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    readers = [known[id(model.get_submodule(name).weight)] for name in seen.readers]
    readers = [name for name in dict.fromkeys(readers) if name not in targets.frozen]
    freed = [name for name in readers if name in targets.protected]
    notes = [f"input_feature: {n} is not protected from it, it reads the input." for n in freed]
    targets = without(
        replace(
            targets,
            names=tuple(n for n in known.values() if n in {*targets.names, *freed}),
            protected=tuple(name for name in targets.protected if name not in freed),
        ),
        [name for name in targets.names if name not in readers],
    )
    together = defaultdict(list)
    for name in readers:
        together[model.get_parameter(name).shape[1]].append(name)
    pieces = []
    for features, names in together.items():
        indices = tuple((i,) for i in range(features))
        slices = [Slice(name, 1, indices, reads=True) for name in names]
        pieces.append(coupled(names[0], slices, model, targets))
    return partition(pieces, model, targets, notes)
