"""Removed weights kept at zero while an optimizer trains the others, for little per step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from pruners.closures import Closure, forget, remembers_all_in_one, with_closures
from pruners.masks import Masks

_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Holding:
    """Sets removed entries of parameters, and of what an optimizer remembers of them, to zero.

    Bits are and-ed with all ones where an entry stays and with none where it is gone: like filling
    this gives +0 whatever was there (infinity times zero would be no number), and it takes a third
    of the time.
    """

    def __init__(self, removed: Sequence[tuple[nn.Parameter, Tensor]]) -> None:
        """Prepares one integer per entry.

        Args:
            removed: Parameters with their removed entries, bool of the same shape; see
                `Masks.removed`.
        """
        self._removed = [(parameter, gone, _bits(parameter, gone)) for parameter, gone in removed]

    @torch.no_grad()
    def hold(self, optimizer: Optimizer | None) -> None:
        """Sets them to zero.

        Args:
            optimizer: Its state of each parameter's shape (momentum, Adam's two or three moments,
                and what other optimizers keep) is set to zero too: otherwise these would go on
                moving the weight. None: the parameters alone.
        """
        for parameter, gone, bits in self._removed:
            _clear(parameter, gone, bits)
            if optimizer is not None:
                for value in _memory(optimizer, parameter):
                    _clear(value, gone, bits)

    def confined(self, closure: Closure) -> Closure:
        """A closure of an optimizer's step that leaves no gradient where an entry is gone.

        An optimizer that moves several times within a step moves in the weights that stay alone.
        """

        def pruned() -> Any:
            loss = closure()
            for parameter, gone, _ in self._removed:
                if parameter.grad is not None:
                    parameter.grad.masked_fill_(gone, 0.0)
            return loss

        return pruned


class Imposed:
    """Given masks, held while an optimizer trains, from some step on."""

    def __init__(self, model: nn.Module, masks: Masks, begin: float = 0.0) -> None:
        """Prepares.

        Args:
            model: Of the masks, by parameter name and shape.
            masks: What is removed.
            begin: Share of the steps before it is.

        Raises:
            ValueError: The masks are not this model's.
        """
        self._holding = Holding(masks.removed(model))
        self._begin, self._first, self._step = begin, 0, 0
        self._handles: list[RemovableHandle] = []

    def start(self, optimizer: Optimizer | None, steps: int) -> None:
        """Hooks onto `optimizer`, which will make `steps` steps (None: holds at once)."""
        self._first, self._step = round(self._begin * steps), 0
        if optimizer is not None:
            self._handles = [optimizer.register_step_post_hook(self._after_step)]
            if remembers_all_in_one(optimizer):
                self._handles.append(optimizer.register_step_pre_hook(self._before_step))
        if self._first == 0:
            self._impose(optimizer)

    def detach(self) -> None:
        """Unhooks; the zeros stay."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __enter__(self) -> Imposed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.detach()

    def _before_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        held = self._step >= self._first
        return with_closures(args, kwargs, self._holding.confined) if held else None

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._step += 1
        if self._step == self._first:
            self._impose(optimizer)
        elif self._step > self._first:
            self._holding.hold(optimizer)

    def _impose(self, optimizer: Optimizer | None) -> None:
        self._holding.hold(optimizer)
        forget(optimizer)


def _bits(parameter: Tensor, gone: Tensor) -> Tensor | None:
    kind = _INTEGERS.get(parameter.element_size())
    return None if kind is None else gone.to(kind) - 1


def _clear(values: Tensor, gone: Tensor, bits: Tensor | None) -> None:
    if bits is None or values.element_size() != bits.element_size():
        values.masked_fill_(gone, 0.0)
    else:
        values.detach().view(bits.dtype).bitwise_and_(bits)


def _memory(optimizer: Optimizer, parameter: nn.Parameter) -> Iterable[Tensor]:
    for value in optimizer.state.get(parameter, {}).values():
        if isinstance(value, Tensor) and value.shape == parameter.shape:
            yield value
