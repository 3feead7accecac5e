"""Attention heads that the masks remove whole, and the slices that take them out.

Heads with linear layers of their own for queries, keys and values can be cut out; the module is
told how many are left. `nn.MultiheadAttention` cannot lose one: it takes the width of its inputs to
be that of all its heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from pruners.attention import HEADS, Attention, find_attention
from pruners.dependencies import Slice
from pruners.masks import Masks

# Numbers beside HEADS: those of keys and values, how many queries share one, how wide all are.
SHARED = ("num_key_value_heads", "num_kv_heads", "n_kv_heads")
SHARING = ("num_key_value_groups", "n_rep")
WIDTHS = ("all_head_size", "embed_dim", "inner_dim", "hidden_size", "dim")


@dataclass(frozen=True)
class Heads:
    """Heads of one attention module that can go.

    Attributes:
        root: Name of the module.
        channels: The heads that go.
        layers: Its layers of queries, keys and values.
        slices: For each tensor, along which dimension which indices stay.
        sizes: For each module, its own numbers that change.
    """

    root: str
    channels: tuple[int, ...]
    layers: frozenset[str]
    slices: Mapping[str, tuple[int, tuple[int, ...]]]
    sizes: Mapping[str, Mapping[str, int]]


def find_heads(model: nn.Module, masks: Masks) -> list[Heads]:
    """Attention modules of which whole heads are masked; one head of each stays."""
    found = []
    for attention in find_attention(model):
        name, slices = attention.name, attention.slices
        if isinstance(model.get_submodule(name), nn.MultiheadAttention):
            continue
        count = len(slices[0].indices)
        gone = [h for h in range(count) if all(_masked(masks, s, h) for s in slices)]
        gone = gone[1:] if len(gone) == count else gone
        if not gone:
            continue
        stay = [h for h in range(count) if h not in gone]
        kept = {
            s.parameter: (s.dim, tuple(sorted(i for h in stay for i in s.indices[h])))
            for s in slices
        }
        makers = frozenset(s.parameter.rpartition(".")[0] for s in slices if not s.reads)
        sizes = _sizes(model, attention, kept, len(stay))
        found.append(Heads(name, tuple(gone), makers, kept, sizes))
    return found


def _masked(masks: Masks, piece: Slice, head: int) -> bool:
    kept = masks.kept.get(piece.parameter)
    if kept is None:
        return False
    index = torch.tensor(piece.indices[head], device=kept.device)
    return not bool(kept.index_select(piece.dim, index).any())


def _sizes(
    model: nn.Module,
    attention: Attention,
    kept: Mapping[str, tuple[int, tuple[int, ...]]],
    stay: int,
) -> dict[str, dict[str, int]]:
    """The numbers that say how many heads there are, and how wide they are together."""
    spans = attention.slices[0].indices
    width, parts = sum(map(len, spans)), len(spans)
    heads, shared = attention.heads // parts * stay, min(attention.shared, stay)
    numbers = (
        (HEADS, attention.heads, heads),
        (SHARED, attention.shared, shared),
        (SHARING, attention.heads // attention.shared, heads // shared),
        (WIDTHS, width, width // parts * stay),
    )
    module = model.get_submodule(attention.name)
    changed = {
        word: after
        for words, before, after in numbers
        for word in words
        if type(getattr(module, word, None)) is int and getattr(module, word) == before
    }
    sizes: dict[str, dict[str, int]] = {attention.name: changed} if changed else {}
    for parameter, (dim, indices) in kept.items():
        layer, _, last = parameter.rpartition(".")
        if last == "weight":
            sizes.setdefault(layer, {})["in_features" if dim else "out_features"] = len(indices)
    return sizes
