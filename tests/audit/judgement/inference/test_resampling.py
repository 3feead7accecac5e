import numpy as np
import pytest

from audit.judgement.inference.resampling import drawn_sums, example_weights, strata, unit_weights


def test_every_draw_weighs_what_there_is():
    weights = unit_weights(5, 40_000, np.random.default_rng(0))
    assert weights.sum(axis=1) == pytest.approx(5.0)
    # Of 4 draws from 5 units, scaled by 5/4: the mean of units varies by s²/n, with s² unbiased.
    values = np.array([0.0, 1.0, 1.0, 2.0, 6.0])
    means = weights @ values / 5
    assert means.mean() == pytest.approx(2.0, abs=0.02)
    assert means.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.03)


def test_one_unit_cannot_be_drawn_again():
    assert unit_weights(1, 3, np.random.default_rng(0)).tolist() == [[1.0]] * 3


def test_clusters_are_drawn_whole_and_blocks_make_no_difference(monkeypatch):
    clusters = np.array([0, 0, 1, 1, 1, 2])
    draws = np.concatenate(list(example_weights(6, 50, np.random.default_rng(0), clusters)))
    assert draws.shape == (50, 6)
    assert (draws[:, 0] == draws[:, 1]).all()
    assert (draws[:, 2] == draws[:, 4]).all()
    monkeypatch.setattr("audit.judgement.inference.resampling.AT_ONCE", 60)
    blocks = list(example_weights(6, 50, np.random.default_rng(0), clusters))
    assert len(blocks) == 5
    assert np.array_equal(np.concatenate(blocks), draws)


@pytest.mark.parametrize("weighted", [False, True])
def test_sums_of_strata_equal_a_loop(weighted):
    draw = np.random.default_rng(1)
    codes, values = draw.integers(-1, 3, 40), draw.integers(0, 2, (4, 40))
    own = draw.integers(1, 4, 40).astype(float) if weighted else None
    weights = draw.random((5, 40))
    size, total = drawn_sums(strata(codes, 4, values, own), weights)
    counted = weights if own is None else weights * own
    for stratum in range(4):
        inside = codes == stratum
        np.testing.assert_allclose(size[:, stratum], counted[:, inside].sum(axis=1))
        np.testing.assert_allclose(
            total[:, stratum], counted[:, inside] @ values[:, inside].T, rtol=1e-6
        )
