"""Uniform numbers for the places of one text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..draws import Stream


@dataclass(frozen=True, eq=False)
class Places:
    """The draws of one text.

    Attributes:
        stream: With the key of this text alone.
    """

    stream: Stream

    def uniform(self, count: int, purpose: int) -> list[float]:
        """Uniform over the multiples of 2^−53 in [0, 1), one for each place."""
        words = self.stream.words(count, purpose).numpy().view(np.uint64)[0]
        drawn: list[float] = ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53).tolist()
        return drawn
