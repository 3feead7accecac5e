"""Random numbers that depend only on (seed, corruption, severity, image id), made from a counter.

The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", 2014) read as a function of a counter: word k of an image is mix(key + k · gamma).
Everything is integer arithmetic on int64 tensors that wraps, so that the bits are the same on
every device, for every batch size, order and number of threads. Distributions are built from the
bits by their inverse cdf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# A second kind of draw for the same image starts this many words further on; no image needs as
# many.
_PURPOSE_STRIDE = 2**40


def _signed(word: int) -> int:
    return word - 2**64 if word >= 2**63 else word


_GAMMA = _signed(0x9E3779B97F4A7C15)
_FIRST = _signed(0xBF58476D1CE4E5B9)
_SECOND = _signed(0x94D049BB133111EB)


def _shifted(words: Tensor, places: int) -> Tensor:
    """Logical right shift; torch only has the arithmetic one, which drags the sign along."""
    return (words >> places).bitwise_and_(2 ** (64 - places) - 1)


def mix(words: Tensor) -> Tensor:
    """SplitMix64's finaliser, in place on an int64 tensor of any shape; returns the same tensor."""
    words.bitwise_xor_(_shifted(words, 30)).mul_(_FIRST)
    words.bitwise_xor_(_shifted(words, 27)).mul_(_SECOND)
    return words.bitwise_xor_(_shifted(words, 31))


@dataclass(frozen=True)
class Stream:
    """The random bits of a batch: one key for each image.

    Attributes:
        keys: int64 [N].
    """

    keys: Tensor

    def words(self, count: int, purpose: int = 0) -> Tensor:
        """64 random bits each: int64 [N, count]. Different purposes give independent words."""
        first = purpose * _PURPOSE_STRIDE + 1
        counter = torch.arange(first, first + count, device=self.keys.device)
        return mix(self.keys[:, None] + counter.mul_(_GAMMA))

    def codes(self, count: int, purpose: int = 0) -> Tensor:
        """Uniform over −32768..32767: int16 [N, count]."""
        return self.words(-(-count // 4), purpose).view(torch.int16)[:, :count]

    def uniform(self, count: int, purpose: int = 0) -> Tensor:
        """Uniform over the 2^24 multiples of 2^−23 in [−1, 1): float32 [N, count], exact."""
        halves = self.words(-(-count // 2), purpose).view(torch.int32)[:, :count]
        return (halves >> 8).to(torch.float32).mul_(2.0**-23)

    def refine(self, rows: Tensor, columns: Tensor, purpose: int) -> Tensor:
        """36 more bits for chosen places: int64 in [0, 2^36), shaped like `rows`.

        Args:
            rows: Index of the image in the batch, int64.
            columns: Index of the element within the image, int64.
            purpose: Must differ from the purpose that made the first bits.
        """
        counter = columns + (purpose * _PURPOSE_STRIDE + 1)
        return _shifted(mix(self.keys[rows] + counter.mul_(_GAMMA)), 28)

    def part(self, start: int, stop: int, device: torch.device) -> Stream:
        """The stream of images start..stop−1, on a device."""
        return Stream(self.keys[start:stop].to(device))


def stream(
    seed: int, corruption: str, severity: float, ids: NDArray[np.int64] | Sequence[str]
) -> Stream:
    """Key every image of a batch by what its draws may depend on, and by nothing else.

    Args:
        seed: Any integer.
        corruption: The corruption's name.
        severity: 3 and 3.0 are the same.
        ids: int64 [N], or N strings.
    """
    base = _digest(repr((seed, corruption, float(severity))), "condition")
    if isinstance(ids, np.ndarray):
        numbers = torch.from_numpy(ids.astype(np.int64))  # astype copies: mix works in place
    else:
        numbers = torch.tensor([_digest(text, "id") for text in ids], dtype=torch.int64)
    return Stream(mix(mix(numbers).bitwise_xor_(base)))


def _digest(text: str, person: str) -> int:
    data = hashlib.blake2b(text.encode(), digest_size=8, person=person.encode()).digest()
    return int.from_bytes(data, "little", signed=True)
