"""Every question that these data cannot answer, each with what to add so that they could."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from audit.evidence.blocks import CLEAN, NO_LABEL, Condition, Evidence
from audit.judgement.answers import asked
from audit.judgement.design import Arm
from audit.judgement.findings import Finding, finding_id
from audit.judgement.inference.paired import EMPTY
from audit.judgement.measures import MEASURES
from audit.judgement.plan import Plan
from audit.judgement.scores import NO_SCORE
from audit.judgement.shifts.kinds import is_attack, is_noise, is_sequence, out_of_distribution
from audit.judgement.shifts.proper_scores import TOP


@dataclass(frozen=True)
class Have:
    """What the evidence holds that questions may need."""

    evidence: Evidence
    arms: Sequence[Arm]
    plan: Plan
    confidence: bool
    loss: bool
    energy: bool = False
    value: bool = False

    @property
    def parents(self) -> int:
        """Distinct known parents of pruned models."""
        return len({parent for arm in self.arms for parent in arm.parents.tolist()})


def _sparsities(have: Have) -> bool:
    methods = [arm.method for arm in have.arms]
    return any(methods.count(method) > 1 for method in methods)


def _corruptions(have: Have) -> bool:
    return any(c != CLEAN and c.severity is not None for c in have.evidence.conditions)


def _stated(models: pd.DataFrame) -> set[str]:
    """Columns in which any model says something."""
    return {str(name) for name in models.columns if models[name].notna().any()}


def _named(kind: Callable[[Condition], bool]) -> Callable[[Have], bool]:
    return lambda have: any(kind(condition) for condition in have.evidence.conditions)


def _probabilities(have: Have) -> bool:
    rows = [row for arm in have.arms for row in arm.pruned.tolist()]
    conditions = have.evidence.conditions
    return bool(rows and conditions) and (
        have.evidence.probabilities(conditions[0], rows[0]) is not None
    )


def _scores(have: Have) -> bool:
    two = len(have.evidence.classes) == 2
    return (two and have.confidence) or _probabilities(have)


NEEDS: Mapping[str, tuple[Callable[[Have], bool], str]] = {
    "attacks": (
        _named(is_attack),
        "there are no predictions under attack: add conditions `fgsm@<epsilon>` or "
        "`pgd@<epsilon>`, each model's own, without a severity",
    ),
    "confidence": (
        lambda have: have.confidence,
        "the table has no confidences: add a column `confidence`",
    ),
    "controls": (
        lambda have: any((arm.control >= 0).any() for arm in have.arms),
        "there are no controls: add each parent with the same extra training, unpruned",
    ),
    "corruptions": (
        _corruptions,
        "there are no predictions under corruption: add conditions with a severity",
    ),
    "costs": (
        lambda have: have.plan.costs is not None,
        "nobody said what errors cost: state `costs`",
    ),
    "energy": (lambda have: have.energy, "the table has no energies: add a column `energy`"),
    "corrected_label": (
        lambda have: "corrected_label" in have.evidence.examples,
        "there are no corrected labels: add a column `corrected_label`, empty where nobody looked",
    ),
    "groups": (
        lambda have: (
            (
                have.plan.groups is None
                and any(str(name).startswith("group_") for name in have.evidence.examples)
            )
            or bool(have.plan.groups)
        ),
        "there are no groups: add columns `group_…`, or name some",
    ),
    "loss": (lambda have: have.loss, "the table has no losses: add a column `loss`"),
    "macs": (
        lambda have: "macs" in _stated(have.evidence.models),
        "multiply–adds are not known: add a column `macs` to the models",
    ),
    "more_classes": (
        lambda have: len(have.evidence.classes) > TOP,
        f"with {TOP} classes or fewer, the label is always among the {TOP} most likely",
    ),
    "noise": (
        _named(is_noise),
        "there are no predictions under uniform noise: add conditions `uniform_noise@<epsilon>`, "
        "without a severity",
    ),
    "ood": (
        lambda have: bool(out_of_distribution(have.evidence).any()),
        "no example is out of distribution: add some of the split `ood`, shown under a condition "
        "named for their data set, without a severity",
    ),
    "parameters": (
        lambda have: {"nonzero", "sparsity_all"} & _stated(have.evidence.models) != set(),
        "sizes are not known: add a column `sparsity_all`, or `parameters` and `nonzero`, to the "
        "models",
    ),
    "parent": (
        lambda have: have.parents > 0,
        "no pruned model has a known parent: add a column `parent`, and the parents' predictions",
    ),
    "parents": (
        lambda have: have.parents > 1,
        "a claim about new training runs takes two parents or more: train other seeds",
    ),
    "positive": (
        lambda have: have.plan.positive is not None,
        "no class is the positive one: name it as `positive`",
    ),
    "probabilities": (
        _probabilities,
        "the table has no class probabilities: add a column `probabilities`",
    ),
    "scores": (_scores, NO_SCORE),
    "sequences": (
        _named(is_sequence),
        "there are no sequences of frames: add conditions `<name>@sequence`, without a severity, "
        "with each example's flip probability as `value`",
    ),
    "sparsities": (
        _sparsities,
        "one sparsity only: prune at two or more to see how far the method goes",
    ),
    "value": (
        lambda have: have.value,
        "the table has no column `value`: add one that says how good each answer is, such as Dice, "
        "an error or a log-likelihood, where no class does",
    ),
    "training": (
        lambda have: bool((have.evidence.training["label"] != NO_LABEL).any()),
        "nobody knows how often each class was trained on: add the examples of the split train",
    ),
    "validation": (
        lambda have: have.evidence.validation is not None,
        "there are no validation examples: add examples of the split `validation`, predicted by "
        "every model",
    ),
}
_OF_NO_CLASS = frozenset({"macs", "parameters", "value"})  # what needs these needs no label
NO_PRUNED = "there is no pruned model: add predictions of one"
NO_CLASSES = (
    "answers are no classes but values: add columns `label` and `predicted` where there are some"
)
NO_LABELS = "nobody knows the labels: add a column `label`"
NO_CLEAN = "there are no predictions on clean examples: add the condition `clean`"
ABSENT = "no test example is of this class: add some"
NOTHING = "these data hold nothing to answer it with"


def unasked(found: Sequence[Finding], have: Have) -> list[Finding]:
    """One finding that was not asked per measure that nothing answers, and what would answer it.

    Args:
        found: What was answered, or refused where it was asked.
        have: What the evidence holds.
    """
    answered = {finding.measure for finding in found}
    out = [
        replace(asked(measure.name, None), outcome="not_asked", reason=why(measure.needs, have))
        for measure in MEASURES.values()
        if measure.name not in answered and not measure.on_demand
    ]
    out += _recipe(have)
    return out + _absent_classes(found, have)


def explained(found: Sequence[Finding], have: Have) -> list[Finding]:
    """The same findings; those with nobody in their denominator say whom to add."""
    size = _class_sizes(have)
    return [
        replace(finding, reason=_whom(finding, size, have))
        if finding.outcome == "not_asked" and finding.reason == EMPTY
        else finding
        for finding in found
    ]


def _whom(finding: Finding, size: Mapping[str, int], have: Have) -> str:
    if not have.evidence.classes:
        return NO_CLASSES
    if not sum(size.values()):
        return NO_LABELS
    if finding.class_ is not None and not size.get(finding.class_):
        return ABSENT
    return f"{EMPTY}: add such examples"


def _class_sizes(have: Have) -> dict[str, int]:
    """Labelled test examples of each class."""
    labels, classes = have.evidence.labels, have.evidence.classes
    size = np.bincount(labels[labels != NO_LABEL], minlength=len(classes))
    return dict(zip(classes, size.tolist(), strict=True))


def why(needs: Collection[str], have: Have) -> str:
    """The first thing that is missing, as what to add."""
    if not have.arms:
        return NO_PRUNED
    if not _OF_NO_CLASS & set(needs):
        if not have.evidence.classes:
            return NO_CLASSES
        if (have.evidence.labels == NO_LABEL).all():
            return NO_LABELS
    for need in ("parent", *needs):
        there, add = NEEDS[need]
        if not there(have):
            return add
    return NOTHING if CLEAN in have.evidence.conditions else NO_CLEAN


def _recipe(have: Have) -> list[Finding]:
    """Two questions about everything: would it hold for new seeds, and is it pruning at all."""
    return [
        replace(
            asked("accuracy", None),
            id=finding_id(measure="accuracy", need=need),
            outcome="not_asked",
            reason=NEEDS[need][1],
        )
        for need in ("parents", "controls")
        if have.arms and not NEEDS[need][0](have)
    ]


def _absent_classes(found: Sequence[Finding], have: Have) -> list[Finding]:
    """Classes without a test example, where no finding has said so already."""
    size = _class_sizes(have)
    if not sum(size.values()):
        return []
    said = {finding.class_ for finding in found if finding.measure == "recall"}
    return [
        replace(asked("recall", None, class_=name), n=0, outcome="not_asked", reason=ABSENT)
        for name, n in size.items()
        if n == 0 and name not in said
    ]
