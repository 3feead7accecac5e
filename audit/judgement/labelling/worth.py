"""How much one label tells: the standard deviation that an example adds to what is not settled.

A change is moved only by examples on which parent and pruned model disagree; all others have a
change of 0 whatever their label, and are needed to know how many they are. With anticipated
variances v_i a design with inclusion probabilities in proportion to √v_i has the least variance
(Neyman 1934; Isaki & Fuller 1982, "Survey design under the regression superpopulation model").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import CLEAN, NOT_SHOWN, Block, Condition, Evidence
from audit.judgement.design import Arm, arms
from audit.judgement.findings import Finding, Findings
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import ALL, ANY

FloatArray = NDArray[np.float64]

CHANGES = frozenset(
    {
        "accuracy",
        "corruption_error",
        "excess_error",
        "excess_gap",
        "group_accuracy",
        "group_fnr",
        "group_fpr",
        "harmed_level",
        "recall",
    }
)
LEVELS = frozenset({"accuracy_level", "ece_level", "recall_level"})
UNSETTLED = ("cannot_tell", "not_asked")
LEAST_CHANGE, MOST_CHANGE = 0.01, 0.1  # what is anticipated where models agree: the limit, inside
OTHER_CLASSES = frozenset({"group_fpr"})  # of a class: among those that are not of it


@dataclass(frozen=True, eq=False)
class Aim:
    """One limit of one arm that labels would help to settle.

    Attributes:
        finding: The finding that the limit holds.
        member: float64 [examples] in [0, 1], how likely each is in the denominator.
        disagreement: float64 [examples], share of pairs of parent and pruned model that differ.
        spread: float64 [examples], anticipated standard deviation that each adds.
    """

    finding: Finding
    member: FloatArray
    disagreement: FloatArray
    spread: FloatArray


def unsettled(findings: Findings) -> list[Finding]:
    """Held findings that are not told, and that labels would help to tell."""
    return [
        f
        for f in findings.findings
        if f.limit_name is not None
        and f.outcome in UNSETTLED
        and f.measure in CHANGES | LEVELS
        and f.waiver is None
    ]


def aims(evidence: Evidence, wanted: Sequence[Finding], plan: Plan) -> Iterator[Aim]:
    """What each limit would learn from each example, condition by condition.

    Args:
        evidence: Predictions; its decisions are those of the plan.
        wanted: From `unsettled`.
        plan: Groups.
    """
    audited = {(arm.method or None, arm.sparsity): arm for arm in arms(evidence.models)}
    divisions = groupings(evidence.examples, plan)
    for condition in evidence.conditions:
        about = [f for f in wanted if _is_about(f, condition, evidence.conditions)]
        block = evidence.load(condition) if about else None
        for finding in about:
            arm = audited.get((finding.method, finding.sparsity))
            if arm is not None and block is not None:
                yield _aim(finding, _narrowed(arm, finding, evidence), block, evidence, divisions)


def _is_about(finding: Finding, condition: Condition, there: Sequence[Condition]) -> bool:
    """Whether disagreement under a condition tells; a mean over many takes the first of them."""
    if finding.condition in (ALL, None):
        corrupted = [c for c in there if c != CLEAN and c.severity is not None]
        return condition == (corrupted or [CLEAN])[0]
    if finding.condition == ANY:
        return condition == CLEAN
    same = finding.severity is None or finding.severity == condition.severity
    return finding.condition == condition.name and same


def _narrowed(arm: Arm, finding: Finding, evidence: Evidence) -> Arm:
    """The arm, or the one file that the finding is about."""
    if finding.model is None:
        return arm
    names = evidence.models["model"].astype(str).to_numpy()
    keep = names[arm.pruned] == finding.model
    return Arm(
        arm.method, arm.sparsity, arm.pruned[keep], arm.parent[keep], arm.control[keep], arm.model
    )


def _aim(
    finding: Finding, arm: Arm, block: Block, evidence: Evidence, divisions: Sequence[Grouping]
) -> Aim:
    shown = (block.predicted[arm.pruned] != NOT_SHOWN).any(axis=0)
    differ = _disagreement(block, arm)
    member = (
        shown
        * _in_groups(finding, divisions, shown.size)
        * _of_class(finding, arm, block, evidence.classes)
    )
    small = min(max(finding.limit or 0.0, LEAST_CHANGE), MOST_CHANGE)
    if finding.measure in LEVELS:
        spread = np.sqrt(_doubt(block, arm))
    else:
        spread = np.sqrt(differ**2 + small**2)
    weight = member.sum()
    precision = 1.0 / max(finding.limit or 0.0, LEAST_CHANGE)
    return Aim(finding, member, differ, precision * member * spread / max(weight, 1.0))


def _disagreement(block: Block, arm: Arm) -> FloatArray:
    """Share of pairs that differ; where no parent is known, how far pruned models do."""
    pairs = arm.paired()
    pruned = block.predicted[arm.pruned]
    if not len(pairs.pruned):
        first = pruned[:1]
        return np.asarray((pruned != first).mean(axis=0), dtype=np.float64)
    parent, own = block.predicted[pairs.parent], block.predicted[pairs.pruned]
    both = (parent != NOT_SHOWN) & (own != NOT_SHOWN)
    differ = ((parent != own) & both).sum(axis=0) / np.maximum(both.sum(axis=0), 1)
    return np.asarray(differ, dtype=np.float64)


def _doubt(block: Block, arm: Arm) -> FloatArray:
    """Variance of being right, as confidence has it; at most a quarter where there is none."""
    if block.confidence is None:
        return np.full(block.predicted.shape[1], 0.25)
    sure = block.confidence[arm.pruned].astype(np.float64)
    given = ~np.isnan(sure)
    mean = np.where(given, sure, 0.0).sum(axis=0) / np.maximum(given.sum(axis=0), 1)
    return np.where(given.any(axis=0), np.maximum(mean * (1.0 - mean), 0.01), 0.25)


def _in_groups(finding: Finding, divisions: Sequence[Grouping], examples: int) -> FloatArray:
    if finding.groups in (None, ANY):
        return np.ones(examples)
    for division in divisions:
        if finding.groups in division.names:
            inside = division.codes == division.names.index(str(finding.groups))
            return np.asarray(inside, dtype=np.float64)
    return np.zeros(examples)


def _of_class(finding: Finding, arm: Arm, block: Block, classes: Sequence[str]) -> FloatArray:
    """How likely each is of the class: the share of models, parents among them, that say so."""
    codes: Mapping[str, int] = {name: code for code, name in enumerate(classes)}
    if finding.class_ is None or finding.class_ not in codes:
        return np.ones(block.predicted.shape[1])
    rows = np.concatenate([arm.pruned, arm.parents])
    share = (block.predicted[rows] == codes[finding.class_]).mean(axis=0)
    said: FloatArray = np.asarray(share, dtype=np.float64)
    return 1.0 - said if finding.measure in OTHER_CLASSES else said
