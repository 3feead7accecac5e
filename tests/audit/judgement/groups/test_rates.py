import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score, recall_score

from audit.judgement.groups import rates
from audit.judgement.groups.rates import count, ratio


def drawn(seed, classes, n=400, models=3, groups=4):
    draw = np.random.default_rng(seed)
    labels, codes = draw.integers(0, classes, n), draw.integers(0, groups, n)
    predicted = np.where(draw.random((models, n)) < 0.7, labels, draw.integers(0, classes, n))
    return predicted.astype(np.int32), labels, codes


def test_by_hand():
    labels = np.array([1, 1, 0, 0, 0])
    predicted = np.array([[1, 0, 1, 0, 0]])
    counts = count(predicted, labels, np.zeros(5, int), 1, 2)
    assert rates.accuracy(counts) == 3 / 5
    assert rates.recall(counts, 1) == 1 / 2
    assert rates.false_negative_rate(counts, 1) == 1 / 2
    assert rates.false_positive_rate(counts, 1) == 1 / 3
    assert rates.selection_rate(counts, 1) == 2 / 5
    assert rates.precision(counts, 1) == 1 / 2
    assert rates.recall(counts) == (1 / 2 + 2 / 3) / 2
    assert rates.false_positive_rate(counts) == (1 / 3 + 1 / 2) / 2


ORACLES = {
    "accuracy": (lambda c: rates.accuracy(c), accuracy_score),
    "recall": (lambda c: rates.recall(c, 1), true_positive_rate),
    "fpr": (lambda c: rates.false_positive_rate(c, 1), false_positive_rate),
    "fnr": (lambda c: rates.false_negative_rate(c, 1), false_negative_rate),
    "selection": (lambda c: rates.selection_rate(c, 1), selection_rate),
    "precision": (lambda c: rates.precision(c, 1), precision_score),
}


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_equals_fairlearn_per_model_and_group(name):
    ours, theirs = ORACLES[name]
    predicted, labels, codes = drawn(3, 2)
    found = ours(count(predicted, labels, codes, 4, 2))
    assert found.shape == (3, 4)
    for model, row in enumerate(predicted):
        frame = MetricFrame(
            metrics=theirs, y_true=labels, y_pred=row, sensitive_features=codes
        ).by_group
        np.testing.assert_allclose(found[model], [frame[group] for group in range(4)], atol=1e-12)


@given(st.integers(0, 50))
def test_class_averages_equal_scikit_learn(seed):
    predicted, labels, codes = drawn(seed, 5)
    counts = count(predicted, labels, codes, 4, 5)
    for model, row in enumerate(predicted):
        for group in range(4):
            inside = codes == group
            expected = recall_score(labels[inside], row[inside], average="macro")
            assert rates.recall(counts)[model, group] == pytest.approx(expected)


def test_fpr_leaves_the_positives_out():
    labels = np.array([1] * 90 + [0] * 10)
    predicted = np.array([[1] * 90 + [1] * 5 + [0] * 5])
    counts = count(predicted, labels, np.zeros(100, int), 1, 2)
    assert rates.false_positive_rate(counts, 1) == 0.5


def test_undefined_is_nan_and_never_zero():
    labels = np.array([0, 0, 1])
    counts = count(np.array([[0, 0, 0]]), labels, np.array([0, 0, 1]), 3, 2)
    assert np.isnan(rates.recall(counts, 1)[0, 0])  # no positive in the first group
    assert rates.recall(counts, 1)[0, 1] == 0.0
    assert np.isnan(rates.false_positive_rate(counts, 1)[0, 1])  # no negative in the second
    assert np.isnan(rates.precision(counts, 1)).all()  # nobody was taken for it
    assert np.isnan(rates.accuracy(counts)[0, 2])  # nobody in the third
    assert rates.recall(counts)[0, 0] == 1.0  # mean over the classes that are there


def test_not_shown_unlabelled_and_ungrouped_examples_are_left_out():
    labels = np.array([0, 1, -1, 1, 1])
    predicted = np.array([[0, -1, 1, 1, 1], [0, 1, 1, 1, 0]])
    counts = count(predicted, labels, np.array([0, 0, 0, 0, -1]), 1, 2)
    assert counts.n.tolist() == [[2], [3]]


def test_counts_add_up_over_parts():
    predicted, labels, codes = drawn(1, 3)
    whole = count(predicted, labels, codes, 4, 3)
    parts = count(predicted[:, :100], labels[:100], codes[:100], 4, 3) + count(
        predicted[:, 100:], labels[100:], codes[100:], 4, 3
    )
    for name in ("labelled", "predicted", "hits"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_a_weight_of_two_is_an_example_twice():
    predicted, labels, codes = drawn(2, 3, n=60)
    twice = np.r_[np.arange(60), np.arange(20)]
    weighted = count(predicted, labels, codes, 4, 3, np.r_[np.full(20, 2.0), np.ones(40)])
    repeated = count(predicted[:, twice], labels[twice], codes[twice], 4, 3)
    for name in ("labelled", "predicted", "hits"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name))


@given(st.integers(0, 20), st.randoms(use_true_random=False))
def test_order_of_examples_plays_no_part(seed, random):
    predicted, labels, codes = drawn(seed, 3, n=50)
    order = list(range(50))
    random.shuffle(order)
    there = count(predicted[:, order], labels[order], codes[order], 4, 3)
    assert np.array_equal(count(predicted, labels, codes, 4, 3).hits, there.hits)


def test_ratio_of_nothing():
    assert np.isnan(ratio(np.array([0.0]), np.array([0.0]))).all()
