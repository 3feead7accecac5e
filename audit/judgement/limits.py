"""The limits that a person may state, and the shape in which a policy file states them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from audit.judgement.groups import canonical_group
from audit.judgement.plan import Settings

Bound = Literal["drop", "rise", "floor", "ceiling"]
ANY = "any"
ALL = "all"


@dataclass(frozen=True)
class LimitKind:
    """What a limit of this name holds a pruned model to.

    Attributes:
        name: The policy key.
        description: One line for a reader.
        measure: The measure whose findings answer it.
        bound: `drop` and `rise` limit the change; `floor` and `ceiling` limit the pruned models'
            own value.
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
    "max_ece": LimitKind(
        "max_ece",
        "the pruned models' expected calibration error may be at most this",
        "ece_level",
        "ceiling",
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
    "max_group_accuracy_drop": LimitKind(
        "max_group_accuracy_drop",
        "the accuracy of no group may fall by more than this",
        "group_accuracy",
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
    "max_pie_excess": LimitKind(
        "max_pie_excess",
        "the share of exemplars beyond what the controls show may be at most this",
        "pie_excess",
        "rise",
    ),
    "min_accuracy": LimitKind(
        "min_accuracy", "the pruned models are at least this accurate", "accuracy_level", "floor"
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


class Limit(Settings):
    """One limit, on the groups, class, condition, sparsity and method it names.

    Attributes:
        limit: The margin or floor, a fraction (0.01 is one point).
        groups: A group (`sex=F`, `race=Black & sex=F`), or `any` for every group of every single
            column; None for the default of the limit's kind.
        class_: A class name, or `any`; written `class`.
        condition: A condition's name, `any`, or `all` for the mean over corruptions; None for the
            default of the limit's kind.
        severity: A severity; None for every one there is.
        sparsity: A requested sparsity; None for each.
        method: A method; None for each.
        owner: Who stands for this limit.
    """

    model_config = ConfigDict(populate_by_name=True)

    limit: float = Field(ge=0.0, le=1.0)
    groups: str | None = None
    class_: str | None = Field(default=None, alias="class")
    condition: str | None = None
    severity: float | None = Field(default=None, ge=0.0, le=5.0)
    sparsity: float | None = Field(default=None, ge=0.0, lt=1.0)
    method: str | None = None
    owner: str | None = None


def _as_limits(value: Any) -> Any:
    """A bare number is a limit of its kind's default scope; one limit is a list of one."""
    if value is None:
        return None
    entries = value if isinstance(value, (list, tuple)) else [value]
    if not entries:
        raise ValueError("an empty list states no limit: give one, or leave the key out")
    return [_as_limit(entry) for entry in entries]


def _as_limit(entry: Any) -> Any:
    if isinstance(entry, bool) or not isinstance(entry, (int, float, Mapping, Limit)):
        raise ValueError(f"a limit is a number or a mapping with the key `limit`, not {entry!r}")
    return {"limit": entry} if isinstance(entry, (int, float)) else entry


Limits = Annotated[
    tuple[Limit, ...] | None,
    BeforeValidator(_as_limits, json_schema_input_type=float | Limit | list[float | Limit] | None),
]


class Policy(Settings):
    """The limits a person states before the run; one key per kind, in `LIMITS`.

    Each value is a number, a `Limit`, or a list of either.
    """

    max_accuracy_drop: Limits = None
    max_class_recall_drop: Limits = None
    max_corruption_error_increase: Limits = None
    max_ece: Limits = None
    max_excess_error: Limits = None
    max_excess_gap: Limits = None
    max_group_accuracy_drop: Limits = None
    max_group_fnr_increase: Limits = None
    max_group_fpr_increase: Limits = None
    max_pie_excess: Limits = None
    min_accuracy: Limits = None
    min_prune_potential: Limits = None
    min_recall: Limits = None

    @model_validator(mode="before")
    @classmethod
    def _name_the_nearest(cls, given: Any) -> Any:
        unknown = [key for key in given if key not in LIMITS] if isinstance(given, Mapping) else []
        if unknown:
            raise ValidationError.from_exception_data(
                cls.__name__, [_unknown_limit(key, given[key]) for key in unknown]
            )
        return given

    def stated(self) -> list[StatedLimit]:
        """Every limit with its kind, in the order of `LIMITS`."""
        return [
            StatedLimit(kind, limit)
            for name, kind in LIMITS.items()
            for limit in getattr(self, name) or ()
        ]


@dataclass(frozen=True)
class StatedLimit:
    """A limit and what it means, with the scope that applies where it names none."""

    kind: LimitKind
    limit: Limit

    @property
    def groups(self) -> str | None:
        """`any`, a group's name, or None for everybody."""
        return self.limit.groups or self.kind.groups

    @property
    def group_name(self) -> str | None:
        """The group as findings write it; None for everybody and for `any`."""
        return None if self.groups in (None, ANY) else canonical_group(self.groups)

    @property
    def class_(self) -> str | None:
        """`any`, a class name, or None for all classes at once."""
        return self.limit.class_ or self.kind.class_

    @property
    def condition(self) -> str:
        """A condition's name, `any` or `all`."""
        return self.limit.condition or self.kind.condition

    def record(self) -> dict[str, Any]:
        """The limit as it stands in `findings.json`."""
        return {
            "name": self.kind.name,
            "limit": self.limit.limit,
            "groups": self.groups,
            "class": self.class_,
            "condition": self.condition,
            "severity": self.limit.severity,
            "sparsity": self.limit.sparsity,
            "method": self.limit.method,
            "owner": self.limit.owner,
        }


def _unknown_limit(key: Any, value: Any) -> InitErrorDetails:
    near = get_close_matches(str(key), LIMITS, n=1, cutoff=0.0)[0]
    error = PydanticCustomError(
        "unknown_limit",
        "there is no limit {key}: did you mean {near}?",
        {"key": repr(key), "near": repr(near)},
    )
    return InitErrorDetails(type=error, loc=(str(key),), input=value)
