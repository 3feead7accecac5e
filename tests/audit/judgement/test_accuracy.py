import numpy as np
import pytest

from audit.evidence.blocks import NOT_SHOWN, Condition
from audit.judgement.accuracy import accuracy_families
from audit.judgement.inference.paired import paired_change
from audit.judgement.plan import Plan


def ask(made, **plan):
    (family,) = accuracy_families(made.block, made.evidence, made.arms, Plan(**plan))
    return family


def test_by_hand(study):
    """40 examples; parents right on 40 and 36, pruned on 30 and 26: −.25; control .975 and .9."""
    labels = np.zeros(40, dtype=int)

    def right(n):
        return np.where(np.arange(40) < n, 0, 1)

    made = study(
        labels, [right(40), right(36)], {0.5: [right(30), right(26)]}, [right(39), right(36)]
    )
    (finding,) = ask(made).findings
    assert finding.parent == pytest.approx(0.95)
    assert finding.pruned == pytest.approx(0.70)
    assert finding.control == pytest.approx(0.9375)
    assert finding.change == pytest.approx(-0.25)
    assert (finding.n, finding.parents, finding.discordant) == (40, 2, 14)
    assert finding.worse_direction == "down"
    assert finding.generalises_to == "both"


def test_the_interval_is_that_of_the_paired_difference(study):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 100)
    dense, pruned = (np.where(draw.random((4, 100)) < 0.8, labels, 0) for _ in range(2))
    (finding,) = ask(study(labels, dense, {0.5: pruned})).findings
    expected = paired_change((pruned == labels) * 1.0 - (dense == labels))
    assert (finding.low, finding.high, finding.p) == (expected.low, expected.high, expected.p)


def test_replicates_of_one_parent_are_one_parent(study):
    """Ten children of each of two parents: the finding rests on two parents, not on twenty."""
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 3, 60)
    dense = np.where(draw.random((2, 60)) < 0.9, labels, 0)
    children = np.where(draw.random((20, 60)) < 0.7, labels, 0)
    parent_of = [i // 10 for i in range(20)]
    (finding,) = ask(study(labels, dense, {0.5: children}, parent_of=parent_of)).findings
    right = (children == labels).reshape(2, 10, 60).mean(axis=1)
    expected = paired_change(right - (dense == labels))
    assert finding.parents == 2
    assert finding.df == expected.df
    assert finding.p == pytest.approx(expected.p)


def test_unlabelled_and_unshown_examples_are_outside(study):
    labels = np.array([0] * 40 + [-1] * 5)
    dense = np.zeros((2, 45), dtype=int)
    dense[0, :4] = NOT_SHOWN
    pruned = np.zeros((2, 45), dtype=int)
    pruned[1, 6:10] = NOT_SHOWN
    (finding,) = ask(study(labels, dense, {0.5: pruned})).findings
    assert (finding.parent, finding.pruned, finding.change) == (1.0, 1.0, 0.0)
    assert finding.n == 40


def test_without_parents_the_change_is_not_asked(study):
    labels = np.zeros(40, dtype=int)
    made = study(labels, np.zeros((2, 40)), {0.5: np.ones((2, 40))}, named_parents=False)
    (finding,) = ask(made).findings
    assert (finding.parent, finding.pruned, finding.change) == (1.0, 0.0, None)
    assert finding.outcome == "not_asked"
    assert "parent" in finding.reason


def test_other_conditions_are_another_family(study):
    labels = np.zeros(40, dtype=int)
    made = study(
        labels, np.zeros((2, 40)), {0.5: np.ones((2, 40))}, condition=Condition("fog", 3.0)
    )
    family = ask(made)
    assert family.name == "shifted_accuracy"
    assert (family.findings[0].condition, family.findings[0].severity) == ("fog", 3.0)


def test_too_few_examples_make_no_claim(study):
    made = study(np.zeros(29, dtype=int), np.zeros((2, 29)), {0.5: np.ones((2, 29))})
    (finding,) = ask(made).findings
    assert finding.change == -1.0
    assert finding.p is None
    assert "30" in finding.reason


def test_identical_models_have_p_one(study):
    labels = np.arange(60) % 3
    (finding,) = ask(
        study(labels, np.tile(labels, (3, 1)), {0.5: np.tile(labels, (3, 1))})
    ).findings
    assert (finding.change, finding.p) == (0.0, 1.0)
