"""How far parents lie apart among themselves: what training alone, from another seed, changes.

A pruned model that differs less from its parent than two parents differ may still have moved: it
started from its parent. But one that differs as much is another model.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.agreement.flips import Beside, flip_values, kappa_values
from audit.judgement.answers import asked
from audit.judgement.design import dense
from audit.judgement.findings import Finding
from audit.judgement.pairs import Design, level_estimate, levels

FloatArray = NDArray[np.float64]

RATES = {
    "parents_flip_rate": "flip_rate",
    "parents_agreement": "agreement",
    "parents_harmed_rate": "harmed_rate",
}
READ = "every parent beside the next one, each of them twice"


def parents_beside_each_other(block: Block, evidence: Evidence, known: Design) -> list[Finding]:
    """Flips, agreement and kappa of dense models among each other; nothing for fewer than two.

    A value stands in `parent`; half of what is harmed from one parent to another is mended the
    other way round, so that mended is not asked.

    Args:
        block: Predictions under one condition.
        evidence: Models and class names.
        known: Labels and weights.
    """
    rows = dense(evidence.models)
    if rows.size < 2:
        return []
    predicted = np.where(known.counted, block.predicted[rows], NOT_SHOWN)
    beside = Beside(predicted, np.roll(predicted, 1, axis=0), rows)
    labelled = bool((known.labels != NO_LABEL).any())
    out = [
        _finding(measure, flip_values(name, beside, known.labels), block, known)
        for measure, name in RATES.items()
        if labelled or measure != "parents_harmed_rate"
    ]
    kappa = kappa_values(beside, len(evidence.classes), known.weights)
    value = levels(kappa, np.zeros(1, dtype=np.int64), 1, None)[0]
    counted = out[0]
    question = asked("parents_kappa", None, condition=block.condition)
    return [*out, replace(question, parent=value, n=counted.n, parents=rows.size, reason=READ)]


def _finding(measure: str, values: FloatArray, block: Block, known: Design) -> Finding:
    found = level_estimate(values, known)
    everybody = np.zeros(values.shape[1], dtype=np.int64)
    return replace(
        asked(measure, None, condition=block.condition),
        parent=levels(values, everybody, 1, known.weights)[0],
        n=found.n,
        parents=found.parents,
        discordant=found.discordant,
        outcome="no_limit" if found.n else "not_asked",
        reason=READ,
    )
