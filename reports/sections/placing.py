"""Which section a finding belongs to: exactly one, so that none is lost or shown twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audit.judgement.findings import Finding
from reports.select import CLEAN

SECTION_OF: Mapping[str, str] = {
    "accuracy": "tradeoff",
    "accuracy_level": "tradeoff",
    "accuracy_off_pies": "exemplars",
    "accuracy_on_pies": "exemplars",
    "agreement": "agreement",
    "brier": "calibration",
    "class_fpr": "classes",
    "class_precision": "classes",
    "corruption_error": "robustness",
    "demographic_parity_difference": "subgroups",
    "ece": "calibration",
    "ece_expected": "calibration",
    "ece_level": "calibration",
    "equalised_odds_difference": "subgroups",
    "excess_error": "robustness",
    "excess_error_slope": "robustness",
    "excess_gap": "subgroups",
    "flip_rate": "agreement",
    "group_accuracy": "subgroups",
    "group_fnr": "subgroups",
    "group_fpr": "subgroups",
    "group_selection_rate": "subgroups",
    "harmed_rate": "agreement",
    "kappa": "agreement",
    "mean_prune_potential": "robustness",
    "mended_rate": "agreement",
    "minimum_prune_potential": "robustness",
    "net_harm_rate": "agreement",
    "nll": "calibration",
    "normalised_recall_shift": "classes",
    "omnibus": "omnibus",
    "overconfidence": "calibration",
    "pie_count": "exemplars",
    "pie_excess": "exemplars",
    "pie_harmed": "exemplars",
    "pie_mended": "exemplars",
    "pie_moved": "exemplars",
    "pie_over_representation": "exemplars",
    "pie_undecided": "exemplars",
    "precision": "classes",
    "prune_potential": "robustness",
    "recall": "classes",
    "recall_level": "classes",
    "relative_corruption_error": "robustness",
    "worst_excess_gap": "subgroups",
}
# Measured under a shift, these are about the shift.
_MOVES_WITH_CONDITION = frozenset({"tradeoff", "classes", "subgroups", "other"})
OTHER = "other"


def section_of(finding: Finding) -> str:
    """The key of the finding's section: where it is about first, then its measure, then whom."""
    own = SECTION_OF.get(finding.measure, OTHER)
    if finding.condition not in {CLEAN, None} and own in _MOVES_WITH_CONDITION:
        return "robustness"
    if own != OTHER:
        return own
    if finding.groups is not None:
        return "subgroups"
    return OTHER if finding.class_ is None else "classes"


def placed(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by section."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(section_of(finding), []).append(finding)
    return found
