"""Evidence with confidences and validation examples, whose pruned models doubt where they fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import Evidence


def _evidence(study, draw, n, parents, error, told, confident):
    labels = draw.integers(0, 4, n)
    dense = np.tile(labels, (parents, 1))
    lost = draw.random((parents, n)) < error
    pruned = np.where(lost, (labels + 1) % 4, labels)
    groups = np.where(draw.random(n) < 0.5, "a", "b")
    case = study(labels, dense, {0.7: pruned}, columns={"group_g": groups}, classes=tuple("wxyz"))
    sure = np.where(lost & (draw.random(lost.shape) < told), 0.2, 0.6) + 0.3 * draw.random(
        lost.shape
    )
    confidence = np.concatenate([np.full(dense.shape, 0.95), sure]).astype(np.float32)
    block = replace(case.block, confidence=confidence if confident else None)
    return replace(case.evidence, load=lambda _: block)


@pytest.fixture
def doubting(study) -> Callable[..., Evidence]:
    """Pruned models lose `error` of the examples; of these, `told` have confidence below 0.5."""

    def make(
        seed=0, n=600, parents=3, error=0.1, told=1.0, confident=True, validation=True
    ) -> Evidence:
        draw = np.random.default_rng(seed)
        test = _evidence(study, draw, n, parents, error, told, confident)
        held_out = _evidence(study, draw, n, parents, error, told, confident)
        return replace(test, validation=held_out if validation else None)

    return make
