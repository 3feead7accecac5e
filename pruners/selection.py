"""From scores to masks: exactly the number asked for, ties by index, no layer emptied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pruners.allocation import Allocation
from pruners.granularity import Granularity, Layout, Pool
from pruners.masks import Masks
from pruners.saliency import Data, Saliency
from pruners.sparsity import check_sparsity, count_of
from pruners.targets import Targets

TOLERANCE = 0.005  # between the sparsity asked for and the one reached


@dataclass(frozen=True)
class Axes:
    """What decides which weights go: functions, one per axis."""

    saliency: Saliency
    pool: Pool
    granularity: Granularity
    allocation: Allocation


@dataclass(frozen=True)
class Ranking:
    """All groups of all targeted parameters in the order in which they go.

    Attributes:
        targets: The targeted parameters.
        layouts: A layout for each of them.
        groups: Number of groups of each of them.
        keys: Float [groups of all], the lowest go first; +inf stays whatever happens.
        free_keys: The same without the collapse guard.
        already: Groups that are gone; no fewer may go, or one of them could come back.
        notes: For the record.
    """

    targets: Targets
    layouts: tuple[Layout, ...]
    groups: tuple[int, ...]
    keys: Tensor
    free_keys: Tensor
    already: int = 0
    notes: tuple[str, ...] = ()

    def masks(self, sparsities: Sequence[float]) -> list[Masks]:
        """Masks at each sparsity (fractions of the targeted weights); they nest.

        Raises:
            ValueError: A sparsity is outside [0, 1), or cannot be reached to within half a point
                (half a group, where that is more) with a group left in every layer.
        """
        wanted = [check_sparsity(sparsity) for sparsity in sparsities]
        counts = [self._groups_for(sparsity) for sparsity in wanted]
        chosen = lowest(self.keys, counts)
        guarded = self._guarded(chosen, counts)
        return [
            self._masks(sparsity, gone, names)
            for sparsity, gone, names in zip(wanted, chosen, guarded, strict=True)
        ]

    def _members(self) -> list[int]:
        return [layout.members for layout in self.layouts]

    def _weights(self) -> int:
        pairs = zip(self._members(), self.groups, strict=True)
        return sum(members * groups for members, groups in pairs)

    def _groups_for(self, sparsity: float) -> int:
        """How many groups to remove for the number of weights nearest to what is asked."""
        weights, members = self._weights(), self._members()
        removable = int((self.keys < torch.inf).count_nonzero())
        if set(members) == {1}:
            count = reached = min(count_of(sparsity, weights), removable)
        else:
            sizes = torch.tensor(members).repeat_interleave(torch.tensor(self.groups))
            order = self.keys.cpu().argsort(stable=True)[:removable]
            sums = torch.cat([torch.zeros(1, dtype=torch.int64), sizes[order].cumsum(0)])
            count = max(self.already, int((sums - sparsity * weights).abs().argmin()))
            reached = int(sums[count])
        slack = max(TOLERANCE, 0.5 * max(members) / weights)
        if reached / weights < sparsity - slack - 1e-9:
            raise ValueError(
                f"Sparsity {sparsity} cannot be reached: at most {removable} of {len(self.keys)} "
                f"groups may go if every layer is to keep one, which is {reached / weights:.4f} of "
                f"the {weights} targeted weights; ask for less or protect fewer layers."
            )
        return count

    def _masks(self, sparsity: float, gone: Tensor, guarded: tuple[str, ...]) -> Masks:
        kept = {}
        biases = dict(self.targets.biases)
        for name, layout, part in zip(
            self.targets.names, self.layouts, self._parts(gone), strict=True
        ):
            kept[name] = ~layout.spread(part)
            if layout.with_bias and name in biases:
                kept[biases[name]] = ~part
        return Masks(kept, self.targets, sparsity, guarded, self.notes)

    def _parts(self, groups: Tensor) -> tuple[Tensor, ...]:
        return torch.split(groups, list(self.groups))

    def _guarded(self, chosen: Sequence[Tensor], counts: Sequence[int]) -> list[tuple[str, ...]]:
        """For each count, the parameters that would be empty had nothing been reserved."""
        down_to_one = [
            any(int(part.count_nonzero()) == len(part) - 1 for part in self._parts(gone))
            for gone in chosen
        ]
        # A second selection, of all counts at once, and only for those where it can matter.
        suspects = [count for count, one in zip(counts, down_to_one, strict=True) if one]
        free = iter(lowest(self.free_keys, suspects))
        return [
            tuple(
                name
                for name, part in zip(self.targets.names, self._parts(next(free)), strict=True)
                if part.all()
            )
            if one
            else ()
            for one in down_to_one
        ]


def rank(
    model: nn.Module,
    targets: Targets,
    axes: Axes,
    data: Data | None,
    seed: int,
    removed: Masks | None = None,
    notes: tuple[str, ...] = (),
) -> Ranking:
    """Scores the targeted weights and puts them in order.

    Args:
        model: Any module.
        targets: What may be removed.
        axes: How it is scored, grouped and allocated.
        data: Examples for the saliencies that need them.
        seed: For the saliencies that draw.
        removed: Weights that are gone already; they come first, and so never come back.
        notes: For the record.

    Raises:
        ValueError: A weight or a score is not finite.
    """
    parameters = dict(model.named_parameters())
    shapes = {name: parameters[name].shape for name in targets.names}
    layouts = {name: axes.granularity(name, shapes[name]) for name in targets.names}
    for name in targets.names:
        _check_finite(parameters[name], f"The weight {name!r}", "train the model again")
    found = axes.saliency(model, targets.names, data, seed)
    scores, already = {}, 0
    for name, layout in layouts.items():
        _check_finite(found[name], f"The saliency of {name!r}", "look at the examples it was given")
        scores[name] = axes.pool(layout.gather(found[name]))
        if removed is not None:
            gone = layout.gather(~removed.kept[name].to(scores[name].device)).all(dim=1)
            scores[name] = scores[name].masked_fill(gone, -torch.inf)
            already += int(gone.count_nonzero())
    keys = axes.allocation(scores, shapes)
    for name, layout in layouts.items():
        if layout.candidates is not None:
            keys[name] = keys[name].masked_fill(~layout.candidates(scores[name]), torch.inf)
    groups = tuple(len(scores[name]) for name in targets.names)
    guarded = torch.cat([_reserve_best(keys[name]) for name in targets.names])
    free = torch.cat([keys[name] for name in targets.names])
    return Ranking(targets, tuple(layouts.values()), groups, guarded, free, already, notes)


def lowest(keys: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """The `count` lowest of `keys` for each count, bool [len(keys)], ties by index.

    One selection finds every threshold, which is what makes many sparsities cost little more than
    one. Keys equal to the threshold go by index until the count is reached: a comparison alone
    would remove all of them or none.
    """
    if keys.dtype not in (torch.float32, torch.float64):
        keys = keys.float()
    places = sorted({count - 1 for count in counts if count > 0})
    at = {}
    if places:
        parted = np.partition(keys.cpu().numpy(), places)
        at = {place: float(parted[place]) for place in places}
    found = []
    for count in counts:
        if count == 0:
            found.append(torch.zeros_like(keys, dtype=torch.bool))
            continue
        gone = keys < at[count - 1]
        missing = count - int(gone.count_nonzero())
        ties = keys == at[count - 1]
        if int(ties.count_nonzero()) == missing:
            gone |= ties
        else:
            gone[ties.nonzero()[:missing, 0]] = True
        found.append(gone)
    return found


def _reserve_best(keys: Tensor) -> Tensor:
    """The keys with the last of the highest, which goes last of all, never going."""
    best = len(keys) - 1 - int(keys.flip(0).argmax())
    reserved = keys.clone()
    reserved[best] = torch.inf
    return reserved


def _check_finite(values: Tensor, what: str, remedy: str) -> None:
    bad = int((~values.isfinite()).count_nonzero())
    if bad:
        raise ValueError(f"{what} has {bad} entries that are not finite: {remedy}.")
