"""Photon counts: the exact inverse of Poisson cdfs, tabulated for 8-bit levels, found for floats.

`shot_noise` takes (images [N, C, H, W], stream, photons): uint8, or float32 levels in 0..255.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .bins import CROSSED, bin_codes, inside, uniforms
from .draws import Stream
from .exact import grey_levels
from .lookup import equal_places, looked_up

_BITS = 12
_BINS = 2**_BITS
_NOTHING_LEFT = 2.0**-54  # a probability that no longer changes a cdf near 1


def shot_noise(images: Tensor, stream: Stream, photons: float) -> Tensor:
    """Poisson(photons · x) / photons: fewer photons, more noise; `photons` is any positive number.

    An element's count is the smallest whose cdf, at the rate of its own level, exceeds its uniform
    number of 48 bits: on 8-bit and float images of the same levels it is the same count.
    """
    if images.dtype != torch.uint8:
        levels = images.flatten().to(torch.float64)
        counts = poisson_counts(levels.mul_(photons / 255), uniforms(images, stream, _BITS))
        return grey_levels(counts.mul_(255 / photons), images.dtype).view_as(images)
    codes = bin_codes(images, stream)
    tables = _tables(photons, images.device)
    levels = images.flatten()
    result = looked_up(tables.bins, _level_and_bin(levels, codes))
    places = equal_places(result, CROSSED)
    if len(places):
        uniform = inside(codes, places, images, stream, _BITS)
        level = levels[places].to(torch.int64)
        found = torch.searchsorted(tables.cumulative, uniform + level, right=True)
        counts = found - level * len(tables.outcomes)
        result[places] = tables.outcomes[counts.clamp_(0, len(tables.outcomes) - 1)]
    return result.to(torch.uint8).view_as(images)


def _level_and_bin(levels: Tensor, codes: Tensor) -> Tensor:
    """Index level · 4096 + upper 12 bits of the code: int32."""
    # Level and code side by side are level · 65,536 + code, without another copy of either.
    pairs = torch.empty((len(codes), 2), dtype=torch.int16, device=codes.device)
    pairs[:, 0] = codes.view(torch.int16)
    pairs[:, 1] = levels
    return pairs.view(torch.int32).squeeze(1).bitwise_right_shift_(16 - _BITS)


@dataclass(frozen=True)
class _Tables:
    """What inverting Poisson cdfs for all 256 grey levels needs; never written to.

    Attributes:
        bins: int16 [256 · 4096], what (level, bin) becomes, or the mark of a crossed bin.
        cumulative: float64 [256 · K], level + cdf(count); ascending throughout.
        outcomes: int16 [K], the grey level that a count of photons becomes.
    """

    bins: Tensor
    cumulative: Tensor
    outcomes: Tensor


@lru_cache(maxsize=8)
def _tables(photons: float, device: torch.device) -> _Tables:
    # Twelve standard deviations and a bit: beyond it the cdf is 1 in double precision.
    counts = np.arange(int(photons + 12 * np.sqrt(photons) + 40))
    outcomes = (np.clip(counts / photons, 0, 1) * 255).astype(np.int16)
    rates = photons * np.arange(256) / 255
    # P(count <= k) is the regularised upper incomplete gamma function of k + 1 and the rate.
    cdf = torch.special.gammaincc(
        torch.from_numpy(counts + 1.0)[None, :], torch.from_numpy(rates)[:, None]
    ).numpy()
    bins = np.stack([_one_level(row, outcomes) for row in cdf])
    cumulative = np.add(cdf, np.arange(256)[:, None], dtype=np.float64)
    tables = (torch.from_numpy(part).to(device) for part in (bins, cumulative, outcomes))
    return _Tables(*(table.flatten() for table in tables))


def _one_level(cdf: NDArray[np.float64], outcomes: NDArray[np.int16]) -> NDArray[np.int16]:
    """What each of the bins becomes; a bin whose two ends differ is marked."""
    edges, last = np.arange(_BINS + 1) / _BINS, len(cdf) - 1
    low = outcomes[np.minimum(np.searchsorted(cdf, edges[:-1], "right"), last)]
    high = outcomes[np.minimum(np.searchsorted(cdf, edges[1:], "left"), last)]
    return np.where(low == high, low, np.int16(CROSSED))


def poisson_counts(rates: Tensor, uniform: Tensor) -> Tensor:
    """The smallest counts whose Poisson cdf exceeds the uniform numbers: float64, same shape.

    Starts from the Cornish-Fisher expansion of the quantile, which is nearly always right to one
    count, and walks from there by adding or taking away single probabilities.

    Args:
        rates: float64, 0 or more.
        uniform: float64 in (0, 1), same shape.
    """
    rates = rates.clamp(min=1e-300)  # its logarithm is finite, its only count still 0
    normal = torch.special.ndtri(uniform)
    guess: Tensor = rates + rates.sqrt() * normal + (normal**2 - 1) / 6
    counts = guess.floor_().clamp_(min=0)
    chance = torch.exp(counts * rates.log() - rates - torch.special.gammaln(counts + 1))
    cdf = torch.special.gammaincc(counts + 1, rates)
    _walk_up(rates, uniform, counts, chance, cdf)
    _walk_down(rates, uniform, counts, chance, cdf)
    return counts


def _walk_up(rates: Tensor, uniform: Tensor, counts: Tensor, chance: Tensor, cdf: Tensor) -> None:
    """Raise the counts in place while their cdf does not exceed the uniform number."""
    active = torch.nonzero(cdf <= uniform, as_tuple=True)
    while len(active[0]):
        counts[active] += 1
        chance[active] *= rates[active] / counts[active]
        cdf[active] += chance[active]
        more = (cdf[active] <= uniform[active]) & (chance[active] > _NOTHING_LEFT)
        active = tuple(index[more] for index in active)


def _walk_down(rates: Tensor, uniform: Tensor, counts: Tensor, chance: Tensor, cdf: Tensor) -> None:
    """Lower the counts in place while the next smaller one's cdf exceeds the uniform number too."""
    active = torch.nonzero((counts > 0) & (cdf - chance > uniform), as_tuple=True)
    while len(active[0]):
        cdf[active] -= chance[active]
        chance[active] *= counts[active] / rates[active]
        counts[active] -= 1
        more = (counts[active] > 0) & (cdf[active] - chance[active] > uniform[active])
        active = tuple(index[more] for index in active)
