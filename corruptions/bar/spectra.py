"""Noise with a given spectrum and random phases: blue (fine grained) and brownish (cloudy)."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from ..draws import Stream
from .drawn import blended, by_few

_PHASES = 2**16


def blue_noise_sample(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Black out the pixels at which blue noise is not above 0.3 · level − 2.5.

    The noise has a standard deviation of 1 and an amplitude in proportion to the frequency, so that
    the pixels that go are spread evenly. (The authors have it in both sets under this name; their
    paper calls it blue noise.)
    """
    return sampled(images, level, _codes(images, stream, 1)[:, 0])


def sampled(images: Tensor, level: float, codes: Tensor) -> Tensor:
    """The same with given phases, int64 [N, K] as for `coloured`."""
    height, width = images.shape[2:]
    far = _frequency(height, width).to(images.device)

    def change(some: slice, levels: Tensor) -> Tensor:
        noise = coloured(codes[some], far)
        return levels.to(torch.float32) * (noise > 0.3 * level - 2.5)[:, None]

    return by_few(images, change)


def brownish_noise(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Add 6.4 · level times noise of standard deviation 1, other noise to every channel.

    Its amplitude at f cycles a side is 1 / (f² + 1). The mean, f = 0, is not taken out.
    """
    return browned(images, level, _codes(images, stream, images.shape[1]))


def browned(images: Tensor, level: float, codes: Tensor) -> Tensor:
    """The same with given phases, int64 [N, C, K] as for `coloured`."""
    height, width = images.shape[2:]
    amplitude = (1 / (_frequency(height, width).square() + 1)).to(images.device)

    def change(some: slice, levels: Tensor) -> Tensor:
        noise = coloured(codes[some].flatten(0, 1), amplitude)
        return blended(levels, 1, noise.view(levels.shape), 6.4 * level)

    return by_few(images, change)


def coloured(codes: Tensor, amplitude: Tensor) -> Tensor:
    """Noise of standard deviation 1 with the given amplitudes and phases: float64 [N, H, W].

    As published, the phases of the right half of the spectrum (the zero frequency in its centre)
    are those of the left half turned by 180°, and the noise is the real part. The published sides
    are even; on odd ones the published code misses the zero frequency by half a step, we do not.

    Args:
        codes: Phases in units of 2π / 65,536 (and half a unit): int64 [N, K], 0..65535. First the
            left half, H rows of W // 2; where W is odd, then the upper half of the middle column.
        amplitude: float64 [H, W].
    """
    height, width = amplitude.shape
    waves = _circle().to(codes.device)[codes]
    half = waves[:, : height * (width // 2)].view(-1, height, width // 2)
    parts = [half, half.flip((1, 2))]
    if width % 2:
        upper = waves[:, half[0].numel() :]
        zero = torch.ones_like(upper[:, : height % 2])
        parts.insert(1, torch.cat([upper, zero, upper.flip(1)], dim=1)[:, :, None])
    spectrum = torch.fft.ifftshift(torch.cat(parts, dim=2).mul_(amplitude), dim=(1, 2))
    noise: Tensor = torch.fft.ifft2(spectrum).real
    return noise.div(noise.std(dim=(1, 2), correction=0, keepdim=True))


def _codes(images: Tensor, stream: Stream, fields: int) -> Tensor:
    """Phases for so many fields of every image: int64 [N, fields, K]."""
    height, width = images.shape[2:]
    count = height * (width // 2) + (height // 2 if width % 2 else 0)
    codes = stream.codes(fields * count).to(torch.int64).add_(_PHASES // 2)
    return codes.view(-1, fields, count)


@lru_cache(maxsize=8)
def _frequency(height: int, width: int) -> Tensor:
    """Cycles in the shorter side, the zero frequency in the centre: float64 [H, W]."""
    side = min(height, width)
    down, right = (
        (torch.arange(size, dtype=torch.float64) - size // 2) * (side / size)
        for size in (height, width)
    )
    return (down[:, None].square() + right.square()).sqrt_()


@lru_cache(maxsize=1)
def _circle() -> Tensor:
    """All phases that there are, on the unit circle: complex128 [65536]."""
    angles = torch.arange(_PHASES, dtype=torch.float64).add_(0.5).mul_(2 * math.pi / _PHASES)
    return torch.polar(torch.ones_like(angles), angles)
