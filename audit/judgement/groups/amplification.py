"""Bias amplification: do predictions tie a class to a group more than the truth does.

Zhao et al. (arXiv 1707.09457) compare a group's share of those predicted to be of a class with its
share in training. Iofinova, Peste & Alistarh (arXiv 2304.12622) use it on pruned models: training
gives the *direction* (which groups the class is tied to) and skips classes that it ties to none.

We differ in one thing: the share among predictions is held to the share among the true members of
the same examples, not of training, so that perfect predictions amplify nothing even where the
audited examples are mixed otherwise than training. The change from parent to pruned is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN, Block, Evidence
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import PREFIX, Grouping, groupings
from audit.judgement.groups.subgroups import screened
from audit.judgement.inference.families import Family
from audit.judgement.inference.linearised import Linearised, linear_answers, ratio_contrast
from audit.judgement.pairs import Answer, Pairs, Value, design, levels, pairs
from audit.judgement.plan import Plan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]

FAMILY = "bias_amplification"
FEWEST_POSITIVES = 10
SMALLEST_GAP = 0.1  # relative difference of the largest and the smallest frequency in training


@dataclass(frozen=True)
class Direction:
    """The groups that training ties to a class.

    Attributes:
        tied: Names of the groups in which the class is more frequent than among all.
        skipped: Why no direction is taken; None where one is.
    """

    tied: tuple[str, ...]
    skipped: str | None = None


def direction(positive: CodeArray, size: CodeArray, names: Sequence[str]) -> Direction:
    """Which groups the class is tied to, by training frequencies.

    Args:
        positive: int64 [groups], training examples of the class.
        size: int64 [groups], training examples.
        names: Group names.
    """
    there = size > 0
    if there.sum() < 2:
        return Direction((), "training has fewer than two of these groups: add training examples")
    if positive.sum() < FEWEST_POSITIVES:
        return Direction(
            (),
            f"training has {positive.sum()} examples of the class, of the {FEWEST_POSITIVES} that "
            "a direction takes",
        )
    rate = positive[there] / size[there]
    gap = 1.0 - rate.min() / rate.max()
    if gap < SMALLEST_GAP:
        return Direction(
            (),
            f"its frequency differs by {100 * gap:.1f} % between groups in training, of the "
            f"{100 * SMALLEST_GAP:.0f} % that a direction takes",
        )
    above = rate > positive.sum() / size.sum()
    return Direction(tuple(np.asarray(names, dtype=object)[there][above].tolist()))


def amplification_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Bias amplification of the positive class, or of every class, in every single group column.

    Args:
        block: Predictions on clean examples.
        evidence: Labels, group columns, training examples.
        arms: The pruned models.
        plan: Groups and positive class.
    """
    known = design(evidence, plan)
    found = [pair for arm in arms if (pair := pairs(block, arm, known)) is not None]
    out: list[Finding] = []
    for division in groupings(evidence.examples, plan) if found else ():
        trained = _trained(evidence.training, division, plan)
        if len(division.columns) > 1 or trained is None:
            continue
        if plan.positive is None and not screened(division, evidence.classes, plan):
            continue
        for code, name in enumerate(evidence.classes):
            if plan.positive in (None, name):
                out += _of_class(found, division, trained, evidence, code)
    return [Family(FAMILY, "D", out)]


def _trained(training: pd.DataFrame, division: Grouping, plan: Plan) -> Grouping | None:
    """The same division of the training examples; None where they lack the column."""
    if not len(training) or any(PREFIX + column not in training for column in division.columns):
        return None
    own = groupings(training, plan)
    return next((one for one in own if one.columns == division.columns), None)


def _of_class(
    found: Sequence[Pairs], division: Grouping, trained: Grouping, evidence: Evidence, code: int
) -> list[Finding]:
    labels = evidence.training["label"].to_numpy(np.int64)
    labelled, n_groups = labels != NO_LABEL, len(trained.names)
    size = np.bincount(trained.codes[labelled], minlength=n_groups)
    positive = np.bincount(trained.codes[labels == code], minlength=n_groups)
    taken = direction(positive, size, trained.names)
    name = evidence.classes[code]
    if taken.skipped is not None:
        return [
            replace(
                asked(
                    "bias_amplification",
                    pair.arm,
                    condition=pair.condition,
                    class_=name,
                    subject=division.label,
                ),
                outcome="not_asked",
                reason=taken.skipped,
            )
            for pair in found
        ]
    tied = np.isin(np.asarray(division.names, dtype=object), taken.tied)[division.codes]
    return [_finding(pair, division, tied, taken, code, name) for pair in found]


def _finding(
    pair: Pairs,
    division: Grouping,
    tied: NDArray[np.bool_],
    taken: Direction,
    code: int,
    name: str,
) -> Finding:
    """Tied share of those predicted, less the tied share of those who are of the class."""
    known = pair.design
    cells = np.zeros(tied.size, dtype=np.int64)
    answer = linear_answers(_shares(pair, tied, code, cells), cells, 1)[0]
    shown = (pair.pruned != NOT_SHOWN).any(axis=0)
    member = np.where(shown & (known.labels == code), tied.astype(np.float64), np.nan)
    truth = levels(member[None, :], cells, 1, known.weights)[0]
    least = (answer.parent, answer.pruned, answer.control)
    parent, pruned, control = (
        None if share is None or truth is None else share - truth for share in least
    )
    finding = answer_finding(
        "bias_amplification",
        Answer(answer.estimate, parent, pruned, control),
        pair.arm,
        known.plan,
        condition=pair.condition,
        class_=name,
        reason=f"training ties the class to {', '.join(taken.tied)}; 0 where they are the share "
        "of those predicted that they are of those who are; n is the fewest predicted by any model",
    )
    return _named(finding, pair, division, name)


def _named(finding: Finding, pair: Pairs, division: Grouping, name: str) -> Finding:
    """The same answer under the name of the whole division."""
    question = asked(
        "bias_amplification",
        pair.arm,
        condition=pair.condition,
        class_=name,
        subject=division.label,
    )
    # A relative change of something that may be 0 or below would say nothing.
    return replace(finding, id=question.id, subject=question.subject, relative_change=None)


def _shares(pair: Pairs, tied: NDArray[np.bool_], code: int, cells: CodeArray) -> Linearised:
    labelled = pair.design.labels != NO_LABEL

    def among(rows: NDArray[np.bool_]) -> Value:
        def value(predicted: IntArray) -> FloatArray:
            hit = ((predicted == code) & rows).astype(np.float64)
            return np.where((predicted == NOT_SHOWN) | ~labelled, np.nan, hit)

        return value

    return ratio_contrast(pair, among(tied), among(labelled), cells, 1)
