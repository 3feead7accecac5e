"""Of whom a limit must hold: of these very files, or of whatever is pruned this way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from audit.judgement.findings import Estimand, Finding

NOT_ABOUT_FILES = (
    "this measure has no interval about these very files: hold the way of pruning to the limit "
    "(`claim: recipe`)"
)
WHOM: Mapping[str, str] = {
    "examples": "for these files and new inputs",
    "seeds": "for models pruned this way, on these inputs",
    "both": "for models pruned this way, and new inputs",
}
# What a rate counts: a limit on it is decided by more of these, and of no others.
DENOMINATORS: Mapping[str, str] = {
    "group_fnr": "positives",
    "group_auroc": "positives and negatives",
    "group_fpr": "negatives",
    "group_tpr": "positives",
    "recall": "examples of the class",
    "recall_level": "examples of the class",
}


@dataclass(frozen=True)
class Interval:
    """A two-sided interval, in the measure's own unit and direction.

    Attributes:
        low: Lower end.
        high: Upper end.
        standard_error: None where it was not made from one, as a sparsity's.
        df: Degrees of freedom; None for a normal.
        generalises_to: Who it is about.
    """

    low: float
    high: float
    standard_error: float | None
    df: float | None
    generalises_to: Estimand | None


def interval_of(finding: Finding, claim: Literal["recipe", "files"]) -> Interval | None:
    """The interval that a claim is held to; None where these data give none.

    One parent tells nothing of others, so a claim about the way of pruning is then one about these
    files, and the sentence of the verdict says so.
    """
    if claim == "recipe" or finding.generalises_to == "examples":
        return _interval(
            finding,
            finding.low,
            finding.high,
            finding.standard_error,
            finding.df,
            finding.generalises_to,
        )
    return _interval(
        finding,
        finding.examples_low,
        finding.examples_high,
        finding.examples_standard_error,
        finding.examples_df,
        "examples",
    )


def _interval(
    finding: Finding,
    low: float | None,
    high: float | None,
    error: float | None,
    df: float | None,
    whom: Estimand | None,
) -> Interval | None:
    # Only a sparsity is bounded without a standard error: by a fixed sequence of tests.
    loose = error is None and finding.unit != "sparsity"
    return None if loose or low is None or high is None else Interval(low, high, error, df, whom)


def denominator(finding: Finding) -> str:
    """What its rate is a share of, in a word; without a class, rates are means over classes."""
    if finding.class_ is None:
        return "examples"
    return DENOMINATORS.get(finding.measure, "examples")
