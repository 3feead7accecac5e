"""Accuracy against attacks, and what an attack adds beyond what it adds for the parent.

An attack is made for each model on its own gradients. Two models under `pgd@0.031` were shown other
inputs made of the same examples, so an attack is no corruption and no natural shift: it has a
family of its own and no part in any mean over conditions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import Condition
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.inference.families import Family
from audit.judgement.pairs import Design, contrast_of, overall

FloatArray = NDArray[np.float64]

PER_MODEL = "attacks are made for each model on its own gradients"


def attack_families(
    condition: Condition,
    error: FloatArray,
    clean: FloatArray | None,
    arms: Sequence[Arm],
    known: Design,
) -> list[Family]:
    """Adversarial accuracy of every arm, and its excess error where clean predictions are there.

    Args:
        condition: The attack, `fgsm@<epsilon>` or `pgd@<epsilon>`.
        error: float [models, examples], whether each model was wrong, NaN where not shown.
        clean: The same on clean examples; None where there are none.
        arms: The pruned models.
        known: What is known of the examples.

    Returns:
        The screen `adversarial`, tier D.
    """
    asked = {"adversarial_accuracy": 1.0 - error}
    if clean is not None:
        asked["adversarial_excess_error"] = error - clean
    found = []
    for arm in arms:
        for measure, values in asked.items():
            both = contrast_of(values, arm, known)
            if both is not None:
                answer = overall(both)
                found.append(
                    answer_finding(
                        measure, answer, arm, known.plan, condition=condition, reason=PER_MODEL
                    )
                )
    return [Family("adversarial", "D", [finding for finding in found if finding.n])]
