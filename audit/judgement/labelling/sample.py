"""Draws the examples to label: probability in proportion to what a label tells, and known.

The estimate from them is a weighted one (Horvitz & Thompson 1952, in Hájek's ratio form), and the
column `weight` carries it through every measure that there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, Evidence
from audit.evidence.errors import InputError
from audit.judgement.decisions import decided
from audit.judgement.findings import Finding, Findings
from audit.judgement.groups.divisions import cross, groupings
from audit.judgement.labelling.worth import Aim, aims, unsettled
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.shifts.kinds import out_of_distribution

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

COLUMNS = ("example", "limits", "stratum", "inclusion_probability", "weight")
SHOWN_TO_LABELLERS = ("path", "text")  # what they need to see; predictions would lead them
FLOOR = 0.05  # of the mean worth: nobody is beyond reach, so that no estimate is biased
MOST_NAMED = 5
ESTIMATOR = (
    "Label every row, put the labels and the column `weight` into your table, leave out the rows "
    "of examples that have no label, and audit again: the weights, one over the probability of "
    "being drawn, make every rate an estimate about all examples. Rows stand in random order, so "
    "that where no labels were there before, those from the top down to any row will do."
)
_LEVELS = ((0.0, "agree"), (0.5, "some differ"), (np.inf, "most differ"))


@dataclass(frozen=True, eq=False)
class _Worth:
    """What all limits together learn from each example."""

    size: FloatArray
    disagreement: FloatArray
    columns: frozenset[str]


def to_label(
    evidence: Evidence, findings: Findings, plan: Plan, n: int = 300, seed: int = 0
) -> pd.DataFrame:
    """The examples most worth labelling to settle every limit that cannot be told.

    Examples without a label are drawn with probability in proportion to what their label would tell
    (`worth`), by systematic sampling through the strata of disagreement × groups of the limits, so
    that the number drawn is fixed and every stratum has its share. Examples that have a label stay
    as they are: they stand for themselves, with a weight of their own.

    Args:
        evidence: Predictions, with labels for some examples or for none.
        findings: What the judge found, with a policy.
        plan: The plan that it was found under.
        n: How many to label.
        seed: Seed of the draw.

    Returns:
        Columns `COLUMNS`, then `path` and `text` where the examples have them, one row per drawn
        example in random order: the limits that its label serves, its stratum, its probability of
        being drawn, and its weight (that of the example, over the probability). No rows where every
        limit is told, or labels cannot help.

    Raises:
        InputError: `n` is below 1, the run states no limits, or no example lacks a label.
    """
    _check(evidence, findings, n)
    wanted = unsettled(findings)
    acted = decided(evidence, plan).evidence
    worth = _worth(acted, wanted, plan)
    known = design(evidence, plan)
    open_ = (known.labels == NO_LABEL) & known.counted & ~out_of_distribution(evidence)
    if not wanted or not open_.any() or not worth.size[open_].any():
        return pd.DataFrame(columns=list(COLUMNS))
    weights = np.ones(open_.size) if known.weights is None else known.weights
    ids = evidence.examples["example"].to_numpy()
    rows = np.flatnonzero(open_)
    rows = rows[np.argsort(ids[rows].astype(str), kind="stable")]  # table order plays no part
    size = weights[rows] * worth.size[rows]
    probability = inclusion_probabilities(size + FLOOR * size.mean(), n)
    strata, names = _strata(evidence, worth, plan)
    generator = np.random.default_rng(seed)
    drawn = systematic(probability, strata[rows], generator)
    drawn = generator.permutation(drawn)
    chosen = rows[drawn]
    table = pd.DataFrame(
        {
            "example": ids[chosen],
            "limits": _served(acted, wanted, plan, chosen),
            "stratum": [names[code] for code in strata[chosen]],
            "inclusion_probability": probability[drawn],
            "weight": weights[chosen] / probability[drawn],
        }
    )
    for column in SHOWN_TO_LABELLERS:
        if column in evidence.examples:
            table[column] = evidence.examples[column].to_numpy()[chosen]
    return table


def inclusion_probabilities(size: FloatArray, n: int) -> FloatArray:
    """Probabilities in proportion to a size, together n; what would be above 1 is taken for sure.

    Args:
        size: float64 [examples], positive.
        n: How many to draw; all where there are no more.
    """
    out = np.ones(size.size)
    sure = np.zeros(size.size, dtype=np.bool_)
    if n >= size.size:
        return out
    while True:
        left = n - int(sure.sum())
        out[~sure] = size[~sure] * (left / size[~sure].sum())
        more = ~sure & (out >= 1.0)
        if not more.any():
            return out
        out[more] = 1.0
        sure |= more


def systematic(
    probability: FloatArray, stratum: CodeArray, generator: np.random.Generator
) -> CodeArray:
    """A sample of fixed size with these inclusion probabilities, spread over strata (Madow 1949).

    Args:
        probability: float64 [examples], together a whole number.
        stratum: int64 [examples], in whose order the sampling passes, at random inside each.
        generator: Where the draw comes from.

    Returns:
        int64, places of the drawn examples, ascending.
    """
    order = np.lexsort((generator.permutation(probability.size), stratum))
    reached = np.cumsum(probability[order])
    total = round(float(reached[-1]))
    marks = generator.random() + np.arange(total)
    place = np.searchsorted(reached, np.minimum(marks, reached[-1] * (1.0 - 1e-12)), side="right")
    return np.sort(order[np.unique(place)]).astype(np.int64)


def _check(evidence: Evidence, findings: Findings, n: int) -> None:
    if n < 1:
        raise InputError(f"n is {n}: ask for 1 example or more.")
    if not findings.policy.get("limits"):
        raise InputError(
            "This run states no limits, so there is none to settle: add a `policy:` and judge it "
            "again."
        )
    if not (evidence.labels == NO_LABEL).any():
        raise InputError(
            "Every example has a label already: new examples would settle what cannot be told."
        )


def _worth(evidence: Evidence, wanted: Sequence[Finding], plan: Plan) -> _Worth:
    """The root of the summed squares over limits: what makes their variances small together."""
    squares = np.zeros(len(evidence.examples))
    differ = np.zeros(len(evidence.examples))
    columns: set[str] = set()
    for aim in aims(evidence, wanted, plan):
        squares += aim.spread**2
        differ = np.maximum(differ, np.where(aim.member > 0.0, aim.disagreement, 0.0))
        columns.add(aim.finding.groups or "")
    return _Worth(np.sqrt(squares), differ, frozenset(columns))


def _strata(evidence: Evidence, worth: _Worth, plan: Plan) -> tuple[CodeArray, list[str]]:
    """Disagreement × groups of the columns that unsettled limits are about."""
    edges = np.array([edge for edge, _ in _LEVELS[:-1]])
    level = np.searchsorted(edges, worth.disagreement, side="left").astype(np.int64)
    levels = [name for _, name in _LEVELS]
    singles = [d for d in groupings(evidence.examples, plan) if len(d.columns) == 1]
    about = [d for d in singles if worth.columns & set(d.names)]
    if not about:
        return level, levels
    groups = about[0] if len(about) == 1 else cross(about)
    names = [f"{name}, {group}" for name in levels for group in groups.names]
    return level * len(groups.names) + groups.codes, names


def _served(
    evidence: Evidence, wanted: Sequence[Finding], plan: Plan, chosen: CodeArray
) -> list[str]:
    """Per drawn example, the limits in whose denominator it more likely is than not."""
    served: list[dict[str, None]] = [{} for _ in chosen]
    for aim in aims(evidence, wanted, plan):
        name = _limit_name(aim)
        for place in np.flatnonzero(aim.member[chosen] >= 0.5):
            served[place][name] = None
    return [_listed(list(names)) for names in served]


def _limit_name(aim: Aim) -> str:
    f = aim.finding
    of = [f.groups, f"class {f.class_}" if f.class_ else None]
    return " ".join([f.limit_name or "", *(f"({part})" for part in of if part)])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = "; ".join(names[:MOST_NAMED])
    return f"{shown}; and {more} more" if more > 0 else shown
