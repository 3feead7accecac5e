"""Pruning in the `Trainer` of Transformers: a callback that makes the masks and holds them."""

from __future__ import annotations

import warnings
from typing import Any

from torch import nn
from torch.optim import Optimizer

from pruners.gradual import GradualPruning
from pruners.integrations.options import check_steps, hold_finally, method_of
from pruners.masks import Masks
from pruners.saliency import Data
from pruners.wrapping import unwrapped_optimizer

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
    from transformers.trainer_callback import ExportableState
except ImportError as error:
    raise ImportError(
        "PruningCallback for Transformers needs the library: pip install transformers accelerate"
    ) from error


class PruningCallback(TrainerCallback, ExportableState):  # type: ignore[misc, unused-ignore]
    """Prunes the model while `Trainer.train` trains it.

    The number of steps is the trainer's `max_steps`, which knows of accumulated gradients.
    Checkpoints hold the plain model, zeros included; the masks and the step are in
    `trainer_state.json`, and training resumed from one goes on as if it had not stopped. With
    several processes the masks of the first are everybody's.

    Attributes:
        pruning: What is attached, from the start of training on; its `masks` stay after it.
    """

    def __init__(
        self, sparsity: float, *, data: Data | None = None, seed: int = 0, **options: Any
    ) -> None:
        """Prepares.

        Args:
            sparsity: Fraction of the targeted weights removed in the end, in [0, 1).
            data: Examples, for saliencies that need them.
            seed: For saliencies that draw.
            **options: The other arguments of `attach`: `saliency`, `schedule`, `granularity`, ...;
                not `reenter`, for the trainer's state cannot hold weights that may come back.

        Raises:
            ValueError: See `Method`.
        """
        if options.get("reenter"):
            raise ValueError(
                "The state of a Trainer is text, which cannot hold the weights that reenter: leave "
                "it out, or use pruners.attach in a loop of your own."
            )
        self.sparsity, self.data, self.seed = sparsity, data, seed
        self.method = method_of(sparsity, **options)
        self.pruning: GradualPruning | None = None

    @property
    def masks(self) -> Masks:
        """The masks as they are now.

        Raises:
            ValueError: Training has not begun.
        """
        if self.pruning is None:
            raise ValueError("There are no masks before training begins: call Trainer.train first.")
        return self.pruning.masks

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: nn.Module | None = None,
        optimizer: Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Hooks onto the optimizer, whose state a checkpoint has filled by now."""
        if model is None or optimizer is None:
            raise ValueError("PruningCallback needs the Trainer's model and optimizer.")
        self.pruning = GradualPruning(
            model,
            self.sparsity,
            self.method,
            data=self.data,
            seed=self.seed,
            together=args.world_size > 1,
        )
        inner = unwrapped_optimizer(optimizer)
        if state.global_step == 0:
            self.pruning.start(inner, check_steps(state.max_steps, "set max_steps"))
        else:
            self.pruning.resume(inner, _saved(state))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Unhooks, removes what came back, and says where training ended before its schedule."""
        if self.pruning is not None:
            self.pruning.detach()
            if not self.pruning.settled:
                warnings.warn(self.pruning.shortfall, stacklevel=2)
            # The best checkpoint, if one was asked for, is loaded by now.
            hold_finally(self.pruning)

    def state(self) -> dict[str, Any]:
        """Masks and step, as `trainer_state.json` has them."""
        saved = None if self.pruning is None else self.pruning.state_dict()
        return {"args": {"sparsity": self.sparsity}, "attributes": {"saved": saved}}


def _saved(state: TrainerState) -> dict[str, Any]:
    callbacks: Any = state.stateful_callbacks or {}
    found: Any = callbacks.get(PruningCallback.__name__)
    saved: Any = found["attributes"]["saved"] if isinstance(found, dict) else None
    if not isinstance(saved, dict):
        raise ValueError(
            f"The checkpoint at step {state.global_step} was written without one PruningCallback, "
            f"so nothing says what is removed: train from the start, or without the callback."
        )
    return saved
