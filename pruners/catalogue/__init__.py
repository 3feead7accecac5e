"""The catalogue of pruning: one literal mapping for each axis, and how a name is looked up in it.

To add one to an axis: write a function with the signature that its file states, and its row in the
module of that axis here. Wherever a name is accepted, the function itself is too.
"""

from __future__ import annotations

from collections.abc import Mapping

from pruners.allocation import Allocation, of_shares
from pruners.catalogue.allocations import ALLOCATIONS
from pruners.catalogue.granularities import GRANULARITIES, family
from pruners.catalogue.retrainings import RETRAININGS
from pruners.catalogue.rows import (
    AllocationRow,
    GranularityRow,
    RetrainingRow,
    SaliencyRow,
    ScheduleRow,
)
from pruners.catalogue.saliencies import SALIENCIES
from pruners.catalogue.schedules import SCHEDULE_ALIASES, SCHEDULES
from pruners.granularity import Granularity
from pruners.names import look_up
from pruners.own_retraining import own_retraining
from pruners.retraining import Retraining
from pruners.saliency import Saliency
from pruners.schedules import Schedule

__all__ = [
    "ALLOCATIONS",
    "GRANULARITIES",
    "RETRAININGS",
    "SALIENCIES",
    "SCHEDULES",
    "SCHEDULE_ALIASES",
    "allocation_row",
    "granularity_row",
    "retraining_row",
    "saliency_row",
    "schedule_row",
]


def saliency_row(saliency: str | Saliency) -> SaliencyRow:
    """The row of a name, or one made for a function; a function of one's own is pooled by its sum.

    Raises:
        ValueError: An unknown name.
    """
    if callable(saliency):
        return SaliencyRow(saliency, "", "")
    return look_up(SALIENCIES, saliency, "saliency")


def granularity_row(granularity: str | Granularity) -> GranularityRow:
    """The row of a name (`block:RxC` and `N:M` with any numbers), or one made for a function.

    Raises:
        ValueError: An unknown name, or numbers that make no sense.
    """
    if callable(granularity):
        return GranularityRow(granularity, "", "")
    made = family(granularity) if isinstance(granularity, str) else None
    if made is not None:
        return made
    return look_up(GRANULARITIES, granularity, "granularity")


def allocation_row(allocation: str | Allocation | Mapping[str, float]) -> AllocationRow:
    """The row of a name, or one made for a function or for shares by name.

    Raises:
        ValueError: An unknown name, or shares that are none.
    """
    if isinstance(allocation, Mapping):
        return AllocationRow(of_shares(allocation), "shares by name", "", shares=True)
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
    """The row of a name, or one made for a function (see `own_retraining`).

    Raises:
        ValueError: An unknown name, or a function that cannot be called as a retraining is.
    """
    if callable(retraining):
        return RetrainingRow(own_retraining(retraining), "", "")
    return look_up(RETRAININGS, retraining, "retraining")
