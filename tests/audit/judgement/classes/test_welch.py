import numpy as np
import pytest
from scipy import stats

from audit.judgement.classes.welch import welch_shift


@pytest.mark.parametrize("centring", ["model", "population"])
def test_it_is_scipys_welch(centring):
    draw = np.random.default_rng(0)
    before, after = draw.random((6, 4)), draw.random((9, 4))
    accuracy = before.mean(axis=1), after.mean(axis=1)
    found = welch_shift(before, accuracy[0], after, accuracy[1], centring)
    first, second = (
        recall - (own[:, None] if centring == "model" else own.mean())
        for recall, own in zip((before, after), accuracy, strict=True)
    )
    expected = stats.ttest_ind(second, first, equal_var=False)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.df == pytest.approx(expected.df)
    assert found.change == pytest.approx(second.mean(axis=0) - first.mean(axis=0))


def test_by_hand_a_subtraction_not_a_ratio():
    """Recall .8 less accuracy .9 before, .5 less .8 after: the shift is −.3 − (−.1) = −.2."""
    before, after = np.array([[0.8], [0.8]]), np.array([[0.5], [0.5]])
    found = welch_shift(before, np.array([0.9, 0.9]), after, np.array([0.8, 0.8]))
    assert found.change.tolist() == pytest.approx([-0.2])


def test_no_variance_is_undefined():
    same = np.full((3, 2), 0.5)
    found = welch_shift(same, np.full(3, 0.5), same, np.full(3, 0.5))
    assert np.isnan(found.p).all()


def test_one_model_has_no_variance():
    one = welch_shift(
        np.array([[0.5]]), np.array([0.5]), np.array([[0.4], [0.3]]), np.array([0.4, 0.4])
    )
    assert np.isnan(one.p).all()


def test_a_class_without_examples_is_undefined():
    recall = np.array([[0.5, np.nan], [0.7, np.nan]])
    found = welch_shift(recall, recall[:, 0], recall + 0.1, recall[:, 0])
    assert np.isnan(found.p[1])
    assert np.isnan(found.change[1])


def test_centring_by_the_population_is_conservative_when_models_share_a_quality():
    """Null data in which whole models are better or worse: centring per model is near nominal."""
    draw = np.random.default_rng(1)
    rejected = {"model": 0, "population": 0}
    for _ in range(150):
        quality = draw.normal(0.0, 0.05, 20)
        recall = 0.8 + quality[:, None] + draw.normal(0.0, 0.02, (20, 5))
        parts = recall[:10], recall[:10].mean(axis=1), recall[10:], recall[10:].mean(axis=1)
        for centring in rejected:
            rejected[centring] += (welch_shift(*parts, centring).p <= 0.05).sum()
    assert 0.02 <= rejected["model"] / 750 <= 0.09
    assert rejected["population"] / 750 <= 0.02
