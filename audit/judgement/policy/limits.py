"""The limits that a person may state, and the shape in which a policy file states them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from audit.judgement.groups.divisions import canonical_group
from audit.judgement.measures import Measure
from audit.judgement.plan import Settings
from audit.judgement.policy.kinds import ALL, ANY, LIMITS, Bound, LimitKind
from audit.judgement.policy.waivers import Waiver

__all__ = ["ALL", "ANY", "LIMITS", "Bound", "Limit", "LimitKind", "Policy", "StatedLimit"]

Claim = Literal["recipe", "files"]
BESIDE_LIMITS = ("looks", "own", "waivers")
OWN = "own."


def _each(value: Any) -> Any:
    """`any` is what leaving the key out says too."""
    return None if value == ANY else value


AnySparsity = Annotated[
    Annotated[float, Field(ge=0.0, lt=1.0)] | None,
    BeforeValidator(_each, json_schema_input_type=float | Literal["any"] | None),
]
AnySeverity = Annotated[
    Annotated[float, Field(ge=0.0, le=5.0)] | None,
    BeforeValidator(_each, json_schema_input_type=float | Literal["any"] | None),
]
AnyMethod = Annotated[str | None, BeforeValidator(_each, json_schema_input_type=str | None)]


class Limit(Settings):
    """One limit, on the groups, class, condition, sparsity and method it names.

    Attributes:
        limit: The margin or floor, a fraction (0.01 is one point).
        groups: A group (`sex=F`, `race=Black & sex=F`), or `any` for every group of every single
            column; None for the default of the limit's kind.
        class_: A class name, or `any`; written `class`.
        condition: A condition's name, `any`, or `all` for the mean over corruptions; None for the
            default of the limit's kind.
        severity: A severity; `any` or None for every one there is.
        sparsity: A requested sparsity; `any` or None for each.
        method: A method; `any` or None for each.
        claim: Of whom it must hold: `recipe`, of models pruned this way, those not trained yet
            included, as far as the number of parents lets one tell; or `files`, of these very
            models on new inputs.
        owner: Who stands for this limit.
    """

    model_config = ConfigDict(populate_by_name=True)

    limit: float = Field(ge=0.0, le=1.0)
    groups: str | None = None
    class_: str | None = Field(default=None, alias="class")
    condition: str | None = None
    severity: AnySeverity = None
    sparsity: AnySparsity = None
    method: AnyMethod = None
    claim: Claim = "recipe"
    owner: str | None = None


class Amount(Limit):
    """A limit on what is no fraction: nats, the column `value`, a measure of one's own.

    Attributes:
        limit: The margin or floor, 0 or more, in the units of what it limits.
    """

    limit: float = Field(ge=0.0)


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
    if isinstance(entry, Limit):
        return entry.model_dump(by_alias=True)
    return {"limit": entry} if isinstance(entry, (int, float)) else entry


Limits = Annotated[
    tuple[Limit, ...] | None,
    BeforeValidator(_as_limits, json_schema_input_type=float | Limit | list[float | Limit] | None),
]

Amounts = Annotated[
    tuple[Amount, ...] | None,
    BeforeValidator(
        _as_limits, json_schema_input_type=float | Amount | list[float | Amount] | None
    ),
]


class Policy(Settings):
    """The limits a person states before the run; one key per kind, in `LIMITS`.

    Each value is a number, a `Limit`, or a list of either.

    Attributes:
        looks: How often the same test examples will be looked at: every bound is at alpha / looks.
            To be fixed before the first look.
        own: Limits on measures of your own, by the measure's name.
        waivers: What somebody accepts beside the limits, until a day.
    """

    looks: int = Field(default=1, ge=1)
    own: Mapping[str, Amounts] = Field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    max_accuracy_drop: Limits = None
    max_adversarial_error_increase: Limits = None
    max_auroc_drop: Limits = None
    max_class_recall_drop: Limits = None
    max_corruption_error_increase: Limits = None
    max_corruption_excess_error: Limits = None
    max_cost_increase: Amounts = None
    max_ece: Limits = None
    max_ece_increase: Limits = None
    max_excess_error: Limits = None
    max_excess_gap: Limits = None
    max_flip_rate: Limits = None
    max_group_accuracy_drop: Limits = None
    max_group_auroc_drop: Limits = None
    max_group_fnr_increase: Limits = None
    max_group_fpr_increase: Limits = None
    max_group_tpr_drop: Limits = None
    max_group_value_drop: Amounts = None
    max_harmed_rate: Limits = None
    max_nll_increase: Amounts = None
    max_ood_auroc_drop: Limits = None
    max_pie_excess: Limits = None
    max_value_drop: Amounts = None
    min_accuracy: Limits = None
    min_ood_auroc: Limits = None
    min_prune_potential: Limits = None
    min_recall: Limits = None

    @model_validator(mode="before")
    @classmethod
    def _name_the_nearest(cls, given: Any) -> Any:
        known = {*LIMITS, *BESIDE_LIMITS}
        unknown = [key for key in given if key not in known] if isinstance(given, Mapping) else []
        if unknown:
            raise ValidationError.from_exception_data(
                cls.__name__, [_unknown_limit(key, given[key]) for key in unknown]
            )
        return given

    @model_validator(mode="after")
    def _waive_what_is_there(self) -> Policy:
        names = [*LIMITS, *(f"{OWN}{name}" for name in self.own)]
        for waiver in self.waivers:
            if waiver.limit not in names:
                near = get_close_matches(waiver.limit, names, n=1, cutoff=0.0)[0]
                raise ValueError(f"a waiver names {waiver.limit!r}: did you mean {near!r}?")
        return self

    def stated(self, own: Mapping[str, Measure] | None = None) -> list[StatedLimit]:
        """Every limit with its kind, in the order of `LIMITS`, then those on own measures.

        Args:
            own: The measures of one's own that there are; limits on others are left out.
        """
        found = [
            StatedLimit(kind, limit)
            for name, kind in LIMITS.items()
            for limit in getattr(self, name) or ()
        ]
        return found + [
            StatedLimit(_own_kind(measure), limit)
            for name, measure in (own or {}).items()
            for limit in self.own.get(name) or ()
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
            "claim": self.limit.claim,
            "owner": self.limit.owner,
        }


def _own_kind(measure: Measure) -> LimitKind:
    """The kind of limit that a measure of one's own takes: by what it bounds, and which way."""
    up = measure.worse_direction != "down"
    bound: Bound = ("ceiling" if up else "floor") if measure.level else ("rise" if up else "drop")
    return LimitKind(f"{OWN}{measure.name}", measure.definition, measure.name, bound)


def _unknown_limit(key: Any, value: Any) -> InitErrorDetails:
    near = get_close_matches(str(key), [*LIMITS, *BESIDE_LIMITS], n=1, cutoff=0.0)[0]
    error = PydanticCustomError(
        "unknown_limit",
        "there is no limit {key}: did you mean {near}?",
        {"key": repr(key), "near": repr(near)},
    )
    return InitErrorDetails(type=error, loc=(str(key),), input=value)
