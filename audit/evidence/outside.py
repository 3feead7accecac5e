"""Checks examples that are out of distribution: no label, and a data set of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from audit.evidence.blocks import Condition
from audit.evidence.check import Mask, Origin
from audit.evidence.columns import Codes, cells
from audit.evidence.conditions import say
from audit.evidence.per_key import Keyed
from audit.evidence.schema import OUT_OF_DISTRIBUTION


def outside(examples: pd.DataFrame) -> Mask:
    """Tells which examples are out of distribution, bool [examples]."""
    return examples["split"].eq(OUT_OF_DISTRIBUTION).to_numpy(np.bool_)


def refuse_labels(examples: pd.DataFrame, rows: Sequence[int], origin: Origin) -> None:
    """Refuses an example that is out of distribution and has a label.

    Args:
        examples: One row per example, `split` and `label` (codes).
        rows: For each the row of `origin` that stands for it.
        origin: Where the rows came from.

    Raises:
        TableError: There is one.
    """
    label = examples["label"].to_numpy()
    bad = outside(examples) & (label >= 0)
    if bad.any():
        place = int(bad.argmax())
        problem = (
            f"for example {examples['example'].tolist()[place]!r} of the split "
            f"{OUT_OF_DISTRIBUTION!r}, which belongs to no class: leave it empty"
        )
        origin.refuse(int(rows[place]), "label", label[place], problem)


def check_outside(
    examples: pd.DataFrame,
    example: Keyed,
    conditions: Sequence[Condition],
    condition: Codes,
) -> None:
    """Checks the rows of a flat table about examples that are out of distribution.

    Args:
        examples: One row per example.
        example: The rows' examples.
        conditions: The conditions, in order.
        condition: int32 [rows], each row's condition.

    Raises:
        TableError: One has a label, or is shown clean or under a corruption, which would count it
            as one of the inputs that the models were made for.
    """
    out = outside(examples)
    if not out.any():
        return
    refuse_labels(examples, example.first_rows().tolist(), example.origin)
    natural = np.array([each.severity is None for each in conditions])
    bad = out[example.keys.codes] & ~natural[condition]
    if bad.any():
        row = int(bad.argmax())
        example.origin.refuse(
            row, "example", cells(example.keys)[row], shown_as(conditions[int(condition[row])])
        )


def shown_as(condition: Condition) -> str:
    """Ends the sentence about an example shown under a condition that is no data set's name."""
    return (
        f"which is of the split {OUT_OF_DISTRIBUTION!r} and shown as {say(condition)}: give its "
        "data set's name as condition, and no severity"
    )
