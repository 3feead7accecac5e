"""What becomes of a layer's output: the activation that the units send on.

It is found by following the values themselves while the model runs, so that it does not matter
whether a model is a chain of modules or calls functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pruners.saliency.examples import Data, batches, evaluating
from pruners.saliency.watching import layers_of, unit_first, watched

# Functions, by name without underscores at the ends, that leave each unit where it is: the value
# is followed through them, up to and with the first nonlinearity.
_NORMS = {"batch_norm", "group_norm", "instance_norm"}
_PASSES = _NORMS | {
    *("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"),
    *("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d"),
    *("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "contiguous", "to"),
    *("clone", "detach", "float", "double", "half", "bfloat16"),
}
_NONLINEAR = {
    *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu"),
    *("mish", "hardtanh", "hardswish", "hardsigmoid", "sigmoid", "logsigmoid", "tanh", "softplus"),
    *("softsign", "tanhshrink", "softshrink", "hardshrink", "threshold", "clamp", "clamp_min"),
}

# `(name of the weight, activation [units, n, ...])`, then the pixels of a map or the tokens.
SeeActivation = Callable[[str, Tensor], None]


def watch_activations(
    model: nn.Module, names: Sequence[str], data: Data | None, needed_by: str, see: SeeActivation
) -> frozenset[str]:
    """Shows the model all examples and hands over what the units of its layers send on.

    That is the value after the batch-norm, dropout and pooling that follow the layer directly and
    the nonlinearity behind them; where there is none (the value is added to another first, or is
    the model's output), the last value before that.

    Args:
        model: Any module; it is left as it was.
        names: Weights of linear layers and convolutions; others are passed over.
        data: Examples.
        needed_by: Who needs them, for the message.
        see: Called with the activation for each batch and use of the layer.

    Returns:
        The names that were seen.

    Raises:
        ValueError: There are no examples.
    """
    layers, seen = layers_of(model, names), set()

    def hand_over(name: str, values: Tensor) -> None:
        seen.add(name)
        see(name, unit_first(layers[name][0], values))

    follow = _Follow(hand_over)
    with evaluating(model), torch.no_grad(), watched(model, names, follow.start):
        for inputs, _ in batches(model, data, needed_by):
            with follow:
                model(inputs)
            follow.finish()
    return frozenset(seen)


class _Follow(TorchFunctionMode):
    """Holds the latest form of the output of every layer until something else is made of it."""

    def __init__(self, see: Callable[[str, Tensor], None]) -> None:
        super().__init__()
        self.see = see
        self.held: dict[int, tuple[str, Tensor]] = {}

    def start(self, name: str, inputs: Tensor, outputs: Tensor) -> None:
        self.held[id(outputs)] = (name, outputs)

    def finish(self) -> None:
        """The model is through: what nothing was made of goes as it is."""
        for key in list(self.held):
            self._let_go(key)

    def _let_go(self, key: int, value: Tensor | None = None) -> None:
        name, held = self.held.pop(key)
        self.see(name, held if value is None else value)

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        name = getattr(func, "__name__", "").strip("_")
        followed = name in _PASSES or name in _NONLINEAR
        keys = {id(value) for value in _tensors([*args, *named.values()])} & self.held.keys()
        in_place = func.__name__.endswith("_") or func.__name__.startswith("__i")
        if not followed and in_place:  # what it writes over is the value as it was sent on
            for key in keys:
                self._let_go(key)
            keys = set()
        result = func(*args, **named)
        for key in keys & self.held.keys():
            if followed and isinstance(result, Tensor):
                self._move(key, name, result)
            elif any(True for _ in _tensors([result])):  # a size or a type is no use of it
                self._let_go(key)
        return result

    def _move(self, key: int, name: str, result: Tensor) -> None:
        if name in _NONLINEAR:
            self._let_go(key, result)
        else:
            layer, _ = self.held.pop(key)
            self.held[id(result)] = (layer, result)


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
