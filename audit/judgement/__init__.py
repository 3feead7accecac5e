"""From predictions to findings: measures, inference, policy. Never needs torch.

Names load when they are first used, so that a config can name a limit without importing pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.judgement.calibration import expected_ece
    from audit.judgement.disparities import demographic_parity_difference, equalised_odds_difference
    from audit.judgement.document import findings_schema
    from audit.judgement.families import Family, benjamini_hochberg, holm, max_t
    from audit.judgement.findings import Finding, Findings
    from audit.judgement.from_tables import audit_table, compare_predictions
    from audit.judgement.gate import check
    from audit.judgement.groups import groupings
    from audit.judgement.inference import (
        Estimate,
        average_by_parent,
        paired_change,
        paired_change_by_cell,
    )
    from audit.judgement.judge import judge
    from audit.judgement.limits import LIMITS, Limit, Policy
    from audit.judgement.measures import MEASURES, Measure
    from audit.judgement.plan import Binned, Plan
    from audit.judgement.rates import count

_HOMES = {
    "LIMITS": "limits",
    "MEASURES": "measures",
    "Binned": "plan",
    "Estimate": "inference",
    "Family": "families",
    "Finding": "findings",
    "Findings": "findings",
    "Limit": "limits",
    "Measure": "measures",
    "Plan": "plan",
    "Policy": "limits",
    "audit_table": "from_tables",
    "average_by_parent": "inference",
    "benjamini_hochberg": "families",
    "check": "gate",
    "compare_predictions": "from_tables",
    "count": "rates",
    "demographic_parity_difference": "disparities",
    "equalised_odds_difference": "disparities",
    "expected_ece": "calibration",
    "findings_schema": "document",
    "groupings": "groups",
    "holm": "families",
    "judge": "judge",
    "max_t": "families",
    "paired_change": "inference",
    "paired_change_by_cell": "inference",
}

__all__ = [
    "LIMITS",
    "MEASURES",
    "Binned",
    "Estimate",
    "Family",
    "Finding",
    "Findings",
    "Limit",
    "Measure",
    "Plan",
    "Policy",
    "audit_table",
    "average_by_parent",
    "benjamini_hochberg",
    "check",
    "compare_predictions",
    "count",
    "demographic_parity_difference",
    "equalised_odds_difference",
    "expected_ece",
    "findings_schema",
    "groupings",
    "holm",
    "judge",
    "max_t",
    "paired_change",
    "paired_change_by_cell",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit.judgement' has no attribute {name!r}")
    return getattr(import_module(f"audit.judgement.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
