"""What MNIST-C draws over digits, or makes of them: stripes, dotted lines, zigzags, edges.

Every function takes (images [N, C, H, W], stream, *constants) and returns such images: bytes, or
float levels in [0, 255]. The constants of Mu and Gilmer ("MNIST-C: A Robustness Benchmark for
Computer Vision", 2019) are their single severity; several strokes are ours.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from .draws import Stream
from .edges import canny
from .exact import Floats, grey_levels

# How far from a line's middle its ink reaches, pixels.
_REACH = 2.3
# Length and width of half a zigzag, and how far from the side it begins, pixels.
_LENGTH, _WIDTH, _MARGIN = 2.0, 2.0, 2
_SLOPES = 10  # a zigzag ends up to five pixels above or four below where it began


def stripe(images: Tensor, stream: Stream, columns: float) -> Tensor:
    """Invert so many columns (rounded) at the left and at the right; MNIST-C inverts 7 of 28."""
    wide = min(round(columns), images.shape[3] // 2)
    result = images.clone()
    for part in (result[..., :wide], result[..., images.shape[3] - wide :]):
        part.copy_(255 - part)
    return result


def dotted_line(images: Tensor, stream: Stream, lines: float) -> Tensor:
    """Draw dotted lines (a rounded number) from the left side to the right at random heights."""
    height, width = images.shape[2:]
    ends = _whole_numbers(stream, 2 * round(lines), height - 1)
    return _drawn(
        images, [[_dots(height, width, *pair) for pair in _pairs(row)] for row in ends.tolist()]
    )


def zigzag(images: Tensor, stream: Stream, lines: float) -> Tensor:
    """Draw zigzags (a rounded number) from left to right at random heights."""
    height, width = images.shape[2:]
    count = round(lines)
    starts = _whole_numbers(stream, count, height - 1)
    rises = _whole_numbers(stream, count, _SLOPES, purpose=1) - _SLOPES // 2
    return _drawn(
        images,
        [
            [_zigzag(height, width, start, rise) for start, rise in zip(*row, strict=True)]
            for row in zip(starts.tolist(), rises.tolist(), strict=True)
        ],
    )


def canny_edges(images: Tensor, stream: Stream, share: float) -> Tensor:
    """Move the image by `share` (0 to 1) towards its Canny edges, white on black, sigma 1.

    MNIST-C keeps nothing but the edges. Every channel has edges of its own.
    """
    edges = torch.from_numpy(canny(images.cpu().numpy() / 255.0, sigma=1.0)).to(images.device)
    mixed = images.to(torch.float64).mul_(1 - share).add_(edges.to(torch.float64) * 255 * share)
    return grey_levels(mixed, images.dtype)


def ink(height: int, width: int, start: tuple[float, float], stop: tuple[float, float]) -> Floats:
    """A soft line from (column, row) to (column, row): how white, [height, width] in [0, 1].

    log(1 − d / 2.3) + 1 at a vertical distance d, cut at 0, between the columns of its ends.
    """
    (left, top), (right, bottom) = start, stop
    field = np.zeros((height, width))
    if left == right:
        return field
    columns = np.arange(max(math.floor(left), 0), min(math.ceil(right), width))
    line = (bottom - top) / (right - left) * (columns - left) + top
    far = np.minimum(np.abs(np.arange(height)[:, None] - line), _REACH - 1e-10)
    field[:, columns] = np.clip(np.log(1 - far / _REACH) + 1, 0, 1)
    return field


@lru_cache(maxsize=1024)
def _dots(height: int, width: int, first: int, last: int) -> Floats:
    """Two columns of ink, two without, from the left end: [height, width]; begins without."""
    field = ink(height, width, (0, first), (width - 1, last))
    field[:, np.arange(width) % 4 < 2] = 0
    return field


@lru_cache(maxsize=1024)
def _zigzag(height: int, width: int, start: int, rise: int) -> Floats:
    """Teeth along a line from the third column to the third from the right: [height, width]."""
    across = width - 1 - 2 * _MARGIN
    length = math.hypot(across, rise)
    along, beside = [0.0], [0.0]
    for tooth in range(int((length - _LENGTH) // (2 * _LENGTH)) + 1):
        along.append((2 * tooth + 1) * _LENGTH)
        beside.append((-1) ** tooth * _WIDTH)
    whole = 2 * _LENGTH * (length // (2 * _LENGTH))
    if length != whole:
        along.append(length)
        # As published for 28 × 28; at other sizes a short rest would make it a spike.
        beside.append(beside[-1] / max(1.0, 2 * (length - whole)))
    # Of five columns without a slope there is nothing to turn.
    turn = np.array([[across, -rise], [rise, across]]) / (length or 1)
    columns, rows = turn @ np.array([along, beside]) + np.array([[_MARGIN], [start]])
    ends = list(zip(columns.tolist(), rows.tolist(), strict=True))
    field = np.zeros((height, width))
    for pair in pairwise(ends):
        field += ink(height, width, *pair)
    return field


def _pairs(row: list[int]) -> list[tuple[int, int]]:
    return list(zip(row[::2], row[1::2], strict=True))


def _whole_numbers(stream: Stream, count: int, below: int, purpose: int = 0) -> Tensor:
    """Uniform over 0..below − 1, up to a bias of 2^−24: int64 [N, count] on the CPU."""
    share = stream.uniform(count, purpose).cpu().to(torch.float64).add_(1).div_(2)
    return share.mul_(max(below, 1)).floor_().to(torch.int64)


def _drawn(images: Tensor, strokes: list[list[Floats]]) -> Tensor:
    """Images with the strokes of each added; white stays white."""
    fields = [np.sum(of_one, axis=0) if of_one else 0.0 for of_one in strokes]
    height, width = images.shape[2:]
    field = np.stack([np.broadcast_to(one, (height, width)) for one in fields])
    added = torch.from_numpy(field).to(images.device)[:, None].mul(255)
    return grey_levels(images.to(torch.float64) + added, images.dtype)
