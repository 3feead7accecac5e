"""Two lines that prune a model in a loop of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import nn
from torch.optim import Optimizer

from pruners.allocation import Allocation
from pruners.combinations import END
from pruners.gradual import GradualPruning
from pruners.granularity import Granularity
from pruners.holding import Imposed
from pruners.masks import Masks
from pruners.methods import Method
from pruners.saliency import Data, Saliency
from pruners.schedules import Schedule
from pruners.targets import PROTECTED, as_patterns
from pruners.wrapping import unwrapped, unwrapped_optimizer


def attach(
    model: nn.Module,
    optimizer: Optimizer,
    sparsity: float,
    *,
    steps: int,
    schedule: str | Schedule = "cubic",
    saliency: str | Saliency = "magnitude",
    granularity: str | Granularity = "weight",
    allocation: str | Allocation | Mapping[str, float] = "global",
    data: Data | None = None,
    protect: str | Sequence[str] = PROTECTED,
    begin: float = 0.0,
    end: float = END,
    frequency: int | None = None,
    count: Literal["targeted", "all"] = "targeted",
    biases: bool = False,
    keep: int = 1,
    reenter: bool = False,
    seed: int = 0,
    **arguments: float,
) -> GradualPruning:
    """Prunes a model while a loop of your own trains it, inside a `with` block or until `detach`.

    Any `torch.optim` optimizer will do, with any groups of parameters, schedulers of its learning
    rate, closures, gradients accumulated over batches, and a gradient scaler. `LBFGS` begins anew
    whenever the masks change, and is shown no gradient of removed weights. Leaving the block before
    the sparsity asked for is reached is an error; without a block, call `.detach()` when the loop
    is over. To hold masks that you have already, see `hold_masks`.

    Args:
        model: Pruned in place.
        optimizer: Of all weights to be pruned; masks are held after each of its steps.
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
        count: What the sparsity is a fraction of: the `targeted` weights, or `all` parameters.
        biases: Whether biases of targeted layers are removed too, each like a weight.
        keep: Groups that stay in every layer.
        reenter: Whether removed weights may come back at a later update; see `GradualPruning`.
        seed: For saliencies that draw.
        **arguments: Of the schedule (`initial`, `power`, `rounds`, `cycles`).

    Returns:
        What is attached; as a context manager it gives the masks, updated as training goes.

    Raises:
        TypeError: The optimizer is none of `torch.optim`.
        ValueError: See `Method`, `GradualPruning`; steps is no integer of 1 or more; a weight to
            prune is none of the optimizer's; or weights may return and the optimizer is `LBFGS`.
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
        count=count,
        biases=biases,
        keep=keep,
        reenter=reenter,
    )
    pruning = GradualPruning(model, sparsity, method, data=data, seed=seed)
    inner = _checked(optimizer, pruning.model, pruning.masks.targets.names)
    pruning.start(inner, steps)
    return pruning


def hold_masks(model: nn.Module, optimizer: Optimizer, masks: Masks) -> Imposed:
    """Holds given masks in a loop of your own, inside a `with` block or until `.detach()`.

    Args:
        model: Pruned in place, at once.
        optimizer: Of all weights that the masks are of, but for frozen ones; see `attach`.
        masks: Of this architecture: of `make_masks`, or of a file (`load_masks`).

    Raises:
        TypeError: The optimizer is none of `torch.optim`, or the masks are no `Masks`.
        ValueError: The masks are not this model's, or a weight that they remove a part of requires
            a gradient and is none of the optimizer's.
    """
    if not isinstance(masks, Masks):
        raise TypeError(
            f"hold_masks takes one pruners.Masks, got {type(masks).__name__}: make_masks gives one "
            f"for each sparsity, and load_masks none for a file without."
        )
    model = unwrapped(model)
    imposed = Imposed(model, masks)
    pruned = (name for name, kept in masks.kept.items() if not bool(kept.all()))
    trained = tuple(name for name in pruned if model.get_parameter(name).requires_grad)
    imposed.start(_checked(optimizer, model, trained), 0)
    return imposed


def _checked(optimizer: Optimizer, model: nn.Module, pruned: Sequence[str]) -> Optimizer:
    """The optimizer to hook onto, unless another one could fill the zeros again after its steps."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"Masks are held by a torch.optim.Optimizer, got {optimizer!r}.")
    moved = {id(one) for group in optimizer.param_groups for one in group["params"]}
    parameters = dict(model.named_parameters())
    others = [name for name in pruned if id(parameters[name]) not in moved]
    if others:
        raise ValueError(
            f"The optimizer does not move {', '.join(others)}, and masks are held after its steps "
            f"alone: pass the optimizer of what is pruned (add all parameters first), or protect "
            f"these."
        )
    return unwrapped_optimizer(optimizer)
