"""Planted harm is found where the stated sizes give the power, and its absence is not flagged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from audit.evidence.blocks import Evidence
from audit.judgement.findings import Finding, Findings
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from benchmarks.validity.studies import CHURN, Design, FloatArray, study
from benchmarks.validity.verdicts import ALPHA

FALSE_POSITIVES = 0.05  # points that one group's FPR rises by
HARMED_CLASSES, CLASS_DROP = 20, 0.04
EXEMPLARS = 0.01  # share of examples that every pruned model gets wrong


@dataclass(frozen=True)
class Planted:
    """One kind of harm, in studies large enough to find it.

    Attributes:
        name: What was planted.
        sizes: N parents, n in the denominator, and the standard error that they give, in words.
        power: Power that those sizes promise, by the normal approximation.
        found: Share of harmed cells found, over all studies.
        flagged: Share of the other cells flagged, in studies with the harm and without any.
        studies: Studies of each kind.
    """

    name: str
    sizes: str
    power: float
    found: float
    flagged: float
    studies: int


def planted(studies: int, classes: int = 1000, seed: int = 3) -> list[Planted]:
    """All three kinds.

    Args:
        studies: Studies with and without harm, for groups and exemplars; classes take a tenth.
        classes: Classes of the second kind.
        seed: Of the draws.
    """
    few = max(1, studies // 10)
    return [_group_fpr(studies, seed), _classes(few, classes, seed), _exemplars(studies, seed)]


def _group_fpr(studies: int, seed: int) -> Planted:
    """Two classes, four groups; in one, true negatives are taken for the positive class more."""
    design = Design(parents=10, examples=1_600, classes=2, groups=4, sparsities=(0.8,))
    place = np.arange(design.examples)
    harmed = (place % 2 == 0) & (place // 2 % design.groups == 1)
    lost = np.where(harmed, FALSE_POSITIVES / 0.868, 0.0)
    plan = Plan(positive="c1", resamples=200)

    def is_it(f: Finding) -> bool:
        return f.measure == "group_fpr" and f.groups == "site=s1"

    n = design.examples // 8
    error = math.sqrt(_spread(design.parents) / n)
    found, flagged = _count(
        studies, design, lost, plan, seed, lambda f: f.measure == "group_fpr", is_it
    )
    return Planted(
        f"FPR of one group of four +{100 * FALSE_POSITIVES:g} points",
        f"N = {design.parents}, n = {n:,} negatives, SE ≈ {100 * error:.2f} points",
        _power(FALSE_POSITIVES, error, design.parents, 12),
        found,
        flagged,
        studies,
    )


def _classes(studies: int, classes: int, seed: int) -> Planted:
    """A few classes lose recall; each has a hundred test examples."""
    design = Design(parents=30, examples=100 * classes, classes=classes, sparsities=(0.9,))
    of_class = np.arange(design.examples) % classes
    bad = of_class < HARMED_CLASSES
    lost = np.where(bad, CLASS_DROP / 0.868, 0.0)
    plan = Plan(resamples=200, screen_cells=0, intersections=1)
    error = math.sqrt(_spread(design.parents) / 100)
    names = {f"c{c}" for c in range(HARMED_CLASSES)}
    found, flagged = _count(
        studies,
        design,
        lost,
        plan,
        seed,
        lambda f: f.measure == "recall",
        lambda f: f.measure == "recall" and f.class_ in names,
    )
    return Planted(
        f"{HARMED_CLASSES} of {classes:,} classes −{100 * CLASS_DROP:g} points",
        f"N = {design.parents}, n = 100 a class, SE ≈ {100 * error:.2f} points",
        _power(CLASS_DROP, error, design.parents, classes),
        found,
        flagged,
        studies,
    )


def _exemplars(studies: int, seed: int) -> Planted:
    """One example in a hundred is lost by every pruned model."""
    design = Design(parents=7, examples=3000, sparsities=(0.8,))
    lost = (np.arange(design.examples) % round(1 / EXEMPLARS) == 0).astype(np.float64)

    def is_it(f: Finding) -> bool:
        return f.measure == "pie_excess"

    found, flagged = _count(studies, design, lost, Plan(resamples=500), seed, is_it, is_it)
    return Planted(
        f"{100 * EXEMPLARS:g} % exemplars",
        f"N = {design.parents}, n = {design.examples:,}, swaps of control and pruned",
        # All 2^7 swaps are enumerated: the harm is in every model, so p is at its floor, 1/128.
        1.0,
        found,
        flagged,
        studies,
    )


def _count(
    studies: int,
    design: Design,
    lost: FloatArray,
    plan: Plan,
    seed: int,
    asked: Callable[[Finding], bool],
    is_it: Callable[[Finding], bool],
) -> tuple[float, float]:
    """Share of harmed cells found, and of studies without harm in which any cell is flagged."""
    hits: list[bool] = []
    alarms = 0
    for number in range(studies):
        rng = np.random.default_rng([seed, number])
        hits += [_claimed(f) for f in _judged(study(design, rng, [lost]), plan) if is_it(f)]
        empty = _judged(study(design, rng), plan)
        alarms += any(_claimed(f) for f in empty if asked(f))
    return float(np.mean(hits)), alarms / studies


def _judged(evidence: Evidence, plan: Plan) -> tuple[Finding, ...]:
    found: Findings = judge(evidence, plan, Policy())
    return found.findings


def _claimed(f: Finding) -> bool:
    return f.p_adjusted is not None and f.p_adjusted <= ALPHA


def _spread(parents: int) -> float:
    """Variance over examples of the mean over parents of the change, from the stated churn.

    Of one pair it is 2 · churn · q · (1 − q), averaged over q ~ Beta(4, 0.6); parents churn by
    themselves.
    """
    a, b = 4.0, 0.6
    mean = a / (a + b)
    second = mean * (a + 1) / (a + b + 1)
    return 2.0 * CHURN * (mean - second) / parents + FALSE_POSITIVES**2


def _power(effect: float, error: float, parents: int, questions: int) -> float:
    """Power of a two-sided t at α / questions with the parents' degrees of freedom or more."""
    df = 4.0 * parents
    return float(stats.t.sf(stats.t.isf(ALPHA / 2 / questions, df) - effect / error, df))
