import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from audit.judgement.agreement.flips import cohen_kappa
from audit.judgement.agreement.with_parents import agreement_families
from audit.judgement.plan import Plan


def ask(made, **plan):
    (family,) = agreement_families(made.block, made.evidence, made.arms, Plan(**plan))
    assert family.tier == "D"
    return {finding.measure: finding for finding in family.findings}


def one_pair(harmed=8, mended=2, moved=3, rest=87):
    """Class 0 is right everywhere; 1 and 2 are wrong answers."""
    dense = np.repeat([0, 1, 1, 0], [harmed, mended, moved, rest])
    pruned = np.repeat([1, 0, 2, 0], [harmed, mended, moved, rest])
    return np.zeros(dense.size, dtype=int), dense, pruned


def test_flips_split_into_harmed_and_mended_by_hand(study):
    """Of 100: 8 harmed, 2 mended, 3 moved from wrong to wrong: 13 flips, 87 agree."""
    labels, dense, pruned = one_pair()
    found = ask(study(labels, dense, {0.5: pruned}))
    assert found["flip_rate"].pruned == pytest.approx(0.13)
    assert found["agreement"].pruned == pytest.approx(0.87)
    assert found["harmed_rate"].pruned == pytest.approx(0.08)
    assert found["mended_rate"].pruned == pytest.approx(0.02)
    assert found["net_harm_rate"].pruned == pytest.approx(0.06)
    assert found["flip_rate"].discordant == 13
    assert found["agreement"].discordant == 13


def test_one_pair_is_tested_by_exact_mcnemar(study):
    labels, dense, pruned = one_pair()
    found = ask(study(labels, dense, {0.5: pruned}))["net_harm_rate"]
    assert found.p == pytest.approx(stats.binomtest(8, 10, 0.5).pvalue)
    assert found.p_floor == pytest.approx(2 / 2**10)
    assert found.low < 0.06 < found.high
    assert "McNemar" in found.reason


def test_clusters_and_several_pairs_are_not_mcnemars(study):
    labels, dense, pruned = one_pair()
    clustered = study(labels, dense, {0.5: pruned}, columns={"cluster": np.arange(100) // 2})
    several = study(labels, np.stack([dense, dense]), {0.5: np.stack([pruned, pruned])})
    for made in (clustered, several):
        assert "McNemar" not in ask(made)["net_harm_rate"].reason


def test_the_change_is_against_the_control(study):
    """The control flips 5 where the pruned model flips 13: 8 points more than training alone."""
    labels, dense, pruned = one_pair()
    control = dense.copy()
    control[:5] = 2
    found = ask(study(labels, dense, {0.5: pruned}, control))["flip_rate"]
    assert found.control == pytest.approx(0.05)
    assert found.change == pytest.approx(0.08)
    assert "control" in found.reason
    assert found.parent is None


def test_without_controls_parents_stand_beside_each_other(study):
    labels = np.zeros(100, dtype=int)
    dense = np.zeros((2, 100), dtype=int)
    dense[1, :20] = 1
    found = ask(study(labels, dense, {0.5: dense}))["flip_rate"]
    assert (found.pruned, found.control, found.change) == (0.0, pytest.approx(0.2), None)
    assert "parents against each other" in found.reason
    alone = ask(study(labels, dense[:1], {0.5: dense[:1]}))["flip_rate"]
    assert alone.control is None


def test_kappa_is_tested_over_parents(study):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 200)
    dense = np.where(draw.random((4, 200)) < 0.9, labels, 0)
    pruned = np.where(draw.random((4, 200)) < 0.7, dense, 1)
    control = np.where(draw.random((4, 200)) < 0.9, dense, 1)
    found = ask(study(labels, dense, {0.5: pruned}, control))["kappa"]
    after, before = (
        [cohen_kappa_score(a, b) for a, b in zip(dense, other, strict=True)]
        for other in (pruned, control)
    )
    assert found.pruned == pytest.approx(np.mean(after))
    assert found.control == pytest.approx(np.mean(before))
    assert found.p == pytest.approx(stats.ttest_rel(after, before).pvalue)
    assert found.generalises_to == "seeds"


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_kappa_is_scikit_learns(votes):
    first, second = np.array(votes).T
    if (first == first[0]).all() and (second == first[0]).all():
        assert np.isnan(cohen_kappa(first[None], second[None], 4)).all()
        return
    expected = cohen_kappa_score(first, second)
    assert cohen_kappa(first[None], second[None], 4)[0] == pytest.approx(expected, abs=1e-12)


def test_kappa_of_weighted_examples_is_scikit_learns():
    draw = np.random.default_rng(0)
    first, second, weights = draw.integers(0, 3, 50), draw.integers(0, 3, 50), draw.random(50)
    expected = cohen_kappa_score(first, second, sample_weight=weights)
    assert cohen_kappa(first[None], second[None], 3, weights)[0] == pytest.approx(expected)


def test_all_predictions_equal_leave_kappa_undefined(study):
    labels = np.arange(60) % 2
    same = np.zeros((3, 60), dtype=int)
    found = ask(study(labels, same, {0.5: same}, same))
    assert (found["kappa"].pruned, found["kappa"].p) == (None, None)
    assert found["agreement"].pruned == 1.0
    assert (found["flip_rate"].change, found["flip_rate"].p) == (0.0, 1.0)


def test_without_parents_nothing_is_asked(study):
    labels = np.zeros(40, dtype=int)
    found = ask(study(labels, np.zeros((2, 40)), {0.5: np.ones((2, 40))}, named_parents=False))
    paired = [f for f in found.values() if not f.measure.startswith("parents_")]
    assert {f.outcome for f in paired} == {"not_asked"}
    assert len(paired) == 6


def test_unlabelled_examples_flip_but_are_neither_harmed_nor_mended(study):
    labels = np.array([0] * 50 + [-1] * 50)
    dense, pruned = np.zeros((1, 100), dtype=int), np.zeros((1, 100), dtype=int)
    pruned[0, 40:60] = 1
    found = ask(study(labels, dense, {0.5: pruned}))
    assert (found["flip_rate"].pruned, found["flip_rate"].n) == (pytest.approx(0.2), 100)
    assert (found["harmed_rate"].pruned, found["harmed_rate"].n) == (pytest.approx(0.2), 50)


def test_replicates_are_averaged_first(study):
    labels = np.zeros(100, dtype=int)
    dense = np.zeros((2, 100), dtype=int)
    children = np.zeros((4, 100), dtype=int)
    children[0, :40] = 1
    made = study(labels, dense, {0.5: children[[0, 1, 2]]}, parent_of=[0, 0, 1])
    assert ask(made)["flip_rate"].pruned == pytest.approx((0.2 + 0.0) / 2)


def grouped(made, **plan):
    (family,) = agreement_families(made.block, made.evidence, made.arms, Plan(**plan))
    return {f.groups: f for f in family.findings if f.measure == "group_flip_rate"}


def test_flips_inside_groups_by_hand_and_without_labels(study):
    """60 in x, of which 12 flip and 3 in the control; 40 in y, of which 1 and 1."""
    group = np.repeat(["x", "y"], [60, 40])
    dense = np.zeros(100, dtype=int)
    pruned, control = dense.copy(), dense.copy()
    pruned[:12], pruned[60] = 1, 1
    control[:3], control[99] = 1, 1
    for labels in (np.zeros(100, dtype=int), np.full(100, -1)):
        made = study(
            labels, [dense] * 3, {0.5: [pruned] * 3}, [control] * 3, columns={"group_g": group},
            classes=("a", "b"),
        )  # fmt: skip
        found = grouped(made)
        assert (found["g=x"].pruned, found["g=x"].control) == (12 / 60, 3 / 60)
        assert found["g=x"].change == pytest.approx(9 / 60)
        assert (found["g=x"].n, found["g=x"].discordant) == (60, 9)
        assert (found["g=y"].pruned, found["g=y"].change) == (1 / 40, 0.0)
        assert found["g=x"].p < 0.05


def test_flips_inside_groups_without_controls_show_the_parents_apart(study):
    dense = np.zeros((3, 80), dtype=int)
    dense[0, :8] = 1
    group = np.repeat(["x", "y"], 40)
    made = study(np.zeros(80, dtype=int), dense, {0.5: dense}, columns={"group_g": group})
    found = grouped(made)
    assert (found["g=x"].pruned, found["g=x"].change) == (0.0, None)
    assert found["g=x"].control == pytest.approx(2 * 8 / 40 / 3)
    assert found["g=y"].control == 0.0
    assert "parents against each other" in found["g=x"].reason


def test_parents_among_each_other_by_hand(study):
    """Three parents, of which one differs on 20 of 100: apart in two of three pairs, on 20 %."""
    labels = np.zeros(100, dtype=int)
    dense = np.zeros((3, 100), dtype=int)
    dense[0, :20] = 1
    found = ask(study(labels, dense, {0.5: dense}, dense))
    assert found["parents_flip_rate"].parent == pytest.approx(0.2 * 2 / 3)
    assert found["parents_agreement"].parent == pytest.approx(1 - 0.2 * 2 / 3)
    assert found["parents_harmed_rate"].parent == pytest.approx(0.2 / 3)
    assert (found["parents_flip_rate"].n, found["parents_flip_rate"].parents) == (100, 3)
    assert found["parents_flip_rate"].method is None


def test_kappa_among_parents_is_scikit_learns(study):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 200)
    dense = np.where(draw.random((3, 200)) < 0.8, labels, 0)
    found = ask(study(labels, dense, {0.5: dense}))["parents_kappa"]
    each = [cohen_kappa_score(dense[a], dense[b]) for a, b in ((0, 2), (1, 0), (2, 1))]
    assert found.parent == pytest.approx(np.mean(each))


def test_one_parent_has_nobody_to_differ_from(study):
    labels = np.zeros(40, dtype=int)
    found = ask(study(labels, labels, {0.5: labels}))
    assert "parents_flip_rate" not in found


def test_without_labels_flips_agreement_and_kappa_stand_and_harm_is_not_asked(study):
    draw = np.random.default_rng(1)
    dense = draw.integers(0, 2, (3, 90))
    pruned = np.where(draw.random((3, 90)) < 0.9, dense, 1 - dense)
    made = study(np.full(90, -1), dense, {0.5: pruned}, dense, classes=("a", "b"))
    found = ask(made)
    for measure in ("flip_rate", "agreement", "kappa", "parents_flip_rate", "parents_kappa"):
        assert found[measure].outcome == "no_limit"
    assert found["flip_rate"].change == pytest.approx((dense != pruned).mean())
    for measure in ("harmed_rate", "mended_rate", "net_harm_rate"):
        assert found[measure].outcome == "not_asked"
    assert "parents_harmed_rate" not in found
