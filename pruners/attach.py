"""Pruning while a model trains: masks that grow along a schedule, and are held after every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from pruners.allocation import Allocation
from pruners.catalogue import saliency_row
from pruners.granularity import Granularity
from pruners.masks import Masks, hold
from pruners.methods import END, Method
from pruners.saliency import Data, Saliency
from pruners.schedules import Schedule
from pruners.selection import rank
from pruners.targets import PROTECTED, as_patterns

UPDATES = 50  # of the masks between begin and end, where no frequency is given


class GradualPruning:
    """Masks of a model that follow a schedule while an optimizer moves its weights.

    A weight once removed stays removed: masks of later steps contain those of earlier ones.

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
    ) -> None:
        """Prepares; nothing is removed before `start`.

        Args:
            model: Pruned in place.
            sparsity: Fraction of the targeted weights that is gone in the end.
            method: How; its retraining is the caller's loop.
            data: Examples, for saliencies that need them.
            seed: For saliencies that draw.

        Raises:
            ValueError: The sparsity is no number in [0, 1), the saliency needs examples and there
                are none, or the model has no weights to remove.
        """
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
        self.masks = Masks.dense(model, method.protect)
        self._note = row.note
        self._removed: list[tuple[nn.Parameter, Tensor]] = []
        self._handle: RemovableHandle | None = None
        self._step = self._begin = self._end = 0
        self._frequency = 1

    def start(self, optimizer: Optimizer | None, steps: int) -> None:
        """Hooks onto `optimizer`, which will make `steps` steps (None and 0: prune at once)."""
        method = self.method
        self._step, self._begin = 0, round(method.begin * steps)
        self._end = max(self._begin, round(method.end * steps))
        self._frequency = method.frequency or max(1, (self._end - self._begin) // UPDATES)
        if optimizer is not None:
            self._handle = optimizer.register_step_post_hook(self._after_step)
        if self._begin == 0:
            self._update(optimizer)

    def detach(self) -> None:
        """Unhooks; the masks and the zeros stay, further steps would fill the zeros again."""
        if self._handle is not None:
            self._handle.remove()
            self._handle = None

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._step += 1
        # Held first: scores of the weights that are gone must be those of zeros.
        hold(self._removed, optimizer)
        since = self._step - self._begin
        due = since >= 0 and self._step <= self._end and since % self._frequency == 0
        if due or self._step == self._end:
            self._update(optimizer)

    def _update(self, optimizer: Optimizer | None) -> None:
        """Takes the masks to the sparsity that is due now."""
        length = self._end - self._begin
        progress = (self._step - self._begin) / length if length else 1.0
        # Not the schedule's own last value: rounding may leave it a hair off what was asked for.
        ended = progress >= 1.0
        due = self.final if ended else self.method.sparsity_at(progress, self.final)
        if due <= self.masks.requested:
            return
        notes = self.masks.notes
        if self._note is not None and not notes:
            notes = (self._note(self.model, self.data),)
        ranking = rank(
            self.model,
            self.masks.targets,
            self.method.axes,
            self.data,
            self.seed,
            removed=self.masks,
            notes=notes,
        )
        self.masks.replace_(ranking.masks([due])[0])
        self._removed = self.masks.removed(self.model)
        hold(self._removed, optimizer)

    def __enter__(self) -> Masks:
        return self.masks

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.detach()
        if error is None and self.masks.requested < self.final:
            raise ValueError(
                f"Pruning reached sparsity {self.masks.requested:.4f} of {self.final} when the "
                f"loop ended after {self._step} steps, the last masks due at step {self._end}: "
                f"pass the number of steps that the loop really takes."
            )


def attach(
    model: nn.Module,
    optimizer: Optimizer,
    sparsity: float,
    *,
    steps: int,
    schedule: str | Schedule = "cubic",
    saliency: str | Saliency = "magnitude",
    granularity: str | Granularity = "weight",
    allocation: str | Allocation = "global",
    data: Data | None = None,
    protect: str | Sequence[str] = PROTECTED,
    begin: float = 0.0,
    end: float = END,
    frequency: int | None = None,
    seed: int = 0,
    **arguments: float,
) -> GradualPruning:
    """Prunes a model while a loop of your own trains it, inside a `with` block or until `detach`.

    Leaving the block before the sparsity asked for is reached is an error; without a block, call
    `.detach()` when the loop is over.

    Args:
        model: Pruned in place.
        optimizer: Of the model's parameters; masks are held after each of its steps.
        sparsity: Fraction of the targeted weights removed in the end, in [0, 1).
        steps: Optimizer steps that the loop will take.
        schedule: How much when; see `SCHEDULES`.
        saliency: What matters little; see `SALIENCIES`.
        granularity: What goes together; see `GRANULARITIES`.
        allocation: How much where; see `ALLOCATIONS`.
        data: Examples, for saliencies that need them.
        protect: Weights kept whole; see `find_targets`.
        begin: Share of the steps after which pruning begins.
        end: Share of the steps after which it is over; what is left of the loop mends.
        frequency: Steps between updates of the masks; None makes about fifty.
        seed: For saliencies that draw.
        **arguments: Of the schedule (`initial`, `power`, `rounds`).

    Returns:
        What is attached; as a context manager it gives the masks, updated as training goes.

    Raises:
        ValueError: See `Method`, `GradualPruning`; or steps is no integer of 1 or more.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps must be an integer of 1 or more, got {steps!r}.")
    method = Method(
        saliency,
        granularity,
        allocation,
        schedule,
        protect=as_patterns(protect),
        begin=begin,
        end=end,
        frequency=frequency,
        arguments=arguments,
    )
    pruning = GradualPruning(model, sparsity, method, data=data, seed=seed)
    pruning.start(optimizer, steps)
    return pruning
