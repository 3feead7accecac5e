"""Mid-grey shapes over the image: squares of a turned checkerboard, and lines."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..draws import Stream
from .drawn import by_few, pixels, planes, shares, shorter

_GREY = 128.0
_BOARD = 40  # squares along four sides, at most


def checkerboard_cutout(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Hide some black squares of a turned checkerboard, each with probability level / 10.

    Squares are 0.1 to 0.25 sides wide, and at least a pixel; the board is turned by any angle about
    the corner of the image.
    """
    drawn = shares(stream, 2)
    width = drawn[:, 1].mul(0.15).add_(0.1).mul_(shorter(images)).clamp_(min=1)
    lots = shares(stream, _BOARD**2, purpose=1).view(-1, _BOARD, _BOARD)
    return cut_out(images, drawn[:, 0] * (2 * math.pi), width, lots < level / 10)


def cut_out(images: Tensor, angle: Tensor, width: Tensor, hidden: Tensor) -> Tensor:
    """The checkerboard with given draws.

    As published, the place of a square in the table is cut towards 0 (two rows and two columns
    share theirs) and counted from the end of the table where it is negative. The table has as many
    rows and columns as there are squares along four sides; beyond them it begins anew.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        angle: float64 [N], radians.
        width: float64 [N], pixels, of a square.
        hidden: bool [N, 40, 40]: which squares are hidden, if they are black.
    """
    rows, columns = pixels(images)
    along = torch.full_like(width, 4 * shorter(images))
    count = along.div_(width, rounding_mode="floor").to(torch.int64)

    def change(some: slice, levels: Tensor) -> Tensor:
        cosine, sine, wide = (planes(x[some]) for x in (angle.cos(), angle.sin(), width))
        down = (cosine * rows + sine * columns).div_(wide)
        right = (cosine * columns - sine * rows).div_(wide)
        black = (down.floor() - right.floor()).remainder_(2) == 0
        squares = planes(count[some])
        first, second = (place.trunc().to(torch.int64) % squares for place in (down, right))
        place = first.mul_(_BOARD).add_(second).flatten(1)
        gone = hidden[some].flatten(1).gather(1, place).view(black.shape).logical_and_(black)
        return levels.to(torch.float32).masked_fill(gone[:, None], _GREY)

    return by_few(images, change)


def lines(images: Tensor, stream: Stream, level: float) -> Tensor:
    """Draw 0.1 · level lines for each pixel of the side, at least one, two sides long.

    Their middles are anywhere in the image, their angles within π · variation of a common one; the
    variation is uniform from 0.1 to 1. (The published code draws none where the number, cut to an
    integer, is 0, which it is below 20 pixels.)
    """
    height, width = images.shape[2:]
    side = shorter(images)
    count = max(1, int(0.1 * level * side))
    common = shares(stream, 2)
    drawn = shares(stream, 3 * count, purpose=1).view(-1, count, 3)
    variation = common[:, 1:].mul(0.9).add_(0.1)
    angles = (
        (drawn[:, :, 2] - 0.5).mul_(variation * (2 * math.pi)).add_(common[:, :1] * 2 * math.pi)
    )
    down, right = angles.cos().mul_(side), angles.sin().mul_(side)
    top, left = drawn[:, :, 0] * height, drawn[:, :, 1] * width
    ends = [top - down, left - right, top + down, left + right]
    return lined(images, torch.stack(ends, dim=2).trunc_())


def lined(images: Tensor, ends: Tensor) -> Tensor:
    """Draw given lines one after the other, each of v moved towards 128 by how much it covers.

    A pixel is covered by 1 − its distance from the line, in the rectangle between the ends: the
    smooth lines of Zingl, "A Rasterizing Algorithm for Drawing Curves", 2012. Levels of 8 bits are
    truncated after every line, as published.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        ends: float64 [N, L, 4], whole: (row, column) of one end and of the other.
    """
    rows, columns = pixels(images)

    def change(some: slice, levels: Tensor) -> Tensor:
        values = levels.to(torch.float32, copy=True)
        for line in ends[some].unbind(1):
            covered = _covered(rows, columns, line)[:, None].to(torch.float32)
            values.mul_(1 - covered).add_(covered.mul_(_GREY))
            if levels.dtype == torch.uint8:
                values.add_(1e-3).floor_()
        return values

    return by_few(images, change)


def _covered(rows: Tensor, columns: Tensor, line: Tensor) -> Tensor:
    """How much of every pixel lines cover, from their ends [N, 4]: float64 [N, H, W]."""
    top, left, bottom, right = map(planes, line.unbind(1))
    down, across = bottom - top, right - left
    length = (down.square() + across.square()).sqrt_().clamp_(min=1)
    covered = (down * (columns - left) - across * (rows - top)).div_(length).abs_()
    covered = covered.neg_().add_(1).clamp_(min=0)
    between = ((rows - top) * (rows - bottom) <= 0) & ((columns - left) * (columns - right) <= 0)
    return covered.mul_(between)
