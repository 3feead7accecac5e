"""Compares finished audits: what moved, with intervals, and which may be ranked. Never torch."""

from audit.judgement.comparing.comparison import COMPARISON_FILE, Comparison, compare_runs
from audit.judgement.comparing.document import comparison_schema

__all__ = ["COMPARISON_FILE", "Comparison", "compare_runs", "comparison_schema"]
