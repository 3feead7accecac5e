"""Attention heads: the rows of queries, keys and values, and the columns that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from pruners.attention import Attention, find_attention, unknown_attention
from pruners.dependencies import ChannelGroup, misread
from pruners.pieces import Partition, coupled, partition, without
from pruners.saliency import Data
from pruners.saliency.examples import evaluating
from pruners.saliency.tracing import example_of
from pruners.targets import Targets


def heads(model: nn.Module, targets: Targets, data: Data | None) -> Partition:
    """Heads of the attention that `find_attention` knows.

    Heads that share keys and values go as one. What is read of a head goes with it, so masking
    equals removal, which is tried on an example where there is one. All other weights stay, and so
    does attention of which a part is protected or that is held otherwise; the notes name it.

    Raises:
        ValueError: The model has no such heads that may go.
    """
    known = list(find_attention(model))
    notes = [
        f"head: those of {name} stay, because it has no layer of its own for each projection."
        for name in unknown_attention(model, iter(known))
    ]
    free = []
    for attention in known:
        fixed = [weight for weight in attention.weights if weight not in targets.names]
        if fixed:
            notes.append(f"head: those of {attention.name} stay, because {fixed[0]} is kept whole.")
        else:
            free.append(attention)
    wrong = _coupled_otherwise(model, free, data)
    pieces, used = [], set[str]()
    for attention in free:
        if attention.name in wrong:
            notes.append(
                f"head: those of {attention.name} stay, because without one the others change."
            )
            continue
        pieces.append(coupled(attention.weights[0], attention.slices, model, targets))
        used.update(attention.weights)
    if pieces:
        targets = without(targets, [name for name in targets.names if name not in used])
    return partition(pieces, model, targets, notes)


def _coupled_otherwise(model: nn.Module, found: Sequence[Attention], data: Data | None) -> set[str]:
    """Attention whose heads depend on each other, or lie otherwise than the widths say.

    Masked rows must change nothing where nothing reads them. Without an example, what has a
    normalisation wider than a head is taken for such.
    """
    example = _example(model, data)
    if example is None or not found:
        return {attention.name for attention in found if attention.norms}
    groups = [
        ChannelGroup(
            attention.name,
            len(attention.slices[0].indices),
            tuple(replace(piece, reads=not piece.reads) for piece in attention.slices),
        )
        for attention in found
    ]
    with evaluating(model):
        return misread(model, example, groups)


def _example(model: nn.Module, data: Data | None) -> Tensor | None:
    try:
        return example_of(model, data, "head")
    except ValueError:
        return None
