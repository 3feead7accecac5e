import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import precision_score, recall_score

from audit.evidence.blocks import NOT_SHOWN
from audit.judgement.classes.flips import flip_examples
from audit.judgement.classes.recall import class_families
from audit.judgement.classes.welch import welch_shift
from audit.judgement.inference.families import correct
from audit.judgement.inference.paired import paired_change
from audit.judgement.pairs import contrast, design, pairs
from audit.judgement.pairs import correct as right
from audit.judgement.plan import Plan

SHIFT = "normalised_recall_shift"
FIXTURE = HealthCheck.function_scoped_fixture  # a factory: nothing is shared between examples


def ask(made, **plan):
    families = class_families(made.block, made.evidence, made.arms, Plan(**plan))
    return [finding for family in families for finding in family.findings]


def pick(findings, measure, class_, sparsity=0.5):
    (one,) = [
        f for f in findings if (f.measure, f.class_, f.sparsity) == (measure, class_, sparsity)
    ]
    return one


def models(draw, labels, parents, right=0.8, classes=3):
    wrong = draw.integers(0, classes, (parents, labels.size))
    return np.where(draw.random((parents, labels.size)) < right, labels, wrong)


def random_study(study, seed=0, parents=4, n=240, classes=3, **kwargs):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, n)
    dense, control = (models(draw, labels, parents, 0.85, classes) for _ in range(2))
    pruned = {s: models(draw, labels, parents, 0.85 - s / 5, classes) for s in (0.5, 0.9)}
    return study(labels, dense, pruned, control, **kwargs), labels, dense, pruned


def test_by_hand(study):
    """Class a: 40 of 40 right before, 20 of 40 after; b: 60 of 60 and 60 of 60. Accuracy −.2.

    Recall of a changes by −.5 and its shift is −.3; b's recall by 0 and its shift is +.2.
    """
    labels = np.repeat([0, 1], [40, 60])
    pruned = labels.copy()
    pruned[:20] = 1
    made = study(labels, labels, {0.5: pruned}, classes=("a", "b"))
    found = ask(made)
    assert pick(found, "recall", "a").change == pytest.approx(-0.5)
    assert (pick(found, "recall", "a").parent, pick(found, "recall", "a").pruned) == (1.0, 0.5)
    assert pick(found, "recall", "a").n == 40
    assert pick(found, SHIFT, "a").change == pytest.approx(-0.3)
    assert pick(found, SHIFT, "b").change == pytest.approx(0.2)
    assert pick(found, SHIFT, "b").pruned == pytest.approx(1.0 - 0.8)
    assert pick(found, "precision", "b").pruned == pytest.approx(60 / 80)
    assert pick(found, "precision", "a").pruned == 1.0


def test_recall_and_precision_are_scikit_learns(study):
    made, labels, dense, pruned = random_study(study)
    found = ask(made)
    for measure, score in (("recall", recall_score), ("precision", precision_score)):
        for class_ in range(3):
            one = pick(found, measure, f"class-{class_}", 0.9)
            for value, side in ((one.parent, dense), (one.pruned, pruned[0.9])):
                expected = [score(labels, row, average=None)[class_] for row in side]
                assert value == pytest.approx(np.mean(expected))


def test_recall_is_the_paired_change_of_the_class(study):
    made, labels, dense, pruned = random_study(study)
    here = labels == 1
    difference = (pruned[0.9] == labels) * 1.0 - (dense == labels)
    expected = paired_change(difference[:, here])
    one = pick(ask(made), "recall", "class-1", 0.9)
    assert (one.low, one.high, one.p) == (expected.low, expected.high, expected.p)


def test_the_shift_is_a_paired_t_centred_per_model(study):
    made, labels, dense, pruned = random_study(study, parents=6)

    def shift(side):
        recall = np.stack([recall_score(labels, row, average=None) for row in side])
        return recall - (side == labels).mean(axis=1)[:, None]

    before, after = shift(dense), shift(pruned[0.9])
    for class_ in range(3):
        one = pick(ask(made), SHIFT, f"class-{class_}", 0.9)
        expected = stats.ttest_rel(after[:, class_], before[:, class_])
        assert one.p == pytest.approx(expected.pvalue)
        assert one.change == pytest.approx((after - before)[:, class_].mean())
        assert one.parent == pytest.approx(before[:, class_].mean())
        assert one.generalises_to == "seeds"
        assert one.n == (labels == class_).sum()


@settings(deadline=None, max_examples=25, suppress_health_check=[FIXTURE])
@given(seed=st.integers(0, 10**6), classes=st.integers(2, 5), parents=st.integers(1, 3))
def test_prevalence_weighted_shifts_sum_to_zero(study, seed, classes, parents):
    made, labels, _, _ = random_study(study, seed, parents, 90, classes)
    found = ask(made, minimum_n=1)
    share = np.bincount(labels, minlength=classes) / labels.size
    for sparsity in (0.5, 0.9):
        shifts = [pick(found, SHIFT, f"class-{c}", sparsity).change or 0.0 for c in range(classes)]
        assert share @ shifts == pytest.approx(0.0, abs=1e-12)


def test_weights_are_used_everywhere(study):
    draw = np.random.default_rng(0)
    weights = draw.uniform(0.5, 2.0, 240)
    made, labels, _, pruned = random_study(study, columns={"weight": weights})
    found = ask(made)
    for measure, score in (("recall", recall_score), ("precision", precision_score)):
        expected = [
            score(labels, row, average=None, sample_weight=weights)[0] for row in pruned[0.9]
        ]
        assert pick(found, measure, "class-0", 0.9).pruned == pytest.approx(np.mean(expected))
    share = np.bincount(labels, weights) / weights.sum()
    shifts = [pick(found, SHIFT, f"class-{c}", 0.9).change for c in range(3)]
    assert share @ shifts == pytest.approx(0.0, abs=1e-12)


def test_few_positives_make_no_claim(study):
    labels = np.repeat([0, 1], [29, 71])
    made = study(labels, np.tile(labels, (2, 1)), {0.5: np.zeros((2, 100), dtype=int)})
    one = pick(ask(made), "recall", "class-0")
    assert (one.change, one.p) == (0.0, None)
    assert one.low is not None
    assert "29 examples" in one.reason


def test_an_absent_class_is_not_asked(study):
    labels = np.zeros(60, dtype=int)
    made = study(labels, np.zeros((3, 60)), {0.5: np.ones((3, 60))}, classes=("a", "b", "c"))
    found = ask(made)
    for measure in ("recall", SHIFT):
        one = pick(found, measure, "b")
        assert (one.outcome, one.parent, one.pruned, one.change) == ("not_asked", None, None, None)
    assert pick(found, "precision", "c").outcome == "not_asked"


def test_a_forgotten_class_is_found(study):
    """Every parent loses the whole class alike: no variance, and yet the worst there is."""
    labels = np.repeat([0, 1], 50)
    made = study(labels, np.tile(labels, (3, 1)), {0.5: np.zeros((3, 100), dtype=int)})
    found = ask(made)
    one = pick(found, "recall", "class-1")
    assert one.change == -1.0
    assert one.p < 1e-6
    shift = pick(found, SHIFT, "class-1")
    assert shift.change == pytest.approx(-0.5)
    assert shift.p is None
    assert "variance" in shift.reason


def test_all_predictions_equal(study):
    labels = np.arange(90) % 3
    same = np.zeros((3, 90), dtype=int)
    found = ask(study(labels, same, {0.5: same}, same))
    assert {pick(found, "recall", f"class-{c}").p for c in range(3)} == {1.0}
    assert pick(found, SHIFT, "class-0").p is None
    assert pick(found, "precision", "class-1").pruned is None


def test_a_single_example(study):
    found = ask(study([0], [[0], [0]], {0.5: [[1], [0]]}))
    assert pick(found, "recall", "class-0").change == -0.5
    assert pick(found, "recall", "class-0").p is None


def test_unshown_examples_are_in_no_denominator(study):
    labels = np.repeat([0, 1], 40)
    dense, pruned = np.tile(labels, (2, 1)), np.tile(labels, (2, 1))
    pruned[:, :5] = NOT_SHOWN
    found = ask(study(labels, dense, {0.5: pruned}))
    assert (pick(found, "recall", "class-0").n, pick(found, "recall", "class-0").pruned) == (
        35,
        1.0,
    )
    assert pick(found, "precision", "class-0").n == 35


def test_nine_parents_are_flipped_and_seven_are_not(study):
    """2 / 2^9 × 10 questions is below .05, 2 / 2^7 × 10 is not: that could never open a family."""
    nine, _, _, _ = random_study(study, parents=9)
    seven, _, _, _ = random_study(study, parents=7)
    shift = pick(ask(nine), SHIFT, "class-0", 0.9)
    assert "the signs of 9 parents" in shift.reason
    assert shift.p_floor == 2 / 2**9
    assert pick(ask(nine), "recall", "class-0", 0.9).p_adjusted is None
    assert pick(ask(seven), SHIFT, "class-0", 0.9).p_adjusted is None
    for made in (nine, seven):
        families = class_families(made.block, made.evidence, made.arms, Plan())
        done = [f for f in correct(families, 0.05) if f.measure == SHIFT]
        assert all(f.p_adjusted >= f.p for f in done)


def test_one_pair_flips_examples_or_clusters(study):
    made, _, _, _ = random_study(study, parents=1)
    for measure in ("recall", SHIFT):
        one = pick(ask(made), measure, "class-0", 0.9)
        assert "examples" in one.reason
        assert one.generalises_to == "examples"
        assert one.p_adjusted >= one.p_floor > 0.0
    clustered, _, _, _ = random_study(study, parents=1, columns={"cluster": np.arange(240) // 2})
    assert "clusters" in pick(ask(clustered), "recall", "class-0", 0.9).reason


def test_flipping_examples_is_flipping_their_differences(study):
    """With one draw of signs per example, both changes of every class are those of s · d."""
    made, labels, _, _ = random_study(study, parents=1, columns={"weight": np.linspace(1, 2, 240)})
    known = design(made.evidence, Plan(resamples=200))
    found = [contrast(pairs(made.block, arm, known), right(known.labels)) for arm in made.arms]
    asked = np.ones(12, dtype=bool)
    ours = flip_examples(found, 3, asked, known)
    d = np.stack([one.difference[0] for one in found]) * known.weights
    moving = np.flatnonzero((d != 0).any(axis=0))
    signs = 2 * np.random.default_rng(0).integers(0, 2, size=(200, moving.size)) - 1
    table = []
    for shift in (False, True):
        for arm in d:
            for class_ in range(3):
                own = np.where(labels == class_, arm, 0.0)
                score = own / known.weights[labels == class_].sum()
                table.append(score - shift * arm / known.weights.sum())
    scores = np.array(table).T[moving]
    norm = np.sqrt((scores**2).sum(axis=0))
    z = np.abs(scores.sum(axis=0)) / norm
    null = np.abs(signs @ scores) / norm
    best = np.argmax(z)
    reached = (null.max(axis=1) >= z[best] - 1e-9).sum()
    assert ours.p_adjusted[best] == pytest.approx((reached + 1) / 201)
    assert ours.p_adjusted.min() == ours.p_adjusted[best]


def test_independent_populations_are_tested_by_welch(study):
    made, labels, dense, pruned = random_study(study, named_parents=False)
    found = ask(made)

    def rates(side):
        recall = np.stack([recall_score(labels, row, average=None) for row in side])
        return recall, (side == labels).mean(axis=1)

    expected = welch_shift(*rates(dense), *rates(pruned[0.9]))
    one = pick(found, SHIFT, "class-1", 0.9)
    assert one.p == pytest.approx(expected.p[1])
    assert one.change == pytest.approx(expected.change[1])
    other = welch_shift(*rates(dense), *rates(pruned[0.9]), centring="population")
    assert f"p = {other.p[1]:.3g} less the mean accuracy" in one.reason
    assert pick(found, "recall", "class-1", 0.9).outcome == "not_asked"
    assert pick(found, "recall", "class-1", 0.9).pruned == pytest.approx(
        rates(pruned[0.9])[0][:, 1].mean()
    )


def test_one_unpaired_model_is_not_tested(study):
    made, _, _, _ = random_study(study, parents=1, named_parents=False)
    assert {f.measure for f in ask(made)} == {"recall"}


def test_model_order_plays_no_part(study):
    draw = np.random.default_rng(3)
    labels = draw.integers(0, 3, 120)
    dense, pruned = models(draw, labels, 4), models(draw, labels, 4, 0.6)
    turn = [2, 0, 3, 1]
    one = ask(study(labels, dense, {0.5: pruned}))
    other = ask(study(labels, dense[turn], {0.5: pruned[turn]}))
    for a, b in zip(one, other, strict=True):
        assert (a.id, a.n) == (b.id, b.n)
        assert a.p == (None if b.p is None else pytest.approx(b.p))


def test_a_true_harm_to_one_class_is_found_and_nulls_mostly_are_not(study):
    draw = np.random.default_rng(5)
    labels = np.arange(600) % 6
    dense = models(draw, labels, 7, 0.9, 6)
    churn = np.where(draw.random((7, 600)) < 0.05, models(draw, labels, 7, 0.9, 6), dense)
    harmed = np.where((labels == 2) & (draw.random((7, 600)) < 0.2), 3, churn)
    made = study(labels, dense, {0.5: harmed})
    families = class_families(made.block, made.evidence, made.arms, Plan())
    done = correct(families, 0.05)
    low = [f.class_ for f in done if f.measure == "recall" and f.p_adjusted <= 0.05]
    assert low == ["class-2"]
