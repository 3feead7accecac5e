"""Watches what each weight is multiplied with, whichever module or function does it.

The operations themselves are looked at (matrix products, convolutions), not modules: so attention,
functional calls and one's own layers are seen like `nn.Linear`, and no hook touches the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pruners.saliency.examples import Data, batches, evaluating
from pruners.saliency.unfused import unfused_attention


@dataclass(frozen=True)
class Matrix:
    """One matrix product with some rows of a weight [outputs, inputs].

    Attributes:
        inputs: Float [places, inputs], examples (and positions) along the first dimension.
        rows: Those of the weight that take part.
        turned: Whether the weight is kept as [inputs, outputs]; then rows are columns.
    """

    inputs: Tensor
    rows: slice
    turned: bool = False


@dataclass(frozen=True)
class Convolution:
    """One convolution.

    Attributes:
        inputs: Float [examples, channels, ...].
        outputs: Shape of what came out.
        settings: Stride, padding, dilation, transposed, output padding, groups.
    """

    inputs: Tensor
    outputs: torch.Size
    settings: tuple[Any, ...]


# (name, weight, product, number of examples in the batch)
See = Callable[[str, Tensor, Matrix | Convolution, int], None]

# How a parameter is looked at from another side, with nothing computed.
_VIEWS = {
    *("t", "transpose", "permute", "view", "_unsafe_view", "reshape", "expand", "unsqueeze"),
    *("squeeze", "select", "slice", "split", "split_with_sizes", "chunk", "unbind", "detach"),
    *("alias", "as_strided", "_reshape_alias"),
}


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Calls `see` for each product with a named weight, and keeps the names used otherwise."""

    def __init__(self, model: nn.Module, names: Sequence[str], see: See) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        parameters = dict(model.named_parameters())
        self.weights = {name: parameters[name].detach() for name in names}
        self.see, self.otherwise, self.examples = see, set[str](), 0

    def _named(self, tensor: object) -> str | None:
        """The weight that a tensor is, or is a view of."""
        if not isinstance(tensor, Tensor):
            return None
        at = tensor.untyped_storage().data_ptr()
        for name, weight in self.weights.items():
            first = weight.storage_offset()
            inside = first <= tensor.storage_offset() < first + weight.numel()
            if inside and at == weight.untyped_storage().data_ptr():
                return name
        return None

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        operation = func.overloadpacket.__name__
        if operation in _VIEWS:
            return result
        found = [(tensor, name) for tensor in _flat(args) if (name := self._named(tensor))]
        for tensor, name in found:
            product = _product(operation, args, tensor, self.weights[name], result)
            if product is None:
                self.otherwise.add(name)
            else:
                self.see(name, self.weights[name], product, self.examples)
        return result


def _flat(args: Sequence[Any]) -> Iterator[Tensor]:
    for arg in args:
        if isinstance(arg, Tensor):
            yield arg
        elif isinstance(arg, list | tuple):
            yield from (each for each in arg if isinstance(each, Tensor))


def _product(
    operation: str, args: Sequence[Any], used: Tensor, weight: Tensor, result: Any
) -> Matrix | Convolution | None:
    if operation == "convolution" and used is args[1] and used.shape == weight.shape:
        return Convolution(args[0], result.shape, tuple(args[3:9]))
    factors = args[1:3] if operation == "addmm" else args[:2]
    if operation not in ("addmm", "mm", "bmm") or weight.ndim != 2:
        return None
    left, right = factors
    if operation == "bmm":
        if used is not right or (right.stride(0) != 0 and len(right) > 1):
            return None
        left, right = left.reshape(-1, left.shape[2]), right[0]
        used = right
    return _matrix(left, right, used, weight)


def _matrix(left: Tensor, right: Tensor, used: Tensor, weight: Tensor) -> Matrix | None:
    """The product as inputs times the weight's rows, where it is one."""
    inputs, seen = (left, right.T) if used is right else (right.T, left)
    fan_in = weight.shape[1]
    if seen.stride() == weight.stride() and seen.shape[1] == fan_in:
        start = (seen.storage_offset() - weight.storage_offset()) // weight.stride(0)
        return Matrix(inputs, slice(start, start + len(seen)))
    if seen.shape == weight.T.shape and seen.stride() == weight.T.stride():
        return Matrix(inputs, slice(0, len(seen)), turned=True)
    return None


def watch_products(
    model: nn.Module, names: Sequence[str], data: Data | None, needed_by: str, see: See
) -> None:
    """Shows the model all examples, in evaluation mode, and reports each product with a weight.

    Args:
        model: Any module; it is left as it was.
        names: The weights.
        data: Examples; labels are not looked at.
        needed_by: The saliency, for messages.
        see: Called with the name, the weight, the product and the number of examples.

    Raises:
        ValueError: There are no examples, or a weight enters something else than such a product.
    """
    with (
        evaluating(model) as shown,
        torch.no_grad(),
        unfused_attention(),
        _Watch(shown, names, see) as watch,
    ):
        for inputs, _ in batches(shown, data, needed_by):
            watch.examples = len(inputs)
            shown(inputs)
    if watch.otherwise:
        hidden = sorted(watch.otherwise)
        raise ValueError(
            f"Saliency {needed_by!r} cannot see what {', '.join(hidden)} is multiplied with: "
            f"protect it (protect=[..., {hidden[0]!r}]), or choose a saliency of gradients."
        )
