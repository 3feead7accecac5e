"""Measures of the column `value`: how good an answer is, where no class says it."""

from __future__ import annotations

from collections.abc import Mapping

from audit.judgement.measures.measure import OURS, Measure

# Which way is worse is the plan's to say (`value: {better: down}`), and findings carry it; down is
# what holds where it says nothing.
OF_VALUES: Mapping[str, Measure] = {
    "value": Measure(
        "value",
        "mean of the column `value`: Dice, an error, a log-likelihood",
        "value",
        "down",
        OURS,
        ("parent", "value"),
    ),
    "group_value": Measure(
        "group_value",
        "mean of the column `value` in a group",
        "value",
        "down",
        OURS,
        ("parent", "groups", "value"),
    ),
}
