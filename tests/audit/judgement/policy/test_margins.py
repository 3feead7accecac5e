from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from audit.judgement.findings import Finding
from audit.judgement.inference.paired import paired_change_by_cell
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.margins import judge_cells

ALPHA = 0.05


def limit(name="max_accuracy_drop", value=0.05, **scope):
    return Policy.model_validate({name: {"limit": value, **scope}}).stated()[0]


def cell(change, error=0.01, df=100.0, n=1000, **other):
    reach = stats.t.isf(ALPHA / 2, df) * error
    return Finding(
        id="0" * 12,
        measure="accuracy",
        unit="fraction",
        change=change,
        low=change - reach,
        high=change + reach,
        standard_error=error,
        df=df,
        n=n,
        parents=5,
        generalises_to="both",
        **other,
    )


def judged(*cells, stated=None):
    return judge_cells(list(cells), stated or limit(), ALPHA, 30)


def test_a_drop_inside_beyond_and_across_its_limit():
    within, over, across = judged(cell(-0.01), cell(-0.2), cell(-0.05))
    assert (within.outcome, over.outcome, across.outcome) == ("within", "over", "cannot_tell")


def test_the_bounds_are_one_sided_and_in_the_limits_direction():
    t = stats.t.isf(0.05, 100)
    (alone,) = judged(cell(-0.01))
    assert alone.bound_within == pytest.approx(0.01 + t * 0.01)
    assert alone.bound_over == pytest.approx(0.01 - t * 0.01)
    assert alone.reason == (
        "at most 2.66 points (one-sided 95 %), inside the limit of 5.00 points, "
        "for models pruned this way, and new inputs"
    )


def test_within_is_uncorrected_and_over_is_corrected():
    # 1.9 standard errors inside in each of 40 groups; 1.9 beyond in each of 40 others.
    inside = judged(*[cell(-0.05 + 0.019)] * 40)
    assert {j.outcome for j in inside} == {"within"}
    assert judged(cell(-0.069))[0].outcome == "over"
    beyond = judged(*[cell(-0.069)] * 40)
    assert {j.outcome for j in beyond} == {"cannot_tell"}


def test_over_is_corrected_by_holms_steps():
    # Two cells: the second is held to alpha once the first is rejected at alpha / 2.
    far, near = judged(cell(-0.2), cell(-0.068))
    assert (far.outcome, near.outcome) == ("over", "over")
    level_far, level_near = stats.t.isf(0.025, 100), stats.t.isf(0.05, 100)
    assert far.bound_over == pytest.approx(0.2 - level_far * 0.01)
    assert near.bound_over == pytest.approx(0.068 - level_near * 0.01)
    assert judged(cell(-0.068), cell(0.0), cell(0.0))[0].outcome == "cannot_tell"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("max_accuracy_drop", {"change": 0.2}, {"change": -0.2}),
        ("max_group_fpr_increase", {"change": -0.2}, {"change": 0.2}),
        ("min_recall", {"pruned": 0.9}, {"pruned": 0.01}),
        ("max_ece", {"pruned": 0.01}, {"pruned": 0.9}),
    ],
)
def test_every_direction(name, good, bad):
    def of(values):
        (value,) = values.values()
        made = cell(value)
        return made if "change" in values else replace(made, change=None, pruned=value)

    assert [
        j.outcome
        for j in judged(of(good), of(bad), stated=limit(name, 0.5 if name == "min_recall" else 0.1))
    ] == ["within", "over"]


def test_a_floor_says_at_least():
    made = replace(cell(0.9), change=None, pruned=0.9)
    (found,) = judged(made, stated=limit("min_recall", 0.5))
    assert found.reason.startswith("at least 88.34 % (one-sided 95 %), inside the limit of 50.00 %")
    assert found.bound_within == pytest.approx(0.9 - stats.t.isf(0.05, 100) * 0.01)


def test_too_few_examples_cannot_tell_however_small_the_loss():
    (found,) = judged(cell(0.0, error=1e-6, n=29))
    assert found.outcome == "cannot_tell"
    assert "29 examples, of 30 that a claim needs" in found.reason
    assert found.bound_within is None


def test_no_bound_no_claim():
    (found,) = judged(replace(cell(0.0), standard_error=None, reason="too small"))
    assert (found.outcome, found.reason) == ("cannot_tell", "too small")


def test_what_was_not_asked_stays_so():
    (found,) = judged(replace(cell(0.0), outcome="not_asked", reason="no labels"))
    assert (found.outcome, found.reason) == ("not_asked", "no labels")


def test_small_cells_are_no_part_of_the_correction():
    small = cell(0.0, n=5)
    assert judged(cell(-0.068), *[small] * 50)[0].outcome == "over"


def test_cannot_tell_says_what_would():
    (found,) = judged(cell(-0.04, error=0.02, df=1e6))
    # One-sided 1.645 standard errors must fit into one point: (1.645 * .02 / .01)^2 = 10.8 times.
    assert "about 10,823 such examples and 55 parents would decide it" in found.reason
    seeds = replace(cell(-0.04, error=0.02, df=1e6), generalises_to="seeds")
    assert "about 55 parents would" in judged(seeds)[0].reason
    assert "decide" not in judged(cell(-0.05))[0].reason  # on the limit no number would


def test_a_sparsity_is_held_by_its_own_bounds():
    stated = limit("min_prune_potential", 0.5)

    def potential(low, high):
        return Finding(
            id="0" * 12,
            measure="prune_potential",
            unit="sparsity",
            pruned=0.6,
            low=low,
            high=high,
            n=99,
        )

    found = judged(
        potential(0.5, 0.9),
        potential(0.0, 0.4),
        potential(0.4, 0.9),
        potential(0.7, None),
        stated=stated,
    )
    assert [j.outcome for j in found] == ["within", "over", "cannot_tell", "cannot_tell"]


def test_an_interval_keeps_its_shape_at_every_level():
    # ECE's lower end is lowered for bias: so is every other lower bound.
    plain = replace(cell(0.2), change=None, pruned=0.2)
    lowered = replace(plain, low=plain.low - 0.03)
    first, second = (judged(m, stated=limit("max_ece", 0.1))[0] for m in (plain, lowered))
    assert second.bound_over == pytest.approx(first.bound_over - 0.03)
    assert second.bound_within == first.bound_within


def test_errors_stay_under_their_level():
    # The true loss is the limit: over is claimed in any of 8 groups at most 5 % of the time.
    draw = np.random.default_rng(0)
    over = within = 0
    for _ in range(200):
        lost = np.where(draw.random(3200) < 0.05, -1.0, 0.0)[None, :]
        cells = [
            replace(
                cell(e.change, n=400),
                low=e.low,
                high=e.high,
                standard_error=e.standard_error,
                df=e.df,
            )
            for e in paired_change_by_cell(lost, np.arange(3200) % 8, 8)
        ]
        outcomes = [j.outcome for j in judged(*cells)]
        over += "over" in outcomes
        within += outcomes[0] == "within"
    assert over / 200 <= 0.05 + 0.02
    assert within / 200 <= 0.10  # skewed counts: 20 lost examples a group
