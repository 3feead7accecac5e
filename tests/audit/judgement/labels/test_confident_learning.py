import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audit.judgement.labels.confident_learning import (
    FILTERS,
    NOBODY,
    by_confident_joint,
    calibrated_joint,
    confidence,
    estimated_error_share,
)


def table():
    """120 labels of 4 classes, 15 % of them moved on by one, and probabilities that know better."""
    draw = np.random.default_rng(1911)
    truth = draw.integers(0, 4, 120)
    labels = np.where(draw.random(120) < 0.15, (truth + 1) % 4, truth)
    logits = draw.normal(0.0, 1.0, (120, 4))
    logits[np.arange(120), truth] += 2.5
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), labels


# What cleanlab 2.9.0 says of `table` (`find_label_issues`, `compute_confident_joint` uncalibrated,
# `get_confident_thresholds`, `get_label_quality_scores`).
CLEANLAB = {
    "confident_joint": [
        0, 3, 4, 7, 8, 15, 22, 25, 32, 36, 45, 49, 52, 60, 61, 69, 72, 75, 78, 80, 81, 83, 85, 98,
        101, 109, 110, 111,
    ],
    "self_confidence": [
        0, 3, 4, 7, 8, 15, 22, 25, 36, 45, 49, 52, 60, 61, 69, 70, 72, 75, 78, 80, 82, 83, 85, 97,
        98, 101, 109, 110,
    ],
    "normalised_margin": [
        0, 3, 4, 7, 8, 15, 22, 25, 36, 45, 49, 52, 60, 61, 69, 70, 72, 75, 78, 80, 83, 85, 97, 98,
        101, 109, 110, 111,
    ],
}  # fmt: skip
CLEANLAB_JOINT = [[14, 0, 1, 6], [7, 15, 1, 0], [1, 3, 17, 0], [1, 1, 7, 22]]
CLEANLAB_THRESHOLDS = [0.522985, 0.485854, 0.615037, 0.551463]
CLEANLAB_MARGINS = [0.186938, 0.931259, 0.604961, 0.182704]


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_the_same_examples_as_cleanlab(name):
    assert sorted(FILTERS) == sorted(CLEANLAB)
    assert np.flatnonzero(FILTERS[name](confidence(*table()))).tolist() == CLEANLAB[name]


def test_the_same_joint_and_scores_as_cleanlab():
    found = confidence(*table())
    assert found.joint.tolist() == CLEANLAB_JOINT
    assert found.thresholds == pytest.approx(CLEANLAB_THRESHOLDS, abs=1e-6)
    assert found.normalised_margin[:4] == pytest.approx(CLEANLAB_MARGINS, abs=1e-6)
    p, labels = table()
    assert found.self_confidence == pytest.approx(p[np.arange(120), labels])


# Labels a a a b b b; the third a is surely a b. Thresholds: a (.9 + .7 + .2) / 3 = .6,
# b (.8 + .6 + .7) / 3 = .7.
BY_HAND = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
GIVEN = np.array([0, 0, 0, 1, 1, 1])


def test_by_hand():
    """The fifth reaches no threshold: .4 < .6 and .6 < .7. One a of three confident ones is a b."""
    found = confidence(BY_HAND, GIVEN)
    assert found.thresholds == pytest.approx([0.6, 0.7])
    assert found.guess.tolist() == [0, 0, 1, 1, NOBODY, 1]
    assert found.joint.tolist() == [[2, 1], [0, 2]]
    assert by_confident_joint(found).tolist() == [False, False, True, False, False, False]
    assert found.normalised_margin[2] == pytest.approx((0.2 - 0.8 + 1) / 2)
    assert found.self_confidence[4] == pytest.approx(0.6)


def test_the_calibrated_joint_by_hand():
    """Rows are brought to 3 of 6 each: [2, 1] / 3 × 3 and [0, 2] / 2 × 3; 1 of 6 is wrong."""
    found = confidence(BY_HAND, GIVEN)
    assert calibrated_joint(found) == pytest.approx(np.array([[2, 1], [0, 3]]) / 6)
    assert estimated_error_share(found) == pytest.approx(1 / 6)


def test_an_absent_class_has_no_threshold_and_nobody_is_taken_for_it():
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.6, 0.2]])
    found = confidence(p, np.array([0, 0, 1]))
    assert np.isnan(found.thresholds[2])
    assert 2 not in found.guess
    assert calibrated_joint(found).sum() == pytest.approx(1.0)


def test_right_labels_are_not_suspected():
    p = np.eye(3)[np.arange(30) % 3] * 0.8 + 0.2 / 3
    found = confidence(p, np.arange(30) % 3)
    assert not by_confident_joint(found).any()
    assert estimated_error_share(found) == 0.0


def test_shapes_that_disagree_are_refused():
    with pytest.raises(ValueError, match="one row per label"):
        confidence(np.zeros((3, 2)), np.zeros(4, dtype=int))


@settings(deadline=None)
@given(
    logits=arrays(np.float64, (25, 3), elements=st.floats(-3, 3)),
    labels=arrays(np.int64, 25, elements=st.integers(0, 2)),
    seed=st.integers(0, 100),
)
def test_order_plays_no_part_and_nobody_is_their_own_suspect(logits, labels, seed):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    order = np.random.default_rng(seed).permutation(25)
    suspected = by_confident_joint(confidence(p, labels))
    assert (by_confident_joint(confidence(p[order], labels[order])) == suspected[order]).all()
    assert not suspected[p.argmax(axis=1) == labels].any()
    joint = confidence(p, labels).joint
    assert joint.sum() <= 25
    assert (joint.sum(axis=1) <= np.bincount(labels, minlength=3)).all()
