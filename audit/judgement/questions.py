"""Which families of questions are asked under which conditions: the judge's literal catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit.evidence.blocks import Block, Evidence
from audit.judgement.accuracy import accuracy_families
from audit.judgement.agreement import agreement_families
from audit.judgement.classes import class_families
from audit.judgement.design import Arm
from audit.judgement.disparities import disparity_families
from audit.judgement.families import Family
from audit.judgement.plan import Plan
from audit.judgement.subgroups import subgroup_findings

Question = Callable[[Block, Evidence, Sequence[Arm], Plan], Sequence[Family]]

# Asked of every condition as it streams by.
ON_EVERY_CONDITION: tuple[Question, ...] = (accuracy_families,)

# Asked of clean examples alone; under a shift, a limit of the policy has to ask (`wanted`).
ON_CLEAN: tuple[Question, ...] = (
    class_families,
    subgroup_findings,
    agreement_families,
    disparity_families,
)
