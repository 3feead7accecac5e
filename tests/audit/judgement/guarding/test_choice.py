"""The choice on validation: the smallest share that brings limits inside, or why there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.blocks import CLEAN
from audit.judgement.design import arms
from audit.judgement.guarding.choice import choose, threshold_at
from audit.judgement.guarding.deferral import handed_back
from audit.judgement.plan import Guard, Plan
from audit.judgement.policy.limits import Policy


def chosen(evidence, limits, **guard):
    plan = Plan(guard=Guard(**guard))
    blocks = [evidence.load(CLEAN)]
    return choose(evidence, blocks, arms(evidence.models)[0], plan, Policy.model_validate(limits))


@given(st.lists(st.integers(0, 40), min_size=1, max_size=80), st.floats(0.0, 1.0))
def test_a_threshold_hands_back_at_most_its_share_and_all_it_can(values, share):
    """One more value above it would be too many, unless it is tied with values that are."""
    signal = np.asarray(values)[None, :] / 40.0
    threshold = threshold_at(signal, share)
    back = handed_back(signal, threshold).mean()
    assert back <= share + 1e-9
    above = np.sort(signal[signal >= threshold])
    more = handed_back(signal, np.nextafter(above[0], 2.0)).mean()
    assert more > share - 1e-9 or share >= 1.0


def test_a_threshold_is_a_short_number():
    """Any number in (.41, .4273…] hands back the same one: .42 is the shortest."""
    assert threshold_at(np.array([[0.41, 0.42731, 0.9, 0.95]]), 0.25) == 0.42
    assert threshold_at(np.array([[0.41, 0.9]]), 0.0) == 0.0


def test_the_smallest_share_whose_bound_is_inside(doubting):
    """Some 10 points are lost, all below .5; 5 may stay, and the bound wants more than the value.

    Handing a share back leaves the loss less that share: below 5 points by more than the bound's
    reach of about 1, and a grid's step less would not do.
    """
    evidence = doubting()
    found = chosen(evidence, {"max_accuracy_drop": 0.05})
    assert found.met == "bound"
    assert found.reason is None
    assert found.steered_by == ("max_accuracy_drop",)
    assert found.share is not None
    assert found.threshold is not None
    lost = 1.0 - (evidence.load(CLEAN).predicted[3:] == evidence.labels).mean()
    assert 0.03 < lost - found.share < 0.042
    assert found.threshold < 0.5


def test_nothing_is_handed_back_where_limits_hold(doubting):
    found = chosen(doubting(error=0.0), {"max_accuracy_drop": 0.02})
    assert (found.threshold, found.share, found.met) == (0.0, 0.0, "bound")


def test_a_bound_that_no_share_reaches_gives_way_to_the_value(doubting):
    """Of 40 examples, a limit of one point is out of reach of any bound, and not of the value."""
    found = chosen(doubting(n=40, error=0.2), {"max_accuracy_drop": 0.01})
    assert found.met == "value"
    assert found.reason is not None
    assert "1 of 1 cells" in found.reason
    assert found.threshold is not None
    assert found.threshold > 0.0


def test_where_doubt_tells_nothing_there_is_no_rule(doubting):
    found = chosen(doubting(error=0.3, told=0.0), {"max_accuracy_drop": 0.02}, most=0.1)
    assert found.threshold is None
    assert "up to 0.1" in (found.reason or "")


@pytest.mark.parametrize("limits", [{}, {"max_pie_excess": 0.1}])
def test_limits_that_validation_cannot_answer_choose_nothing(doubting, limits):
    found = chosen(doubting(), limits)
    assert found.threshold is None
    assert "state one" in (found.reason or "")


def test_classes_groups_and_flips_steer(doubting):
    limits = {
        "max_class_recall_drop": 0.1,
        "max_group_accuracy_drop": 0.05,
        "max_excess_gap": 0.05,
        "max_harmed_rate": 0.05,
        "min_recall": 0.8,
    }
    found = chosen(doubting(), limits)
    assert found.steered_by == tuple(sorted(limits))
    assert found.met == "bound"
