from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from audit.evidence.blocks import NOT_SHOWN
from audit.judgement.classes import rates as module
from audit.judgement.classes.rates import class_rates, rates_of
from audit.judgement.classes.screen import rate_findings
from audit.judgement.inference.paired import average_by_parent, paired_change
from audit.judgement.pairs import design, pairs
from audit.judgement.plan import Plan

FIXTURE = HealthCheck.function_scoped_fixture  # a factory: nothing is shared between examples
FIELDS = (
    "change", "low", "high", "p", "n", "units", "parents", "discordant", "standard_error", "df",
    "examples_low", "examples_high", "generalises_to",
)  # fmt: skip


def made_of(study, labels, dense, pruned, **kwargs):
    made = study(labels, dense, {0.5: pruned}, **kwargs)
    known = design(made.evidence, Plan())
    return pairs(made.block, made.arms[0], known)


def random_pairs(study, seed, **columns):
    draw = np.random.default_rng(seed)
    parents = int(draw.integers(1, 5))
    labels = draw.integers(0, 4, 120)
    of = [*range(parents), 0, parents - 1]

    def models(count, right):
        wrong = draw.integers(0, 4, (count, 120))
        return np.where(draw.random((count, 120)) < right, labels, wrong)

    dense = models(parents, 0.8)
    return made_of(
        study, labels, dense, models(len(of), 0.6), parent_of=of, columns=columns or None,
        classes=tuple("abcd"),
    )  # fmt: skip


def columns(kind):
    draw = np.random.default_rng(3)
    heavy, whose = draw.uniform(0.3, 2.0, 120), draw.integers(0, 25, 120)
    return {
        "plain": {},
        "weights": {"weight": heavy},
        "clusters": {"cluster": whose},
        "both": {"weight": heavy, "cluster": whose},
    }[kind]


def test_by_hand(study):
    """Class a: 4 examples, b: 6. The parent takes 1 b for a, the pruned model 3 b and misses 1 a.

    FPR of a: 1/6 → 3/6. Precision of a: 4/5 → 3/6; of b: 5/5 → 3/4.
    """
    labels = np.repeat([0, 1], [4, 6])
    dense, pruned = labels.copy(), labels.copy()
    dense[4] = 0
    pruned[4:7], pruned[0] = 0, 1
    fpr, precision = class_rates(made_of(study, labels, dense, pruned), 2)
    assert (fpr.parent[0], fpr.pruned[0]) == (pytest.approx(1 / 6), pytest.approx(3 / 6))
    assert fpr.estimates[0].change == pytest.approx(2 / 6)
    assert (fpr.estimates[0].n, fpr.estimates[0].discordant) == (6, 2)
    assert precision.parent == pytest.approx([4 / 5, 1.0])
    assert precision.pruned == pytest.approx([3 / 6, 3 / 4])
    assert precision.estimates[0].change == pytest.approx(3 / 6 - 4 / 5)
    assert (precision.estimates[0].n, precision.estimates[0].discordant) == (7, 3)


@pytest.mark.parametrize("kind", ["plain", "weights", "clusters", "both"])
@settings(deadline=None, max_examples=12, suppress_health_check=[FIXTURE])
@given(seed=st.integers(0, 10**6), small=st.booleans())
def test_false_positives_are_the_paired_change_of_every_class(study, kind, seed, small):
    """The sums over votes give what a full table of parents × examples gives, class by class."""
    found = random_pairs(study, seed, **columns(kind))
    known, whole = found.design, module.VOTES
    module.VOTES = 300 if small else whole
    try:
        fpr, _ = class_rates(found, 4)
    finally:
        module.VOTES = whole
    for code in range(4):
        taken = (found.pruned == code).astype(float) - (found.parent == code)
        difference = np.where(known.labels != code, taken, np.nan)
        expected = paired_change(
            average_by_parent(difference, found.arm.parent),
            weights=known.weights,
            clusters=known.clusters,
        )
        for name in FIELDS:
            want, got = getattr(expected, name), getattr(fpr.estimates[code], name)
            assert got == (want if isinstance(want, str | None) else pytest.approx(want)), name


def test_precision_is_scikit_learns(study):
    found = random_pairs(study, 1, **columns("weights"))
    _, precision = class_rates(found, 4)
    labels, heavy = found.design.labels, found.design.weights
    each = np.array(
        [precision_score(labels, row, average=None, sample_weight=heavy) for row in found.pruned]
    )
    assert precision.pruned == pytest.approx(average_by_parent(each, found.arm.parent).mean(0))
    beside = rates_of(found.pruned, found.arm.parent, found.design, 4)
    assert beside[1] == pytest.approx(precision.pruned)
    assert beside[0] == pytest.approx(class_rates(found, 4)[0].pruned)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_error_of_precision_is_the_jackknifes(study, weighted):
    """One pair: leaving out every example in turn gives the same error, up to second order."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 900)
    dense = np.where(draw.random(900) < 0.8, labels, draw.integers(0, 3, 900))
    pruned = np.where(draw.random(900) < 0.5, dense, draw.integers(0, 3, 900))
    heavy = draw.uniform(0.5, 2.0, 900) if weighted else np.ones(900)
    columns = {"weight": heavy} if weighted else {}
    found = class_rates(made_of(study, labels, dense, pruned, columns=columns), 3)[1]
    for code in range(3):
        each = []
        for side in (pruned, dense):
            taken, hits = heavy * (side == code), heavy * (side == code) * (labels == code)
            each.append((hits.sum() - hits) / (taken.sum() - taken))
        without = each[0] - each[1]
        error = np.sqrt(899 / 900 * ((without - without.mean()) ** 2).sum())
        assert found.estimates[code].standard_error == pytest.approx(error, rel=0.01)


def test_the_interval_of_precision_covers_what_new_examples_show(study):
    """One pair drawn anew 300 times: the interval holds the mean change in at least 92 %."""
    draw = np.random.default_rng(0)

    def drawn():
        labels = draw.integers(0, 3, 600)
        dense = np.where(draw.random(600) < 0.8, labels, draw.integers(0, 3, 600))
        pruned = np.where(draw.random(600) < 0.8, dense, draw.integers(0, 3, 600))
        return class_rates(made_of(study, labels, dense, pruned), 3)[1].estimates[0]

    each = [drawn() for _ in range(300)]
    truth = np.mean([one.change for one in each])
    assert 0.92 < np.mean([one.low <= truth <= one.high for one in each]) < 0.99


def test_identical_populations(study):
    labels = np.arange(90) % 3
    same = np.where(np.arange(90) % 7 == 0, 0, labels)
    fpr, precision = class_rates(made_of(study, labels, [same] * 3, [same] * 3), 3)
    for one in (*fpr.estimates, *precision.estimates):
        assert (one.change, one.p, one.discordant) == (0.0, 1.0, 0)


def test_a_class_that_nobody_predicts_and_a_class_that_is_absent(study):
    labels = np.repeat([0, 1], 40)
    found = made_of(
        study, labels, np.zeros((2, 80), int), np.zeros((2, 80), int), classes=("a", "b", "c")
    )
    fpr, precision = class_rates(found, 3)
    assert (precision.estimates[1].n, precision.estimates[1].change) == (0, None)
    assert np.isnan(precision.pruned[1:]).all()
    assert (fpr.estimates[2].n, fpr.estimates[2].change) == (80, 0.0)
    assert fpr.pruned[0] == 1.0


def test_one_class_has_no_others_to_be_taken_for_it(study):
    found = made_of(study, np.zeros(40, int), np.zeros(40, int), np.zeros(40, int))
    fpr, precision = class_rates(found, 1)
    assert (fpr.estimates[0].n, fpr.estimates[0].change) == (0, None)
    assert np.isnan(fpr.pruned[0])
    assert precision.pruned[0] == 1.0


def test_who_was_not_shown_to_every_pair_is_left_out(study):
    labels = np.zeros(40, dtype=int)
    dense, pruned = np.zeros((2, 40), int), np.ones((2, 40), int)
    pruned[1, :5] = NOT_SHOWN
    found = made_of(study, labels, dense, pruned)
    assert class_rates(found, 2)[0].estimates[1].n == 35


def test_controls_stand_beside(study):
    labels = np.repeat([0, 1], 40)
    control = labels.copy()
    control[40:44] = 0
    made = study(labels, labels, {0.5: labels}, control, classes=("a", "b"))
    found = pairs(made.block, made.arms[0], design(made.evidence, Plan()))
    by = {(f.measure, f.class_): f for f in rate_findings(found, ("a", "b"))}
    assert by["class_fpr", "a"].control == pytest.approx(4 / 40)
    assert by["precision", "a"].control == pytest.approx(40 / 44)
    assert by["precision", "a"].worse_direction == "down"
    assert by["class_fpr", "a"].worse_direction == "up"
    alone = replace(found, control=None)
    assert rate_findings(alone, ("a", "b"))[0].control is None
