"""A fast version of the validity study: seeds are fixed, so it passes or fails for good."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.validity.__main__ import page, too_often, trouble
from benchmarks.validity.coverage import SCENARIOS, Cell, table
from benchmarks.validity.planted import planted
from benchmarks.validity.populations import Scenario, draw
from benchmarks.validity.studies import Design, study
from benchmarks.validity.verdicts import (
    MEAN_ACCURACY,
    Rate,
    false_largest,
    false_within,
    null_claims,
)


def test_the_truth_of_every_estimand_is_what_many_draws_show():
    """h = .15 and g = .05: the change for new examples and new parents is −.10."""
    rng = np.random.default_rng(0)
    found = draw(Scenario("usual", 0.15, 0.05), 20, 200, 400, rng)
    whole = found.difference.reshape(20, 400, 200)
    assert found.truth["both"][0] == pytest.approx(-0.10)
    assert whole.mean() == pytest.approx(-0.10, abs=0.003)
    # given the parents, replications scatter about their own truth and not about −.10
    left = whole.mean(axis=(0, 2)) - found.truth["examples"]
    assert left.std() < (whole.mean(axis=(0, 2)) + 0.10).std()


def test_intervals_cover_and_null_p_are_uniform_or_above():
    cells = table(600, seed=5, parents=(5, 10), examples=(30, 300), scenarios=SCENARIOS[:4])
    assert len(cells) == 4 * 2 * 2 * 3
    assert [sentence for cell in cells if (sentence := trouble(cell))] == []


def test_too_narrow_an_interval_would_be_noticed():
    narrow = Cell("usual", "both", 10, 300, 50.0, 0.90, 1.0, None, 0.9, 2000)
    wide = Cell("usual", "both", 10, 300, 50.0, 0.995, 1.0, None, 0.9, 2000)
    liberal = Cell("null", "both", 10, 300, 50.0, 0.95, 1.0, {0.05: 0.09}, None, 2000)
    assert all(trouble(cell) for cell in (narrow, wide, liberal))
    assert too_often(Rate("claim", 100, 20, 0.05))


def test_mean_accuracy_of_the_studies_is_the_stated_one():
    design = Design(parents=20, examples=5000)
    right = [
        (evidence.load(evidence.conditions[0]).predicted[:20] == evidence.labels).mean()
        for evidence in (study(design, np.random.default_rng(seed)) for seed in range(10))
    ]
    assert np.mean(right) == pytest.approx(MEAN_ACCURACY, abs=0.002)


@pytest.mark.slow
def test_false_claims_are_rare():
    rates = [*null_claims(60, seed=11), *false_within(60, seed=12), *false_largest(60, seed=13)]
    assert [sentence for rate in rates if (sentence := too_often(rate))] == []


@pytest.mark.slow
def test_planted_harm_is_found_and_its_absence_is_not_flagged():
    harms = planted(4, classes=200, seed=14)
    assert all(harm.found >= 0.9 for harm in harms if harm.power >= 0.9), harms
    assert all(harm.flagged <= 0.25 for harm in harms), harms
    assert "| harm |" in page([Cell("x", "both", 5, 30, 1.0, 0.95, 1.0, None, None, 10)], [], harms)
