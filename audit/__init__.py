"""The study and its judgement; what is named here loads when it is first used.

`audit_table`, `compare_predictions` and findings never need torch; `run` does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.evidence.errors import AuditError
    from audit.judgement.comparing.comparison import compare_runs
    from audit.judgement.findings import Findings
    from audit.judgement.frames.metric_frame import MetricFrame
    from audit.judgement.frames.paired import PairedMetricFrame
    from audit.judgement.from_tables import audit_table, compare_predictions
    from audit.judgement.plan import Binned, Plan
    from audit.judgement.policy.limits import Policy
    from audit.study.config import Config
    from audit.study.config_file import load_config
    from audit.study.run import Result, run

_HOMES = {
    "AuditError": "audit.evidence.errors",
    "Binned": "audit.judgement.plan",
    "Config": "audit.study.config",
    "Findings": "audit.judgement.findings",
    "MetricFrame": "audit.judgement.frames.metric_frame",
    "PairedMetricFrame": "audit.judgement.frames.paired",
    "Plan": "audit.judgement.plan",
    "Policy": "audit.judgement.policy.limits",
    "Result": "audit.study.run",
    "audit_table": "audit.judgement.from_tables",
    "compare_predictions": "audit.judgement.from_tables",
    "compare_runs": "audit.judgement.comparing.comparison",
    "load_config": "audit.study.config_file",
    "run": "audit.study.run",
}

__all__ = [
    "AuditError",
    "Binned",
    "Config",
    "Findings",
    "MetricFrame",
    "PairedMetricFrame",
    "Plan",
    "Policy",
    "Result",
    "audit_table",
    "compare_predictions",
    "compare_runs",
    "load_config",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
