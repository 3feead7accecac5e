"""The lowest of many numbers, for several counts at once, of equal ones the first by index.

Many are not sorted: a first pass counts how many begin with each of 65,536 bit patterns, which says
in which of them each count is reached; a second collects those few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

CHUNK = 2**18  # numbers at a time: what is made on the way stays small
SORTED = 2**20  # up to so many are sorted after all: NumPy does that in vectors, a copy is small
_BINS = 2**16


@dataclass(frozen=True, eq=False)
class Lowest:
    """Who goes at which count.

    Attributes:
        levels: uint8, int16 or int32, in the parts of the keys: the place in `counts` from which on
            an entry is among the lowest; len(counts) for those that never are.
        counts: How many are to go, ascending, each above 0.
    """

    levels: tuple[Tensor, ...]
    counts: tuple[int, ...]

    def at(self, count: int) -> tuple[Tensor, ...]:
        """The `count` lowest, bool, in the parts of the keys.

        Args:
            count: 0, or one of `counts`.
        """
        level = 0 if count == 0 else self.counts.index(count) + 1
        return tuple(part < level for part in self.levels)


def lowest(keys: Sequence[Tensor], counts: Sequence[int]) -> Lowest:
    """The lowest of `keys` for each of `counts`; of equal ones those that come first.

    Args:
        keys: All float32 or all float64, no NaN; taken as one vector [n], of which no copy is made.
        counts: Each in [0, n].
    """
    wanted = tuple(sorted({count for count in counts if count > 0}))
    kind = torch.uint8 if len(wanted) < 255 else torch.int16 if len(wanted) < 32767 else torch.int32
    device = keys[0].device
    if not wanted:
        return Lowest(tuple(torch.zeros_like(part, dtype=kind) for part in keys), ())
    found = [_threshold(*parts) for parts in _around(keys, wanted)]
    values = torch.tensor([f.value for f in found], dtype=keys[0].dtype, device=device)
    levels = tuple(torch.empty_like(part, dtype=kind) for part in keys)
    for part, level in zip(_chunks(keys), _chunks(levels), strict=True):
        level.copy_(torch.bucketize(part, values, out_int32=True))
    _split_ties(keys, found, levels)
    return Lowest(levels, wanted)


@dataclass(frozen=True)
class _Threshold:
    """The highest that goes, and how many equal to it there are and go."""

    value: float
    ties: int
    going: int


def _chunks(keys: Sequence[Tensor]) -> Iterator[Tensor]:
    for part in keys:
        yield from torch.split(part, CHUNK)


def _around(
    keys: Sequence[Tensor], counts: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, int, int]]:
    """For each count: numbers, sorted, among which its threshold is; how many are lower; count."""
    if sum(map(len, keys)) <= SORTED:
        everything = torch.cat(tuple(keys)).cpu().numpy()
        everything.sort()
        yield from ((everything, 0, count) for count in counts)
        return
    device = keys[0].device
    sizes = torch.zeros(_BINS, dtype=torch.int64, device=device)
    for patterns in _patterns(keys):
        sizes += torch.bincount(patterns, minlength=_BINS)
    upto = sizes.cumsum(0).cpu()
    bins = torch.searchsorted(upto, torch.tensor(counts))
    chosen = torch.zeros(_BINS, dtype=torch.bool, device=device)
    chosen[bins.to(device)] = True
    near = [part[chosen[at]] for part, at in zip(_chunks(keys), _patterns(keys), strict=True)]
    collected = torch.cat(near).cpu().numpy()
    del near
    collected.sort()
    start, lengths = 0, dict.fromkeys(bins.tolist(), 0)
    for place in sorted(lengths):
        size = int(sizes[place])
        lengths[place] = start
        start += size
    for count, place in zip(counts, bins.tolist(), strict=True):
        size, first = int(sizes[place]), lengths[place]
        yield collected[first : first + size], int(upto[place]) - size, count


def _threshold(near: np.ndarray, lower: int, count: int) -> _Threshold:
    value = near[count - lower - 1]
    begin = int(np.searchsorted(near, value, side="left"))
    end = int(np.searchsorted(near, value, side="right"))
    return _Threshold(float(value), end - begin, count - lower - begin)


def _patterns(keys: Sequence[Tensor]) -> Iterator[Tensor]:
    """The first 16 bits of each number, int64, in an order that is that of the numbers."""
    kind = torch.int32 if keys[0].dtype == torch.float32 else torch.int64
    width = torch.iinfo(kind).bits
    for part in _chunks(keys):
        bits = (part + 0.0).view(kind)  # −0 becomes 0, its equal
        # The bits of negative numbers run backwards, but for the sign.
        bits ^= (bits >> (width - 1)) & torch.iinfo(kind).max
        yield (bits >> (width - 16)).long() + _BINS // 2


def _split_ties(
    keys: Sequence[Tensor], found: Sequence[_Threshold], levels: Sequence[Tensor]
) -> None:
    """Of the entries equal to a threshold, takes those beyond the count to the next level."""
    places: dict[float, list[int]] = {}
    for place, threshold in enumerate(found):
        places.setdefault(threshold.value, []).append(place)
    for value, same in places.items():
        if found[same[0]].going == found[same[0]].ties:
            continue
        seen = 0
        for part, level in zip(keys, levels, strict=True):
            tied = (part == value).nonzero()[:, 0]
            level[tied] = same[-1] + 1
            for place in reversed(same):
                level[tied[: max(0, found[place].going - seen)]] = place
            seen += len(tied)
