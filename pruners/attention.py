"""Where a model keeps its attention heads: what goes of each parameter with every head."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import nn

from pruners.dependencies import Slice

# What the field calls them, where queries, keys and values have layers of their own.
HEADS = ("num_heads", "num_attention_heads", "n_heads", "n_head")
PROJECTIONS = {
    "query": ("query", "q", "q_proj", "q_lin", "to_q", "wq"),
    "key": ("key", "k", "k_proj", "k_lin", "to_k", "wk"),
    "value": ("value", "v", "v_proj", "v_lin", "to_v", "wv"),
    "out": ("out", "o", "out_proj", "o_proj", "out_lin", "to_out", "wo", "dense", "proj"),
}


@dataclass(frozen=True)
class Attention:
    """The heads of one module, in the parts that can go.

    A part is a head; where several heads of queries share one of keys and values (grouped-query
    attention), all that share; where all share one (multi-query), that one stays and a part is a
    head of queries with what is read of it.

    Attributes:
        name: Of the module.
        heads: How many there are of queries.
        shared: How many of keys and values.
        slices: What goes of each parameter with each part.
        norms: Normalisations inside that may be over several heads at once.
    """

    name: str
    heads: int
    shared: int
    slices: tuple[Slice, ...]
    norms: tuple[str, ...] = ()

    @property
    def weights(self) -> tuple[str, ...]:
        """The parameters that are no biases."""
        names = (piece.parameter for piece in self.slices)
        return tuple(name for name in names if "bias" not in name.rpartition(".")[2])


def find_attention(model: nn.Module) -> Iterator[Attention]:
    """`nn.MultiheadAttention`, and modules with a linear layer for each projection.

    Such a module says how many heads it has (`num_heads`, ..., itself or in its `config`) and calls
    its layers as the field does (`PROJECTIONS`).
    """
    modules = dict(model.named_modules())
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    for name, module in modules.items():
        if isinstance(module, nn.MultiheadAttention):
            yield _joint(known, name, module)
            continue
        layers = _layers(modules, name, module)
        if layers is not None and (count := _said(module)):
            found = _of_layers(known, name, module, count, layers)
            if found is not None:
                yield found


def unknown_attention(model: nn.Module, known: Iterator[Attention]) -> tuple[str, ...]:
    """Modules that say how many heads they have, and hold them in a way that is not known."""
    found = {attention.name for attention in known}
    said = [
        name
        for name, module in model.named_modules()
        if any(_whole(module, word) for word in HEADS)
    ]
    return tuple(
        name
        for name in said
        if name not in found
        # The innermost: a layer or an encoder repeats the number of the attention inside it.
        and not any(other != name and other.startswith(f"{name}.") for other in (*said, *found))
        and name
    )


def _said(module: nn.Module) -> int:
    """How many heads a module says that it has; 0 where it does not."""
    owners = (module, getattr(module, "config", None))
    said = (getattr(owner, word) for owner in owners for word in HEADS if _whole(owner, word))
    return next(said, 0)


def _whole(owner: object, name: str) -> bool:
    value = getattr(owner, name, None)
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _spans(parts: int, size: int, offsets: tuple[int, ...] = (0,)) -> tuple[tuple[int, ...], ...]:
    """For each part its indices, in every block that begins at one of `offsets`."""
    return tuple(
        tuple(start + part * size + i for start in offsets for i in range(size))
        for part in range(parts)
    )


def _joint(known: Mapping[int, str], name: str, module: nn.MultiheadAttention) -> Attention:
    """Of torch's own module, in whichever way it holds its three projections."""
    count, size, width = module.num_heads, module.head_dim, module.embed_dim
    thirds = _spans(count, size, (0, width, 2 * width))
    one = _spans(count, size)
    found = [
        (module.in_proj_weight, thirds, 0),
        (module.q_proj_weight, one, 0),
        (module.k_proj_weight, one, 0),
        (module.v_proj_weight, one, 0),
        (module.out_proj.weight, one, 1),
        (module.in_proj_bias, thirds, 0),
    ]
    slices = (
        Slice(known[id(parameter)], dim, spans, reads=dim == 1)
        for parameter, spans, dim in found
        if parameter is not None
    )
    return Attention(name, count, count, tuple(slices))


def _layers(
    modules: Mapping[str, nn.Module], name: str, module: nn.Module
) -> dict[str, nn.Linear] | None:
    """The four layers; None where this is no such attention."""
    layers: dict[str, nn.Linear] = {}
    for role, words in PROJECTIONS.items():
        there = (getattr(module, word, None) for word in words)
        layer = next((layer for layer in there if isinstance(layer, nn.Linear)), None)
        if layer is not None:
            layers[role] = layer
    if not {"query", "key", "value"} <= set(layers):
        return None
    if "out" not in layers:
        layers.update(_beside(modules, name, layers["query"]))
    return layers if "out" in layers else None


def _beside(modules: Mapping[str, nn.Module], name: str, query: nn.Linear) -> dict[str, nn.Linear]:
    """The output projection where it is in a module beside (BERT's): the first that reads it."""
    parent = name.rpartition(".")[0]
    inside = f"{name}."
    for other, module in modules.items():
        near = other.startswith(f"{parent}.") and not other.startswith(inside)
        if near and isinstance(module, nn.Linear) and module.in_features == query.out_features:
            return {"out": module}
    return {}


def _of_layers(
    known: Mapping[int, str],
    name: str,
    module: nn.Module,
    count: int,
    layers: Mapping[str, nn.Linear],
) -> Attention | None:
    """The parts of layers of their own; None where the widths are not those of so many heads."""
    wide = {role: layer.out_features for role, layer in layers.items()} | {
        "out": layers["out"].in_features
    }
    size = wide["query"] // count
    if wide["query"] % count or wide["key"] % max(1, size):
        return None
    shared = wide["key"] // size
    if shared == 0 or count % shared or wide["value"] % shared:
        return None
    if wide["out"] != count * (wide["value"] // shared):
        return None
    alone = shared == 1 and count > 1
    parts, makers = (count, ("query",)) if alone else (shared, ("query", "key", "value"))
    found = [(layers[role].weight, 0, wide[role]) for role in makers]
    found.append((layers["out"].weight, 1, wide["out"]))
    biases = ((layers[role].bias, wide[role]) for role in makers)
    found += [(bias, 0, width) for bias, width in biases if bias is not None]
    slices = tuple(
        Slice(known[id(parameter)], dim, _spans(parts, width // parts), reads=dim == 1)
        for parameter, dim, width in found
    )
    return Attention(name, count, shared, slices, _norms(module, size))


def _norms(module: nn.Module, size: int) -> tuple[str, ...]:
    """Normalisations inside a module that are wider than one head."""
    return tuple(
        name
        for name, inner in module.named_modules()
        if "norm" in type(inner).__name__.lower()
        and any(parameter.numel() > size for parameter in inner.parameters(recurse=False))
    )
