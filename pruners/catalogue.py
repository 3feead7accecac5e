"""The catalogue of pruning: one literal mapping for each axis.

To add one to an axis: write a function with the signature that its file states, and its row here.
Wherever a name is accepted, the function itself is too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from pruners.allocation import Allocation, erk, one_ranking, uniform
from pruners.granularity import (
    Granularity,
    Pool,
    filters,
    first,
    norm,
    size_of_total,
    total,
    two_of_four,
    weight,
)
from pruners.names import look_up
from pruners.retraining import Retraining, fine_tune, nothing
from pruners.saliency import (
    Data,
    Saliency,
    curvature_note,
    fisher,
    magnitude,
    obd,
    random,
    taylor1,
)
from pruners.schedules import Schedule, cubic, iterative, linear, one_shot


class SaliencyRow(NamedTuple):
    """One row of `SALIENCIES`.

    Attributes:
        function: Scores the weights.
        summary: One line.
        source: The paper.
        pool: Makes one score of the values of weights that go together.
        needs_data: Whether it looks at examples.
        note: A sentence for the record about this model.
    """

    function: Saliency
    summary: str
    source: str
    pool: Pool = total
    needs_data: bool = False
    note: Callable[[nn.Module, Data | None], str] | None = None


class GranularityRow(NamedTuple):
    """One row of `GRANULARITIES`; `only` is the one sparsity it has, the same in every layer."""

    function: Granularity
    summary: str
    source: str
    only: float | None = None


class AllocationRow(NamedTuple):
    """One row of `ALLOCATIONS`; `shares` says whether it wants layers to lose different shares."""

    function: Allocation
    summary: str
    source: str
    shares: bool = False


class ScheduleRow(NamedTuple):
    """One row of `SCHEDULES`; `ramp` says whether it needs training steps to go along."""

    function: Schedule
    summary: str
    source: str
    ramp: bool = True


class RetrainingRow(NamedTuple):
    """One row of `RETRAININGS`; `trains` says whether there are any steps."""

    function: Retraining
    summary: str
    source: str
    trains: bool = True


SALIENCIES: dict[str, SaliencyRow] = {
    "fisher": SaliencyRow(
        fisher, "w² times the mean squared gradient of an example's loss", "Theis 2018", total, True
    ),
    "magnitude": SaliencyRow(
        magnitude, "size of the weight; L2 norm of a structure", "Han 2015; Li 2016", norm
    ),
    "obd": SaliencyRow(
        obd,
        "½ h w², h the (Gauss–Newton) diagonal of the loss's Hessian",
        "LeCun, Denker & Solla 1990",
        total,
        True,
        curvature_note,
    ),
    "random": SaliencyRow(random, "uniform, seeded", "control", first),
    "taylor1": SaliencyRow(
        taylor1, "|gradient · weight| of the mean loss", "Molchanov 2019", size_of_total, True
    ),
}

GRANULARITIES: dict[str, GranularityRow] = {
    "2:4": GranularityRow(
        two_of_four, "two of four neighbours along the inputs", "Mishra 2021", only=0.5
    ),
    "filter": GranularityRow(filters, "filters, and units with their bias", "Li 2016"),
    "weight": GranularityRow(weight, "each weight on its own", "Han 2015"),
}

ALLOCATIONS: dict[str, AllocationRow] = {
    "erk": AllocationRow(
        erk, "density by (sum / product) of a layer's dimensions", "Evci 2020", shares=True
    ),
    "global": AllocationRow(one_ranking, "all scores in one ranking", "Han 2015"),
    "uniform": AllocationRow(uniform, "the same share of every layer", "Zhu & Gupta 2017"),
}

SCHEDULES: dict[str, ScheduleRow] = {
    "cubic": ScheduleRow(cubic, "polynomial decay, fast first", "Zhu & Gupta 2017"),
    "iterative": ScheduleRow(
        iterative, "rounds that remove equal shares of what is left", "Frankle & Carbin 2019"
    ),
    "linear": ScheduleRow(linear, "as many weights at every update", "Zhu & Gupta 2017"),
    "one_shot": ScheduleRow(one_shot, "all at once", "LeCun 1990", ramp=False),
}

# Other fields' words for the same thing.
SCHEDULE_ALIASES: dict[str, str] = {"polynomial": "cubic"}

RETRAININGS: dict[str, RetrainingRow] = {
    "fine_tune": RetrainingRow(fine_tune, "trains on from the parent's weights", "Han 2015"),
    "none": RetrainingRow(nothing, "no training after pruning", "-", trains=False),
}


def saliency_row(saliency: str | Saliency) -> SaliencyRow:
    """The row of a name, or one made for a function; a function of one's own is pooled by its sum.

    Raises:
        ValueError: An unknown name.
    """
    if callable(saliency):
        return SaliencyRow(saliency, "", "")
    return look_up(SALIENCIES, saliency, "saliency")


def granularity_row(granularity: str | Granularity) -> GranularityRow:
    """The row of a name, or one made for a function.

    Raises:
        ValueError: An unknown name.
    """
    if callable(granularity):
        return GranularityRow(granularity, "", "")
    return look_up(GRANULARITIES, granularity, "granularity")


def allocation_row(allocation: str | Allocation) -> AllocationRow:
    """The row of a name, or one made for a function.

    Raises:
        ValueError: An unknown name.
    """
    if callable(allocation):
        return AllocationRow(allocation, "", "")
    return look_up(ALLOCATIONS, allocation, "allocation")


def schedule_row(schedule: str | Schedule) -> ScheduleRow:
    """The row of a name, or one made for a function.

    Raises:
        ValueError: An unknown name.
    """
    if callable(schedule):
        return ScheduleRow(schedule, "", "")
    return look_up(SCHEDULES, schedule, "schedule")


def retraining_row(retraining: str | Retraining) -> RetrainingRow:
    """The row of a name, or one made for a function.

    Raises:
        ValueError: An unknown name.
    """
    if callable(retraining):
        return RetrainingRow(retraining, "", "")
    return look_up(RETRAININGS, retraining, "retraining")
