"""Which choices of a method go together; what does not is refused with the reason."""

from __future__ import annotations

import inspect
import math
from itertools import pairwise
from typing import TYPE_CHECKING

from pruners.catalogue import (
    allocation_row,
    granularity_row,
    retraining_row,
    saliency_row,
    schedule_row,
)

if TYPE_CHECKING:
    from pruners.catalogue.rows import GranularityRow, SaliencyRow
    from pruners.methods import Method

END = 2 / 3  # share of the steps after which pruning is over: a third is left to mend
EXAMPLES = 256


def check_method(method: Method) -> None:
    """Refuses a method that makes no sense.

    Raises:
        ValueError: An unknown name, a value out of range, or choices that do not go together.
    """
    _check_values(method)
    _check_targets(method)
    _check_arguments(method)
    _check_schedule(method)
    _check_timing(method)
    _check_reentry(method)
    _check_rewind(method)


def name_of(choice: object) -> str:
    """What a choice on an axis is called: its name, the function's, or `own` for a mapping."""
    if isinstance(choice, str):
        return choice
    return "own" if isinstance(choice, tuple) else getattr(choice, "__name__", repr(choice))


def _check_values(method: Method) -> None:
    if method.count not in ("targeted", "all"):
        raise ValueError(
            f"count says what the sparsity is a fraction of, 'targeted' weights or 'all' "
            f"parameters, got {method.count!r}."
        )
    named = method.name
    if named is not None and not (isinstance(named, str) and named.isprintable() and named.strip()):
        raise ValueError(f"name is what tables call the method, a line of text, got {named!r}.")
    if named is not None and "/" in named:
        raise ValueError(
            f"The name {named!r} has a '/', which parts members from their parent: use another."
        )
    for name in ("biases", "reenter", "recalibrate"):
        if not isinstance(getattr(method, name), bool):
            raise ValueError(f"{name} must be true or false, got {getattr(method, name)!r}.")
    for name in ("examples", "keep"):
        value = getattr(method, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be an integer of 1 or more, got {value!r}.")


def _check_targets(method: Method) -> None:
    """What is scored, grouped and allocated."""
    saliency = saliency_row(method.saliency)
    granularity = granularity_row(method.granularity)
    if allocation_row(method.allocated).shares and granularity.only is not None:
        raise ValueError(
            f"Granularity {name_of(method.granularity)!r} takes the same share of every layer, and "
            f"allocation {name_of(method.allocation)!r} wants different ones: use 'uniform'."
        )
    why = refuse(granularity, saliency, name_of(method.granularity), name_of(method.saliency))
    if why is not None:
        raise ValueError(why)
    if granularity.single and method.allocation != "global":
        raise ValueError(
            f"Granularity {name_of(method.granularity)!r} takes whole layers or none, and "
            f"allocation {name_of(method.allocation)!r} shares of them: use 'global'."
        )
    if method.examples != EXAMPLES and not method.needs_data:
        raise ValueError(
            f"Saliency {method.saliency!r} looks at no examples, so examples={method.examples!r} "
            f"would do nothing: leave it out."
        )
    if method.biases and method.granularity != "weight":
        raise ValueError(
            f"biases=True removes biases one by one, and granularity "
            f"{name_of(method.granularity)!r} removes whole groups, biases with them: use "
            f"granularity 'weight'."
        )


def refuse(
    granularity: GranularityRow, saliency: SaliencyRow, goes: str, scored_by: str
) -> str | None:
    """Why these two make no sense together; None where they do.

    Args:
        granularity: What goes together.
        saliency: What has a score.
        goes: The name of the granularity, for the message.
        scored_by: The name of the saliency.
    """
    if saliency.grain in granularity.grains:
        return None
    of_whole = {
        "unit": "whole units: use granularity 'filter', 'channel' or 'row'",
        "input": "whole inputs: use granularity 'column' or 'input_feature'",
        "group": "whole groups of a model, and this takes a fixed part of each few weights",
        "weight": "single weights",
    }
    return (
        f"Granularity {goes!r} and saliency {scored_by!r} make no sense together: the saliency "
        f"scores {of_whole[saliency.grain]}."
    )


def _check_arguments(method: Method) -> None:
    """Tries the schedule at its end, where it must be at the sparsity asked for."""
    schedule, given = schedule_row(method.schedule).function, dict(method.arguments)
    takes = list(inspect.signature(schedule).parameters)[2:]
    unknown = sorted(set(given) - set(takes))
    if unknown:
        raise ValueError(
            f"Schedule {name_of(method.schedule)!r} takes {', '.join(takes) or 'no arguments'}, "
            f"not {', '.join(unknown)}."
        )
    reached = schedule(1.0, 0.999, **given)
    if not math.isclose(reached, 0.999, abs_tol=1e-9):
        raise ValueError(
            f"Schedule {name_of(method.schedule)!r} must end at the sparsity asked for, it ends at "
            f"{reached} instead of 0.999."
        )


def _check_schedule(method: Method) -> None:
    """Whether there are the steps that the schedule goes along."""
    schedule, retraining = schedule_row(method.schedule), retraining_row(method.retraining)
    if schedule.ramp and not (retraining.trains and retraining.along):
        why = "has none" if not retraining.trains else "begins when pruning is over"
        raise ValueError(
            f"Schedule {name_of(method.schedule)!r} needs training steps to go along, and "
            f"retraining {name_of(method.retraining)!r} {why}: use schedule 'one_shot' or "
            f"'iterative'."
        )
    if schedule.initial and not retraining.initial:
        raise ValueError(
            f"Schedule {name_of(method.schedule)!r} prunes weights before training, and retraining "
            f"{name_of(method.retraining)!r} begins with trained ones: use 'while_training'."
        )


def _check_timing(method: Method) -> None:
    numbers = all(isinstance(value, int | float) for value in (method.begin, method.end))
    if not numbers or not 0.0 <= method.begin < method.end <= 1.0:
        raise ValueError(
            f"begin and end are shares of the retraining steps with 0 ≤ begin < end ≤ 1, got "
            f"{method.begin!r} and {method.end!r}."
        )
    frequency = method.frequency
    if frequency is not None and (
        isinstance(frequency, bool) or not isinstance(frequency, int) or frequency < 1
    ):
        raise ValueError(f"frequency must be an integer of 1 or more, got {frequency!r}.")
    row = schedule_row(method.schedule)
    if row.once and (frequency is not None or method.end != END):
        raise ValueError(
            f"Schedule {method.schedule!r} prunes once, at begin: leave out end and frequency."
        )
    if method.begin != 0.0 and (row.initial or not method.along):
        raise ValueError(
            f"Schedule {name_of(method.schedule)!r} with retraining "
            f"{name_of(method.retraining)!r} prunes before the first step: leave out begin."
        )
    if not method.along and (frequency is not None or method.end != END):
        raise ValueError(
            f"Retraining {name_of(method.retraining)!r} takes no steps while weights are removed: "
            f"leave out end and frequency."
        )


def _check_reentry(method: Method) -> None:
    """Weights may come back where the masks are made several times, and nowhere else."""
    schedule, given = schedule_row(method.schedule), dict(method.arguments)
    path = [schedule.function(step / 100, 0.999, **given) for step in range(101)]
    if not method.reenter and any(later < earlier - 1e-9 for earlier, later in pairwise(path)):
        raise ValueError(
            f"Schedule {name_of(method.schedule)!r} lowers the sparsity again, so that removed "
            f"weights must come back: add reenter=True."
        )
    if method.reenter and (schedule.once or not method.along):
        raise ValueError(
            f"reenter=True lets weights come back at a later update of the masks, and schedule "
            f"{name_of(method.schedule)!r} with retraining {name_of(method.retraining)!r} has "
            f"none while weights are trained: leave it out."
        )
    if method.reenter and saliency_row(method.saliency).update is not None:
        raise ValueError(
            f"Saliency {name_of(method.saliency)!r} changes the weights that stay to make up for "
            f"those that go, so these must not come back: leave out reenter."
        )


def _check_rewind(method: Method) -> None:
    rewind = method.rewind
    number = isinstance(rewind, int | float) and not isinstance(rewind, bool)
    if not number or not 0.0 <= rewind < 1.0:
        raise ValueError(
            f"rewind is the share of the parent's training steps to go back to, in [0, 1), got "
            f"{rewind!r}."
        )
    if rewind != 0.0 and not retraining_row(method.retraining).rewinds:
        raise ValueError(
            f"Retraining {name_of(method.retraining)!r} rewinds nothing, so rewind={rewind} would "
            f"do nothing: leave it out, or use 'weight_rewinding' or 'lr_rewinding'."
        )
