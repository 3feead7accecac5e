"""Sparkles: bright stars with rays of random lengths, or white everywhere but around one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..draws import Stream
from ..normal import FINE_UNIT, fine_normals
from .drawn import by_few, pixels, planes, shares, shorter

_STARS = 5
_FEWEST_RAYS, _RAYS = 50, 150  # 50 to 199
_MOST_RAYS = _FEWEST_RAYS + _RAYS - 1
_RAGGED = 0.25  # standard deviation of a ray's length, in radii
_NEAR = 1e-4  # square pixels, so that the middle of a star is not infinitely bright


def sparkles(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Five white stars of radius level / 100 sides at random places.

    Over stars f, a level v becomes v + f · (255 − v), star by star; see `starlight`, whose power
    is 1 and whose rays are at least a pixel long.
    """
    drawn = shares(stream, 3 * _STARS, purpose=1)
    size = torch.tensor(images.shape[2:], dtype=torch.float64, device=drawn.device)
    centres = drawn[:, : 2 * _STARS].reshape(-1, _STARS, 2) * size
    counts = _ray_counts(drawn[:, 2 * _STARS :])
    lengths = _ray_lengths(stream, 0.01 * level * shorter(images), _STARS).clamp_(min=1)
    return sparkled(images, centres, counts, lengths)


def inverse_sparkles(images: Tensor, stream: Stream, level: float) -> Tensor:
    """White everywhere but for one star near the middle, of radius a quarter of the side.

    A level v becomes 255 − f · (255 − v) with the star's `starlight` f to the power 0.13 · level.
    """
    drawn = shares(stream, 3, purpose=1)
    size = torch.tensor(images.shape[2:], dtype=torch.float64, device=drawn.device)
    centres = drawn[:, :2].div(2).add_(0.25).mul_(size)
    counts = _ray_counts(drawn[:, 2])
    lengths = _ray_lengths(stream, 0.25 * shorter(images), 1)[:, 0]
    return inversely_sparkled(images, centres, counts, lengths, 0.13 * level)


def sparkled(images: Tensor, centres: Tensor, counts: Tensor, lengths: Tensor) -> Tensor:
    """Sparkles with given stars.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        centres: float64 [N, S, 2], (down, right), pixels.
        counts: int64 [N, S], rays of each star.
        lengths: float64 [N, S, R], of which the first `counts` are used, pixels.
    """

    def change(some: slice, levels: Tensor) -> Tensor:
        shape = (len(levels), *levels.shape[2:])
        kept = torch.ones(shape, dtype=torch.float64, device=levels.device)
        for star in range(centres.shape[1]):
            which = (some, star)
            kept.mul_(1 - starlight(levels, centres[which], counts[which], lengths[which], 1))
        return _whitened(levels, kept)

    return by_few(images, change)


def inversely_sparkled(
    images: Tensor, centres: Tensor, counts: Tensor, lengths: Tensor, power: float
) -> Tensor:
    """Inverse sparkles with given stars: arguments as for `sparkled`, without the axis of stars."""
    return by_few(
        images,
        lambda some, levels: _whitened(
            levels, starlight(levels, centres[some], counts[some], lengths[some], power)
        ),
    )


def starlight(
    images: Tensor, centres: Tensor, counts: Tensor, lengths: Tensor, power: float
) -> Tensor:
    """How bright a star is at every pixel: float64 [N, H, W], 0..1.

    At a distance r and f of the way from one ray to the next it is
    (1 − (f − ½)²) · (l² / (r² + 10^−4))^power, cut at 1, where l lies between the lengths of the
    two rays as f does between them.
    """
    rows, columns = pixels(images)
    down, right = rows - planes(centres[:, 0]), columns - planes(centres[:, 1])
    rays = planes(counts.to(torch.float64))
    turn = torch.atan2(right, down).add_(math.pi).mul_(rays / (2 * math.pi))
    # A full turn is the end of the last ray here, and the beginning of the first as published.
    ray = torch.minimum(turn.floor(), rays - 1)
    between = turn.sub_(ray)
    first = ray.to(torch.int64).flatten(1)
    after = lengths.roll(-1, dims=1).scatter(1, counts[:, None] - 1, lengths[:, :1]) - lengths
    length = after.gather(1, first).view(between.shape).mul_(between)
    length.add_(lengths.gather(1, first).view(between.shape))
    glow = length.square_().div_(down.square().add(right.square()).add_(_NEAR))
    if power != 1:
        glow.pow_(power)
    return between.sub_(0.5).square_().neg_().add_(1).mul_(glow).clamp_(0, 1)


def _ray_counts(drawn: Tensor) -> Tensor:
    return drawn.mul(_RAYS).floor_().to(torch.int64).add_(_FEWEST_RAYS)


def _ray_lengths(stream: Stream, radius: float, stars: int) -> Tensor:
    """Normal around the radius, a quarter of it wide: float64 [N, stars, 199], pixels."""
    noise = fine_normals(stream, stars * _MOST_RAYS).to(torch.float64).mul_(FINE_UNIT * _RAGGED)
    return noise.add_(1).mul_(radius).view(-1, stars, _MOST_RAYS)


def _whitened(images: Tensor, kept: Tensor) -> Tensor:
    """255 − kept · (255 − v), with `kept` [N, H, W]."""
    return (255 - images.to(torch.float32)).mul_(kept[:, None].to(torch.float32)).neg_().add_(255)
