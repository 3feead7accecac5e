"""The kinds of limit there are: a literal catalogue, one entry per policy key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Bound = Literal["drop", "rise", "worsening", "floor", "ceiling"]
CHANGES: frozenset[Bound] = frozenset({"drop", "rise", "worsening"})
ANY = "any"
ALL = "all"


@dataclass(frozen=True)
class LimitKind:
    """What a limit of this name holds a pruned model to.

    Attributes:
        name: The policy key.
        description: One line for a reader.
        measure: The measure whose findings answer it.
        bound: `drop` and `rise` limit the change, and `worsening` limits it the way that its
            finding calls worse; `floor` and `ceiling` limit the pruned models' own value.
        groups: Groups it is about where the limit names none: `any`, or None for everybody.
        class_: Classes it is about where the limit names none: `any`, or None for all at once.
        condition: Condition it is about where the limit names none.
    """

    name: str
    description: str
    measure: str
    bound: Bound
    groups: str | None = None
    class_: str | None = None
    condition: str = "clean"


LIMITS: Mapping[str, LimitKind] = {
    "max_accuracy_drop": LimitKind(
        "max_accuracy_drop", "accuracy may fall by at most this", "accuracy", "drop"
    ),
    "max_adversarial_error_increase": LimitKind(
        "max_adversarial_error_increase",
        "the error under any attack may rise by at most this",
        "adversarial_accuracy",
        "drop",
        condition=ANY,
    ),
    "max_auroc_drop": LimitKind(
        "max_auroc_drop",
        "the AUROC of the positive class may fall by at most this",
        "auroc",
        "drop",
    ),
    "max_class_recall_drop": LimitKind(
        "max_class_recall_drop",
        "the recall of no class may fall by more than this",
        "recall",
        "drop",
        class_=ANY,
    ),
    "max_corruption_error_increase": LimitKind(
        "max_corruption_error_increase",
        "the mean error over corruptions may rise by at most this",
        "corruption_error",
        "rise",
        condition=ALL,
    ),
    "max_corruption_excess_error": LimitKind(
        "max_corruption_excess_error",
        "corruption may add at most this to the error beyond what it adds for the parent",
        "excess_error",
        "rise",
        condition=ALL,
    ),
    "max_cost_increase": LimitKind(
        "max_cost_increase",
        "the expected cost of an answer may rise by at most this, in the units of `costs`",
        "expected_cost",
        "rise",
    ),
    "max_ece": LimitKind(
        "max_ece",
        "the pruned models' expected calibration error may be at most this",
        "ece_level",
        "ceiling",
    ),
    "max_ece_increase": LimitKind(
        "max_ece_increase", "the expected calibration error may rise by at most this", "ece", "rise"
    ),
    "max_excess_error": LimitKind(
        "max_excess_error",
        "corruption may add at most this to the error beyond what it adds for the parent",
        "excess_error",
        "rise",
        condition=ALL,
    ),
    "max_excess_gap": LimitKind(
        "max_excess_gap",
        "no group may lose more accuracy than everybody by more than this",
        "excess_gap",
        "rise",
        groups=ANY,
    ),
    "max_flip_rate": LimitKind(
        "max_flip_rate",
        "the pruned models may answer differently from their parents at most this often",
        "flip_level",
        "ceiling",
    ),
    "max_group_accuracy_drop": LimitKind(
        "max_group_accuracy_drop",
        "the accuracy of no group may fall by more than this",
        "group_accuracy",
        "drop",
        groups=ANY,
    ),
    "max_group_auroc_drop": LimitKind(
        "max_group_auroc_drop",
        "the AUROC of no group may fall by more than this",
        "group_auroc",
        "drop",
        groups=ANY,
    ),
    "max_group_fnr_increase": LimitKind(
        "max_group_fnr_increase",
        "the false negative rate of no group may rise by more than this",
        "group_fnr",
        "rise",
        groups=ANY,
    ),
    "max_group_fpr_increase": LimitKind(
        "max_group_fpr_increase",
        "the false positive rate of no group may rise by more than this",
        "group_fpr",
        "rise",
        groups=ANY,
    ),
    "max_group_tpr_drop": LimitKind(
        "max_group_tpr_drop",
        "the true positive rate of no group may fall by more than this",
        "group_tpr",
        "drop",
        groups=ANY,
    ),
    "max_group_value_drop": LimitKind(
        "max_group_value_drop",
        "the mean value of no group may get worse by more than this, in its own units",
        "group_value",
        "worsening",
        groups=ANY,
    ),
    "max_harmed_rate": LimitKind(
        "max_harmed_rate",
        "the pruned models may be wrong where their parents are right at most this often",
        "harmed_level",
        "ceiling",
    ),
    "max_nll_increase": LimitKind(
        "max_nll_increase",
        "the mean cross-entropy may rise by at most this, in nats",
        "nll",
        "rise",
    ),
    "max_ood_auroc_drop": LimitKind(
        "max_ood_auroc_drop",
        "the AUROC of telling other inputs by their confidence may fall by at most this",
        "ood_auroc",
        "drop",
        condition=ANY,
    ),
    "max_pie_excess": LimitKind(
        "max_pie_excess",
        "the share of exemplars beyond what the controls show may be at most this",
        "pie_excess",
        "rise",
    ),
    "max_value_drop": LimitKind(
        "max_value_drop",
        "the mean of the column `value` may get worse by at most this, in its own units",
        "value",
        "worsening",
    ),
    "min_accuracy": LimitKind(
        "min_accuracy", "the pruned models are at least this accurate", "accuracy_level", "floor"
    ),
    "min_ood_auroc": LimitKind(
        "min_ood_auroc",
        "the AUROC of telling other inputs by the pruned models' confidence is at least this",
        "ood_auroc_level",
        "floor",
        condition=ANY,
    ),
    "min_prune_potential": LimitKind(
        "min_prune_potential",
        "the parent can be pruned at least this far before its error rises by more than delta",
        "prune_potential",
        "floor",
    ),
    "min_recall": LimitKind(
        "min_recall",
        "the pruned models find at least this share of every class",
        "recall_level",
        "floor",
        class_=ANY,
    ),
}
