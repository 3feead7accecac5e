"""What a person decides before the audit: how to group, how sure to be, how small is too small."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(gt=0.0, lt=1.0)]


def _increasing(edges: tuple[float, ...]) -> tuple[float, ...]:
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"bin edges must increase, got {list(edges)}")
    return edges


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
        screen_cells: Largest number of classes × groups of one division that is screened cell by
            cell; a larger one is left out, and `run.notes` says so.
        resamples: Draws of permutation tests and bootstraps, where not every one is enumerated.
        seed: Seed of those draws.
    """

    groups: tuple[str | Binned, ...] | None = None
    positive: str | None = None
    intersections: int = Field(default=2, ge=1, le=4)
    alpha: Probability = 0.05
    minimum_n: int = Field(default=30, ge=1)
    ties: Literal["undecided", "largest"] = "undecided"
    delta: float = Field(default=0.005, ge=0.0, lt=1.0)
    calibration_bins: int = Field(default=15, ge=2, le=200)
    screen_cells: int = Field(default=1000, ge=0)
    resamples: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)
