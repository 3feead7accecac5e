"""Which examples two runs share: the same id with the same label, by the classes' names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import Evidence
from audit.judgement.groups.divisions import Grouping, groupings
from audit.judgement.plan import Plan

IndexArray = NDArray[np.int64]

# Ids such as 0, 1, 2 name examples of any data set: where so many of the common ones have another
# label, or look otherwise, they name other examples.
MOST_RELABELLED = 0.2
MOST_REDRAWN = 0.5


@dataclass(frozen=True, eq=False)
class Shared:
    """The examples of two runs, side by side.

    Attributes:
        before: int64 [shared], positions on the first run's example axis.
        after: int64 [shared], positions of the same examples on the second's.
        only_before: Examples whose id only the first run has.
        only_after: Examples whose id only the second run has.
        relabelled: Examples of one id with two labels, which are left out.
        redrawn: Shared examples whose thumbnail or text differs; None where not recorded.
        reason: Why nothing is shared although ids agree; None otherwise.
    """

    before: IndexArray
    after: IndexArray
    only_before: int
    only_after: int
    relabelled: int
    redrawn: int | None
    reason: str | None = None

    @property
    def n(self) -> int:
        """Shared examples."""
        return self.before.size

    @property
    def whole(self) -> bool:
        """Whether both runs audited these examples and no others, under these labels."""
        return not (self.only_before or self.only_after or self.relabelled) and self.n > 0


def shared(before: Evidence, after: Evidence) -> Shared:
    """Joins the audited examples of two runs by id and by the name of their label."""
    ids = [_ids(each.examples["example"]) for each in (before, after)]
    place = ids[0].get_indexer(ids[1])  # -1 where the first run lacks it
    there = np.flatnonzero(place >= 0)
    first, second = place[there].astype(np.int64), there.astype(np.int64)
    same = _label_names(before)[first] == _label_names(after)[second]
    relabelled = int((~same).sum())
    first, second = first[same], second[same]
    redrawn = _redrawn(before, after, first, second)
    reason = _other_examples(first.size, relabelled, redrawn)
    if reason:
        first, second = first[:0], second[:0]
    order = np.argsort(first, kind="stable")
    return Shared(
        before=first[order],
        after=second[order],
        only_before=len(ids[0]) - there.size,
        only_after=len(ids[1]) - there.size,
        relabelled=relabelled,
        redrawn=redrawn,
        reason=reason,
    )


def shared_groupings(
    runs: tuple[Evidence, Evidence], plans: tuple[Plan, Plan], both: Shared
) -> tuple[list[tuple[Grouping, IndexArray]], list[str]]:
    """The groups that both sides know, with the code of every shared example, -1 for none.

    An example of one group here and of another there belongs to neither.
    """
    one = groupings(runs[0].examples, plans[0])
    other = {g.label: g for g in groupings(runs[1].examples, plans[1])}
    found, notes = [], []
    for grouping in one:
        if grouping.label not in other:
            continue
        there = other[grouping.label]
        here_names = np.array(grouping.names, dtype=object)[grouping.codes[both.before]]
        there_names = np.array(there.names, dtype=object)[there.codes[both.after]]
        agree = here_names == there_names
        found.append((grouping, np.where(agree, grouping.codes[both.before], -1)))
        if not agree.all() and len(grouping.columns) == 1:
            notes.append(
                f"{int((~agree).sum()):,} of {both.n:,} shared examples are in another group of "
                f"{grouping.label} on the other side, and are left out of its groups."
            )
    return found, notes


def _ids(column: pd.Series) -> pd.Index:
    names: pd.Index = pd.Index(column.astype(str).to_numpy(dtype=object))
    return names


def _label_names(evidence: Evidence) -> NDArray[np.object_]:
    names = np.array([*evidence.classes, None], dtype=object)  # NO_LABEL is -1: the last
    return np.asarray(names[evidence.labels], dtype=object)


def _redrawn(
    before: Evidence, after: Evidence, first: IndexArray, second: IndexArray
) -> int | None:
    """Shared examples that look otherwise, by the first column of theirs that both runs keep."""
    for column in ("thumbnail", "text"):
        if column in before.examples and column in after.examples:
            one = before.examples[column].to_numpy(dtype=object)[first]
            other = after.examples[column].to_numpy(dtype=object)[second]
            return int(((one != other) & ~(pd.isna(one) & pd.isna(other))).sum())
    return None


def _other_examples(same: int, relabelled: int, redrawn: int | None) -> str | None:
    common = same + relabelled
    if relabelled > MOST_RELABELLED * common:
        return (
            f"{relabelled:,} of the {common:,} ids that both have bear another label: "
            "they name other examples"
        )
    if redrawn is not None and redrawn > MOST_REDRAWN * same:
        return (
            f"{redrawn:,} of the {same:,} examples of one id and label look otherwise: "
            "the ids name other examples"
        )
    return None
