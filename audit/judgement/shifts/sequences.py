"""How often an answer flips from frame to frame of a sequence of slightly different images.

Hendrycks and Dietterich (arXiv 1903.12261), ImageNet-P: of noise every frame is compared with the
first, of what moves on with the one before. They divide by AlexNet's probability; here a flip rate
is the pruned model's probability over its own parent's, and the probabilities stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Evidence
from audit.evidence.errors import InputError
from audit.judgement.accuracy import UNPAIRED
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm, dense
from audit.judgement.findings import Finding
from audit.judgement.inference.families import Family
from audit.judgement.pairs import Design, contrast_of, design, levels, overall
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
Compares = Literal["first", "previous"]

FAMILY = "flips"
MEASURE = "mean_flip_probability"


@dataclass(frozen=True)
class Flips:
    """A mean flip probability.

    Attributes:
        probability: From 0 to 1; None over no example.
        n: Over how many examples.
    """

    probability: float | None
    n: int


def flip_probability(predicted: IntArray, compares: Compares, difficulty: int = 1) -> FloatArray:
    """How often each example's answer is another one than in the frame it is compared with.

    Args:
        predicted: [frames, examples], class codes; `NOT_SHOWN` where there is none.
        compares: Whether each frame is compared with the first one or with an earlier one.
        difficulty: How many frames apart, where that is an earlier one; of noise, difficulty is in
            the frames themselves, and this has no effect.

    Returns:
        float64 [examples], from 0 to 1; NaN where a frame was not shown.

    Raises:
        InputError: Too few frames, or a difficulty below 1.
    """
    earlier, later = _compared(predicted, compares, difficulty)
    flips = (earlier != later).mean(axis=0, dtype=np.float64)
    return np.where((predicted == NOT_SHOWN).any(axis=0), np.nan, flips)


def top5_distance(top5: IntArray, compares: Compares, difficulty: int = 1) -> FloatArray:
    """How far the five likeliest classes move between compared frames: T5D, not normalised.

    Of the class ranked i in the earlier frame and sigma(i) in the later one, the sum over i = 1..5
    of |(i − 1) − min(sigma(i) − 1, 5)|, averaged over the pairs of frames: 0 to 15.

    Args:
        top5: [frames, examples, 5], class codes by falling confidence (fewer columns where there
            are fewer classes).
        compares: As of `flip_probability`.
        difficulty: As of `flip_probability`.

    Returns:
        float64 [examples].

    Raises:
        InputError: As of `flip_probability`, or no ranking.
    """
    if top5.ndim != 3 or not 1 <= top5.shape[2] <= 5:
        raise InputError(
            f"top5 has the shape {top5.shape}: give [frames, examples, 5], the codes of the five "
            "likeliest classes by rank."
        )
    earlier, later = _compared(top5, compares, difficulty)
    same = earlier[..., :, None] == later[..., None, :]
    places = np.where(same.any(axis=-1), same.argmax(axis=-1), 5)
    moved = np.abs(np.arange(top5.shape[2]) - places).sum(axis=-1)
    return np.asarray(moved.mean(axis=0, dtype=np.float64))


def _compared(frames: IntArray, compares: Compares, difficulty: int) -> tuple[IntArray, IntArray]:
    """The frames that are compared, and those they are compared with, each [pairs, examples, …]."""
    if difficulty < 1:
        raise InputError(f"the difficulty is {difficulty}: use 1 or more.")
    apart = difficulty if compares == "previous" else 1
    if len(frames) <= apart:
        raise InputError(
            f"a sequence of {len(frames)} frames has none that are {apart} apart: show more."
        )
    return (frames[:1] if compares == "first" else frames[:-apart]), frames[apart:]


def mean_flip_probability(each: FloatArray) -> Flips:
    """The mean over examples; those without a probability (NaN) are not counted."""
    given = each[~np.isnan(each)]
    return Flips(float(given.mean()) if given.size else None, int(given.size))


def flip_rate(model: Flips, normaliser: Flips) -> float | None:
    """A model's flip probability over that of the normaliser, here its dense parent.

    None where either is unknown, or the normaliser never flips.
    """
    if model.probability is None or not normaliser.probability:
        return None
    return model.probability / normaliser.probability


def sequence_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """The mean flip probability on one sequence, beside parents and controls.

    The change is pruned − parent by the inference of every rate, and `relative_change` is the flip
    rate over the parent's, less 1. Labels play no part.

    Args:
        block: Under a condition `<name>@sequence`; `value` holds each example's flip probability.
        evidence: Models.
        arms: The pruned models.
        plan: The plan.

    Returns:
        The screen `flips`, tier D; nothing without the column `value`.
    """
    if block.value is None:
        return []
    known, values = design(evidence, plan), block.value.astype(np.float64)
    found = [_finding(values, block, evidence, arm, known) for arm in arms]
    return [Family(FAMILY, "D", found)]


def _finding(
    values: FloatArray, block: Block, evidence: Evidence, arm: Arm, known: Design
) -> Finding:
    beside = contrast_of(values, arm, known)
    if beside is None:
        cells = (known.counted - 1).astype(np.int64)
        parent, pruned = (
            levels(values[rows], cells, 1, known.weights)[0]
            for rows in (dense(evidence.models), arm.pruned)
        )
        question = asked(MEASURE, arm, condition=block.condition)
        return replace(question, parent=parent, pruned=pruned, outcome="not_asked", reason=UNPAIRED)
    answer = overall(beside)
    n = answer.estimate.n
    rate = flip_rate(Flips(answer.pruned, n), Flips(answer.parent, n))
    told = None if rate is None else f"the flip rate over the parent's is {rate:.3g}"
    return answer_finding(MEASURE, answer, arm, known.plan, condition=block.condition, reason=told)
