"""Weights for another mix of groups, on numbers that can be checked on paper."""

import numpy as np
import pandas as pd
import pytest

from corruptions import reweight_to_mix


def test_by_hand():
    """Three of a, one of b; half and half: a weighs 0.5·4/3, b 0.5·4/1. (Σw)²/Σw² = 16/(16/3)."""
    found = reweight_to_mix(["a", "a", "a", "b"], {"a": 0.5, "b": 0.5})
    np.testing.assert_allclose(found.weights, [2 / 3, 2 / 3, 2 / 3, 2])
    assert found.weights.dtype == np.float64
    assert found.effective_size == pytest.approx(3)


def test_the_present_mix_weighs_everybody_the_same():
    found = reweight_to_mix(np.array([1, 1, 2, 2]), {1: 0.5, 2: 0.5})
    assert found.weights.tolist() == [1, 1, 1, 1]
    assert found.effective_size == 4


def test_who_is_not_named_has_no_share():
    """Nor has an example of no group."""
    groups = pd.Series(["a", "b", None, "a"])
    assert reweight_to_mix(groups, {"a": 1.0}).weights.tolist() == [2, 0, 0, 2]
    assert reweight_to_mix(groups, {"a": 1.0, "c": 0.0}).effective_size == 2


@pytest.mark.parametrize(
    ("groups", "mix", "error", "complaint"),
    [
        (["a"], {"a": 0.5, "c": 0.5}, ValueError, "unknown group 'c': the nearest is 'a'"),
        (["a"], {"a": 0.9}, ValueError, r"sum to 0\.9"),
        (["a", "b"], {"a": 1.5, "b": -0.5}, ValueError, r"the share of 'a' is 1\.5"),
        (["a"], {"a": "all"}, TypeError, "must be a number, not 'all'"),
        (["a"], {"a": float("nan")}, ValueError, "is nan"),
        ([], {"a": 1.0}, ValueError, "no examples"),
    ],
)
def test_mixes_that_mean_nothing(groups, mix, error, complaint):
    with pytest.raises(error, match=complaint):
        reweight_to_mix(groups, mix)
