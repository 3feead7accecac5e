"""All groups of a model in the order in which they go, and the masks at any sparsity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import torch
from torch import Tensor

from pruners.masks import Masks
from pruners.pieces import Partition
from pruners.sparsity import Count, check_sparsity, count_of
from pruners.thresholds import Lowest, lowest

TOLERANCE = 0.005  # between the sparsity asked for and the one reached


@dataclass(frozen=True, eq=False)
class Reserved:
    """The groups that the collapse guard keeps, piece by piece.

    Attributes:
        places: int64 of each piece, their places among all groups.
        keys: What their keys would be.
    """

    places: tuple[Tensor, ...]
    keys: tuple[Tensor, ...]


def reserve(partition: Partition, keys: Sequence[Tensor], keep: int) -> Reserved:
    """The last `keep` groups of each guarded piece; their keys become infinite, in place."""
    places, values, start = [], [], 0
    for piece, part in zip(partition.pieces, keys, strict=True):
        number = min(keep, piece.groups) if piece.guarded else 0
        if number == 1:
            last = piece.groups - 1 - part.flip(0).argmax()[None]
        else:
            last = part.argsort(stable=True)[piece.groups - number :]
        values.append(part[last])
        part[last] = torch.inf
        places.append(last + start)
        start += piece.groups
    return Reserved(tuple(places), tuple(values))


@dataclass(frozen=True, eq=False)
class Ranking:
    """All groups of all pieces in the order in which they go.

    Attributes:
        partition: The model in pieces.
        keys: Float [groups] of each piece, the lowest of all go first; +inf stays whatever
            happens. They stay in pieces: of a large model one vector would be a second copy.
        reserved: What the collapse guard keeps.
        parameters: Parameters of the model.
        count: What a sparsity is a fraction of.
        already: Groups that are gone; no fewer may go, or one of them could come back.
        notes: For the record.
    """

    partition: Partition
    keys: tuple[Tensor, ...]
    reserved: Reserved
    parameters: int
    count: Count = "targeted"
    already: int = 0
    notes: tuple[str, ...] = ()

    def masks(self, sparsities: Sequence[float]) -> NestedMasks:
        """Masks at each sparsity; they nest.

        Raises:
            ValueError: A sparsity is outside [0, 1), or cannot be reached to within half a point
                (half a group, where that is more) with a group left in every layer.
        """
        wanted = [check_sparsity(sparsity) for sparsity in sparsities]
        counts = [self._groups_for(sparsity) for sparsity in wanted]
        return NestedMasks(self, tuple(wanted), tuple(counts), lowest(self.keys, counts))

    @cached_property
    def whole(self) -> int:
        """What a sparsity is a fraction of, in weights."""
        if self.count == "all":
            return self.parameters
        return self.partition.weights

    @cached_property
    def _removable(self) -> int:
        return self._groups - sum(int((part == torch.inf).count_nonzero()) for part in self.keys)

    @property
    def _groups(self) -> int:
        return sum(map(len, self.keys))

    @cached_property
    def _order(self) -> Tensor:
        """The places of the groups that may go, in the order in which they do."""
        return torch.cat(self.keys).argsort(stable=True)[: self._removable]

    @cached_property
    def _sizes(self) -> Tensor:
        """What each group counts, int64 [groups of all]."""
        parts: list[Tensor] = []
        for piece in self.partition.pieces:
            size = piece.sizes(self.count)
            parts.append(
                size if isinstance(size, Tensor) else torch.tensor(size).expand(piece.groups)
            )
        return torch.cat(parts)

    @cached_property
    def _largest(self) -> int:
        sizes = [piece.sizes(self.count) for piece in self.partition.pieces]
        return max(int(s.max()) if isinstance(s, Tensor) else s for s in sizes)

    @cached_property
    def _sums(self) -> Tensor:
        """What the first 0, 1, 2, ... groups count together."""
        sizes = self._sizes.to(self._order.device)[self._order]
        return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])

    def _groups_for(self, sparsity: float) -> int:
        """How many groups to remove for the number of weights nearest to what is asked."""
        if self.partition.overlaps:
            count, reached = self._nearest_overlapping(sparsity * self.whole)
        elif self._largest == 1:
            wanted = min(count_of(sparsity, self.whole), self._removable)
            count = reached = max(self.already, wanted)
        else:
            near = (self._sums - sparsity * self.whole).abs()
            count = max(self.already, int(near.argmin()))
            reached = int(self._sums[count])
        slack = max(TOLERANCE, 0.5 * self._largest / self.whole)
        if reached / self.whole < sparsity - slack - 1e-9:
            what = "targeted weights" if self.count == "targeted" else "parameters"
            raise ValueError(
                f"Sparsity {sparsity} cannot be reached: at most {self._removable} of "
                f"{self._groups} groups may go if every layer is to keep what it must, which is "
                f"{reached / self.whole:.4f} of the {self.whole} {what}; ask for less or protect "
                f"fewer layers."
            )
        return count

    def _nearest_overlapping(self, wanted: float) -> tuple[int, int]:
        """The number of groups that removes the number of weights nearest to `wanted`, and that.

        Where weights belong to two groups, what groups count does not add up, but it grows: the
        number is found by halving, on the masks themselves.
        """
        low, high = self.already, max(self.already, self._removable)
        while low < high:
            middle = (low + high) // 2
            if self._counted(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        reached = self._counted(low)
        if low > self.already:
            less = self._counted(low - 1)
            if wanted - less <= reached - wanted:
                return low - 1, less
        return low, reached

    def _counted(self, count: int) -> int:
        """Weights that the first `count` groups remove, each once."""
        groups = torch.zeros(self._groups, dtype=torch.bool, device=self.keys[0].device)
        groups[self._order[:count]] = True
        names = self.partition.targets.names
        return sum(
            int(gone.count_nonzero())
            for name, gone in self.partition.removed(self.partition.split(groups)).items()
            if self.count == "all" or name in names
        )

    def guarded(self, count: int, groups: Sequence[Tensor]) -> tuple[str, ...]:
        """The pieces that `count` groups in order would have left with fewer than reserved."""
        found = []
        parts = zip(
            self.partition.pieces,
            groups,
            self.reserved.places,
            self.reserved.keys,
            strict=True,
        )
        for piece, part, places, keys in parts:
            left = piece.groups - int(part.count_nonzero())
            if len(places) and left == len(places) and self._place(places[0], keys[0]) < count:
                found.append(piece.name)
        return tuple(found)

    def _place(self, at: Tensor, key: Tensor) -> int:
        """Where in the order a reserved group would be, had nothing been reserved."""
        others = torch.cat(self.reserved.keys)
        places = torch.cat(self.reserved.places)
        lower = sum(int((part < key).count_nonzero()) for part in (*self.keys, others))
        earlier, before = 0, int(at) if key < torch.inf else 0
        for part in self.keys:
            earlier += int((part[: max(0, before)] == key).count_nonzero())
            before -= len(part)
        return lower + earlier + int(((others == key) & (places < at)).count_nonzero())


@dataclass(frozen=True, eq=False)
class NestedMasks(Sequence[Masks]):
    """Masks of one ranking at several sparsities, each made when it is asked for.

    Ten masks of a large model would be larger than the model; what is kept here is one byte per
    group, the sparsity at which it goes.
    """

    ranking: Ranking
    sparsities: tuple[float, ...]
    counts: tuple[int, ...]
    chosen: Lowest

    def __len__(self) -> int:
        return len(self.counts)

    @overload
    def __getitem__(self, index: int) -> Masks: ...

    @overload
    def __getitem__(self, index: slice) -> list[Masks]: ...

    def __getitem__(self, index: int | slice) -> Masks | list[Masks]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        sparsity, count = self.sparsities[index], self.counts[index]
        groups, partition = self.chosen.at(count), self.ranking.partition
        guarded = self.ranking.guarded(count, groups)
        removed = partition.removed(groups)
        shapes, device = partition.shapes, groups[0].device
        # Deleted and popped, so that a large model's masks are not there twice.
        del groups
        kept = {
            name: ~removed.pop(name)
            if name in removed
            else torch.ones(shapes[name], dtype=torch.bool, device=device)
            for name in tuple(dict.fromkeys((*partition.targets.names, *removed)))
        }
        return Masks(
            kept, partition.targets, sparsity, guarded, self.ranking.notes, self.ranking.count
        )
