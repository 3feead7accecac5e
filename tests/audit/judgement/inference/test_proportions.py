import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.judgement.inference.proportions import mcnemar_exact, mcnemar_floor, newcombe, wilson

counts = st.integers(0, 60)


def test_wilson_is_scipys():
    for k, n in [(0, 10), (1, 10), (7, 10), (10, 10), (1, 63)]:
        expected = stats.binomtest(k, n).proportion_ci(0.95, "wilson")
        low, high = wilson(k, n)
        assert (float(low), float(high)) == pytest.approx((expected.low, expected.high))


def test_wilson_of_nobody_is_undefined():
    low, high = wilson([0, 1], [0, 2])
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()


def test_wilson_covers_rare_events():
    """True rate .02 at n = 10: covered 98 % of the time (section 0), exactly 98.4 %."""
    k = np.arange(11)
    low, high = wilson(k, np.full(11, 10))
    covered = stats.binom.pmf(k, 10, 0.02)[(low <= 0.02) & (high >= 0.02)].sum()
    assert covered == pytest.approx(0.984, abs=0.001)


def test_newcombe_on_an_example_of_his_paper():
    """Newcombe 1998, method 10: of 36/12/2/0 it is .0569 to .3404."""
    low, high = newcombe(both=36, parent_only=2, pruned_only=12, neither=0)
    assert (float(low), float(high)) == pytest.approx((0.0569, 0.3404), abs=2e-4)


def test_newcombe_corrects_a_positive_correlation_for_continuity():
    """Of 20/2/4/10: ad − bc = 192, less n / 2 = 18, over √(24 · 12 · 22 · 14) is φ = .584."""
    phi = (20 * 10 - 2 * 4 - 18) / np.sqrt(24 * 12 * 22 * 14)
    first, second = stats.binomtest(24, 36), stats.binomtest(22, 36)
    low1, high1 = first.proportion_ci(0.95, "wilson")
    low2, high2 = second.proportion_ci(0.95, "wilson")
    down, up = 24 / 36 - low1, high2 - 22 / 36
    reach = np.sqrt(down**2 - 2 * phi * down * up + up**2)
    low, high = newcombe(both=20, parent_only=2, pruned_only=4, neither=10)
    assert float(low) == pytest.approx(2 / 36 - reach)
    up, down = high1 - 24 / 36, 22 / 36 - low2
    assert float(high) == pytest.approx(2 / 36 + np.sqrt(up**2 - 2 * phi * up * down + down**2))


@given(counts, counts, counts, counts)
def test_newcombe_holds_the_change_and_turns_with_the_sides(both, harmed, mended, neither):
    n = both + harmed + mended + neither
    low, high = newcombe(both, harmed, mended, neither)
    if n == 0:
        assert np.isnan(low)
        assert np.isnan(high)
        return
    change = (mended - harmed) / n
    assert -1.0 <= low <= change + 1e-9
    assert change - 1e-9 <= high <= 1.0
    other = newcombe(both, mended, harmed, neither)
    assert (float(other[0]), float(other[1])) == pytest.approx((-high, -low))


@given(counts, counts)
def test_mcnemar_is_scipys_binomial_test(harmed, mended):
    flips = harmed + mended
    expected = stats.binomtest(harmed, flips, 0.5).pvalue if flips else 1.0
    assert float(mcnemar_exact(harmed, mended)) == pytest.approx(expected)


def test_six_one_way_flips_are_the_first_to_be_significant():
    """Section 0: at α .05 at least 6 one-way flips are needed: 2 / 2^5 = .0625, 2 / 2^6 = .031."""
    assert mcnemar_exact([5, 6], [0, 0]).tolist() == [0.0625, 0.03125]
    assert mcnemar_floor([0, 1, 5, 6]).tolist() == [1.0, 1.0, 0.0625, 0.03125]
