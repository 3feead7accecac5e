"""False claims of whole audits: family-wise error of each tier, false *within*, false largest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from audit.judgement.findings import Finding, Findings
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from benchmarks.validity.studies import Design, FloatArray, study

ALPHA = 0.05
PLAN = Plan(resamples=500, alpha=ALPHA)
LIMIT = 0.02
USUAL = Design()
# True harm of the three sparsities of `largest`: the first is inside the limit, the second at it.
LADDER = (0.0, LIMIT, 2 * LIMIT)


@dataclass(frozen=True)
class Rate:
    """How often a claim was made that is not true (or, for power, that is).

    Attributes:
        name: What is counted.
        studies: How many were judged.
        claimed: In how many it was claimed.
        bound: What the rate may be at most (or, for power, at least).
    """

    name: str
    studies: int
    claimed: int
    bound: float

    @property
    def rate(self) -> float:
        """Share of studies."""
        return self.claimed / self.studies

    @property
    def error(self) -> float:
        """Standard error of a rate that equals its bound."""
        return float(np.sqrt(self.bound * (1.0 - self.bound) / self.studies))


def null_claims(studies: int, seed: int = 0, design: Design = USUAL) -> list[Rate]:
    """Claims in studies in which nothing changes, per tier; every limit is 0, so that it is true.

    Tier A counts studies in which any limit is called *over*.
    """
    policy = Policy.model_validate(dict.fromkeys(NO_HARM_ALLOWED, 0.0))
    counts = dict.fromkeys(_CLAIMS, 0)
    for number in range(studies):
        found = judge(study(design, np.random.default_rng([seed, number])), PLAN, policy)
        for name, claims in _CLAIMS.items():
            counts[name] += claims(found)
    return [Rate(name, studies, count, ALPHA) for name, count in counts.items()]


NO_HARM_ALLOWED = (
    "max_accuracy_drop",
    "max_class_recall_drop",
    "max_group_accuracy_drop",
    "max_group_fpr_increase",
    "max_excess_gap",
    "max_pie_excess",
)


def false_within(studies: int, seed: int = 1, design: Design = USUAL) -> list[Rate]:
    """*Within* claimed of a limit that everybody exactly reaches, alone and in any group."""
    at_limit = _lost(design, LIMIT)
    limits = {"max_accuracy_drop": LIMIT, "max_group_accuracy_drop": LIMIT}
    counts = dict.fromkeys(limits, 0)
    for number in range(studies):
        rng = np.random.default_rng([seed, number])
        found = judge(
            study(design, rng, [at_limit] * len(design.sparsities)),
            PLAN,
            Policy.model_validate(limits),
        )
        for name in limits:
            own = [f for f in found.findings if f.limit_name == name]
            first = [f for f in own if f.sparsity == design.sparsities[0]]
            counts[name] += all(f.outcome == "within" for f in first)
    return [
        Rate(f"false *within*: {name.replace('_', ' ')}", studies, count, ALPHA)
        for name, count in counts.items()
    ]


def false_largest(studies: int, seed: int = 2) -> list[Rate]:
    """A *largest sparsity within every limit* that is not: the second of three is at the limit."""
    design = Design(sparsities=(0.5, 0.8, 0.9))
    harms = [_lost(design, drop) for drop in LADDER]
    policy = Policy.model_validate({"max_accuracy_drop": LIMIT})
    wrong = 0
    for number in range(studies):
        rng = np.random.default_rng([seed, number])
        found = judge(study(design, rng, harms), PLAN, policy)
        largest = found.policy["largest_within"][0]["sparsity"]
        wrong += largest is not None and largest > design.sparsities[0]
    return [Rate("false *largest sparsity*", studies, wrong, ALPHA)]


def _lost(design: Design, drop: float) -> FloatArray:
    """Chance to lose a right answer that lowers expected accuracy by `drop`."""
    return np.full(design.examples, drop / MEAN_ACCURACY)


# Of `studies.study`: the mean of Beta(4, 0.6) + noise, cut at 1; a test compares it.
MEAN_ACCURACY = 0.868


def _over(found: Findings) -> bool:
    return any(f.outcome == "over" for f in found.findings)


def _claimed(found: Findings, of: Callable[[Finding], bool]) -> bool:
    return any(of(f) and f.p_adjusted is not None and f.p_adjusted <= ALPHA for f in found.findings)


_CLAIMS: Mapping[str, Callable[[Findings], bool]] = {
    "A: a limit that holds is called *over*": _over,
    "B: an omnibus question answered yes": lambda found: _claimed(
        found, lambda f: f.measure == "omnibus"
    ),
    "C: a single question claimed": lambda found: _claimed(found, lambda f: f.tier == "C"),
}
