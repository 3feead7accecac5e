import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from audit.judgement.inference.paired import (
    ALIKE,
    EMPTY,
    FEW,
    ONE_PARENT,
    SAME_IN_ALL,
    paired_change,
    paired_change_by_cell,
)

ESTIMANDS = ["examples", "seeds", "both"]
differences = st.tuples(st.integers(1, 5), st.integers(1, 30)).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=st.sampled_from([-1.0, 0.0, 0.0, 1.0]))
)


def by_definition(d, weights=None, clusters=None):
    """Section 0 written out for a complete table, one unit at a time; no pseudo-examples."""
    w = np.ones(d.shape[1]) if weights is None else np.asarray(weights)
    c = np.arange(d.shape[1]) if clusters is None else np.asarray(clusters)
    units = np.unique(c)
    rate = (d * w).sum(axis=1) / w.sum()
    table = np.stack(
        [
            rate + len(units) * ((d - rate[:, None]) * w)[:, c == unit].sum(axis=1) / w.sum()
            for unit in units
        ],
        axis=1,
    )
    parents, n = table.shape
    rows, columns, whole = table.mean(axis=1), table.mean(axis=0), table.mean()
    e = columns.var(ddof=1) / n
    m = rows.var(ddof=1) / parents
    rest = table - rows[:, None] - columns[None, :] + whole
    r = (rest**2).sum() / ((parents - 1) * (n - 1)) / (parents * n)
    v = max(e + m - r, e, m)
    return whole, v, (e + m) / (e / (n - 1) + m / (parents - 1)), e, m


def noisy(parents=4, n=60, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], (parents, n), p=[0.3, 0.5, 0.2])


def test_by_hand_one_parent_nothing_changed():
    """Four zeros, one +1, one −1: variance 2 / 5, standard error √(0.4 / 6), df 5."""
    found = paired_change(np.zeros((1, 4)))
    assert found.change == 0.0
    assert found.standard_error == pytest.approx(np.sqrt(0.4 / 6))
    assert found.df == 5
    assert found.p == 1.0
    assert found.high == pytest.approx(2.5706 * np.sqrt(0.4 / 6), rel=1e-4)
    assert found.reason == FEW


def test_by_hand_parents_that_disagree():
    """Parent 1 loses all 20, parent 2 gains the first ten: r = e = 1/304, m = 9/16.

    Row means −1 and .5 have variance 9/8, so m = 9/16. Column means 0 and −.5 have squared
    deviations 20 / 16, so e = 1.25 / 19 / 20. Residuals are all ±1/4: 40 / 16 / 19 / 40 is r.
    """
    second = np.repeat([1.0, 0.0], 10)
    found = paired_change(np.stack([-np.ones(20), second]))
    e, m = 1.25 / 19 / 20, 9 / 16
    assert found.change == -0.25
    assert found.standard_error == pytest.approx(np.sqrt(m))
    assert found.df == pytest.approx((e + m) / (e / 19 + m / 1))
    assert found.generalises_to == "both"


def test_by_hand_parents_that_agree():
    """Both lose the first ten of 20: m = r = 0, e = (20 / 4) / 19 / 20, 19 degrees of freedom."""
    found = paired_change(np.tile(np.repeat([-1.0, 0.0], 10), (2, 1)))
    assert found.change == -0.5
    assert found.standard_error == pytest.approx(np.sqrt(5 / 19 / 20))
    assert found.df == pytest.approx(19)
    assert found.discordant == 10
    assert found.reason is None


def test_seeds_is_the_paired_t_test_over_parents():
    draw = np.random.default_rng(1)
    parent, pruned = (draw.random((6, 80)) < 0.8).astype(float), (draw.random((6, 80)) < 0.7) * 1.0
    found = paired_change(pruned - parent, generalises_to="seeds")
    expected = stats.ttest_rel(pruned.mean(axis=1), parent.mean(axis=1))
    assert found.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("n", [1, 3, 40])
def test_seeds_is_the_t_test_however_few_examples_differ(n):
    """Pseudo-examples would only make parents look more alike: none is added here."""
    d = np.zeros((5, n))
    d[:, 0] = [0.0, -1.0, -1.0, 0.0, 1.0]
    found = paired_change(d, generalises_to="seeds")
    assert found.p == pytest.approx(stats.ttest_1samp(d.mean(axis=1), 0.0).pvalue)
    assert found.df == 4
    assert found.reason is None


def test_examples_is_the_t_test_over_example_means():
    d = noisy()
    found = paired_change(d, generalises_to="examples")
    assert found.p == pytest.approx(stats.ttest_1samp(d.mean(axis=0), 0.0).pvalue)
    assert found.df == 59


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_both_is_the_definition(weighted, clustered):
    d = noisy()
    weights = np.linspace(0.5, 2.0, 60) if weighted else None
    clusters = np.arange(60) // 3 if clustered else None
    change, v, df, e, m = by_definition(d, weights, clusters)
    found = paired_change(d, weights=weights, clusters=clusters)
    assert found.change == pytest.approx(change)
    assert found.standard_error == pytest.approx(np.sqrt(v))
    assert found.df == pytest.approx(df)
    assert found.units == (20 if clustered else 60)
    one = paired_change(d, weights=weights, clusters=clusters, generalises_to="examples")
    assert one.standard_error == pytest.approx(np.sqrt(e))
    other = paired_change(d, weights=weights, clusters=clusters, generalises_to="seeds")
    assert other.standard_error == pytest.approx(np.sqrt(m))


def test_pseudo_examples_are_what_adding_two_columns_gives():
    d = np.zeros((3, 40))
    d[0, :3], d[1, 2:5] = -1.0, 1.0
    extra = np.hstack([d, np.ones((3, 1)), -np.ones((3, 1))])
    change, v, df, _, _ = by_definition(extra)
    found = paired_change(d)
    assert found.centre == pytest.approx(change)
    assert found.standard_error == pytest.approx(np.sqrt(v))
    assert found.df == pytest.approx(df)
    assert found.change == pytest.approx(d.mean())
    assert found.reason == FEW


def test_ten_discordant_examples_need_no_pseudo_examples():
    d = np.zeros((2, 40))
    d[:, :10] = -1.0
    assert paired_change(d).reason is None
    d[:, 9] = 0.0
    assert paired_change(d).reason == FEW


def test_clusters_that_move_together_count_once():
    """300 patients × 10 images that change as one are 300 answers, not 3,000."""
    d = np.repeat(noisy(1, 300), 10, axis=1)
    clusters = np.repeat(np.arange(300), 10)
    counted, naive = paired_change(d, clusters=clusters), paired_change(d)
    assert counted.standard_error == pytest.approx(paired_change(noisy(1, 300)).standard_error)
    assert counted.standard_error > 3 * naive.standard_error
    assert (counted.n, counted.units) == (3000, 300)


def test_cluster_names_may_be_strings():
    d = noisy(2, 6)
    names = np.array(["b", "a", "b", "c", "a", "c"], dtype=object)
    assert paired_change(d, clusters=names) == paired_change(d, clusters=[1, 0, 1, 2, 0, 2])


def test_an_example_outside_the_denominator_plays_no_part():
    d = noisy(3, 50)
    padded = np.hstack([d, np.full((3, 7), np.nan)])
    assert paired_change(padded) == paired_change(d)


def test_parents_have_their_own_denominators():
    """Rates 1/2 and 1/4 of what each was shown: the mean over parents is 3/8."""
    d = np.array([[1.0, 0.0, np.nan, np.nan], [1.0, 0.0, 0.0, 0.0]])
    assert paired_change(d).change == pytest.approx(0.375)


def test_a_parent_without_a_denominator_is_not_a_parent():
    d = np.vstack([noisy(2, 40), np.full((1, 40), np.nan)])
    found = paired_change(d)
    assert found.parents == 2
    assert found.standard_error == pytest.approx(paired_change(d[:2]).standard_error)


def test_one_parent_can_only_speak_of_examples():
    assert paired_change(noisy(1)).generalises_to == "examples"
    for estimand in ("seeds", "both"):
        found = paired_change(noisy(1), generalises_to=estimand)
        assert found.change is not None
        assert (found.low, found.high, found.p) == (None, None, None)
        assert found.reason == ONE_PARENT


def test_seeds_without_variance_are_undefined():
    found = paired_change(np.zeros((3, 20)), generalises_to="seeds")
    assert found.p is None
    assert found.reason == SAME_IN_ALL


def test_a_class_forgotten_by_everybody_still_has_an_interval():
    """All 40 lost in every parent has no variance, and is the worst that can happen."""
    found = paired_change(-np.ones((3, 40)))
    assert found.change == -1.0
    assert found.p < 1e-6
    assert found.high < -0.8
    assert found.reason == ALIKE


def test_nobody_in_the_denominator():
    for empty in (np.zeros((2, 0)), np.full((2, 5), np.nan)):
        found = paired_change(empty)
        assert (found.change, found.p, found.n) == (None, None, 0)
        assert found.reason == EMPTY


def test_a_single_example():
    found = paired_change([[-1.0]])
    assert found.change == -1.0
    assert found.low < -1.0 < 0.0 < found.high
    assert found.p_floor == pytest.approx(found.p)


def test_p_floor_is_the_p_of_everybody_moving_one_way():
    for n in range(1, 10):
        found = paired_change(np.ones((2, n)))
        assert found.p == pytest.approx(found.p_floor)


def test_losses_beyond_one_get_pseudo_examples_of_their_size():
    d = np.zeros((1, 20))
    d[0, 0] = 6.0
    found = paired_change(d)
    values = np.concatenate([d[0], [6.0, -6.0]])
    assert found.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(22))


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="parents, examples"):
        paired_change([1.0, 0.0])
    with pytest.raises(ValueError, match="weight"):
        paired_change([[1.0, 0.0]], weights=[1.0, 0.0])
    with pytest.raises(ValueError, match="weights"):
        paired_change([[1.0, 0.0]], weights=[1.0])
    with pytest.raises(ValueError, match="clusters"):
        paired_change([[1.0, 0.0]], clusters=[1])
    with pytest.raises(ValueError, match="out of range"):
        paired_change_by_cell([[1.0, 0.0]], [0, 2], 2)
    with pytest.raises(ValueError, match="cells"):
        paired_change_by_cell([[1.0, 0.0]], [0], 2)


@settings(deadline=None, max_examples=60)
@given(differences, st.sampled_from([None, *ESTIMANDS]), st.booleans(), st.integers(0, 10**6))
def test_every_cell_is_what_its_examples_alone_give(d, estimand, extras, seed):
    draw = np.random.default_rng(seed)
    n = d.shape[1]
    d = np.where(draw.random(d.shape) < 0.1, np.nan, d)
    cells = draw.integers(-1, 3, n)
    weights = draw.uniform(0.5, 2.0, n) if extras else None
    clusters = draw.integers(0, 6, n) if extras else None
    found = paired_change_by_cell(
        d, cells, 4, generalises_to=estimand, weights=weights, clusters=clusters
    )
    assert len(found) == 4
    for cell, one in enumerate(found):
        here = cells == cell
        alone = paired_change(
            d[:, here],
            generalises_to=estimand,
            weights=None if weights is None else weights[here],
            clusters=None if clusters is None else clusters[here],
        )
        assert one == alone


@settings(deadline=None, max_examples=60)
@given(differences, st.sampled_from([None, *ESTIMANDS]), st.integers(0, 10**6))
def test_order_plays_no_part_and_swapping_sides_flips_signs(d, estimand, seed):
    draw = np.random.default_rng(seed)
    shuffled = d[draw.permutation(d.shape[0])][:, draw.permutation(d.shape[1])]
    one, other = (paired_change(x, generalises_to=estimand) for x in (d, shuffled))
    turned = paired_change(-d, generalises_to=estimand)
    for name in ("change", "low", "high", "p", "standard_error", "df"):
        assert getattr(other, name) == (
            None if getattr(one, name) is None else pytest.approx(getattr(one, name), abs=1e-9)
        )
    assert turned.change == pytest.approx(-one.change, abs=1e-12)
    assert turned.p == (None if one.p is None else pytest.approx(one.p))
    if one.low is not None:
        assert (turned.low, turned.high) == pytest.approx((-one.high, -one.low), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(differences, st.sampled_from([None, *ESTIMANDS]))
def test_nothing_is_ever_not_a_number(d, estimand):
    found = paired_change(d, generalises_to=estimand)
    for name in ("change", "low", "high", "p", "standard_error", "df", "p_floor", "detectable"):
        value = getattr(found, name)
        assert value is None or np.isfinite(value)
    if found.p is not None:
        assert 0.0 <= found.p <= 1.0
        assert found.low <= found.high
        assert found.detectable > 0.0
    else:
        assert found.reason


@given(st.integers(2, 5), st.integers(1, 40))
def test_identical_populations_have_p_one(parents, n):
    found = paired_change(np.zeros((parents, n)))
    assert found.p == 1.0
    assert found.low == -found.high


def population(draw, parents, n):
    """Losses and gains that depend on the example and on the parent; the true change is −.04."""
    easy = draw.beta(1.0, 9.0, n)
    lose, gain = draw.uniform(0.4, 1.2, (parents, 1)), draw.uniform(0.2, 0.6, (parents, 1))
    chance = draw.random((parents, n))
    return np.where(chance < easy * lose, -1.0, np.where(chance > 1.0 - easy * gain, 1.0, 0.0))


@pytest.mark.parametrize("parents", [5, 10])
def test_both_covers_the_truth(parents):
    """Nominal 95 %; 500 repeats leave a standard error of 1 point."""
    draw = np.random.default_rng(parents)
    found = [paired_change(population(draw, parents, 300)) for _ in range(500)]
    covered = np.mean([one.low <= -0.04 <= one.high for one in found])
    assert 0.925 <= covered <= 0.99


def test_rare_flips_are_covered_where_percentiles_collapse():
    """A true change of −.01 at n = 63: a percentile bootstrap covers it about half the time."""
    draw = np.random.default_rng(3)
    found = [
        paired_change(-1.0 * (draw.random((1, 63)) < 0.01), generalises_to="examples")
        for _ in range(400)
    ]
    assert np.mean([one.low <= -0.01 <= one.high for one in found]) >= 0.95


@pytest.mark.parametrize("estimand", ["examples", "both"])
def test_true_nulls_are_rejected_one_time_in_twenty(estimand):
    draw = np.random.default_rng(8)

    def null():
        flips = draw.random((6, 300)) < draw.beta(1.0, 9.0, 300)
        return np.where(flips, draw.choice([-1.0, 1.0], (6, 300)), 0.0)

    rejected = np.mean(
        [paired_change(null(), generalises_to=estimand).p < 0.05 for _ in range(400)]
    )
    assert rejected <= 0.085
