"""Many small nets of one architecture trained at once, each with its own weights and masks.

On a net of a few thousand weights a step is mostly overhead: stacked along a new first dimension,
all members take theirs in one (`torch.func`). Each computes what `train` computes, added up in
another order, so that weights agree to rounding and not to the bit: stacking is part of a recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from pruners.batches import epoch_batches
from pruners.gradual import GradualPruning
from pruners.optimizers import DECAYS, OPTIMIZERS
from pruners.seeding import device_of, generator, seeded, stream
from pruners.stack import Stack, Watch
from pruners.training import Curve, Prepare, Training, batch_maker, check_examples


def why_not_stacked(model: nn.Module) -> str | None:
    """The reason why members of this architecture are trained one by one; None: they need not be.

    Convolutions could be stacked and are not: grouped ones are slower than one net after another.
    """
    if next(model.buffers(), None) is not None:
        return (
            f"{type(model).__name__} has buffers (running statistics of batch-norm), which a "
            f"stacked step cannot update"
        )
    convolution = next((m for m in model.modules() if isinstance(m, nn.modules.conv._ConvNd)), None)
    if convolution is not None:
        return f"{type(model).__name__} has convolutions, for which stacking does not pay"
    return None


def train_stacked(
    models: Sequence[nn.Module],
    inputs: Tensor,
    labels: Tensor,
    training: Training,
    *,
    seeds: Sequence[int],
    prunings: Sequence[GradualPruning | None] | None = None,
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
    names: Sequence[str] | None = None,
) -> list[Curve]:
    """Trains all models in place, as `train` would each, and leaves them in evaluation mode.

    Batches and augmentation are those of each model's seed. Dropout is too where all have one seed;
    else it is drawn for all members together from a stream made of all seeds, and differs from that
    of `train`.

    Args:
        models: Of one architecture, made of linear layers: equal parameters and modules.
        inputs: As for `train`.
        labels: int64 [n].
        training: How, the same for all.
        seeds: One for each model, integers of 0 or more.
        prunings: What prunes each model, not started; None: no weight is removed.
        prepare: As for `train`.
        device: As for `train`; the models stay there.
        names: What an error calls each model; None: by its place.

    Returns:
        A curve for each model, in order.

    Raises:
        ValueError: As `train`; or the models cannot be stacked: of several architectures, with
            buffers or convolutions, weights that may come back, or one model twice.
    """
    held = list(prunings) if prunings is not None else [None] * len(models)
    check_examples(inputs, labels, training)
    _check(models, seeds, held)
    where = torch.device(device) if device is not None else device_of(models[0])
    for model in models:
        model.to(where).train()
    stack = Stack(models)
    optimizer = OPTIMIZERS[training.optimizer](
        stack, training.lr, training.momentum, training.weight_decay
    )
    shared = len(set(seeds)) == 1
    draws = seeds[0] if shared else stream(0, f"dropout of {list(seeds)}")
    watch = Watch(stack, optimizer, models, held)
    try:
        watch.start(training.steps(len(inputs)))
        with seeded(draws, "dropout", where):
            drawn = seeds[:1] if shared else seeds
            batches = _Batches(inputs, labels, training, drawn, prepare, where)
            called = names or [f"model {i}" for i in range(len(models))]
            return _run(stack, optimizer, watch, training, batches, len(inputs), called)
    finally:
        watch.detach()
        stack.release()
        for model in models:
            model.eval()


class _Batches:
    """The batches of one seed, or of several stacked."""

    def __init__(
        self,
        inputs: Tensor,
        labels: Tensor,
        training: Training,
        seeds: Sequence[int],
        prepare: Prepare | None,
        device: torch.device,
    ) -> None:
        self.shared = len(seeds) == 1
        self._examples, self._size = len(inputs), training.batch_size
        self._makers = [
            batch_maker(inputs, labels, training, seed, prepare, device) for seed in seeds
        ]
        self._orders = [generator(seed, "order") for seed in seeds]

    def epoch(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Inputs, labels and the number of examples of each batch, the same for all seeds."""
        drawn = [epoch_batches(self._examples, self._size, order) for order in self._orders]
        for indices in zip(*drawn, strict=True):
            made = [make(index) for make, index in zip(self._makers, indices, strict=True)]
            shown, labels = made[0]
            if not self.shared:
                shown = torch.stack([one for one, _ in made])
                labels = torch.stack([one for _, one in made])
            yield shown, labels, len(indices[0])


def _run(
    stack: Stack,
    optimizer: Optimizer,
    watch: Watch,
    training: Training,
    batches: _Batches,
    examples: int,
    names: Sequence[str],
) -> list[Curve]:
    """All epochs."""
    share, steps, step = DECAYS[training.decay], training.steps(examples), 0
    losses: list[Tensor] = []
    accuracies: list[Tensor] = []
    for _ in range(training.epochs):
        loss_sum, right = torch.zeros(2, stack.members, dtype=torch.float64)
        for shown, labels, size in batches.epoch():
            for group in optimizer.param_groups:
                group["lr"] = training.lr * share(step / steps)
            step += 1
            loss, hits = _step(stack, optimizer, shown, labels, shared=batches.shared)
            _check_loss(loss, step, steps, training, names)
            watch.after_step()
            loss_sum += loss * size
            right += hits
        losses.append(loss_sum / examples)
        accuracies.append(right / examples)
    return [
        Curve(tuple(float(one[i]) for one in losses), tuple(float(one[i]) for one in accuracies))
        for i in range(stack.members)
    ]


def _step(
    stack: Stack, optimizer: Optimizer, shown: Tensor, labels: Tensor, *, shared: bool
) -> tuple[Tensor, Tensor]:
    """One update of all: float64 [models], the losses in nats, and how many were right."""
    logits = stack.logits(shown, shared=shared)
    right = labels.expand(logits.shape[:2])
    if logits.ndim != 3 or int(labels.max()) >= logits.shape[2]:
        raise ValueError(
            f"The models must return logits [n, classes], they returned "
            f"{tuple(logits.shape[1:])} for {labels.shape[-1]} examples with labels up to "
            f"{int(labels.max())}."
        )
    each = F.cross_entropy(logits.flatten(0, 1), right.flatten(), reduction="none")
    loss = each.view(right.shape).mean(1)
    optimizer.zero_grad()
    # A sum: no member's gradient depends on how many there are.
    loss.sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    hits = (logits.detach().argmax(2) == right).sum(1)
    return loss.detach().cpu().double(), hits.cpu().double()


def _check_loss(
    loss: Tensor, step: int, steps: int, training: Training, names: Sequence[str]
) -> None:
    bad = (~loss.isfinite()).nonzero().flatten().tolist()
    if bad:
        raise ValueError(
            f"The loss of {names[bad[0]]} became {loss[bad[0]].item()} at step {step} of {steps}: "
            f"lower the learning rate ({training.lr}) or look for inputs that are not finite."
        )


def _check(
    models: Sequence[nn.Module],
    seeds: Sequence[int],
    prunings: Sequence[GradualPruning | None],
) -> None:
    if not models or len({id(model) for model in models}) < len(models):
        raise ValueError("Stacking needs one model or more, and none of them twice.")
    if len(seeds) != len(models) or len(prunings) != len(models):
        raise ValueError(
            f"Each of the {len(models)} models needs a seed and a pruning (or None), got "
            f"{len(seeds)} and {len(prunings)}."
        )
    reason = why_not_stacked(models[0])
    if reason is not None:
        raise ValueError(f"{reason}: train such models one by one.")
    for i, model in enumerate(models):
        if _anatomy(model) != _anatomy(models[0]):
            raise ValueError(
                f"Model {i} is of another architecture than the first (names, shapes or modules "
                f"differ): stack those of one architecture."
            )
    for pruning in prunings:
        if pruning is not None and pruning.method.reenter:
            raise ValueError(
                "Weights that may come back need a step of their own: prune with reenter singly."
            )


def _anatomy(model: nn.Module) -> object:
    parameters = [(n, p.shape, p.dtype, p.requires_grad) for n, p in model.named_parameters()]
    return parameters, repr(model)
