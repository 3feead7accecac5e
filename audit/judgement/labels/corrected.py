"""What corrected labels change: accuracy, the ranking of models, and where pruned overtakes parent.

Northcutt, Athalye & Mueller, "Pervasive Label Errors in Test Sets" (arXiv 2103.14749): on labels as
given a larger model can look better for having learned their errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Block, Evidence
from audit.evidence.errors import InputError
from audit.judgement.answers import answer_finding, asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.rates import mean_defined
from audit.judgement.inference.bootstrap import crossed_bootstrap
from audit.judgement.pairs import Design, answers, contrast, correct, overall, pairs

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

COLUMN = "corrected_label"
DRAWS = 500
WHERE_RIGHT = "where the given label is right"
WHERE_WRONG = "where the given label is wrong, by the corrected one"
OVERTAKES = (
    "accuracy by corrected labels at a prevalence q of label errors is (1 − q) × that where the "
    "given label is right + q × that where it was wrong, as Northcutt et al. mix them"
)
NEVER = "the pruned models are {where} at every prevalence of label errors"
NO_ERRORS = "no corrected label differs from the given one"


@dataclass(frozen=True, eq=False)
class Corrected:
    """Corrected labels beside the given ones.

    Attributes:
        labels: int64 [examples], the corrected label, the given one where none is stated.
        wrong: bool [examples], both are known and differ.
    """

    labels: CodeArray
    wrong: NDArray[np.bool_]


def corrected(evidence: Evidence) -> Corrected | None:
    """Reads the column `corrected_label` of the examples; None without one.

    Names or codes of classes are equally good; an empty one leaves the given label.

    Raises:
        InputError: A corrected label is no class.
    """
    if COLUMN not in evidence.examples:
        return None
    column = evidence.examples[COLUMN]
    given, stated = evidence.labels, column.notna().to_numpy()
    codes = _codes(column[stated], evidence.classes)
    labels = given.copy()
    labels[stated] = np.where(codes == NO_LABEL, given[stated], codes)
    return Corrected(labels, (given != NO_LABEL) & (labels != given))


def corrected_findings(
    block: Block, evidence: Evidence, arms: Sequence[Arm], known: Design
) -> list[Finding]:
    """Everything that corrected labels answer; nothing where there are none."""
    beside = corrected(evidence)
    if beside is None:
        return []
    out = [_ranking(block, evidence, known, beside)]
    for arm in arms:
        found = pairs(block, arm, known)
        if found is not None:
            right = contrast(found, correct(beside.labels))
            condition, plan = block.condition, known.plan
            everybody = answer_finding(
                "corrected_accuracy", overall(right), arm, plan, condition=condition
            )
            parts = answers(right, _cells(beside), 2)
            split = [
                answer_finding(measure, part, arm, plan, condition=condition, reason=said)
                for measure, part, said in zip(
                    ("accuracy_on_right_labels", "accuracy_on_wrong_labels"),
                    parts,
                    (WHERE_RIGHT, WHERE_WRONG),
                    strict=True,
                )
            ]
            crossing = asked("overtaking_prevalence", arm, condition=condition)
            out += [everybody, *split, _overtaking(crossing, right.difference, beside, known)]
    return out


def overtaking_prevalence(right: float, wrong: float) -> float | None:
    """The prevalence of label errors at which the pruned models draw level with their parents.

    (1 − q) right + q wrong = 0, for changes (pruned − parent) of accuracy of opposite signs.

    Args:
        right: Change where the given label is right.
        wrong: Change, by corrected labels, where it is wrong.

    Returns:
        q in [0, 1]; None where one side is ahead at every prevalence.
    """
    if right == wrong or min(right, wrong) > 0 or max(right, wrong) < 0:
        return None
    return right / (right - wrong)


def _cells(beside: Corrected) -> CodeArray:
    return np.where(beside.labels == NO_LABEL, -1, beside.wrong.astype(np.int64))


def _overtaking(
    question: Finding, difference: FloatArray, beside: Corrected, known: Design
) -> Finding:
    """The crossing with an interval from weights drawn on parents and examples."""
    given = ~np.isnan(difference)
    d = np.where(given, difference, 0.0)
    each = np.ones(d.shape[1]) if known.weights is None else known.weights
    cells = _cells(beside)
    parts = [np.flatnonzero((cells == cell) & given.any(axis=0)) for cell in (0, 1)]
    if not parts[1].size or not parts[0].size:
        return replace(question, n=0, outcome="not_asked", reason=NO_ERRORS)

    def changes(parents: FloatArray, examples: FloatArray) -> list[float]:
        out = []
        for part in parts:
            weight = examples[part] * each[part]
            total = float(parents @ (given[:, part] @ weight))
            moved = float(parents @ (d[:, part] @ weight))
            out.append(moved / total if total > 0 else np.nan)
        return out

    def statistic(parents: FloatArray, examples: FloatArray) -> float:
        right, wrong = changes(parents, examples)
        at = overtaking_prevalence(right, wrong)
        return np.nan if at is None else at

    size = int(parts[0].size + parts[1].size)
    right, wrong = changes(np.ones(len(d)), np.ones(d.shape[1]))
    if overtaking_prevalence(right, wrong) is None:
        where = "ahead" if right > 0 else "behind" if right < 0 else "level"
        return replace(
            question, n=size, parents=len(d), reason=f"{OVERTAKES}; {NEVER.format(where=where)}"
        )
    found = crossed_bootstrap(
        statistic,
        parents=len(d),
        examples=d.shape[1],
        draws=min(known.plan.resamples, DRAWS),
        generator=np.random.default_rng(known.plan.seed),
        clusters=known.clusters,
        level=1.0 - known.plan.alpha,
    )
    return replace(
        question,
        pruned=found.change,
        low=None if found.low is None else max(found.low, 0.0),
        high=None if found.high is None else min(found.high, 1.0),
        n=size,
        parents=len(d),
        discordant=int(parts[1].size),
        generalises_to=found.generalises_to,
        reason=OVERTAKES,
    )


def _ranking(block: Block, evidence: Evidence, known: Design, beside: Corrected) -> Finding:
    """Kendall's tau between the models' accuracies by given and by corrected labels."""
    question = asked("rank_by_corrected_labels", None, condition=block.condition)
    by_given, by_corrected = (
        _accuracy(block, labels, known) for labels in (known.labels, beside.labels)
    )
    some = ~(np.isnan(by_given) | np.isnan(by_corrected))
    if some.sum() < 2 or np.ptp(by_given[some]) == 0 or np.ptp(by_corrected[some]) == 0:
        why = "it takes two models of different accuracy: add predictions of others"
        return replace(question, n=0, outcome="not_asked", reason=why)
    names = evidence.models["model"].astype(str).to_numpy()
    best, now = (names[np.nanargmax(each)] for each in (by_given, by_corrected))
    return replace(
        question,
        parent=_kendall(by_given[some], by_corrected[some]),
        n=int((beside.labels != NO_LABEL).sum()),
        discordant=int(beside.wrong.sum()),
        reason=f"of {int(some.sum())} models the best is {best} by the labels as given, {now} by "
        "the corrected ones",
    )


def _kendall(first: FloatArray, second: FloatArray) -> float:
    """Kendall's tau-b: pairs in one order less pairs in the other, corrected for ties."""
    a, b = (np.sign(side[:, None] - side[None, :]) for side in (first, second))
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def _accuracy(block: Block, labels: CodeArray, known: Design) -> FloatArray:
    """Accuracy of every model, float64 [models]."""
    right = correct(labels)(block.predicted)
    right[:, ~known.counted] = np.nan
    if known.weights is None:
        return mean_defined(right, 1)
    weight = np.where(np.isnan(right), 0.0, known.weights)
    total = weight.sum(axis=1)
    out = np.full(len(right), np.nan)
    np.divide((np.nan_to_num(right) * weight).sum(axis=1), total, out=out, where=total > 0)
    return out


def _codes(stated: pd.Series, classes: Sequence[str]) -> CodeArray:
    if pd.api.types.is_numeric_dtype(stated):
        codes = stated.to_numpy(np.int64)
    else:
        place = {name: code for code, name in enumerate(classes)}
        wrong = [name for name in stated.astype(str) if name not in place]
        if wrong:
            raise InputError(
                f"`{COLUMN}` holds {wrong[0]!r}, which is no class: name one of "
                f"{', '.join(list(classes)[:20])}, or leave it empty."
            )
        codes = np.array([place[name] for name in stated.astype(str)], dtype=np.int64)
    if codes.size and (codes.max() >= len(classes) or codes.min() < NO_LABEL):
        raise InputError(
            f"`{COLUMN}` holds {codes.max()}, and there are {len(classes)} classes: give codes "
            "from 0 on, or names."
        )
    return codes
