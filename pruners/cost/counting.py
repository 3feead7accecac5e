"""Multiply–adds, layer by layer, with and without those by zero: our own count, defined here.

Public counters differ by a factor of up to 28 on one model, because they disagree about attention:
so the definition goes with every number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pruners.example_inputs import Example, placed, show
from pruners.saliency.examples import evaluating

MACS_DEFINITION = (
    "Multiply–adds of one example in convolutions, linear layers and the projections of "
    "nn.MultiheadAttention: each weight counts once for every output position it is used at (a "
    "transposed convolution: every input position); biases, normalisation, activations, pooling "
    "and products of two activations (in attention, queries by keys and weights by values) count "
    "nothing."
)

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_COUNTED = (nn.Linear, nn.MultiheadAttention, *_CONVOLUTIONS, *_TRANSPOSED)


@dataclass(frozen=True)
class LayerMacs:
    """Multiply–adds of one layer, over all its calls for one example.

    Attributes:
        name: Of the layer.
        kind: Its class.
        weights: Entries of its weights (biases apart).
        nonzero: Those that are not zero.
        positions: Places at which each weight is used; for attention, of its queries.
        macs: Multiply–adds.
        macs_nonzero: Those with a weight that is not zero.
    """

    name: str
    kind: str
    weights: int
    nonzero: int
    positions: int
    macs: int
    macs_nonzero: int


@dataclass(frozen=True)
class Macs:
    """Multiply–adds of a model; see `MACS_DEFINITION`.

    Attributes:
        layers: In the order of the model's modules.
        uncounted: Layers with weight matrices that are not in `layers`, because they are of another
            kind, or were not called; the model itself, whose name is empty, by its class.
    """

    layers: tuple[LayerMacs, ...]
    uncounted: tuple[str, ...]

    @property
    def macs(self) -> int:
        """All of them."""
        return sum(layer.macs for layer in self.layers)

    @property
    def macs_nonzero(self) -> int:
        """Those with a weight that is not zero."""
        return sum(layer.macs_nonzero for layer in self.layers)


def count_macs(model: nn.Module, example: Example) -> Macs:
    """Counts by showing the model one example; the model is as it was afterwards.

    Args:
        model: Any module.
        example: A batch of one (or a tuple of arguments, or a mapping of named ones).
    """
    counts: dict[nn.Module, list[tuple[int, Tensor]]] = {}

    def count(module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        counts.setdefault(module, []).extend(_uses(module, inputs, named, output))

    layers = [module for module in model.modules() if isinstance(module, _COUNTED)]
    hooks = [layer.register_forward_hook(count, with_kwargs=True) for layer in layers]
    try:
        with evaluating(model), torch.no_grad():
            show(model, placed(model, example))
    finally:
        for hook in hooks:
            hook.remove()
    named = dict(model.named_modules())
    found = tuple(_layer(name, m, counts[m]) for name, m in named.items() if m in counts)
    return Macs(found, _uncounted(named, set(counts)))


def _uses(module: nn.Module, inputs: Any, named: Any, output: Any) -> list[tuple[int, Tensor]]:
    """Weights used in one call, each with the number of positions it is used at."""
    if isinstance(module, nn.MultiheadAttention):
        return _attention_uses(module, inputs, named)
    weight = module.get_parameter("weight")
    if isinstance(module, nn.Linear):
        return [(output.shape[:-1].numel(), weight)]
    shown = inputs[0] if isinstance(module, _TRANSPOSED) else output
    spatial = weight.ndim - 2
    batch = shown.shape[: -spatial - 1].numel()
    return [(shown.shape[-spatial:].numel() * batch, weight)]


def _attention_uses(
    module: nn.MultiheadAttention, inputs: Any, named: Any
) -> list[tuple[int, Tensor]]:
    """Projections of queries, keys and values, and of what comes out."""
    given = dict(zip(("query", "key", "value"), inputs, strict=False)) | named
    query, key, value = (given[which] for which in ("query", "key", "value"))
    tokens = [shown.numel() // shown.shape[-1] for shown in (query, key, value)]
    if module._qkv_same_embed_dim:
        weights = [*module.in_proj_weight.chunk(3)]
    else:
        weights = [module.q_proj_weight, module.k_proj_weight, module.v_proj_weight]
    projections: list[tuple[int, Tensor]] = list(zip(tokens, weights, strict=True))
    return [*projections, (tokens[0], module.out_proj.weight)]


def _layer(name: str, module: nn.Module, uses: list[tuple[int, Tensor]]) -> LayerMacs:
    entries = {(w.data_ptr(), w.shape): w for _, w in uses}.values()
    weights = sum(weight.numel() for weight in entries)
    macs = sum(positions * weight.numel() for positions, weight in uses)
    nonzero = sum(positions * int(weight.count_nonzero()) for positions, weight in uses)
    attention = isinstance(module, nn.MultiheadAttention)
    return LayerMacs(
        name=name,
        kind=type(module).__name__,
        weights=weights,
        nonzero=sum(int(weight.count_nonzero()) for weight in entries),
        positions=sum(positions for positions, _ in uses[:: 4 if attention else 1]),
        macs=macs,
        macs_nonzero=nonzero,
    )


def _uncounted(named: dict[str, nn.Module], called: set[nn.Module]) -> tuple[str, ...]:
    # The output projection of attention is counted with it and never called by itself.
    attention = [
        f"{name}." if name else ""
        for name, module in named.items()
        if isinstance(module, nn.MultiheadAttention) and module in called
    ]
    return tuple(
        name or type(module).__name__
        for name, module in named.items()
        if module not in called
        and not isinstance(module, nn.Embedding | nn.EmbeddingBag)
        and any(p.ndim >= 2 for p in module.parameters(recurse=False))
        and not name.startswith(tuple(attention))
    )
