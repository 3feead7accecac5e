from math import isclose

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from audit.judgement.inference.paired import paired_change
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.gate import worst
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.planning import UNKNOWN_LEVEL, UNKNOWN_SPREAD, Assumed, plan_limits
from audit.judgement.policy.planning_from_run import plan_from_run
from audit.judgement.policy.sample_size import (
    Spread,
    Target,
    examples_needed,
    parents_needed,
    reach,
)
from tests.audit.judgement.test_judging import QUICK, population


def needs(policy, **more):
    return plan_limits(Policy.model_validate(policy), Plan(minimum_n=2), **{"parents": 1, **more})


def test_one_pair_by_hand():
    """(1.645 + 0.842)^2 × .05 / .02^2 = 773 examples by the normal; t takes two more."""
    assert examples_needed(Spread(examples=0.05), Target(margin=0.02, level=0.05), 1) == 775
    (need,) = needs({"max_accuracy_drop": 0.02}, assumed=Assumed(shared=1.0))
    assert (need.examples_needed, need.counted, need.margin) == (775, "examples", 0.02)
    assert needs({"max_accuracy_drop": 0.02})[0].examples_needed == 775  # one parent shares all


def test_two_looks_take_the_level_of_half():
    """z at .025 is 1.960: (1.960 + 0.842)^2 × .05 / .02^2 = 981, and three for the t."""
    (need,) = needs({"max_accuracy_drop": 0.02, "looks": 2})
    assert need.examples_needed == 984


def test_every_one_of_four_groups_must_pass():
    """Power 1 − .2 / 4 = .95: (1.645 + 1.645)^2 × .05 / .02^2 = 1353, and two for the t."""
    (need,) = needs({"max_group_accuracy_drop": 0.02}, assumed=Assumed(cells=4))
    assert (need.examples_needed, need.cells) == (1355, 4)


def test_crossed_variance_by_hand():
    """V = .025/n + .0025^2/5 + .025/(5 n) with 5 parents and n = 1000: 1.25e-6 + 3e-5."""
    spread = Spread(examples=0.025, seeds=0.0025**2, residual=0.025)
    e, m = 0.025 / 1000 + 0.025 / 5000, 0.0025**2 / 5 + 0.025 / 5000
    v = 0.025 / 1000 + 0.0025**2 / 5 + 0.025 / 5000
    df = (e + m) / (e / 999 + m / 4)
    by_hand = (stats.t.ppf(0.95, df) + stats.t.ppf(0.8, df)) * v**0.5
    assert isclose(reach(spread, Target(margin=1, level=0.05), 5, 1000), by_hand, rel_tol=1e-9)
    files = (stats.t.ppf(0.95, 999) + stats.t.ppf(0.8, 999)) * e**0.5
    target = Target(margin=1, level=0.05, claim="files")
    assert isclose(reach(spread, target, 5, 1000), files, rel_tol=1e-9)


def test_with_few_parents_no_number_of_examples_may_do():
    """SD .01 over 3 parents: t of 2 degrees is 2.92, and 2.92 × .01 / √3 exceeds 1 point."""
    (need,) = needs({"max_accuracy_drop": 0.01}, parents=3, assumed=Assumed(between=0.01))
    assert need.examples_needed is None
    grid = dict(need.grid)
    assert grid[3] is None
    assert grid[30] is not None
    assert grid[50] < grid[30]
    files = needs(
        {"max_accuracy_drop": {"limit": 0.01, "claim": "files"}},
        parents=3,
        assumed=Assumed(between=0.01),
    )
    assert files[0].examples_needed is not None


def test_parents_needed_is_the_first_that_suffices():
    spread, target = Spread(examples=0.01, seeds=1e-4), Target(margin=0.01, level=0.05)
    found = parents_needed(spread, target, 5000)
    assert found > 2
    assert reach(spread, target, found, 5000) <= 0.01 < reach(spread, target, found - 1, 5000)


def test_what_cannot_be_planned_says_why():
    found = needs({"max_ece": 0.1, "min_accuracy": 0.5, "max_accuracy_drop": 0})
    reasons = {need.name: need.reason for need in found}
    assert reasons["max_ece"] == UNKNOWN_SPREAD
    assert reasons["min_accuracy"] == UNKNOWN_LEVEL
    assert "lies on its limit" in reasons["max_accuracy_drop"]
    (told,) = needs({"min_accuracy": 0.5}, assumed=Assumed(level=0.9))
    assert told.margin == pytest.approx(0.4)
    assert told.examples_needed < 30


def test_denominators_are_counted_in_the_evidence(study):
    evidence = population(study, n=300, classes=2)
    policy = Policy.model_validate(
        {
            "max_group_fpr_increase": {"limit": 0.02, "groups": "g=a"},
            "max_group_fnr_increase": {"limit": 0.02, "groups": "any"},
            "max_class_recall_drop": 0.02,
        }
    )
    found = plan_limits(policy, Plan(positive="class-1"), parents=3, evidence=evidence)
    group, label = evidence.examples["group_g"], evidence.labels
    of = {(n.name, n.groups, n.class_): n for n in found}
    fpr = of["max_group_fpr_increase", "g=a", "class-1"]
    assert (fpr.examples, fpr.counted) == (int(((group == "a") & (label != 1)).sum()), "negatives")
    fnr = of["max_group_fnr_increase", "g=b", "class-1"]
    assert (fnr.examples, fnr.counted) == (int(((group == "b") & (label == 1)).sum()), "positives")
    assert fnr.cells == 4  # g and h, two groups each
    assert of["max_class_recall_drop", None, "class-0"].examples == int((label == 0).sum())
    assert fnr.enough is False


def test_power_is_what_was_planned():
    """Unchanged models with the planned number of examples are found within 80 % of the time."""
    spread = Spread(examples=0.03, residual=0.0, discordance=0.03)
    n = examples_needed(spread, Target(margin=0.02, level=0.05), 1)
    draw, within = np.random.default_rng(0), 0
    for _ in range(400):
        u = draw.random(n)
        d = np.where(u < 0.015, -1.0, np.where(u < 0.03, 1.0, 0.0))
        found = paired_change(d[None, :])
        bound = found.centre - stats.t.isf(0.05, found.df) * found.standard_error
        within += -bound <= 0.02
    assert 0.8 - 0.05 <= within / 400 <= 0.8 + 0.07


def test_a_run_is_planned_from_its_own_standard_errors(study):
    evidence = population(study, n=600)
    policy = Policy.model_validate(
        {
            "max_accuracy_drop": [0.01, {"limit": 0.02, "claim": "files", "sparsity": 0.5}],
            "min_recall": 0.5,
            "min_prune_potential": 0.3,
        }
    )
    found = judge(evidence, Plan(**QUICK), policy)
    rows = plan_from_run(found)
    assert len(rows) == len([f for f in found.findings if f.limit_name])
    accuracy = next(f for f in found.findings if f.limit == 0.01)
    need, files = (next(n for n in rows if n.limit == limit) for limit in (0.01, 0.02))
    assert (need.claim, files.claim) == ("recipe", "files")
    assert (need.method, need.sparsity, need.examples) == ("magnitude", 0.5, 600)
    e = accuracy.examples_standard_error**2
    s = max(accuracy.standard_error**2 - e, 0.0) * 3
    spread = Spread(examples=e * 600, seeds=s, discordance=accuracy.discordant / 600)
    target = Target(margin=0.01, level=0.05)
    assert need.examples_needed == examples_needed(spread, target, 3, 10)
    recall = next(n for n in rows if n.name == "min_recall")
    parent = next(
        f.parent
        for f in found.findings
        if f.measure == "recall" and f.class_ == recall.class_ and f.condition == "clean"
    )
    assert recall.margin == pytest.approx(parent - 0.5)
    assert [n.reason for n in rows if n.name == "min_prune_potential"] != [None]


def test_the_observed_change_plays_no_part(study):
    """The same run with every change moved by ten points plans the same numbers."""
    from dataclasses import replace

    found = judge(population(study), Plan(**QUICK), Policy.model_validate({"max_excess_gap": 0.1}))
    moved = replace(
        found,
        findings=tuple(
            f if f.change is None else replace(f, change=f.change + 0.1, low=f.low, high=f.high)
            for f in found.findings
        ),
    )
    assert plan_from_run(found) == plan_from_run(moved)
    assert isinstance(pd.DataFrame([n.record() for n in plan_from_run(found)]), pd.DataFrame)
    assert worst(f.outcome for f in found.findings) != "over"
