"""Natural shifts whose examples are of some of the classes only: what they are compared with.

ImageNet-A and -R have 200 of ImageNet's 1,000 classes. Their error is compared with the clean error
on the same classes, and whether the logits were masked to these is read off the answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block
from audit.judgement.pairs import Design

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Subset:
    """What a natural shift covers.

    Attributes:
        clean: float64 [models, examples], the clean errors to compare with, NaN for the rest.
        reason: How to read the comparison; None where every class is covered.
    """

    clean: FloatArray | None
    reason: str | None


def comparable(block: Block, clean: FloatArray | None, known: Design) -> Subset:
    """The clean errors on the classes that a natural shift has.

    Args:
        block: The natural shift's predictions.
        clean: float64 [models, examples], errors on clean examples; None where there are none.
        known: Labels and weights.
    """
    if clean is None:
        return Subset(None, None)
    labelled = (known.labels != NO_LABEL) & known.counted
    there = _classes(known.labels, labelled & (block.predicted != NOT_SHOWN).any(axis=0))
    here = _classes(known.labels, labelled & ~np.isnan(clean).all(axis=0))
    if not len(there) or np.isin(here, there).all():
        return Subset(clean, None)
    kept = np.isin(known.labels, there)
    outside = _outside(block, there)
    masked = (
        f"{100 * outside:.1f} % of the answers are none of them, so logits were not masked to them"
        if outside > 0
        else "every answer is one of them, as where logits are masked to them"
    )
    covered = int(np.isin(here, there).sum())
    reason = (
        f"the set has {covered:,} of the {len(here):,} classes and is compared with clean examples "
        f"of these; {masked}"
    )
    return Subset(np.where(kept, clean, np.nan), reason)


def _classes(labels: NDArray[np.int64], some: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.unique(labels[some])


def _outside(block: Block, there: NDArray[np.int64]) -> float:
    """Share of the answers that are none of these classes."""
    given = block.predicted[block.predicted != NOT_SHOWN]
    inside = np.zeros(int(max(given.max(), there.max())) + 1, dtype=np.bool_)
    inside[there] = True
    return float((~inside[given]).mean())
