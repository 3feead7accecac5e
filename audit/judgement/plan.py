"""What a person decides before the audit: how to group, how sure to be, how small is too small."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

Probability = Annotated[float, Field(gt=0.0, lt=1.0)]


def _increasing(edges: tuple[float, ...]) -> tuple[float, ...]:
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"bin edges must increase, got {list(edges)}")
    return edges


def _named_candidate(value: object) -> object:
    return {"model": value} if isinstance(value, str) else value


class Settings(BaseModel):
    """A frozen piece of configuration that refuses keys it does not know.

    A number where a name is wanted is that name: YAML reads the class 8 of the digits as one.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )


class Binned(Settings):
    """A numeric group column cut at stated edges.

    The edges [0, 30, 60] make the groups [0, 30) and [30, 60), with `< 0` and `>= 60` as groups of
    their own where there is anybody in them.
    """

    column: str
    bins: Annotated[tuple[float, ...], Field(min_length=2), AfterValidator(_increasing)]


class FixedThreshold(Settings):
    """The positive class is predicted where its probability reaches this threshold."""

    threshold: Probability


class OperatingPoint(Settings):
    """A threshold chosen so that a rate has this value in the parents' validation examples.

    Attributes:
        specificity: Share of the true negatives below the threshold.
        sensitivity: Share of the true positives at or above it.
        on: Where it is chosen; never where it is audited.
        set_on: `parent` freezes each parent's threshold for the models pruned from it, as happens
            when a model is swapped in; `each` sets every model's own.
    """

    specificity: Probability | None = None
    sensitivity: Probability | None = None
    on: Literal["validation"] = "validation"
    set_on: Literal["parent", "each"] = "parent"

    @model_validator(mode="after")
    def _one_rate(self) -> OperatingPoint:
        if (self.specificity is None) == (self.sensitivity is None):
            raise ValueError("a decision is set by `specificity` or by `sensitivity`: state one")
        return self


class Costs(Settings):
    """What an error of each kind costs, in units of the person who states them."""

    false_positive: float = Field(default=1.0, ge=0.0)
    false_negative: float = Field(default=1.0, ge=0.0)


class Candidate(Settings):
    """The one file that would ship.

    Attributes:
        model: Its name.
        of: Out of how many it was chosen by what this audit's test examples showed; its bounds are
            corrected for that many looks. By default the models of its method and sparsity.
    """

    model: str
    of: int | None = Field(default=None, ge=1)


class ValueColumn(Settings):
    """What the column `value` holds: a quality of each answer where there is no class.

    Attributes:
        name: Its name for readers: Dice, IoU, absolute error, log-likelihood.
        better: Which way is better.
        scale: The largest amount by which one example can change. Inference guards against rare
            changes by adding two examples of that size.
    """

    name: str = "value"
    better: Literal["up", "down"] = "up"
    scale: float = Field(default=1.0, gt=0.0)


class Search(Settings):
    """A search for the group that nobody named, on one half of the examples, tested on the other.

    Attributes:
        columns: Columns to search, as in `groups`; None takes every `group_*` and `meta_*`.
        depth: Largest number of columns in one slice.
        embeddings: A column of vectors, cut into `clusters` clusters as one more column.
        clusters: Their number.
        tested: How many of the slices that fared worst are tested on the other half.
    """

    columns: tuple[str | Binned, ...] | None = None
    depth: int = Field(default=2, ge=1, le=3)
    embeddings: str | None = None
    clusters: int = Field(default=20, ge=2, le=500)
    tested: int = Field(default=10, ge=1, le=100)


class Guard(Settings):
    """A rule that hands inputs back to the parent, or to a person, so that every limit holds.

    Attributes:
        signal: What of the pruned model's own output is held to a threshold.
        most: Largest share of inputs that may be handed back.
        to: Who answers instead: the parent, or a person (taken to be right).
    """

    signal: Literal["confidence", "margin"] = "confidence"
    most: Probability = 0.5
    to: Literal["parent", "person"] = "parent"


class Plan(Settings):
    """The audit section of a config.

    Attributes:
        groups: Group columns, with or without their `group_` prefix; None takes every `group_*`.
        positive: A class name makes it one binary question; None asks one class against the rest.
        intersections: Largest number of group columns crossed with each other.
        alpha: Level of tests and one-sided policy bounds; intervals cover 1 - alpha.
        minimum_n: Smallest denominator of a rate (or clusters, where there are any) that may make
            a claim.
        ties: What the modal label of a tied vote is: `undecided` counts it apart, `largest` takes
            the largest class index as Hooker et al.'s released code does.
        delta: Slack of the prune potential, a fraction (Liebenwein et al. use 0.005).
        calibration_bins: Equal-width bins on confidence.
        uncertain_below: Confidence below which a prediction counts as uncertain.
        screen_cells: Largest number of classes × groups of one division that is screened cell by
            cell; a larger one is left out, and `run.notes` says so.
        resamples: Draws of permutation tests and bootstraps, where not every one is enumerated.
        seed: Seed of those draws.
        control_features: Columns within whose groups the groups are compared, as in Fairlearn.
        decision: How a score becomes a prediction: `argmax`, or a threshold on the probability of
            the positive class, fixed or set at an operating point.
        costs: What errors cost; None does not ask.
        candidate: The one file that would ship (a name, or with the number it was chosen from).
        value: What the column `value` holds, where there is one.
        measures: Measures of your own: `module:function`, called with the evidence and the plan.
        search: Whether and how to search for the group that nobody named.
        guard: Whether and how to look for a rule that hands inputs back.
    """

    groups: tuple[str | Binned, ...] | None = None
    positive: str | None = None
    intersections: int = Field(default=2, ge=1, le=4)
    alpha: Probability = 0.05
    minimum_n: int = Field(default=30, ge=1)
    ties: Literal["undecided", "largest"] = "undecided"
    delta: float = Field(default=0.005, ge=0.0, lt=1.0)
    calibration_bins: int = Field(default=15, ge=2, le=200)
    uncertain_below: Probability = 0.5
    screen_cells: int = Field(default=1000, ge=0)
    resamples: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)
    control_features: tuple[str | Binned, ...] = ()
    decision: Literal["argmax"] | FixedThreshold | OperatingPoint = "argmax"
    costs: Costs | None = None
    candidate: Annotated[Candidate | None, BeforeValidator(_named_candidate)] = None
    value: ValueColumn = ValueColumn()
    measures: tuple[str, ...] = ()
    search: Search | None = None
    guard: Guard | None = None
