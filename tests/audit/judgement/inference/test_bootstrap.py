import numpy as np
import pytest

from audit.judgement.inference.bootstrap import crossed_bootstrap, draw_cells
from audit.judgement.inference.paired import paired_change


def mean_of(d):
    return lambda parents, examples: float(
        (parents[:, None] * d * examples).sum() / (parents.sum() * examples.sum())
    )


def bootstrap(d, draws=2000, **kwargs):
    return crossed_bootstrap(
        mean_of(d),
        parents=d.shape[0],
        examples=d.shape[1],
        draws=draws,
        generator=np.random.default_rng(0),
        **kwargs,
    )


D = np.random.default_rng(4).choice([-1.0, 0.0, 1.0], (8, 120), p=[0.3, 0.5, 0.2])


@pytest.mark.parametrize("estimand", ["examples", "seeds"])
def test_a_mean_has_the_standard_error_of_theory(estimand):
    expected = paired_change(D, generalises_to=estimand)
    found = bootstrap(D, generalises_to=estimand)
    assert found.change == pytest.approx(expected.change)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=0.06)


def test_both_is_a_little_conservative():
    ratio = bootstrap(D).standard_error / paired_change(D).standard_error
    assert 1.0 < ratio < 1.6


def test_whole_clusters_are_drawn():
    clusters = np.arange(120) // 10
    d = np.repeat(D[:1, :12], 10, axis=1)
    expected = paired_change(d, clusters=clusters)
    found = bootstrap(d, clusters=clusters)
    assert found.units == 12
    assert found.standard_error == pytest.approx(expected.standard_error, rel=0.3)
    assert found.standard_error > 2 * bootstrap(d).standard_error


def test_nothing_to_draw_from_is_not_asked():
    found = bootstrap(D[:, :1], generalises_to="examples")
    assert (found.low, found.p) == (None, None)
    assert "not asked" in found.reason
    assert bootstrap(D[:1], generalises_to="seeds").p is None


def test_an_undefined_statistic_is_none():
    found = crossed_bootstrap(
        lambda parents, examples: float("nan"),
        parents=3,
        examples=5,
        draws=10,
        generator=np.random.default_rng(0),
    )
    assert found.change is None
    assert found.p is None


def test_no_variance_is_undefined():
    assert bootstrap(np.ones((3, 9)), draws=50).p is None


def test_the_cells_of_one_pair_are_drawn_as_its_rows_would_be():
    """Binomial: mean 30, variance 100 × .3 × .7 = 21; every draw holds everybody."""
    drawn = draw_cells(np.array([30, 70]), 20_000, np.random.default_rng(0))
    assert (drawn.sum(axis=1) == 100).all()
    assert drawn[:, 0].mean() == pytest.approx(30, abs=0.2)
    assert drawn[:, 0].var() == pytest.approx(21, rel=0.05)
    with pytest.raises(ValueError, match="nobody"):
        draw_cells(np.zeros(2, dtype=int), 5, np.random.default_rng(0))
