"""From predictions to findings: measures, inference, policy. Never needs torch.

Names load when they are first used, so that a config can name a limit without importing pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.judgement.calibration import expected_ece
    from audit.judgement.chosen import choose_on_validation
    from audit.judgement.comparing.comparison import Comparison, compare_runs
    from audit.judgement.comparing.document import comparison_schema
    from audit.judgement.disparities import demographic_parity_difference, equalised_odds_difference
    from audit.judgement.document import findings_schema
    from audit.judgement.families import Family, benjamini_hochberg, holm, max_t
    from audit.judgement.findings import Finding, Findings
    from audit.judgement.from_tables import audit_table, compare_predictions
    from audit.judgement.gate import check
    from audit.judgement.groups import groupings
    from audit.judgement.guarding import export_guard, guard
    from audit.judgement.inference import (
        Estimate,
        average_by_parent,
        paired_change,
        paired_change_by_cell,
    )
    from audit.judgement.judge import judge
    from audit.judgement.labelling import to_label
    from audit.judgement.limits import LIMITS, Limit, Policy
    from audit.judgement.measures import MEASURES, Measure
    from audit.judgement.metric_frame import MetricFrame
    from audit.judgement.paired_metric_frame import PairedMetricFrame
    from audit.judgement.plan import Binned, Plan
    from audit.judgement.planning import plan_limits
    from audit.judgement.planning_from_run import plan_from_run
    from audit.judgement.rates import count
    from audit.judgement.table_view import TableView
    from audit.judgement.waivers import Waiver

_HOMES = {
    "LIMITS": "limits",
    "MEASURES": "measures",
    "Binned": "plan",
    "Comparison": "comparing.comparison",
    "Estimate": "inference",
    "Family": "families",
    "Finding": "findings",
    "Findings": "findings",
    "Limit": "limits",
    "Measure": "measures",
    "MetricFrame": "metric_frame",
    "PairedMetricFrame": "paired_metric_frame",
    "Plan": "plan",
    "Policy": "limits",
    "TableView": "table_view",
    "Waiver": "waivers",
    "audit_table": "from_tables",
    "average_by_parent": "inference",
    "benjamini_hochberg": "families",
    "check": "gate",
    "choose_on_validation": "chosen",
    "compare_predictions": "from_tables",
    "compare_runs": "comparing.comparison",
    "comparison_schema": "comparing.document",
    "count": "rates",
    "demographic_parity_difference": "disparities",
    "equalised_odds_difference": "disparities",
    "expected_ece": "calibration",
    "export_guard": "guarding",
    "findings_schema": "document",
    "groupings": "groups",
    "guard": "guarding",
    "holm": "families",
    "judge": "judge",
    "max_t": "families",
    "paired_change": "inference",
    "paired_change_by_cell": "inference",
    "plan_from_run": "planning_from_run",
    "plan_limits": "planning",
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
