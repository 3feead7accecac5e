"""Masks that follow a schedule, and are held after every step of an optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from pruners.agreement import masks_of_first, weights_of_first
from pruners.catalogue import saliency_row, schedule_row
from pruners.closures import check_reentry, forget, remembers_all_in_one, with_closures
from pruners.holding import Holding, Imposed
from pruners.masks import Masks
from pruners.methods import Method
from pruners.reentry import Shadow, reentry_note, without_reentry
from pruners.saliency import Data
from pruners.seeding import device_of
from pruners.selection import rank
from pruners.storage import decode_masks, encode_masks
from pruners.wrapping import is_distributed, unwrapped

UPDATES = 50  # of the masks between begin and end, where no frequency is given


class GradualPruning:
    """Masks of a model that follow a schedule while an optimizer moves its weights.

    A weight once removed stays removed: masks of later steps contain those of earlier ones. Not so
    with `reenter`: each update chooses among all weights, removed ones at the value that training
    would have given them (see `Shadow`), until the masks are final. Steps are those that the
    optimizer makes: one that a gradient scaler skips is none, except to a fused optimizer, which is
    called and does nothing.

    Attributes:
        masks: The masks as they are now; the same object all along.
    """

    def __init__(
        self,
        model: nn.Module,
        sparsity: float,
        method: Method,
        *,
        data: Data | None = None,
        seed: int = 0,
        before: Masks | None = None,
        together: bool | None = None,
    ) -> None:
        """Prepares; nothing is removed before `start`.

        Args:
            model: Pruned in place.
            sparsity: Fraction of the targeted weights that is gone in the end.
            method: How; its retraining is the caller's loop.
            data: Examples, for saliencies that need them.
            seed: For saliencies that draw.
            before: What is removed already, and stays removed; None: nothing.
            together: Whether all processes of `torch.distributed` train this model, so that the
                masks of the first are those of all; None: if it is a `DistributedDataParallel`.

        Raises:
            ValueError: The sparsity is no number in [0, 1), the saliency needs examples and there
                are none, or the model has no weights to remove.
        """
        self._together = is_distributed(model) if together is None else together
        model = unwrapped(model)
        self.model, self.method, self.seed = model, method, seed
        self.final = method.check_final(sparsity)
        row = saliency_row(method.saliency)
        if row.needs_data and data is None:
            raise ValueError(
                f"Saliency {method.saliency!r} needs examples: pass data=(inputs, labels) or an "
                f"iterable of such batches."
            )
        # An iterator would be empty at the second update.
        self.data = list(data) if isinstance(data, Iterator) else data
        dense = Masks.dense(model, method.protect, biases=method.biases)
        self.masks = dense if before is None else replace(before)
        self._row = row
        self._holding = Holding(self.masks.removed(model) if before is not None else [])
        self._shadow: Shadow | None = None
        self._handles: list[RemovableHandle] = []
        self._step = self._begin = self._end = self._returned = 0
        self._frequency = 1

    def start(self, optimizer: Optimizer | None, steps: int) -> None:
        """Hooks onto `optimizer`, which will make `steps` steps (None and 0: prune at once)."""
        method = self.method
        if method.reenter:
            check_reentry(optimizer)
        self._step, self._begin = 0, round(method.begin * steps)
        self._end = max(self._begin, round(method.end * steps))
        if optimizer is None or schedule_row(method.schedule).once:
            self._end = self._begin
        self._frequency = method.frequency or max(1, (self._end - self._begin) // UPDATES)
        self._holding.hold(optimizer)
        if self._begin == 0:
            self._update(optimizer)
        if optimizer is not None:
            # Last: where the first masks cannot be made, no hook stays behind to try again.
            self._hook(optimizer)

    def detach(self) -> None:
        """Unhooks; the masks and the zeros stay, further steps would fill the zeros again."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: what `resume` needs, as JSON has it but for weights that may return."""
        return {
            "masks": encode_masks(self.masks),
            "step": self._step,
            "begin": self._begin,
            "end": self._end,
            "frequency": self._frequency,
            "returned": self._returned,
            "aside": None if self._shadow is None else self._shadow.values(),
        }

    def resume(self, optimizer: Optimizer, state: Mapping[str, Any]) -> None:
        """Hooks onto `optimizer` to go on from a state, in place of `start`.

        Args:
            optimizer: Of the model, both as they were then.
            state: Of `state_dict`; the steps of its schedule are kept.

        Raises:
            ValueError: The state is of another model.
        """
        masks = decode_masks(state["masks"])
        removed = masks.removed(self.model)
        self.masks.replace_(masks)
        self._step, self._begin, self._end = state["step"], state["begin"], state["end"]
        self._frequency, self._returned = state["frequency"], state["returned"]
        self._hook(optimizer)
        if state["aside"] is not None:
            self._shadow = Shadow(removed, state["aside"])
        else:
            self._holding = Holding(removed)
            self._holding.hold(optimizer)

    def _hook(self, optimizer: Optimizer) -> None:
        self._handles = [optimizer.register_step_post_hook(self._after_step)]
        if self.method.reenter or remembers_all_in_one(optimizer):
            self._handles.append(optimizer.register_step_pre_hook(self._before_step))

    def imposed(self, begin: float) -> Imposed:
        """A watcher that holds the masks as they are from a share `begin` of the steps on."""
        return Imposed(self.model, self.masks, begin)

    def _before_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Removed weights have no gradient or, where they may return, the one while removed."""
        if self._shadow is None:
            return with_closures(args, kwargs, self._holding.confined)
        self._shadow.put_back()
        return with_closures(args, kwargs, self._shadow.evaluating)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._step += 1
        # Held first: scores of the weights that are gone must be those of zeros.
        if self._shadow is not None:
            self._shadow.put_aside()
        else:
            self._holding.hold(optimizer)
        since = self._step - self._begin
        due = since >= 0 and self._step <= self._end and since % self._frequency == 0
        if due or self._step == self._end:
            self._update(optimizer)

    def _update(self, optimizer: Optimizer | None) -> None:
        """Takes the masks to the sparsity that is due now."""
        length = self._end - self._begin
        if length:
            self._go_to(self._due((self._step - self._begin) / length), optimizer)
            return
        rounds = self._rounds()
        for done in range(rounds):
            self._go_to(self._due(done / (rounds - 1) if done + 1 < rounds else 1.0), optimizer)

    def _due(self, progress: float) -> float:
        # Not the schedule's own last value: rounding may leave it a hair off what was asked for.
        return self.final if progress >= 1.0 else self.method.sparsity_at(progress, self.final)

    def _rounds(self) -> int:
        """Rounds of a schedule that goes without steps: what it was given, or its default."""
        method = self.method
        takes = inspect.signature(schedule_row(method.schedule).function).parameters
        default = takes["rounds"].default if "rounds" in takes else 1
        return int(dict(method.arguments).get("rounds", default))

    def _go_to(self, due: float, optimizer: Optimizer | None) -> None:
        """Makes the masks of one sparsity, and whatever else happens at an update."""
        again = self.method.reenter
        if due <= self.masks.requested and not (again and (due > 0.0 or self._shadow)):
            return
        if self._shadow is not None:
            self._shadow.put_back()
        notes = self.masks.notes
        if self._row.note is not None and not notes:
            notes = (self._row.note(self.model, self.data),)
        self._take_over(self._ranked(due, notes), optimizer)

    def _ranked(self, due: float, notes: tuple[str, ...]) -> Masks:
        """The masks of a sparsity, the same in all processes that train this model."""
        again = self.method.reenter

        def make() -> Masks:
            ranking = rank(
                self.model,
                self.masks.targets,
                self.method.axes,
                self.data,
                self.seed,
                removed=None if again else self.masks,
                notes=notes,
            )
            return ranking.masks([due])[0]

        return masks_of_first(make, device_of(self.model)) if self._together else make()

    @torch.no_grad()
    def _take_over(self, masks: Masks, optimizer: Optimizer | None) -> None:
        """Removes what the new masks remove."""
        before = self.masks.kept
        if self._row.update is not None:
            gone = {
                name: before[name] & ~kept if name in before else ~kept
                for name, kept in masks.kept.items()
            }
            self._row.update(self.model, gone, self.data, self.seed)
            if self._together:
                weights_of_first(self.model.parameters())
        self._returned += sum(
            int((kept & ~before[name]).count_nonzero())
            for name, kept in masks.kept.items()
            if name in before
        )
        self.masks.replace_(masks)
        removed = self.masks.removed(self.model)
        final = self._step >= self._end
        if self.method.reenter:
            # Rebuilt at each update: the last number counts all that came back.
            self.masks.notes = (*without_reentry(masks.notes), reentry_note(self._returned))
        if self.method.reenter and not final:
            self._shadow = Shadow(removed)
        else:
            self._shadow, self._holding = None, Holding(removed)
            self._holding.hold(optimizer)
        forget(optimizer)

    @property
    def settled(self) -> bool:
        """Whether the masks are final."""
        # Weights that may come back are at the sparsity asked for before they are settled.
        return self.masks.requested >= self.final and self._shadow is None

    @property
    def shortfall(self) -> str:
        """What to say when training ends before the masks are final."""
        return (
            f"Pruning reached sparsity {self.masks.requested:.4f} of {self.final} when the loop "
            f"ended after {self._step} steps, the last masks due at step {self._end}: pass the "
            f"number of steps that the loop really takes."
        )

    def __enter__(self) -> Masks:
        return self.masks

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.detach()
        if error is None and not self.settled:
            raise ValueError(self.shortfall)
