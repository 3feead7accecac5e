"""Noise on grey levels: Gaussian, Poisson (shot), salt and pepper (impulse), speckle.

Every function takes (images uint8 [N, C, H, W], stream, *constants) and returns such images.

The published generators add float noise and truncate to 8 bits. On uint8 the result is a step
function of one uniform number, so 16 (or 12) random bits choose a bin of it, which nearly always
lies between two steps. The few bins that a step crosses, and the two tails, are drawn again inside
the bin with 36 more bits. A plain table of quantiles would be visibly wrong at 10^7 draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream

_CODES = 2**16
_POISSON_BINS = 2**12
_CROSSED = -(2**15)  # marks a bin that a step crosses
_FINE = 2.0**-52
_AGAIN = 1  # the purpose of the draws inside a crossed bin


def gaussian_noise(images: Tensor, stream: Stream, scale: float) -> Tensor:
    """Add N(0, scale) to x in [0, 1], independently for every element.

    Truncation makes it exactly x + floor(255 · scale · Z) in grey levels, clipped to 0..255.
    """
    codes = _codes(images, stream)
    table = torch.from_numpy(_normal_steps(255 * scale)).to(images.device)
    steps = table.index_select(0, codes)
    places = _where(steps == _CROSSED)
    if len(places):
        normal = torch.special.ndtri(_inside(codes, places, images, stream, bits=16))
        steps[places] = normal.mul_(255 * scale).floor_().clamp_(-256, 256).to(torch.int16)
    return _added(images, steps)


def speckle_noise(images: Tensor, stream: Stream, scale: float) -> Tensor:
    """Add x · N(0, scale) to x, independently for every element: x + floor(x · scale · Z)."""
    codes = _codes(images, stream)
    edges = torch.from_numpy(_normal_edges()).to(images.device)
    spread = images.flatten().to(torch.float32).mul_(scale)
    low = edges.index_select(0, codes).mul_(spread).floor_()
    high = edges.index_select(0, codes + 1).mul_(spread).floor_()
    steps = low.to(torch.int16)
    places = _where(low != high)
    if len(places):
        normal = torch.special.ndtri(_inside(codes, places, images, stream, bits=16))
        spread_there = images.flatten()[places].to(torch.float64).mul_(scale)
        steps[places] = normal.mul_(spread_there).floor_().clamp_(-256, 256).to(torch.int16)
    return _added(images, steps)


def shot_noise(images: Tensor, stream: Stream, photons: float) -> Tensor:
    """Poisson(photons · x) / photons: fewer photons, more noise."""
    codes = _codes(images, stream) >> 4
    tables = _poisson_tables(photons)
    levels = images.flatten()
    bins = levels.to(torch.int32).mul_(_POISSON_BINS).add_(codes)
    result = torch.from_numpy(tables.bins).to(images.device).index_select(0, bins)
    places = _where(result == _CROSSED)
    if len(places):
        uniform = _inside(codes, places, images, stream, bits=12)
        level = levels[places].to(torch.int64)
        cumulative = torch.from_numpy(tables.cumulative).to(images.device)
        found = torch.searchsorted(cumulative, uniform + level, right=True)
        counts = found - level * len(tables.outcomes)
        outcomes = torch.from_numpy(tables.outcomes).to(images.device)
        result[places] = outcomes[counts.clamp_(0, len(tables.outcomes) - 1)]
    return result.to(torch.uint8).view_as(images)


def impulse_noise(images: Tensor, stream: Stream, amount: float) -> Tensor:
    """Set a fraction `amount` of all elements to 0 or 255, half each, channels independently.

    Each half of the amount is rounded to a multiple of 2^−16.
    """
    count = images[0].numel()
    codes = stream.codes(count).reshape(images.shape)
    half = round(amount * 2**15)
    return images.masked_fill(codes < half - 2**15, 0).masked_fill_(codes > 2**15 - 1 - half, 255)


def _codes(images: Tensor, stream: Stream) -> Tensor:
    """One code 0..65535 for every element: int32 [N·C·H·W]."""
    return stream.codes(images[0].numel()).flatten().view(torch.uint16).to(torch.int32)


def _where(mask: Tensor) -> Tensor:
    """Indices of the true elements, int64; NumPy finds them faster than torch does on the CPU."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero().squeeze(1)


def _inside(codes: Tensor, places: Tensor, images: Tensor, stream: Stream, bits: int) -> Tensor:
    """Uniform numbers inside the bins of the chosen places: float64 in (0, 1), 52 bits."""
    count = images[0].numel()
    fine = stream.refine(places // count, places % count, _AGAIN)
    coarse = codes[places].to(torch.int64) << (52 - bits)
    return (
        (coarse + (fine if bits == 16 else fine << (16 - bits)))
        .to(torch.float64)
        .add_(0.5)
        .mul_(_FINE)
    )


def _added(images: Tensor, steps: Tensor) -> Tensor:
    total = steps.view_as(images).add_(images.to(torch.int16))
    return total.clamp_(0, 255).to(torch.uint8)


@lru_cache(maxsize=16)
def _normal_steps(spread: float) -> NDArray[np.int16]:
    """floor(spread · Z) for each of 65,536 equal bins of probability; crossed bins are marked."""
    edges = np.floor(np.clip(spread * _normal_edges().astype(np.float64), -256, 256))
    return np.where(edges[:-1] == edges[1:], edges[:-1], _CROSSED).astype(np.int16)


@lru_cache(maxsize=1)
def _normal_edges() -> NDArray[np.float32]:
    """The 65,537 edges of those bins; the infinite ones stand far enough out to be crossed."""
    probabilities = torch.arange(_CODES + 1, dtype=torch.float64).div_(_CODES)
    quantiles: NDArray[np.float32] = (
        torch.special.ndtri(probabilities).clamp_(-64, 64).float().numpy()
    )
    return quantiles


@dataclass(frozen=True)
class _PoissonTables:
    """What inverting Poisson cdfs for all 256 grey levels needs.

    Attributes:
        bins: int16 [256 · 4096], what (level, bin) becomes, or the mark of a crossed bin.
        cumulative: float64 [256 · K], level + cdf(count); ascending throughout.
        outcomes: int16 [K], the grey level that a count of photons becomes.
    """

    bins: NDArray[np.int16]
    cumulative: NDArray[np.float64]
    outcomes: NDArray[np.int16]


@lru_cache(maxsize=8)
def _poisson_tables(photons: float) -> _PoissonTables:
    # Twelve standard deviations and a bit: beyond it the cdf is 1 in double precision.
    counts = np.arange(int(photons + 12 * np.sqrt(photons) + 40))
    outcomes = (np.clip(counts / photons, 0, 1) * 255).astype(np.int16)
    rates = photons * np.arange(256) / 255
    # P(count <= k) is the regularised upper incomplete gamma function of k + 1 and the rate.
    cdf = torch.special.gammaincc(
        torch.from_numpy(counts + 1.0)[None, :], torch.from_numpy(rates)[:, None]
    ).numpy()
    edges = np.arange(_POISSON_BINS + 1) / _POISSON_BINS
    bins = np.empty((256, _POISSON_BINS), dtype=np.int16)
    for level in range(256):
        low = outcomes[_at_most(np.searchsorted(cdf[level], edges[:-1], "right"), counts)]
        high = outcomes[_at_most(np.searchsorted(cdf[level], edges[1:], "left"), counts)]
        bins[level] = np.where(low == high, low, _CROSSED)
    cumulative = np.add(cdf, np.arange(256)[:, None], dtype=np.float64)
    return _PoissonTables(bins.ravel(), cumulative.ravel(), outcomes)


def _at_most(found: NDArray[np.intp], counts: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.minimum(found, len(counts) - 1)
