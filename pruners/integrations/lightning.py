"""Pruning in a Lightning `Trainer`: a callback that makes the masks and holds them."""

from __future__ import annotations

import warnings
from typing import Any

from torch import nn

from pruners.gradual import GradualPruning
from pruners.integrations.options import check_steps, hold_finally, method_of
from pruners.masks import Masks
from pruners.saliency import Data

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError as error:
    raise ImportError(
        "PruningCallback for Lightning needs the library: pip install lightning"
    ) from error


class PruningCallback(Callback):  # type: ignore[misc, unused-ignore]
    """Prunes the module while `Trainer.fit` trains it, with automatic or manual optimization.

    The number of steps is the trainer's own estimate, which knows of accumulated gradients.
    Checkpoints hold the plain module, zeros included; the masks and the step are in the callback's
    part, and training resumed from one goes on as if it had not stopped. With several processes
    (`ddp`) the masks of the first are everybody's.

    Attributes:
        pruning: What is attached, from the start of training on; its `masks` stay after it.
    """

    def __init__(
        self,
        sparsity: float,
        *,
        steps: int | None = None,
        data: Data | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        """Prepares.

        Args:
            sparsity: Fraction of the targeted weights removed in the end, in [0, 1).
            steps: Optimizer steps of the training; None: the trainer's estimate.
            data: Examples, for saliencies that need them: the module is called on their inputs.
            seed: For saliencies that draw.
            **options: The other arguments of `attach`: `saliency`, `schedule`, `granularity`, ...

        Raises:
            ValueError: See `Method`.
        """
        super().__init__()
        self.sparsity, self.steps, self.data, self.seed = sparsity, steps, data, seed
        self.method = method_of(sparsity, **options)
        self.pruning: GradualPruning | None = None
        self._saved: dict[str, Any] | None = None

    @property
    def masks(self) -> Masks:
        """The masks as they are now.

        Raises:
            ValueError: Training has not begun.
        """
        if self.pruning is None:
            raise ValueError("There are no masks before training begins: call Trainer.fit first.")
        return self.pruning.masks

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Hooks onto the optimizer, whose state a checkpoint has filled by now."""
        if len(trainer.optimizers) != 1:
            raise ValueError(
                f"PruningCallback holds the masks after the steps of one optimizer, and "
                f"{type(pl_module).__name__} configures {len(trainer.optimizers)}: use "
                f"pruners.attach with the one that trains what is pruned."
            )
        wrapped = trainer.strategy.model  # refused there if it is in pieces
        model: nn.Module = pl_module if wrapped is None else wrapped
        self.pruning = GradualPruning(
            model,
            self.sparsity,
            self.method,
            data=self.data,
            seed=self.seed,
            together=trainer.world_size > 1,
        )
        if self._saved is not None:
            self.pruning.resume(trainer.optimizers[0], self._saved)
            return
        steps = trainer.estimated_stepping_batches if self.steps is None else self.steps
        known = check_steps(steps, "pass PruningCallback(steps=...) or Trainer(max_steps=...)")
        self.pruning.start(trainer.optimizers[0], known)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Unhooks, and says where training ended before its schedule did."""
        self._stop()
        if self.pruning is not None and not self.pruning.settled:
            warnings.warn(self.pruning.shortfall, stacklevel=2)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Removes what others put back when training ended, as averages of weights do."""
        if self.pruning is not None:
            hold_finally(self.pruning)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Unhooks."""
        self._stop()

    def state_dict(self) -> dict[str, Any]:
        """Masks and step, in the checkpoint under the callback's name."""
        return {} if self.pruning is None else self.pruning.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keeps what a checkpoint says until training starts."""
        self._saved = state_dict or None

    def _stop(self) -> None:
        if self.pruning is not None:
            self.pruning.detach()
        self._saved = None
