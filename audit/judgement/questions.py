"""Which families of questions are asked under which conditions: the judge's literal catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from audit.evidence.blocks import Block, Evidence
from audit.judgement.accuracy import accuracy_families
from audit.judgement.agreement.with_parents import agreement_families
from audit.judgement.classes.frequency import frequency_families
from audit.judgement.classes.recall import class_families
from audit.judgement.compression import compression_families
from audit.judgement.design import Arm
from audit.judgement.groups.amplification import amplification_families
from audit.judgement.groups.costs import cost_families
from audit.judgement.groups.disparities import disparity_families
from audit.judgement.groups.drift import drift_families
from audit.judgement.groups.ranked import ranking_families
from audit.judgement.groups.subgroups import subgroup_findings
from audit.judgement.groups.within_levels import control_families
from audit.judgement.inference.families import Family
from audit.judgement.labelling.asked import unlabelled_families
from audit.judgement.plan import Plan
from audit.judgement.search import search_families
from audit.judgement.shifts.kinds import Kind
from audit.judgement.shifts.noise_similarity import noise_families
from audit.judgement.shifts.proper_scores import probability_families
from audit.judgement.shifts.sequences import sequence_families
from audit.judgement.values import value_families

Question = Callable[[Block, Evidence, Sequence[Arm], Plan], Sequence[Family]]

# Asked of every condition on which labelled inputs stay what they are, as it streams by.
ON_EVERY_CONDITION: tuple[Question, ...] = (
    accuracy_families,
    probability_families,
    value_families,
    ranking_families,
    cost_families,
)
# By what kind of condition it is; what compares conditions with clean is asked by `shifts`.
ON_KIND: Mapping[Kind, tuple[Question, ...]] = {
    "attack": (),
    "clean": ON_EVERY_CONDITION,
    "corruption": ON_EVERY_CONDITION,
    "natural": ON_EVERY_CONDITION,
    "noise": (noise_families,),
    "out_of_distribution": (),
    "sequence": (sequence_families,),
}

# All that is asked where answers are no classes: of every condition, and of the models.
WITHOUT_CLASSES: tuple[Question, ...] = (value_families,)
ON_CLEAN_WITHOUT_CLASSES: tuple[Question, ...] = (compression_families,)

# Asked of clean examples alone; under a shift, a limit of the policy has to ask (`wanted`).
ON_CLEAN: tuple[Question, ...] = (
    class_families,
    frequency_families,
    subgroup_findings,
    agreement_families,
    disparity_families,
    control_families,
    amplification_families,
    drift_families,
    compression_families,
    search_families,
    unlabelled_families,
)
