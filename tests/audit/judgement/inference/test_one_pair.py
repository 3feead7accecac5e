from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.judgement.findings import Finding
from audit.judgement.inference.one_pair import Flips, flips_of
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.margins import judge_cells

COUNTS = st.integers(0, 30)


def finding(harmed, mended, n, measure="accuracy", worse="down", **more):
    change = (harmed - mended) / n * (1 if worse == "up" else -1)
    return Finding(
        id="0" * 12, measure=measure, unit="fraction", change=change, low=change - 0.1,
        high=change + 0.1, standard_error=0.05, df=99.0, n=n, parents=1,
        discordant=harmed + mended, worse_direction=worse, generalises_to="examples", **more,
    )  # fmt: skip


def test_counts_are_read_back_from_a_finding():
    """12 lost and 3 gained of 200: accuracy falls by 9 / 200 with 15 discordant examples."""
    assert flips_of(finding(12, 3, 200)) == Flips(12, 3, 200)
    assert flips_of(finding(12, 3, 200, "group_fpr", "up", class_="x")) == Flips(12, 3, 200)
    assert flips_of(finding(12, 3, 200, "group_fpr", "up")) is None  # a mean over classes
    assert flips_of(finding(12, 3, 200, "excess_gap", "up")) is None
    assert flips_of(replace(finding(12, 3, 200), change=-9.5 / 200)) is None  # replicates
    assert flips_of(replace(finding(12, 3, 200), parents=2)) is None


def test_without_gains_it_is_the_score_bound_of_a_share():
    """13 of 400 lost, none gained: Wilson's upper end, z = 1.645, is 5.05 points (by hand)."""
    k, n, z = 13, 400, stats.norm.isf(0.05)
    wilson = (k + z**2 / 2 + z * np.sqrt(k * (n - k) / n + z**2 / 4)) / (n + z**2)
    assert Flips(k, 0, n).most(0.05) == pytest.approx(wilson, abs=1e-6)
    assert Flips(k, 0, n).most(0.05) == pytest.approx(0.0505, abs=1e-4)


@given(COUNTS, COUNTS, st.integers(60, 400), st.floats(-0.4, 0.4))
def test_the_error_is_that_of_the_most_likely_shares(harmed, mended, n, harm):
    """Tango's closed form against a search over the share mended, the harm being given."""
    share = np.linspace(max(0.0, -harm), (1 - harm) / 2, 20001)[1:-1]
    stay = 1 - 2 * share - harm
    logs = harmed * np.log(share + harm) + mended * np.log(share)
    likely = share[np.argmax(logs + (n - harmed - mended) * np.log(stay))]
    by_search = np.sqrt((2 * likely + harm - harm**2) / n)
    assert Flips(harmed, mended, n)._error(harm) == pytest.approx(by_search, abs=2e-3)


@given(COUNTS, COUNTS, st.integers(60, 400), st.floats(0.001, 0.3))
def test_bounds_and_p_agree_and_are_mirrored(harmed, mended, n, level):
    flips, mirror = Flips(harmed, mended, n), Flips(mended, harmed, n)
    observed = (harmed - mended) / n
    assert flips.least(level) <= observed <= flips.most(level)
    assert flips.least(level) == -mirror.most(level)
    assert flips.most(level) >= flips.most(min(2 * level, 0.5)) - 1e-12
    if flips.least(level) > 0:
        assert flips.p_over(flips.least(level)) == pytest.approx(level, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(("n", "limit", "extra"), [(300, 0.05, 0.0), (1000, 0.01, 0.005)])
@pytest.mark.parametrize("looks", [1, 7])
def test_a_pair_on_its_limit_is_rarely_within_and_rarely_over(n, limit, extra, looks):
    """True loss = limit: within and over each at most at their level, plus simulation error."""
    draw = np.random.default_rng(0)
    shares = [limit + extra, extra, 1 - limit - 2 * extra]
    lost, gained, _ = draw.multinomial(n, shares, size=3000).T
    stated = Policy.model_validate({"max_accuracy_drop": limit}).stated()[0]
    outcomes: dict[tuple[int, int], str] = {}
    found = []
    for b, c in zip(lost.tolist(), gained.tolist(), strict=True):
        if (b, c) not in outcomes:
            made = finding(b, c, n)
            (told,) = judge_cells([made], stated, 0.05, 30, looks, single=lambda f: True)
            outcomes[b, c] = told.outcome
        found.append(outcomes[b, c])
    level = 0.05 / looks
    slack = 3 * np.sqrt(level * (1 - level) / 3000) + 0.1 * level
    assert found.count("within") / 3000 <= level + slack
    assert found.count("over") / 3000 <= level + slack


def test_only_single_pairs_are_judged_by_their_flips():
    stated = Policy.model_validate({"max_accuracy_drop": 0.05}).stated()[0]
    made = finding(12, 3, 200)
    (t,) = judge_cells([made], stated, 0.05, 30)
    (score,) = judge_cells([made], stated, 0.05, 30, single=lambda f: True)
    assert score.bound_within == pytest.approx(Flips(12, 3, 200).most(0.05))
    assert t.bound_within != score.bound_within
