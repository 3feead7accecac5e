"""Waves: a plane sine, rings around a point, and a plasma of sines of sines."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..draws import Stream
from .drawn import blended, by_few, pixels, planes, shares, shorter

_FEWEST_TURNS, _MOST_TURNS = 4, 6
_STRETCH, _SLOWER = 1.93, 1.15  # from one turn of the plasma to the next


def single_frequency_greyscale(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Add 19.6 · level · sin(a x + b y + phase), the same in all channels.

    One of a and b is uniform over ±π radians a pixel, and the other over ± the size of the first;
    which is which is drawn too.
    """
    drawn = shares(stream, 4)
    larger = drawn[:, 0].mul(2).sub_(1).mul_(math.pi)
    smaller = drawn[:, 1].mul(2).sub_(1).mul_(larger.abs())
    first = drawn[:, 3] < 0.5
    across, down = torch.where(first, larger, smaller), torch.where(first, smaller, larger)
    return sine(images, level, across, down, drawn[:, 2] * (2 * math.pi))


def sine(images: Tensor, level: float, across: Tensor, down: Tensor, phase: Tensor) -> Tensor:
    """The plane wave with given frequencies, radians a pixel, and phases: float64 [N] each."""
    rows, columns = pixels(images)

    def change(some: slice, levels: Tensor) -> Tensor:
        x = planes(across[some]) * columns + planes(phase[some])
        y = planes(down[some]) * rows
        wave = x.sin() * y.cos() + x.cos() * y.sin()
        return blended(levels, 1, wave[:, None], 19.6 * level)

    return by_few(images, change)


def cocentric_sine_waves(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Add rings around a random point, of which the level rises from −6.4 to 6.4 · level.

    The rings' radius waves with the angle: `freq` times in 2π, which is uniform up to 10, by an
    amplitude that is uniform up to a tenth of the side, as the rings' width is.
    """
    drawn, (height, width) = shares(stream, 5), images.shape[2:]
    tenth = shorter(images) / 10
    size = torch.tensor([height, width, 10, tenth, tenth], dtype=torch.float64)
    return rings(images, level, drawn * size.to(drawn.device))


def rings(images: Tensor, level: float, drawn: Tensor) -> Tensor:
    """The rings with given draws.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        level: 0 to 10.
        drawn: float64 [N, 5]: row and column of the centre, how often the radius waves, by how
            much, and how wide the rings are, pixels.
    """
    rows, columns = pixels(images)

    def change(some: slice, levels: Tensor) -> Tensor:
        top, left, waves, amplitude, ring = map(planes, drawn[some].unbind(1))
        down, right = rows - top, columns - left
        wave = torch.atan2(right, down).mul_(waves).sin_().mul_(amplitude)
        place = wave.add_(down.square().add(right.square()).sqrt_()).div_(ring)
        return blended(levels, 1, place.sub_(place.floor()).sub_(0.5)[:, None], 12.8 * level)

    return by_few(images, change)


def plasma_noise(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Mix in a plasma of three colours: (1 − I / 255) · v + I · wave, with I = 6.4 · level.

    A point (x, y), in random units of 0.075 to 0.2 sides, is moved 4 to 6 times by sines of its own
    coordinates, ever finer, and coloured by sines of where it comes to lie. Images without three
    colours get the mean of the three waves in every channel. (The published code also keeps a
    phase for the moves; it starts at 0, is multiplied at every turn and so stays 0.)
    """
    drawn = shares(stream, 4)
    time = drawn[:, 0] * (6 * math.pi)
    turns = drawn[:, 1].mul(_MOST_TURNS + 1 - _FEWEST_TURNS).floor_().add_(_FEWEST_TURNS)
    finer = 1.75 - drawn[:, 2] / 2
    unit = drawn[:, 3].mul(0.125).add_(0.075).mul_(shorter(images))
    return mixed_with_plasma(images, level, time, turns, finer, unit)


def mixed_with_plasma(
    images: Tensor, level: float, time: Tensor, turns: Tensor, finer: Tensor, unit: Tensor
) -> Tensor:
    """The plasma with given draws, all float64 [N].

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        level: 0 to 10.
        time: 0 to 6π.
        turns: Whole numbers, 4 to 6.
        finer: What the moves are divided by from one turn to the next: 2.25 − sharpness.
        unit: Pixels.
    """
    intensity = 6.4 * level

    def change(some: slice, levels: Tensor) -> Tensor:
        given = (planes(numbers[some]) for numbers in (time, turns, finer, unit))
        field = _plasma(levels, *given)
        if levels.shape[1] != 3:
            field = field.mean(dim=1, keepdim=True)
        return blended(levels, 1 - intensity / 255, field, intensity)

    return by_few(images, change)


def _plasma(images: Tensor, time: Tensor, turns: Tensor, finer: Tensor, unit: Tensor) -> Tensor:
    """The three waves: float64 [N, 3, H, W], −1..1."""
    rows, columns = pixels(images)
    x, y = (columns / unit).expand(-1, len(rows), -1), (rows / unit).expand(-1, -1, columns.numel())
    fine, slow, weaker = 1.0, 1.0, torch.ones_like(finer)
    for turn in range(_MOST_TURNS):
        # Images that have had their turns stay where they are.
        moves = (turn < turns) / weaker
        along = (y * fine).add_(time / slow).cos_().mul_(moves)
        down = (x * fine).add_(time / slow).sin_().mul_(moves)
        x = x + along.sub(down, alpha=0.3)
        y = y + down.add_(along, alpha=0.3)
        fine, slow, weaker = fine * _STRETCH, slow * _SLOWER, weaker * finer
    middle = (x + y).add_(time.sin()).mul_(0.5).sin_()
    return torch.stack([(x - time).sin_(), middle, (y + time).sin_()], dim=1)
