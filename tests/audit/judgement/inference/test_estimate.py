import numpy as np
import pytest
from scipy import stats

from audit.judgement.findings import Finding
from audit.judgement.inference.estimate import (
    Estimate,
    detectable_change,
    detectable_changes,
    one_sided_bounds,
    shifted,
)
from audit.judgement.inference.paired import paired_change

D = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (5, 100), p=[0.3, 0.5, 0.2])


def test_one_sided_bounds_are_the_ends_of_a_wider_interval():
    found = paired_change(D, level=0.9)
    assert one_sided_bounds(found, 0.05) == pytest.approx((found.low, found.high))


def test_bounds_are_centred_where_the_interval_is():
    found = paired_change(np.zeros((1, 4)) - np.array([[1.0, 0.0, 0.0, 0.0]]))
    low, high = one_sided_bounds(found, 0.025)
    assert (low, high) == pytest.approx((found.low, found.high))
    assert (low + high) / 2 == pytest.approx(found.centre)


def test_no_interval_no_bounds():
    assert one_sided_bounds(Estimate(change=0.1), 0.05) == (None, None)


def test_detectable_change_is_found_with_eighty_percent_power():
    """By hand: with a known variance it is (1.960 + 0.842) standard errors."""
    assert detectable_change(1.0, 1e9, 0.05) == pytest.approx(2.8016, abs=1e-4)
    found = paired_change(D)
    assert found.detectable == pytest.approx(
        detectable_change(found.standard_error, found.df, 0.05)
    )
    many = detectable_changes(np.array([1.0, 2.0]), np.array([10.0, 10.0]), 0.01)
    assert many.tolist() == pytest.approx([detectable_change(s, 10.0, 0.01) for s in (1.0, 2.0)])


def test_detectable_change_keeps_its_promise():
    draw = np.random.default_rng(1)
    effect = detectable_change(1.0 / np.sqrt(20), 19, 0.05)
    found = stats.ttest_1samp(draw.normal(effect, 1.0, (4000, 20)), 0.0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_the_observed_effect_plays_no_part_in_what_is_detectable():
    d = np.random.default_rng(2).normal(0.0, 1.0, (1, 50))
    assert paired_change(d).detectable == pytest.approx(paired_change(d + 0.5).detectable)


def test_shifting_moves_the_interval_and_asks_another_question():
    found = paired_change(D)
    by = found.centre
    moved = shifted(found, by)
    assert moved.change == pytest.approx(found.change - by)
    assert moved.high - moved.low == pytest.approx(found.high - found.low)
    assert moved.p == pytest.approx(1.0)
    assert shifted(Estimate(), 0.1) == Estimate()
    assert shifted(Estimate(change=0.5), 0.1).change == 0.4


def test_an_answer_fits_a_finding():
    answer = paired_change(D).answer()
    finding = Finding(id="x", measure="accuracy", unit="fraction", **answer)
    assert finding.change == answer["change"]
    assert finding.parents == 5
