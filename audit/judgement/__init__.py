"""From predictions to findings: measures, inference, policy. Never needs torch.

Names load when they are first used, so that a config can name a limit without importing pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.judgement.comparing.comparison import Comparison, compare_runs
    from audit.judgement.comparing.document import comparison_schema
    from audit.judgement.document import findings_schema
    from audit.judgement.findings import Finding, Findings
    from audit.judgement.frames.metric_frame import MetricFrame
    from audit.judgement.frames.paired import PairedMetricFrame
    from audit.judgement.from_tables import audit_table, compare_predictions
    from audit.judgement.groups.disparities import (
        demographic_parity_difference,
        equalised_odds_difference,
    )
    from audit.judgement.groups.divisions import groupings
    from audit.judgement.groups.rates import count
    from audit.judgement.guarding import export_guard, guard
    from audit.judgement.inference.families import Family, benjamini_hochberg, holm, max_t
    from audit.judgement.inference.paired import (
        Estimate,
        average_by_parent,
        paired_change,
        paired_change_by_cell,
    )
    from audit.judgement.judging import judge
    from audit.judgement.labelling import to_label
    from audit.judgement.measures import MEASURES, Measure
    from audit.judgement.plan import Binned, Plan
    from audit.judgement.policy.chosen import choose_on_validation
    from audit.judgement.policy.gate import check
    from audit.judgement.policy.limits import LIMITS, Limit, Policy
    from audit.judgement.policy.planning import plan_limits
    from audit.judgement.policy.planning_from_run import plan_from_run
    from audit.judgement.policy.waivers import Waiver
    from audit.judgement.shifts.calibration import expected_ece
    from audit.judgement.table_view import TableView

_HOMES = {
    "LIMITS": "policy.limits",
    "MEASURES": "measures",
    "Binned": "plan",
    "Comparison": "comparing.comparison",
    "Estimate": "inference.paired",
    "Family": "inference.families",
    "Finding": "findings",
    "Findings": "findings",
    "Limit": "policy.limits",
    "Measure": "measures",
    "MetricFrame": "frames.metric_frame",
    "PairedMetricFrame": "frames.paired",
    "Plan": "plan",
    "Policy": "policy.limits",
    "TableView": "table_view",
    "Waiver": "policy.waivers",
    "audit_table": "from_tables",
    "average_by_parent": "inference.paired",
    "benjamini_hochberg": "inference.families",
    "check": "policy.gate",
    "choose_on_validation": "policy.chosen",
    "compare_predictions": "from_tables",
    "compare_runs": "comparing.comparison",
    "comparison_schema": "comparing.document",
    "count": "groups.rates",
    "demographic_parity_difference": "groups.disparities",
    "equalised_odds_difference": "groups.disparities",
    "expected_ece": "shifts.calibration",
    "export_guard": "guarding",
    "findings_schema": "document",
    "groupings": "groups.divisions",
    "guard": "guarding",
    "holm": "inference.families",
    "judge": "judging",
    "max_t": "inference.families",
    "paired_change": "inference.paired",
    "paired_change_by_cell": "inference.paired",
    "plan_from_run": "policy.planning_from_run",
    "plan_limits": "policy.planning",
    "to_label": "labelling",
}

__all__ = [
    "LIMITS",
    "MEASURES",
    "Binned",
    "Comparison",
    "Estimate",
    "Family",
    "Finding",
    "Findings",
    "Limit",
    "Measure",
    "MetricFrame",
    "PairedMetricFrame",
    "Plan",
    "Policy",
    "TableView",
    "Waiver",
    "audit_table",
    "average_by_parent",
    "benjamini_hochberg",
    "check",
    "choose_on_validation",
    "compare_predictions",
    "compare_runs",
    "comparison_schema",
    "count",
    "demographic_parity_difference",
    "equalised_odds_difference",
    "expected_ece",
    "export_guard",
    "findings_schema",
    "groupings",
    "guard",
    "holm",
    "judge",
    "max_t",
    "paired_change",
    "paired_change_by_cell",
    "plan_from_run",
    "plan_limits",
    "to_label",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit.judgement' has no attribute {name!r}")
    return getattr(import_module(f"audit.judgement.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
