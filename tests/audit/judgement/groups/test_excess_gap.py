import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.judgement.groups.divisions import groupings
from audit.judgement.groups.excess_gap import excess_gaps
from audit.judgement.groups.worst_gap import worst_gap
from audit.judgement.groups.worst_of_groups import worst_gap_families
from audit.judgement.pairs import contrast, correct, design, pairs
from audit.judgement.plan import Plan


def gaps(made, plan=None):
    known = design(made.evidence, plan or Plan())
    found = pairs(made.block, made.arms[0], known)
    division = groupings(made.evidence.examples, known.plan)[0]
    return dict(
        zip(
            division.names,
            excess_gaps(contrast(found, correct(known.labels)), division),
            strict=True,
        )
    )


def drawn(seed, n=300, parents=4, loss=0.1, groups=("a", "b", "c")):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 3, n)
    dense = np.where(draw.random((parents, n)) < 0.95, labels, (labels + 1) % 3)
    pruned = np.where(draw.random((parents, n)) < loss, (labels + 2) % 3, dense)
    return labels, dense, pruned, draw.choice(groups, n)


def test_definition(study):
    labels, dense, pruned, group = drawn(0)
    found = gaps(study(labels, dense, {0.5: pruned}, columns={"group_g": group}))
    lost = (dense == labels).mean(axis=0) - (pruned == labels).mean(axis=0)
    for name, answer in found.items():
        inside = group == name[2:]
        expected = lost[inside].mean() - lost.mean()
        assert answer.estimate.change == pytest.approx(expected)
        assert answer.pruned - answer.parent == pytest.approx(expected)
        assert answer.estimate.low < expected < answer.estimate.high
        assert answer.estimate.n == inside.sum()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 30))
def test_gaps_weighed_by_size_sum_to_zero(study, seed):
    labels, dense, pruned, group = drawn(seed, n=60, parents=2)
    found = gaps(study(labels, dense, {0.5: pruned}, columns={"group_g": group}))
    total = sum(answer.estimate.n * answer.estimate.change for answer in found.values())
    assert total == pytest.approx(0.0, abs=1e-9)


def test_weights_count_examples_more_than_once(study):
    labels, dense, pruned, group = drawn(1, n=60)
    weight = np.r_[np.full(20, 2.0), np.ones(40)]
    twice = np.r_[np.arange(60), np.arange(20)]
    weighted = gaps(
        study(labels, dense, {0.5: pruned}, columns={"group_g": group, "weight": weight})
    )
    repeated = gaps(
        study(
            labels[twice],
            dense[:, twice],
            {0.5: pruned[:, twice]},
            columns={"group_g": group[twice]},
        )
    )
    for name, answer in weighted.items():
        assert answer.estimate.change == pytest.approx(repeated[name].estimate.change)


def test_one_pairs_interval_covers_what_it_should(study):
    # Group b loses 10 points more than everybody else loses: its excess gap is 0.1 * 0.7.
    covered = 0
    for seed in range(150):
        draw = np.random.default_rng(seed)
        labels, group = np.zeros(400, int), np.where(draw.random(400) < 0.3, "b", "a")
        lost = draw.random((1, 400)) < np.where(group == "b", 0.15, 0.05)
        made = study(labels, labels[None, :], {0.5: lost.astype(int)}, columns={"group_g": group})
        estimate = gaps(made)["g=b"].estimate
        true = 0.15 - (0.15 * (group == "b").mean() + 0.05 * (group == "a").mean())
        covered += estimate.low <= true <= estimate.high
    assert 136 <= covered <= 149  # 95 % of 150 is 142.5, with a standard deviation of 2.7


def test_few_discordant_examples_of_a_small_group_are_guarded(study):
    labels = np.zeros(1000, int)
    group = np.where(np.arange(1000) < 50, "few", "many")
    pruned = np.where(np.arange(1000) % 20 == 19, 1, labels)
    pruned[:50] = 0
    pruned[:2] = 1  # two of the fifty, beside 47 elsewhere
    made = study(labels, labels[None, :], {0.5: pruned[None, :]}, columns={"group_g": group})
    estimate = gaps(made)["g=few"].estimate
    unguarded = np.sqrt(0.04 * 0.96 / 49)
    assert estimate.discordant == 2
    assert estimate.standard_error > 1.3 * unguarded


def loss_of(draw, n, rate):
    return (draw.random((2, n)) < rate).astype(float)


def test_null_data_are_rejected_at_the_level():
    rejected, rejected_jointly = 0, 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        strata = draw.integers(0, 4, 240)
        groups = (draw.random(240) < 0.2 + 0.1 * strata).astype(np.int64) + (draw.random(240) < 0.3)
        loss = loss_of(draw, 240, 0.1 * (1 + strata))  # classes differ, groups do not
        found = worst_gap(loss, groups, strata, tested=np.ones(3, bool), resamples=99, rng=draw)
        rejected += found.p[0] <= 0.05
        rejected_jointly += found.p_joint <= 0.05
    assert 3 <= rejected <= 20  # 10 expected, standard deviation 3.1
    assert 3 <= rejected_jointly <= 20


def test_a_planted_gap_is_found_in_its_arm_and_group():
    draw = np.random.default_rng(0)
    strata, groups = draw.integers(0, 4, 600), draw.integers(0, 3, 600)
    loss = loss_of(draw, 600, 0.1)
    loss[1] += (groups == 2) & (draw.random(600) < 0.15)
    found = worst_gap(loss, groups, strata, tested=np.ones(3, bool), resamples=199, rng=draw)
    assert found.p[1] == found.p_joint == found.p_floor == 1 / 200
    assert found.worst[1] == 2
    assert found.p[0] > 0.05


def test_groups_that_are_not_tested_are_never_the_worst():
    draw = np.random.default_rng(0)
    groups = np.r_[np.zeros(95, np.int64), np.ones(5, np.int64)]
    loss = np.where(groups == 1, 1.0, 0.0)[None, :]
    strata = np.zeros(100, np.int64)
    found = worst_gap(loss, groups, strata, tested=np.array([True, False]), resamples=99, rng=draw)
    assert found.worst.tolist() == [0]
    assert found.p[0] == 1.0


def test_statistics_by_enumeration():
    # Two strata of three, one member of group 1 in each: 9 equally likely labellings.
    loss = np.array([[3.0, 1.0, 0.0, 2.0, 0.0, 0.0]])
    strata = np.array([0, 0, 0, 1, 1, 1])
    groups = np.array([1, 0, 0, 1, 0, 0])
    found = worst_gap(
        loss,
        groups,
        strata,
        tested=np.array([False, True]),
        resamples=4000,
        rng=np.random.default_rng(0),
    )
    assert found.p[0] == pytest.approx(1 / 9, abs=0.02)


def test_an_unharmed_arm_hides_no_harmed_one():
    draw = np.random.default_rng(0)
    groups, strata = draw.integers(0, 2, 400), np.zeros(400, np.int64)
    loss = np.stack([np.zeros(400), (groups == 1) * (draw.random(400) < 0.3)])
    found = worst_gap(loss, groups, strata, tested=np.ones(2, bool), resamples=99, rng=draw)
    assert found.p.tolist() == [1.0, 0.01]
    assert found.p_joint == 0.01
    assert found.worst.tolist() == [-1, 1]


def test_large_groups_are_taken_as_normal_and_it_makes_no_difference(monkeypatch):
    draw = np.random.default_rng(3)
    strata = draw.integers(0, 4, 3000)
    groups = (draw.random(3000) < 0.2 + 0.1 * strata).astype(np.int64) + (draw.random(3000) < 0.5)
    loss = loss_of(draw, 3000, 0.05 * (1 + strata))
    loss[1] = np.where(draw.random(3000) < 0.8, loss[0], loss[1])  # arms that hang together
    loss[1] += (groups == 1) * (draw.random(3000) < 0.01)
    found = []
    for large in (10**9, 1):
        monkeypatch.setattr("audit.judgement.groups.worst_gap.LARGE", large)
        rng = np.random.default_rng(1)
        found.append(
            worst_gap(loss, groups, strata, tested=np.ones(3, bool), resamples=1500, rng=rng)
        )
    exact, normal = found
    np.testing.assert_allclose(normal.p, exact.p, atol=0.05)
    assert normal.p_joint == pytest.approx(exact.p_joint, abs=0.05)
    assert 0.05 < exact.p_joint < 0.95


def test_identical_populations_have_p_one(study):
    labels, dense, _, group = drawn(0)
    made = study(labels, dense, {0.5: dense, 0.7: dense}, columns={"group_g": group})
    family = worst_gap_families(made.block, made.evidence, made.arms, Plan(), "groups")[0]
    assert family.omnibus_p == 1.0
    for finding in family.findings:
        assert (finding.p, finding.change) == (1.0, 0.0)
        assert finding.reason == "no group differs from another in anything"


def test_a_family_carries_the_joint_p_and_names_the_worst(study):
    labels, dense, pruned, group = drawn(3, n=600)
    worse = np.where((group == "c") & (np.arange(600) % 4 == 0), (labels + 1) % 3, pruned)
    made = study(labels, dense, {0.5: pruned, 0.9: worse}, columns={"group_g": group})
    family = worst_gap_families(made.block, made.evidence, made.arms, Plan(), "groups")[0]
    low, high = family.findings
    assert (low.sparsity, high.sparsity) == (0.5, 0.9)
    assert family.omnibus_p == high.p == pytest.approx(1 / 2001)
    assert high.reason.startswith("g=c falls furthest behind")
    assert (high.subject, high.groups, high.n) == ("g", None, 600)
    assert high.change == pytest.approx(
        gaps(study(labels, dense, {0.9: worse}, columns={"group_g": group}))["g=c"].estimate.change
    )


@pytest.mark.parametrize("across", [False, True])
def test_clusters_move_as_one(study, across):
    # 40 clusters of 10 with one loss each: as examples they would reject, as clusters they do not.
    draw = np.random.default_rng(0)
    cluster = np.repeat(np.arange(40), 10)
    labels = np.zeros(400, int)
    lost = np.repeat(draw.random(40) < 0.3, 10).astype(int)
    own = np.where(np.arange(40) < 20, "a", "b")
    group = np.resize(["a", "b"], 400) if across else own[cluster]
    rejected = []
    for columns in ({}, {"cluster": cluster}):
        made = study(
            labels,
            labels[None, :],
            {0.5: lost[None, :]},
            columns={"group_g": group, **columns},
        )
        plan = Plan(minimum_n=10)
        family = worst_gap_families(made.block, made.evidence, made.arms, plan, "groups")[0]
        rejected.append(family.findings[0].p)
    plain, clustered = rejected
    assert clustered == 1.0 if across else clustered > plain


def test_one_group_column_value_asks_nothing(study):
    made = study([0, 0], [[0, 0]], {0.5: [[0, 1]]}, columns={"group_g": ["a", "a"]})
    assert worst_gap_families(made.block, made.evidence, made.arms, Plan(), "groups") == []
