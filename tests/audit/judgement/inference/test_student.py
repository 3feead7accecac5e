"""Quantiles and tails against scipy.stats, which is too slow to import for a command."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.judgement.inference.student import (
    normal_quantile,
    normal_tail,
    t_quantile,
    t_tail,
    t_two_sided,
)

DF = np.array([1.0, 2.5, 7.0, 300.0])
LEVELS = np.array([0.5, 0.9, 0.975, 1 - 1e-6])


def test_t_is_scipys():
    assert t_quantile(LEVELS[:, None], DF) == pytest.approx(stats.t.ppf(LEVELS[:, None], DF))
    assert t_tail(LEVELS[:, None] * 5, DF) == pytest.approx(stats.t.sf(LEVELS[:, None] * 5, DF))
    assert t_two_sided(np.array([-2.0, 2.0]), 5.0) == pytest.approx(2 * stats.t.sf(2.0, 5.0))


def test_the_normal_is_scipys():
    assert normal_quantile(LEVELS) == pytest.approx(stats.norm.ppf(LEVELS))
    assert normal_tail(np.array([-1.0, 0.0, 6.0])) == pytest.approx(stats.norm.sf([-1.0, 0.0, 6.0]))


def test_what_is_undefined_stays_so():
    assert np.isnan(t_quantile(0.9, np.nan))
    assert np.isnan(t_tail(np.nan, 3.0))
