from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import recall_score

from audit.evidence.blocks import CLEAN, Block, Evidence
from audit.evidence.errors import InputError
from audit.judgement.decisions import (
    decide,
    decided,
    operating_threshold,
    prevalence_threshold,
    prevalence_thresholds,
)
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.scores import scores

MODELS = pd.DataFrame(
    {
        "model": ["d", "p", "c"],
        "parent": [None, "d", "d"],
        "role": ["dense", "pruned", "control"],
        "method": [None, "magnitude", None],
        "sparsity": [np.nan, 0.5, 0.0],
        "seed": [0, 0, 0],
    }
)


def binary(score, label, split="test", **columns):
    """Evidence of the three models from the score of `yes`, recorded as confidences."""
    score = np.asarray(score, dtype=np.float64)
    predicted = (score >= 0.5).astype(np.int32)
    confidence = np.where(predicted == 1, score, 1 - score).astype(np.float32)
    block = Block(CLEAN, predicted, confidence)
    examples = pd.DataFrame(
        {"example": np.arange(len(label)), "label": label, "split": split, **columns}
    )
    return Evidence(
        examples, examples.iloc[:0], MODELS, ("no", "yes"), (CLEAN,), lambda condition: block
    )


def multi(probabilities, label):
    """Evidence of the three models from probabilities [models, examples, classes]."""
    table = np.asarray(probabilities, dtype=np.float32)
    block = Block(CLEAN, table.argmax(axis=2).astype(np.int32), table.max(axis=2))
    examples = pd.DataFrame({"example": np.arange(len(label)), "label": label, "split": "test"})
    names = tuple("abcdef"[: table.shape[2]])
    return Evidence(
        examples,
        examples.iloc[:0],
        MODELS,
        names,
        (CLEAN,),
        lambda condition: block,
        lambda condition, row: table[row],
    )


SCORE = [[0.9, 0.6, 0.4, 0.1], [0.8, 0.3, 0.2, 0.1], [0.7, 0.7, 0.6, 0.5]]
LABEL = [1, 1, 0, 0]


def test_the_score_is_of_the_positive_class_whatever_was_predicted():
    evidence = binary(SCORE, LABEL)
    found = scores(evidence.load(CLEAN), evidence, [0, 2], Plan(positive="yes"))
    np.testing.assert_allclose(found, [SCORE[0], SCORE[2]], atol=1e-7)
    other = scores(evidence.load(CLEAN), evidence, [0], Plan(positive="no"))
    np.testing.assert_allclose(other, [1 - np.array(SCORE[0])], atol=1e-7)


def test_probabilities_come_before_confidences():
    evidence = multi([[[0.2, 0.5, 0.3]]] * 3, [1])
    found = scores(evidence.load(CLEAN), evidence, [0], Plan(positive="c"))
    np.testing.assert_allclose(found, [[0.3]], atol=1e-7)


def test_without_scores_there_are_none():
    evidence = binary(SCORE, LABEL)
    bare = replace(evidence.load(CLEAN), confidence=None)
    assert scores(bare, evidence, [0], Plan(positive="yes")) is None
    assert scores(evidence.load(CLEAN), evidence, [0], Plan()) is None


def test_a_fixed_threshold_by_hand():
    """At .35, the dense model takes three of four; at .65, one. The decided class is as sure as
    its own probability."""
    evidence = binary(SCORE, LABEL)
    low = decided(evidence, Plan(positive="yes", decision={"threshold": 0.35}))
    block = low.evidence.load(CLEAN)
    assert block.predicted.tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]]
    np.testing.assert_allclose(block.confidence[0], [0.9, 0.6, 0.4, 0.9], atol=1e-6)
    assert low.record["thresholds"] == {"d": 0.35, "p": 0.35, "c": 0.35}
    high = decided(evidence, Plan(positive="yes", decision={"threshold": 0.65}))
    assert high.evidence.load(CLEAN).predicted[0].tolist() == [1, 0, 0, 0]
    again = scores(block, low.evidence, [0], Plan(positive="yes"))
    np.testing.assert_allclose(again, [SCORE[0]], atol=1e-6)


def test_argmax_changes_nothing():
    evidence = binary(SCORE, LABEL)
    assert decided(evidence, Plan(positive="yes")).evidence is evidence
    assert decided(evidence, Plan()).record is None


def test_below_the_threshold_the_best_other_class_is_taken():
    evidence = multi([[[0.1, 0.7, 0.2], [0.4, 0.35, 0.25], [0.2, 0.3, 0.5]]] * 3, [1, 1, 1])
    block = decide(evidence.load(CLEAN), evidence, 1, np.full(3, 0.32))
    assert block.predicted[0].tolist() == [1, 1, 2]
    np.testing.assert_allclose(block.confidence[0], [0.7, 0.35, 0.5])
    block = decide(evidence.load(CLEAN), evidence, 1, np.full(3, 0.8))
    assert block.predicted[0].tolist() == [2, 0, 2]


def with_validation(**columns):
    """Negatives of the dense model score .05, .15, …, .95 on validation; the pruned one's half."""
    dense = np.r_[np.arange(10) / 10 + 0.05, np.full(10, 0.99)]
    table = [dense, dense / 2, dense**2]
    label = np.r_[np.zeros(10, int), np.ones(10, int)]
    validation = binary(table, label, "validation", **columns)
    return replace(binary(SCORE, LABEL), validation=validation)


def test_a_specificity_is_set_on_the_parent_and_frozen():
    evidence = with_validation()
    rule = {"specificity": 0.8, "on": "validation"}
    found = decided(evidence, Plan(positive="yes", decision=rule)).record["thresholds"]
    assert found["d"] == pytest.approx(0.85, abs=1e-6)  # eight negatives of ten lie below
    assert found == {"d": found["d"], "p": found["d"], "c": found["d"]}
    each = decided(evidence, Plan(positive="yes", decision={**rule, "set_on": "each"}))
    own = each.record["thresholds"]
    assert own["p"] == pytest.approx(0.425, abs=1e-6)
    assert own["c"] == pytest.approx(0.85**2, abs=1e-6)
    predicted = each.evidence.validation.load(CLEAN).predicted  # validation is decided too
    assert (predicted[:, :10] == 0).mean(axis=1).tolist() == [0.8] * 3


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 300), st.floats(0.05, 0.95), st.booleans())
def test_the_rate_is_reached_and_no_further_threshold_reaches_it(seed, share, weighted):
    draw = np.random.default_rng(seed)
    score, positive = np.round(draw.random(40), 1), draw.random(40) < 0.5
    positive[:2] = True, False
    weights = draw.integers(1, 4, 40).astype(float) if weighted else None
    for kind, label in (("sensitivity", 1), ("specificity", 0)):
        found = operating_threshold(score, positive, weights=weights, **{kind: share})

        def rate(threshold, label=label):
            own = positive == bool(label)
            weight = np.ones(40) if weights is None else weights
            return np.average(((score >= threshold) == bool(label))[own], weights=weight[own])

        assert rate(found) == pytest.approx(
            recall_score(positive, score >= found, pos_label=label, sample_weight=weights)
        )
        assert rate(found) >= share - 1e-9
        beyond = score[score > found] if kind == "sensitivity" else score[score < found]
        for other in beyond:
            assert rate(other) < share


def test_prevalence_by_hand():
    """Two positives: at .6 two are taken. With a tie at .6 three are, and at .9 one: as near."""
    positive = np.array([True, False, True, False])
    assert prevalence_threshold(np.array([0.9, 0.6, 0.4, 0.1]), positive) == 0.6
    assert prevalence_threshold(np.array([0.9, 0.6, 0.6, 0.1]), positive) in (0.6, 0.9)
    none = prevalence_threshold(np.array([0.9, 0.6]), np.array([False, False]))
    assert none > 0.9
    evidence = with_validation()
    np.testing.assert_allclose(
        prevalence_thresholds(evidence, 1), [0.99, 0.495, 0.99**2], atol=1e-6
    )
    assert prevalence_thresholds(binary(SCORE, LABEL), 1) is None


def test_what_is_missing_is_said():
    rule = {"threshold": 0.3}
    with pytest.raises(InputError, match="name it as `positive`"):
        decided(binary(SCORE, LABEL), Plan(decision=rule))
    many = replace(multi([[[0.2, 0.5, 0.3]]] * 3, [1]), probabilities=lambda condition, row: None)
    with pytest.raises(InputError, match="add a column `probabilities`"):
        decided(many, Plan(positive="b", decision=rule)).evidence.load(CLEAN)
    at = {"specificity": 0.9}
    with pytest.raises(InputError, match="examples of the split `validation`"):
        decided(binary(SCORE, LABEL), Plan(positive="yes", decision=at))
    positives = replace(binary(SCORE, LABEL), validation=binary(SCORE, [1, 1, 1, 1], "validation"))
    with pytest.raises(InputError, match="hold no negative"):
        decided(positives, Plan(positive="yes", decision=at))


def test_the_whole_audit_sees_decided_predictions():
    draw = np.random.default_rng(0)
    label = draw.integers(0, 2, 200)
    score = np.clip(label * 0.3 + draw.random((3, 200)) * 0.7, 0.001, 0.999)
    evidence = binary(score, label, group_g=draw.choice(["a", "b"], 200))
    plan = Plan(positive="yes", decision={"threshold": 0.3}, resamples=100)
    found = judge(evidence, plan, Policy())
    assert found.run["decision"]["thresholds"] == {"d": 0.3, "p": 0.3, "c": 0.3}
    (accuracy,) = [
        f
        for f in found.findings
        if f.measure == "accuracy" and f.pruned is not None and not f.groups
    ]
    assert accuracy.pruned == pytest.approx(((score[1] >= 0.3) == label).mean())
    plain = judge(evidence, Plan(positive="yes", resamples=100), Policy())
    assert "decision" not in plain.run
