"""One uniform number for every element of a batch, of which the first 16 bits mostly suffice.

On 8-bit images a noise is a step function of one uniform number, so 16 (or 12) random bits choose a
bin of it, which nearly always lies between two steps. The few bins that a step crosses, and the two
tails, are drawn again inside the bin with 36 more bits. A plain table of quantiles would be visibly
wrong at 10^7 draws. Images of floats need all the bits everywhere; they get the same number.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .draws import Stream
from .lookup import divided

CODES = 2**16
CROSSED = -(2**15)  # marks a bin that a step crosses
_AGAIN = 1  # the purpose of the draws inside a bin


def bin_codes(images: Tensor, stream: Stream) -> Tensor:
    """The first 16 bits for every element: uint16 [N·C·H·W]."""
    return stream.codes(math.prod(images.shape[1:])).flatten().view(torch.uint16)


def inside(codes: Tensor, places: Tensor, images: Tensor, stream: Stream, bits: int) -> Tensor:
    """The uniform numbers of chosen elements, by all their bits: float64 [len(places)] in (0, 1).

    Args:
        codes: From `bin_codes`.
        places: int64 indices into `codes`.
        images: The batch, [N, C, H, W].
        stream: Its random bits.
        bits: How many of a code's 16 count, from the top; 36 more follow.
    """
    count = math.prod(images.shape[1:])
    rows = divided(places, count)
    fine = stream.refine(rows, places - rows * count, _AGAIN)
    return _joined(codes.view(torch.int16)[places], fine, bits)


def uniforms(images: Tensor, stream: Stream, bits: int) -> Tensor:
    """What `inside` gives, for all elements of a batch: float64 [N·C·H·W]."""
    fine = stream.fine(math.prod(images.shape[1:]), _AGAIN).flatten()
    return _joined(bin_codes(images, stream).view(torch.int16), fine, bits)


def _joined(codes: Tensor, fine: Tensor, bits: int) -> Tensor:
    """(code's first bits, 36 bits) as a fraction of one, at the middle of the last bit's step."""
    coarse = codes.to(torch.int64).bitwise_and_(CODES - 1).bitwise_right_shift_(16 - bits)
    numerator = coarse.bitwise_left_shift_(36).bitwise_or_(fine)
    return numerator.to(torch.float64).add_(0.5).mul_(2.0 ** -(36 + bits))
