"""Where glass blur takes pixels from: random steps to partners, and the map that passes make.

The published code means to swap neighbours, pixel after pixel from the last to the first, but what
it swaps are views of one array, so that a pixel takes its partner's value and the partner keeps it.
A pass is therefore a map that says for every pixel where its value comes from: the partner itself
if it lies before the pixel (in raster order) and so is still what it was; else wherever the partner
has just taken its own value from. Maps of several passes compose, and pixels are moved once.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .draws import Stream

# The kind of device on which NumPy and OpenCV do the work; on others torch does.
_ON_CPU = "cpu"
# Offsets come from 16 bits at most, which cannot be nearly uniform over more than this.
_FARTHEST = 16


def draw_steps(
    stream: Stream, sides: tuple[int, ...], distance: int, passes: int, chance: float = 1
) -> list[Tensor]:
    """For each pass, how far from each pixel its partner is: int32 [N, H, W].

    A step is (rows down) · W + (columns right); 0 where a pixel keeps its value, as in the margin
    that is left so that partners lie in the image.

    Args:
        stream: The draws; steps are on its device.
        sides: Height and width.
        distance: Offsets are from −distance to distance − 1, pixels.
        passes: How many.
        chance: Probability of each step.

    Raises:
        ValueError: A distance that is not from 1 to 16, or no pass.
    """
    if not 1 <= distance <= _FARTHEST:
        raise ValueError(f"glass_blur's distance is {distance}: use 1 to {_FARTHEST} pixels.")
    if passes < 1:
        raise ValueError(f"glass_blur's number of passes is {passes}: use at least 1.")
    height, width = sides
    table = _step_of_code(distance, width)
    shape = (len(stream.keys), passes, height, width)
    codes = _codes(stream, shape, len(table), purpose=0)
    kept = _codes(stream, shape, 2**16, purpose=1) if chance < 1 else None
    inside = torch.from_numpy(_inside(height, width, distance)).to(stream.keys.device)
    drawn = []
    for number in range(passes):
        steps = _looked_up(codes[:, number], table)
        if kept is not None:
            stays = kept[:, number].to(torch.int32) >= round(chance * 2**16) - 2**15
            steps.masked_fill_(stays, 0)
        drawn.append(steps.mul_(inside))
    return drawn


def sources(steps: list[Tensor]) -> Tensor:
    """Where each pixel's value comes from after all passes: int64 [N, H, W] into the flat batch.

    Args:
        steps: As from `draw_steps`, at least one pass.
    """
    total = _chased(steps[-1])
    for earlier in reversed(steps[:-1]):
        total = _chased(earlier).index_select(0, total)
    return total.reshape(steps[0].shape)


def exchanged(steps: list[Tensor]) -> Tensor:
    """As `sources`, where pixels and partners do change places, one after the other.

    The pixels of one image wait for each other, so this goes pixel by pixel over the whole batch:
    made for images of 28 × 28.
    """
    shape = steps[0].shape
    count, size = shape[0], shape[1] * shape[2]
    places = np.arange(count * size).reshape(count, size)
    images = np.arange(count)
    for of_pass in steps:
        moves = of_pass.cpu().numpy().reshape(count, size)
        for pixel in reversed(np.flatnonzero(moves.any(axis=0)).tolist()):
            partner = pixel + moves[:, pixel]
            there = places[images, partner]
            places[images, partner] = places[:, pixel]
            places[:, pixel] = there
    return torch.from_numpy(places).to(steps[0].device).reshape(shape)


def _chased(steps: Tensor) -> Tensor:
    """Where each pixel's value comes from after one pass: int64, flat.

    A pass runs backwards, so a partner further on has already taken its own partner's value.
    """
    flat = steps.reshape(-1)
    if flat.device.type == _ON_CPU:
        return torch.from_numpy(_chased_by_numpy(flat.numpy()))
    found = torch.arange(flat.numel(), device=flat.device) + flat
    chasing = (flat > 0).nonzero().squeeze(1)
    while chasing.numel():
        onward = flat[found[chasing]]
        found[chasing] += onward
        chasing = chasing[onward > 0]
    return found


def _chased_by_numpy(steps: NDArray[np.int32]) -> NDArray[np.int64]:
    """The same; NumPy picks few from many in a third of torch's time."""
    found = np.arange(steps.size) + steps
    chasing = np.flatnonzero(steps > 0)
    places = found.take(chasing)
    while chasing.size:
        onward = steps.take(places)
        places += onward
        found[chasing] = places
        still = np.flatnonzero(onward > 0)
        chasing, places = chasing.take(still), places.take(still)
    return found


def _codes(stream: Stream, shape: tuple[int, ...], kinds: int, purpose: int) -> Tensor:
    """One of `kinds`, 2^8 or 2^16, for each element: uint8 or int16."""
    width, dtype = (1, torch.uint8) if kinds == 2**8 else (2, torch.int16)
    count = shape[1] * shape[2] * shape[3]
    return stream.words(-(-count * width // 8), purpose).view(dtype)[:, :count].view(shape)


@lru_cache(maxsize=16)
def _step_of_code(distance: int, width: int) -> NDArray[np.int32]:
    """The step of each code, [2^8 or 2^16]: of the shortest codes that are uniform over offsets.

    A code times the number of offsets is the row in its upper half; the lower half times that
    number is the column likewise.
    """
    offsets = 2 * distance
    exact = offsets & (offsets - 1) == 0
    bits = 8 if exact and offsets**2 <= 2**8 else 16
    down, rest = np.divmod(np.arange(2**bits) * offsets, 2**bits)
    right = rest * offsets // 2**bits
    return np.asarray((down - distance) * width + right - distance, dtype=np.int32)


@lru_cache(maxsize=16)
def _inside(height: int, width: int, distance: int) -> NDArray[np.int32]:
    """1 where pixels take others' values, 0 in the margin: [H, W]."""
    inside = np.zeros((height, width), np.int32)
    inside[distance + 1 : height - distance + 1, distance + 1 : width - distance + 1] = 1
    return inside


def _looked_up(codes: Tensor, table: NDArray[np.int32]) -> Tensor:
    """The step of each code [N, H, W], whose bits are the place in the table: int32."""
    if codes.device.type != _ON_CPU:
        places = codes.to(torch.int64).bitwise_and_(len(table) - 1)
        return torch.from_numpy(table).to(codes.device)[places]
    array = codes.numpy()
    if len(table) > 2**8:
        return torch.from_numpy(table.take(array.view(np.uint16)))
    steps = cv2.LUT(array.reshape(len(array), -1), table[None])
    return torch.from_numpy(np.asarray(steps, dtype=np.int32).reshape(array.shape))
