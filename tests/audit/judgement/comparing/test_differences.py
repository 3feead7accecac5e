"""The arithmetic of a difference of differences: by hand, by formula, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.judgement.comparing.differences import (
    ALONE,
    independent_difference,
    paired_differences,
    unpaired_differences,
)


def one_cell(examples: int) -> np.ndarray:
    return np.zeros(examples, dtype=np.int64)


def test_over_the_same_parent_by_hand():
    """One parent, 40 examples, 12 of which the second run mends.

    Mean 12/40 = .3; variance (12·.7² + 28·.3²)/39 = .21538; standard error √(.21538/40) = .07338;
    t(39) = 2.02269, so the interval is .3 ± .14843.
    """
    before, after = np.zeros((1, 40)), np.zeros((1, 40))
    before[0, :15] = -1.0
    after[0, :3] = -1.0
    (found,) = paired_differences(before, after, one_cell(40), 1)
    assert found.change == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(0.07338, abs=1e-5)
    assert (found.low, found.high) == pytest.approx((0.15157, 0.44843), abs=1e-5)
    assert found.discordant == 12


def test_over_other_parents_against_the_formula():
    draw = np.random.default_rng(3)
    before, after = draw.normal(-0.1, 0.3, (4, 50)), draw.normal(-0.2, 0.3, (6, 50))
    before += draw.normal(0.0, 0.1, (4, 1))
    (found,) = unpaired_differences(before, after, one_cell(50), 1)
    x = after.mean(axis=0) - before.mean(axis=0)
    e = x.var(ddof=1) / 50
    m, r = [], []
    for d in (before, after):
        parents = d.mean(axis=1)
        m.append(parents.var(ddof=1) / len(d))
        off = d - parents[:, None] - d.mean(axis=0) + d.mean()
        r.append((off**2).sum() / ((len(d) - 1) * 49 * len(d) * 50))
    variance = max(e + sum(m) - sum(r), e, sum(m))
    df = variance**2 / (e**2 / 49 + m[0] ** 2 / 3 + m[1] ** 2 / 5)
    assert found.change == pytest.approx(x.mean())
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    assert found.df == pytest.approx(df)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(x.mean()) / np.sqrt(variance), df))
    assert found.generalises_to == "both"
    assert found.examples_standard_error == pytest.approx(np.sqrt(e))


def test_one_parent_on_a_side_answers_for_these_models():
    draw = np.random.default_rng(1)
    before, after = draw.normal(size=(1, 30)), draw.normal(size=(5, 30))
    (found,) = unpaired_differences(before, after, one_cell(30), 1)
    assert found.generalises_to == "examples"
    assert ALONE in (found.reason or "")
    assert found.df == 29


def test_an_example_that_one_side_was_not_shown_is_left_out():
    before, after = np.zeros((2, 20)), np.ones((2, 20))
    before[0, 3] = np.nan
    after[1, 4] = np.nan
    (found,) = unpaired_differences(before, after, one_cell(20), 1)
    assert found.n == 18


def test_an_empty_cell_says_so():
    cells = one_cell(20)
    nobody = unpaired_differences(np.zeros((2, 20)), np.zeros((2, 20)), cells, 2)[1]
    assert (nobody.n, nobody.p, nobody.change) == (0, None, None)


def test_nothing_moved_is_p_1_and_no_warning():
    for how in (paired_differences, unpaired_differences):
        (found,) = how(np.zeros((3, 30)), np.zeros((3, 30)), one_cell(30), 1)
        assert (found.change, found.p) == (0.0, 1.0)
        assert found.low == -found.high


def test_independent_answers_by_hand():
    """Changes −.10 and −.04 with errors .03 and .04: .06 ± t · .05, df by Welch–Satterthwaite.

    df = (.0009 + .0016)² / (.0009²/10 + .0016²/20) = 29.9.
    """
    found = independent_difference((-0.1, -0.04), (-0.1, -0.04), (0.03, 0.04), (10.0, 20.0), 0.95)
    assert found.change == pytest.approx(0.06)
    assert found.standard_error == pytest.approx(0.05)
    assert found.df == pytest.approx(29.9, abs=0.1)


@pytest.mark.parametrize("parents", [(5, 5), (4, 8)])
def test_intervals_over_other_parents_cover(parents):
    """300 draws of crossed runs, each with parents of its own, on 200 shared examples.

    Effects of examples, of parents and of both in each run; the true difference is −.03. Of 95 %
    intervals at least 92 % cover (two simulation errors below 95 are 92.5).
    """
    covered, draws, n = 0, 300, 200
    draw = np.random.default_rng(7)
    for _ in range(draws):
        hard = draw.normal(0.0, 0.2, n)
        sides = [
            mean + hard + draw.normal(0, 0.1, n) + draw.normal(0, 0.06, (m, 1))
            + draw.normal(0, 0.3, (m, n))
            for mean, m in zip((-0.02, -0.05), parents, strict=True)
        ]  # fmt: skip
        (found,) = unpaired_differences(sides[0], sides[1], one_cell(n), 1)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= -0.03 <= found.high
    assert covered >= 0.92 * draws


def test_intervals_over_the_same_parents_cover_where_answers_are_right_or_wrong():
    """300 draws of 6 parents × 300 examples, wrong or right; the true difference is .04."""
    covered, draws, parents, n = 0, 300, 6, 300
    draw = np.random.default_rng(11)
    for _ in range(draws):
        risk = np.clip(draw.normal(0.10, 0.02, (parents, 1)), 0, 1)  # of the first run
        harmed = draw.random((parents, n)) < risk
        mended = harmed & (draw.random((parents, n)) < 0.4)
        (found,) = paired_differences(
            -harmed.astype(float), -(harmed & ~mended).astype(float), one_cell(n), 1
        )
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.04 <= found.high
    assert covered >= 0.92 * draws
