from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LinearRegression

from audit.evidence.blocks import CLEAN
from audit.judgement.classes.frequency import (
    frequency_families,
    of_classes,
    rank_correlation,
    slope_finding,
)
from audit.judgement.judging import judge
from audit.judgement.pairs import contrast, correct, design, pairs
from audit.judgement.plan import Binned, Plan
from audit.judgement.policy.limits import Policy

FIXTURE = HealthCheck.function_scoped_fixture  # a factory: nothing is shared between examples


def trained(made, counts, groups=None):
    """The study with `counts[class]` training examples, or `counts[class][group]`."""
    rows = []
    for code, each in enumerate(counts):
        if groups is None:
            rows += [{"label": code}] * each
        else:
            rows += [
                {"label": code, "group_g": name}
                for name, size in zip(groups, each, strict=True)
                for _ in range(size)
            ]
    frame = pd.DataFrame(rows).assign(split="train")
    frame["example"] = 10_000 + np.arange(len(frame))
    return replace(made, evidence=replace(made.evidence, training=frame))


def ask(made, **plan):
    (family,) = frequency_families(made.block, made.evidence, made.arms, Plan(**plan))
    assert (family.name, family.tier) == ("frequency", "D")
    return {(f.measure, f.subject): f for f in family.findings}


def losing(study, lost, size=100, parents=3, **columns):
    """Class c of `size` examples loses `lost[c]` of them in every pruned model."""
    labels = np.repeat(np.arange(len(lost)), size)
    pruned = labels.copy()
    for code, count in enumerate(lost):
        pruned[code * size : code * size + count] = (code + 1) % len(lost)
    return study(
        labels, [labels] * parents, {0.9: [pruned] * parents}, [labels] * parents, columns=columns
    )


def test_by_hand(study):
    """10, 100, 1,000 training examples; the rarest loses 20 points, the next 10, the last none:
    10 points per tenfold. The middle class has no pull, so that 20 examples count as changed."""
    found = ask(trained(losing(study, [20, 10, 0]), [10, 100, 1000]))
    slope = found["frequency_slope", None]
    assert slope.change == pytest.approx(0.1)
    assert (slope.parent, slope.pruned, slope.control) == (
        pytest.approx(0.0), pytest.approx(0.1), pytest.approx(0.0),
    )  # fmt: skip
    assert slope.low < 0.1 < slope.high
    assert (slope.n, slope.discordant, slope.worse_direction) == (300, 20, "up")
    assert slope.p < 0.01
    assert "3 classes" in slope.reason
    rank = found["frequency_rank_correlation", None]
    assert rank.pruned == pytest.approx(1.0)
    assert rank.n == 300


def test_a_change_that_is_the_same_everywhere_has_no_slope(study):
    found = ask(trained(losing(study, [20, 20, 20]), [10, 100, 1000]))
    assert found["frequency_slope", None].change == pytest.approx(0.0)
    assert found["frequency_slope", None].p > 0.9
    assert found["frequency_rank_correlation", None].pruned is None


@settings(deadline=None, max_examples=20, suppress_health_check=[FIXTURE])
@given(seed=st.integers(0, 10**6), weighted=st.booleans())
def test_the_slope_is_weighted_least_squares(study, seed, weighted):
    """Over classes, weighted by their test examples, as scikit-learn fits it; the shift's slope
    is that of recall."""
    draw = np.random.default_rng(seed)
    labels = np.r_[np.arange(5), draw.integers(0, 5, 95)]
    dense, pruned = (
        np.where(draw.random((2, 100)) < right, labels, draw.integers(0, 5, (2, 100)))
        for right in (0.9, 0.7)
    )
    heavy = draw.uniform(0.5, 2.0, 100) if weighted else np.ones(100)
    columns = {"weight": heavy} if weighted else {}
    counts = [7, 19, 60, 300, 900]
    made = trained(study(labels, dense, {0.9: pruned}, columns=columns), counts)
    d = ((pruned == labels).astype(float) - (dense == labels)).mean(axis=0)
    size = np.bincount(labels, heavy)
    recall = np.bincount(labels, d * heavy) / size
    x = np.log10(counts)
    shift = recall - np.average(d, weights=heavy)
    fit = LinearRegression().fit(x[:, None], shift, sample_weight=size)
    found = ask(made, minimum_n=1)
    assert found["frequency_slope", None].change == pytest.approx(fit.coef_[0])
    rank = found["frequency_rank_correlation", None].pruned
    assert rank == pytest.approx(stats.spearmanr(x, shift).statistic)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=20))
def test_rank_correlation_is_scipys(pairs):
    first, second = np.array(pairs, dtype=float).T
    found = rank_correlation(first, second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(stats.spearmanr(first, second).statistic)


def test_cells_of_class_and_group(study):
    """Within y every class is trained on 10 times and loses 10 points; in x 1,000 times, and none:
    5 points per tenfold, over six cells."""
    labels = np.repeat(np.arange(3), 100)
    group = np.tile(np.repeat(["x", "y"], 50), 3)
    pruned = labels.copy()
    for code in range(3):
        pruned[code * 100 + 50 : code * 100 + 55] = (code + 1) % 3
    made = study(labels, [labels] * 3, {0.9: [pruned] * 3}, columns={"group_g": group})
    made = trained(made, [(1000, 10)] * 3, groups=("x", "y"))
    slope = ask(made)["cell_frequency_slope", "g"]
    assert slope.change == pytest.approx(0.05)
    assert "6 classes within g" in slope.reason
    assert (slope.groups, slope.class_) == (None, None)
    assert ask(made)["frequency_slope", None].outcome == "not_asked"


def test_a_column_that_training_lacks_is_left_out(study):
    group = np.tile(["x", "y"], 150)
    made = trained(losing(study, [20, 10, 0], group_g=group, group_h=group), [10, 100, 1000])
    assert [key for key in ask(made) if key[0] == "cell_frequency_slope"] == []
    made = trained(
        losing(study, [20, 10, 0], group_g=group, group_h=group), [(5, 5)] * 3, ("x", "y")
    )
    assert [key for key in ask(made) if key[0] == "cell_frequency_slope"] == [
        ("cell_frequency_slope", "g")
    ]
    assert ("cell_frequency_slope", "g") in ask(made, groups=("g", "h"))


def test_binned_columns_are_cut_alike(study):
    age = np.tile([20.0, 70.0], 150)
    made = losing(study, [20, 10, 0], group_age=age)
    made = trained(made, [(9, 30), (90, 300), (900, 3000)], groups=(25.0, 65.0))
    training = made.evidence.training.rename(columns={"group_g": "group_age"})
    made = replace(made, evidence=replace(made.evidence, training=training))
    found = ask(made, groups=(Binned(column="age", bins=(0, 50, 100)),))
    assert "6 classes within age" in found["cell_frequency_slope", "age"].reason


def test_a_class_that_was_never_trained_on_is_left_out(study):
    found = ask(trained(losing(study, [20, 10, 0, 50]), [10, 100, 1000, 0]))
    assert found["frequency_slope", None].change == pytest.approx(0.1)
    assert found["frequency_slope", None].n == 300


def test_two_frequencies_or_two_classes_are_too_few(study):
    for lost, counts in (([20, 10], [10, 100]), ([20, 10, 0], [50, 50, 50])):
        found = ask(trained(losing(study, lost), counts))
        for measure in ("frequency_slope", "frequency_rank_correlation"):
            assert found[measure, None].outcome == "not_asked"
            assert "it takes 3" in found[measure, None].reason


def test_identical_populations(study):
    found = ask(trained(losing(study, [0, 0, 0]), [10, 100, 1000]))
    slope = found["frequency_slope", None]
    assert (slope.change, slope.p) == (0.0, 1.0)
    rank = found["frequency_rank_correlation", None]
    assert (rank.pruned, rank.p, rank.low) == (None, None, None)


def test_without_training_rows_it_is_not_asked_and_says_what_to_add(study):
    found = judge(losing(study, [20, 10, 0]).evidence, Plan(resamples=100), Policy())
    (slope,) = [f for f in found.findings if f.measure == "frequency_slope"]
    assert slope.outcome == "not_asked"
    assert "split train" in slope.reason


def test_null_slopes_reject_as_often_as_they_should(study):
    """300 nulls in which every class loses alike: p below .05 in at most 8 %."""
    draw, rejected = np.random.default_rng(0), 0
    labels = np.repeat(np.arange(5), 60)
    first = trained(study(labels, [labels] * 5, {0.9: [labels] * 5}), [10, 30, 100, 300, 1000])
    cells, known = of_classes(first.evidence), design(first.evidence, Plan())
    for _ in range(300):
        dense = np.where(draw.random((5, 300)) < 0.9, labels, (labels + 1) % 5)
        pruned = np.where(draw.random((5, 300)) < 0.8, dense, (labels + 2) % 5)
        block = replace(first.block, predicted=np.vstack([dense, pruned]))
        found = contrast(pairs(block, first.arms[0], known), correct(labels))
        rejected += slope_finding("frequency_slope", found, first.arms[0], CLEAN, cells).p < 0.05
    assert rejected <= 24
