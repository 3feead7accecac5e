"""Four frosted windows from integer arithmetic, with the statistics of the published photographs.

The photographs that the published generators use state no source and no licence, so they are not
here. These stand in for them: shading over many octaves and needles of ice in twelve directions,
given the photographs' quantiles, colours and correlations. Nothing is a float, so the bytes are
the same on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .draws import Stream, stream

Field = NDArray[np.int64]
Photograph = NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """What one window is to look like.

    Attributes:
        name: Of the photograph that it stands in for.
        height: Pixels.
        width: Pixels.
        luma: Its quantiles at `_PARTS`, grey levels.
        colour: Mean of red, green and blue, grey levels.
        slope: Thousandths of a level that each of them rises with one level of luma.
        tint: Thousandths of a level that each of them rises with one standard deviation of hue.
        octaves: How strong the shading is at cells of 256, 128, … 2, 1 pixels.
        needles: How strong the needles are.
    """

    name: str
    height: int
    width: int
    luma: tuple[int, ...]
    colour: tuple[int, int, int]
    slope: tuple[int, int, int]
    tint: tuple[int, int, int]
    octaves: tuple[int, ...]
    needles: int


# Of a thousand pixels, how many are darker than each quantile.
_PARTS = (0, 10, 50, 100, 250, 500, 750, 900, 950, 990, 1000)
_MILLION = 1_000_000
_LEVEL = 256  # luma is counted in these parts of a grey level
_LUMA = (299, 587, 114)  # thousandths

WINDOWS = (
    Window(
        "frost1",
        600,
        900,
        (90, 95, 102, 107, 116, 128, 141, 155, 163, 177, 193),
        (78, 149, 166),
        (1357, 877, 698),
        (10100, -3560, -8350),
        (480, 430, 297, 0, 62, 55, 0, 135, 53),
        104,
    ),
    Window(
        "frost2",
        315,
        560,
        (105, 140, 165, 176, 193, 208, 220, 230, 235, 244, 251),
        (201, 205, 215),
        (977, 1009, 1032),
        (0, 0, 0),
        (250, 400, 0, 0, 0, 115, 163, 196, 35),
        76,
    ),
    Window(
        "frost4",
        350,
        527,
        (50, 81, 102, 114, 132, 150, 167, 183, 196, 231, 251),
        (138, 153, 165),
        (997, 997, 1045),
        (0, 0, 0),
        (373, 358, 0, 0, 0, 93, 166, 400, 174),
        69,
    ),
    Window(
        "frost5",
        495,
        660,
        (33, 43, 58, 68, 89, 117, 149, 181, 202, 237, 254),
        (112, 123, 135),
        (1023, 998, 961),
        (0, 0, 0),
        (210, 400, 166, 0, 0, 217, 194, 220, 100),
        99,
    ),
)

_LONGEST = 5  # needles are up to 2^5 pixels long
_RARE = 32_400  # of codes from −32768 to 32767, those above start a needle
_TURN = 1024
_CLUSTERS = (0, 1024, 1024, 1024, 1024, 0, 0, 0, 0)  # octaves of where needles are
# Down and right along 0°, 15°, … 165°, in 1/1024.
_DIRECTIONS = (
    (0, 1024),
    (265, 989),
    (512, 887),
    (724, 724),
    (887, 512),
    (989, 265),
    (1024, 0),
    (989, -265),
    (887, -512),
    (724, -724),
    (512, -887),
    (265, -989),
)


def windows() -> tuple[Photograph, ...]:
    """All four, uint8 [height, width, 3] each."""
    return tuple(window_photograph(window) for window in WINDOWS)


def window_photograph(window: Window) -> Photograph:
    """One window, uint8 [height, width, 3]."""
    draws = stream(0, "frost", 1, [window.name])
    shading = _shading(draws, window, window.octaves, first=0)
    relief = shading + window.needles * _needles(draws, window)
    luma = _with_quantiles(relief, window.luma)
    hue = _standardised(_shading(draws, window, window.octaves, 40)) if any(window.tint) else 0
    middle = sum(w * c for w, c in zip(_LUMA, window.colour, strict=True)) * _LEVEL // 1000
    bands = [
        colour * _LEVEL + (slope * (luma - middle) + tint * hue) // 1000
        for colour, slope, tint in zip(window.colour, window.slope, window.tint, strict=True)
    ]
    levels = (np.stack(bands, axis=2) + _LEVEL // 2) // _LEVEL
    return np.asarray(np.clip(levels, 0, 255), dtype=np.uint8)


def _codes(draws: Stream, height: int, width: int, purpose: int) -> Field:
    codes = draws.codes(height * width, purpose).numpy()
    return codes.reshape(height, width).astype(np.int64)


def _shading(draws: Stream, window: Window, octaves: tuple[int, ...], first: int) -> Field:
    """Noise of every octave: coarse noise, again and again made twice as large and added to."""
    total: Field = np.zeros((1, 1), dtype=np.int64)
    for level, strength in enumerate(octaves):
        cell = 2 ** (len(octaves) - 1 - level)
        height, width = -(-window.height // cell) + 2, -(-window.width // cell) + 2
        noise = strength * _codes(draws, height, width, first + level)
        total = noise if level == 0 else _doubled(total)[:height, :width] + noise
    return total[: window.height, : window.width]


def _doubled(field: Field) -> Field:
    """Twice as many rows and columns, each three parts of the nearer and one of the farther."""
    for axis in (0, 1):
        before, after = np.roll(field, 1, axis), np.roll(field, -1, axis)
        pair = np.stack([3 * field + before, 3 * field + after], axis=axis + 1)
        shape = list(field.shape)
        shape[axis] *= 2
        field = pair.reshape(shape) // 4
    return field


def _needles(draws: Stream, window: Window) -> Field:
    """Clusters of straight lines that start at rare places, in twelve directions."""
    total = np.zeros((window.height, window.width), dtype=np.int64)
    for number, direction in enumerate(_DIRECTIONS):
        starts = _codes(draws, window.height, window.width, 20 + number)
        line = np.maximum(starts - _RARE, 0) * 64
        for doubling in range(_LONGEST):
            shift = [(2**doubling * part + _TURN // 2) // _TURN for part in direction]
            line = line + np.roll(line, shift, axis=(0, 1))
            if doubling >= 2:
                total += line  # 8, 16 and 32 pixels, so that a needle is thickest at its start
    gate = _standardised(_shading(draws, window, _CLUSTERS, first=60))
    return total * np.clip(gate, 0, 3 * _LEVEL) // _LEVEL


def _with_quantiles(relief: Field, quantiles: tuple[int, ...]) -> Field:
    """The same order of pixels with other levels, which have these quantiles; in `_LEVEL`."""
    order = np.argsort(relief, axis=None, kind="stable")
    part = (2 * np.arange(relief.size) + 1) * _MILLION // (2 * relief.size)
    knots, levels = np.array(_PARTS) * (_MILLION // _PARTS[-1]), np.array(quantiles) * _LEVEL
    below = np.searchsorted(knots, part, side="right") - 1
    rise = (levels[1:] - levels[:-1])[below] * (part - knots[below])
    result = np.empty(relief.size, dtype=np.int64)
    result[order] = levels[below] + rise // (knots[1:] - knots[:-1])[below]
    return result.reshape(relief.shape)


def _standardised(field: Field) -> Field:
    """Mean 0 and standard deviation 1, in `_LEVEL`."""
    centred = (field - field.sum() // field.size) // 2**10  # the squares' sum has to fit 64 bits
    spread = max(1, math.isqrt(int((centred**2).sum()) // field.size))
    return np.asarray(centred * _LEVEL // spread)
