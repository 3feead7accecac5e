"""Whole audits of data in which there is little or nothing to ask: no NaN, no warning, p = 1."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy

DRAW = np.random.default_rng(0)
LABELS = np.arange(90) % 3
VOTES = np.where(DRAW.random((5, 90)) < 0.8, LABELS, DRAW.integers(0, 3, (5, 90)))
GROUPS = {"group_g": np.where(np.arange(90) % 2, "x", "y")}


def audited(made):
    """The audit with confidences, probabilities and training examples."""
    votes, classes = made.block.predicted, len(made.evidence.classes)

    def probabilities(condition, row):
        z = np.exp(3 * np.eye(classes)[np.maximum(votes[row], 0)])
        table = (z / z.sum(axis=1, keepdims=True)).astype(np.float32)
        table[votes[row] < 0] = np.nan
        return table

    labels = np.repeat(np.arange(classes), 10 ** np.minimum(1 + np.arange(classes), 3))
    training = pd.DataFrame({"example": 9_000 + np.arange(labels.size), "label": labels})
    block = replace(made.block, confidence=np.where(votes < 0, np.nan, 0.8).astype(np.float32))
    evidence = replace(
        made.evidence,
        probabilities=probabilities,
        training=training.assign(split="train"),
        load=lambda _condition: block,
    )
    found = judge(evidence, Plan(resamples=100), Policy())
    assert "NaN" not in found.to_json()
    return found.findings


@pytest.mark.parametrize("parents", [1, 5])
def test_identical_populations_have_p_one_everywhere(study, parents):
    same = VOTES[:parents]
    found = audited(study(LABELS, same, {0.5: same, 0.9: same}, same, columns=GROUPS))
    tested = [f for f in found if f.p is not None]
    assert len(tested) > 20
    assert {f.measure for f in tested if f.p < 1.0} == set()


@pytest.mark.parametrize(
    ("labels", "dense", "pruned"),
    [
        ([0], np.zeros((3, 1)), np.ones((3, 1))),
        (np.r_[np.zeros(50, int), 1], np.zeros((3, 51)), np.ones((3, 51))),
        (LABELS, np.zeros((2, 90)), np.zeros((2, 90))),
        (LABELS, np.where(np.arange(90) < 20, -1, VOTES), VOTES[:, ::-1]),
        (np.full(90, -1), VOTES, 2 - VOTES),
    ],
    ids=["one example", "a class of one", "classes never predicted", "not shown", "no labels"],
)
def test_little_to_ask_about(study, labels, dense, pruned):
    found = audited(study(labels, dense, {0.5: pruned}, classes=("a", "b", "c")))
    assert {f.outcome for f in found} == {"no_limit", "not_asked"}
    assert all(f.reason for f in found if f.outcome == "not_asked")


def test_models_without_parents(study):
    found = audited(study(LABELS, VOTES, {0.5: 2 - VOTES}, named_parents=False))
    count = next(f for f in found if f.measure == "pie_count")
    assert count.outcome == "no_limit"
