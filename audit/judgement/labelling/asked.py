"""How much of the evidence has no label, as a finding: a report can then say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.evidence.blocks import NO_LABEL, Block, Evidence
from audit.judgement.answers import asked
from audit.judgement.design import Arm
from audit.judgement.inference.families import Family
from audit.judgement.plan import Plan
from audit.judgement.shifts.kinds import out_of_distribution

UNLABELLED = "unlabelled"
WAY_OUT = (
    "what needs labels is asked of the others alone: `prune-audit label` draws the examples most "
    "worth labelling"
)


def unlabelled_families(
    block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """The share of examples without a label; nothing where all have one.

    Inputs out of distribution have no right answer among the classes, and are not counted; nor are
    any where answers are no classes.
    """
    inside = ~out_of_distribution(evidence)
    missing = int(((evidence.labels == NO_LABEL) & inside).sum())
    if not missing or not evidence.classes:
        return []
    n = int(inside.sum())
    found = replace(asked(UNLABELLED, None), pruned=missing / n, n=n, reason=WAY_OUT)
    return [Family(UNLABELLED, "D", [found])]
