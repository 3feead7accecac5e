from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.design import arms
from audit.judgement.inference.paired import paired_change
from audit.judgement.plan import Plan
from audit.judgement.shifts.potential import (
    REQUESTED,
    Level,
    over_conditions,
    prune_potential,
    prune_ratios,
)

PLAN = Plan(delta=0.005)


@pytest.fixture
def models():
    return pd.DataFrame(
        {
            "model": ["d", "p5", "p7"],
            "parent": ["", "d", "d"],
            "role": ["dense", "pruned", "pruned"],
            "method": ["", "magnitude", "magnitude"],
            "sparsity": [np.nan, 0.5, 0.7],
            "sparsity_all": [0.0, 0.45, 0.65],
        }
    )


@pytest.fixture
def arm(models):
    return arms(models)[0]


def level(ratio, rise, error=0.0005, by_parent=None):
    """A rung whose rise is known to within `error`."""
    estimate = replace(
        paired_change(np.zeros((1, 100))), change=rise, centre=rise, standard_error=error, df=1e6
    )
    return Level(ratio, estimate, by_parent or {0: rise})


def potential(arm, ladder, conditions=1, plan=PLAN):
    return prune_potential(CLEAN, ladder, arm, plan, conditions=conditions)


def test_a_clear_ladder(arm):
    found = potential(arm, [level(0.9, 0.1), level(0.5, 0.0), level(0.7, 0.002)])
    assert (found.pruned, found.low, found.high) == (0.7, 0.7, 0.7)
    assert (found.sparsity, found.unit, found.parent, found.change) == (
        None,
        "sparsity",
        None,
        None,
    )
    assert "not monotone" not in found.reason


def test_zero_if_none_qualifies(arm):
    found = potential(arm, [level(0.5, 0.1), level(0.7, 0.2)])
    assert (found.pruned, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_slack_itself_qualifies(arm):
    assert potential(arm, [level(0.5, 0.005), level(0.7, 0.1)]).pruned == 0.5


def test_the_lower_bound_stops_where_the_first_level_is_not_shown(arm):
    # .5 is just inside by its point value, but its bound is not; .7 is clearly inside.
    found = potential(arm, [level(0.5, 0.0049, 0.001), level(0.7, 0.0), level(0.9, 0.1)])
    assert (found.pruned, found.low, found.high) == (0.7, 0.0, 0.7)


def test_noise_that_delta_drowns_in_cannot_tell(arm):
    found = potential(arm, [level(0.5, 0.0, 0.01), level(0.7, 0.002, 0.01)])
    assert (found.pruned, found.low, found.high) == (0.7, 0.0, None)
    assert "cannot tell: the standard error at 0.5 exceeds half of delta" in found.reason


def test_noise_does_not_matter_where_the_rise_is_plain(arm):
    found = potential(arm, [level(0.5, 0.0), level(0.7, 0.3, 0.01)])
    assert (found.low, found.high) == (0.5, 0.5)


def test_not_monotone_is_said(arm):
    found = potential(arm, [level(0.5, 0.02), level(0.7, 0.0)])
    assert found.pruned == 0.7
    assert "not monotone" in found.reason


def test_each_network_for_itself(arm):
    rungs = [
        level(0.5, 0.0, by_parent={0: 0.0, 1: 0.1}),
        level(0.9, 0.1, by_parent={0: 0.0, 1: 0.2}),
    ]
    assert "networks' own potentials 0.45" in potential(arm, rungs).reason


def test_the_upper_bound_is_corrected_over_conditions(arm):
    rungs = [level(0.5, 0.0), level(0.7, 0.0085, 0.0018)]  # 1.94 standard errors beyond
    assert potential(arm, rungs, conditions=1).high == 0.5
    assert potential(arm, rungs, conditions=25).high == 0.7


def test_ratios_count_all_parameters_where_they_are_recorded(models):
    assert prune_ratios(arms(models), models) == ([0.45, 0.65], None)
    unknown = models.assign(sparsity_all=[0.0, 0.45, np.nan])
    assert prune_ratios(arms(unknown), unknown) == ([0.5, 0.7], REQUESTED)
    bare = models.drop(columns="sparsity_all")
    assert prune_ratios(arms(bare), bare) == ([0.5, 0.7], REQUESTED)
    unstated = bare.assign(sparsity=[np.nan, 0.5, np.nan])
    assert prune_ratios(arms(unstated), unstated) == ([0.5, None], REQUESTED)


def test_mean_and_minimum_over_conditions(arm):
    ladders = {
        "fog": [level(0.5, 0.0), level(0.7, 0.0)],
        "blur": [level(0.5, 0.0), level(0.7, 0.2)],
    }
    found = [
        prune_potential(Condition(name, 1.0), ladder, arm, PLAN, conditions=2)
        for name, ladder in ladders.items()
    ]
    mean, least = over_conditions(found, arm)
    assert mean.pruned == pytest.approx(0.6)
    assert mean.low is None
    assert (least.pruned, least.low, least.high) == (0.5, 0.5, 0.5)
    assert (least.condition, least.severity) == ("all", None)
    assert over_conditions([], arm) == []


def test_a_condition_that_cannot_tell_leaves_the_minimum_unbounded_above(arm):
    found = [
        prune_potential(CLEAN, [level(0.5, 0.0, 0.01)], arm, PLAN, conditions=2),
        prune_potential(CLEAN, [level(0.5, 0.0)], arm, PLAN, conditions=2),
    ]
    assert over_conditions(found, arm)[1].high is None
