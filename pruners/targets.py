"""Which parameters may lose weights, which are protected, and which cannot be touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn.parameter import UninitializedParameter

from pruners.names import matching, nearest
from pruners.wrapping import unwrapped

PROTECTED = ("first", "last")

# Tables, and what normalises: over several dimensions a scale has as many, and is no matrix.
_WHOLE = (nn.Embedding, nn.EmbeddingBag, nn.LayerNorm, nn.RMSNorm)


@dataclass(frozen=True)
class Targets:
    """The weight matrices and kernels of a model, each once, in the order of its parameters.

    Attributes:
        names: Those that may lose weights.
        protected: Those kept whole because `protect` says so.
        frozen: Those kept whole because they do not require a gradient.
        biases: For a targeted name whose rows each have a bias, that bias's name.
        unsupported: Those kept whole because the granularity cannot take groups from them.
        others: Matrices that are no layer's weight, and so stay whole: embedding tables, what
            normalises images of a fixed size, weights behind a parametrization, parameters of one's
            own.
    """

    names: tuple[str, ...]
    protected: tuple[str, ...]
    frozen: tuple[str, ...]
    biases: tuple[tuple[str, str], ...] = ()
    unsupported: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def weights(self) -> frozenset[str]:
        """All of them, whatever becomes of them."""
        return frozenset((*self.names, *self.protected, *self.frozen, *self.unsupported))


def find_targets(
    model: nn.Module, protect: str | Sequence[str] = PROTECTED, *, biases: bool = False
) -> Targets:
    """Sorts the weights of a model into targeted, protected and frozen.

    A weight here is a parameter of two or more dimensions with `weight` in the last part of its
    name: linear, convolutional, recurrent and attention layers, custom ones that follow the
    custom. Embedding tables, position tables, biases and normalisation are never targeted
    (tables are named among the `others`). A tensor shared by two layers is one parameter, under the
    first of its names. What `DataParallel` or `torch.compile` wrapped keeps its own names.

    Args:
        model: Any module.
        protect: `first` and `last` (in the order of the parameters: the last is the classifier),
            and names or patterns (`*`) of modules or parameters. Empty protects nothing.
        biases: Whether the biases of targeted layers are targets of their own as well.

    Raises:
        ValueError: A name in `protect` matches nothing, nothing is left to prune, a weight is
            complex, one has no shape yet (lazy modules), or they are sharded.
    """
    model = unwrapped(model)
    found = _weights(model)
    patterns = as_patterns(protect)
    kept = {name for pattern in patterns for name in _matches(pattern, list(found), model)}
    free = [name for name in found if name not in kept]
    names = tuple(name for name in free if found[name].requires_grad)
    if not found:
        raise ValueError(_nothing_found(model))
    if not names:
        raise ValueError(
            f"There is no weight to prune in {type(model).__name__} among "
            f"{', '.join(found)}: {len(kept)} protected by "
            f"{list(patterns)}, {len(free)} frozen; pass protect=() or unfreeze some."
        )
    return Targets(
        _with_biases(model, names) if biases else names,
        tuple(name for name in found if name in kept),
        tuple(name for name in free if name not in names),
        _biases(model, names),
        others=tuple(n for n, p in model.named_parameters() if p.ndim >= 2 and n not in found),
    )


def as_patterns(protect: str | Sequence[str]) -> tuple[str, ...]:
    """A single name stands for a list of one.

    Raises:
        ValueError: They are not texts.
    """
    patterns = (protect,) if isinstance(protect, str) else protect
    if not isinstance(patterns, Iterable) or not all(isinstance(one, str) for one in patterns):
        raise ValueError(
            f"protect is a name, or a list of names and patterns, got {protect!r}: () protects "
            f"nothing."
        )
    return tuple(patterns)


def _weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """Every weight once, in order."""
    # By identity: a classifier that shares its weight with an embedding table is that table.
    whole = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, _WHOLE)
        for parameter in module.parameters(recurse=False)
    }
    found = {}
    names = {name for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        if name.endswith("_g") and f"{name.removesuffix('_g')}_v" in names:
            continue  # the scale of each row in torch.nn.utils.weight_norm
        if isinstance(parameter, UninitializedParameter):
            raise ValueError(
                f"{name!r} has no shape yet (a lazy module): run one batch through the model first."
            )
        named = "weight" in name.rpartition(".")[2]
        # An empty matrix has nothing to lose, and no share of it is defined.
        if named and parameter.ndim >= 2 and parameter.numel() and id(parameter) not in whole:
            found[name] = parameter
    for name, parameter in found.items():
        if parameter.is_complex():
            raise ValueError(
                f"The weight {name!r} is complex ({parameter.dtype}), and saliencies are defined "
                f"for real numbers: keep its real and imaginary parts as two parameters."
            )
    return found


def _nothing_found(model: nn.Module) -> str:
    names = [name for name, _ in model.named_parameters()]
    computed = any(".parametrizations." in f".{name}" for name in names)
    remedy = (
        "make parametrized ones permanent first (torch.nn.utils.parametrize."
        "remove_parametrizations)"
        if computed
        else "weights are matrices and kernels with `weight` in the last part of their name"
    )
    return (
        f"There is no weight to prune in {type(model).__name__}: it has no weights at all among "
        f"its {len(names)} parameters, {remedy}."
    )


def _with_biases(model: nn.Module, names: Sequence[str]) -> tuple[str, ...]:
    """The weights, and after the last weight of each layer its biases (those that are trained)."""
    owners = {name.rpartition(".")[0] for name in names}
    return tuple(
        name
        for name, parameter in model.named_parameters()
        if name in names
        or (
            name.rpartition(".")[0] in owners
            and "bias" in name.rpartition(".")[2]
            and parameter.requires_grad
        )
    )


def _matches(pattern: str, names: list[str], model: nn.Module) -> list[str]:
    """The weights that one entry of `protect` means."""
    if pattern == "first":
        return names[:1]
    if pattern == "last":
        return names[-1:]
    found = matching(pattern, names)
    if not found:
        known = ["first", "last", *names, *(name.rpartition(".")[0] for name in names)]
        raise ValueError(f"Nothing to protect is called {pattern!r}: {nearest(pattern, known)}")
    return found


def _biases(model: nn.Module, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(weight, bias) of each layer whose output units are the rows of its weight."""
    parameters = dict(model.named_parameters())
    rows = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    found = []
    for name in names:
        owner, _, last = name.rpartition(".")
        bias = f"{owner}.bias" if owner else "bias"
        by_rows = isinstance(model.get_submodule(owner), rows) and last == "weight"
        if by_rows and bias in parameters and parameters[bias].requires_grad:
            found.append((name, bias))
    return tuple(found)
