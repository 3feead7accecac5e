"""A measure of your own: how often a pruned model is sure of itself and wrong.

Name it in a config, next to this file, and hold it to a limit if you like:

    audit:
      measures: [own_measure:sure_and_wrong]
    policy:
      own:
        sure_and_wrong: {limit: 0.01, groups: any}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from audit.judgement import Finding, Plan, TableView

SURE = 0.9


def sure_and_wrong(view: TableView, plan: Plan) -> list[Finding]:
    """Share of examples that a model gets wrong with a confidence of 0.9 or more."""
    if view.confidence is None:
        return []
    unknown = (view.labels < 0) | (view.predicted < 0)
    bad = (view.predicted != view.labels) & (view.confidence >= SURE)
    values = np.where(unknown, np.nan, bad)
    found = []
    for arm in view.arms:
        found += view.answer(values, arm)
        for group in view.groups:
            found += view.answer(values, arm, groups=group)
    return found


sure_and_wrong.unit = "fraction"  # type: ignore[attr-defined]
sure_and_wrong.worse_direction = "up"  # type: ignore[attr-defined]
