"""What groups are compared within: the levels of the plan's control features (as in Fairlearn)."""

from __future__ import annotations

import pandas as pd

from audit.judgement.groups.divisions import Grouping, cross, single
from audit.judgement.plan import Plan


def control_levels(examples: pd.DataFrame, plan: Plan) -> Grouping | None:
    """The levels of all control features crossed with each other; None where there are none.

    Args:
        examples: The example table.
        plan: `control_features`.

    Raises:
        InputError: A control column is not there, or a column to be binned is not numeric.
    """
    if not plan.control_features:
        return None
    parts = [single(examples, wanted) for wanted in plan.control_features]
    return parts[0] if len(parts) == 1 else cross(parts)
